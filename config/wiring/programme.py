"""The pages on which the programme is written and given by list, and who agrees to what."""

from django.utils.translation import gettext_lazy as _

from config.base.admin.reauth import fresh_login_required
from config.base.panels import EventText, Page, register
from members.services import approvals
from members.services.approvals import Kind
from rewards.admin import (
    bulk_grants,
    calling_off,
    ladder_simulation,
    policy_pages,
    rule,
    rule_pages,
)
from rewards.services import bulk_grants as bulk_grants_service
from rewards.services import policy_versions, rule_drafts, rule_publication
from tiers.admin import benefit_pages, ladder_pages
from tiers.services import benefit_terms, ladder_drafts


def install() -> None:
    """Register the pages, and who carries out which request."""
    _install_kinds()
    register(
        Page("rewards/rules/new/", "rule_new", rule_pages.new_page),
        Page("rewards/rule-drafts/<int:version_id>/", "rule_draft", rule_pages.draft_page),
        Page("rewards/rule-versions/<int:version_id>/copy/", "rule_copy", rule_pages.copy_page),
        Page("rewards/rule-versions/<int:version_id>/end/", "rule_end", rule_pages.end_page),
        Page(
            "rewards/points-policies/new/", "policy_new",
            fresh_login_required(policy_pages.policy_page),
        ),
        Page("tiers/ladder-drafts/new/", "ladder_new", ladder_pages.new_page),
        Page("tiers/ladder-drafts/<int:draft_id>/", "ladder_draft", ladder_pages.draft_page),
        Page(
            "tiers/ladder-drafts/<int:draft_id>/simulation/", "ladder_simulation",
            ladder_simulation.simulation_page,
        ),
        Page("tiers/benefit-terms/", "benefit_matrix", benefit_pages.matrix_page),
        Page(
            "tiers/benefit-terms/<int:tier_id>/<int:benefit_id>/", "benefit_terms",
            fresh_login_required(benefit_pages.terms_page),
        ),
        Page(
            "rewards/reward/<int:reward_id>/call-off/", "reward_call_off",
            fresh_login_required(calling_off.call_off_page),
        ),
        Page("bulk-grants/", "bulk_grants", bulk_grants.list_page),
        Page("bulk-grants/<int:bulk_id>/", "bulk_grant", bulk_grants.bulk_page),
        EventText("bulk_grant.given", bulk_grants.event_details),
    )  # fmt: skip


def _install_kinds() -> None:
    permission = rule_drafts.PUBLISH_PERMISSION
    about = (rule.summarise, rule.effects, permission, rule.address)
    publish = Kind(_("Publish an earning rule"), rule_publication.publish, *about)
    approvals.register(rule_drafts.PUBLISH, publish)
    approvals.register(
        rule_drafts.RETIRE, Kind(_("End an earning rule"), rule_publication.end, *about)
    )
    approvals.register(
        ladder_drafts.PUBLISH,
        Kind(
            _("Publish a version of the ladder"), ladder_pages.execute_approved,
            ladder_pages.summarise, ladder_pages.effects, ladder_drafts.PUBLISH_PERMISSION,
            ladder_pages.address,
        ),
    )  # fmt: skip
    approvals.register(
        policy_versions.APPROVAL_KIND,
        Kind(
            _("Publish a points policy"), policy_pages.execute_approved,
            policy_versions.summarise, policy_pages.effects, policy_versions.APPROVE_PERMISSION,
        ),
    )  # fmt: skip
    approvals.register(
        benefit_terms.APPROVAL_KIND,
        Kind(
            _("What a tier gives"), benefit_terms.execute_approved, benefit_terms.summarise,
            benefit_terms.effects, benefit_terms.APPROVE_PERMISSION,
        ),
    )  # fmt: skip
    approvals.register(
        bulk_grants_service.APPROVAL_KIND,
        Kind(
            _("Bulk grant"), bulk_grants.execute_approved, bulk_grants.summarise,
            bulk_grants.effects, bulk_grants_service.APPROVE_PERMISSION, bulk_grants.address,
        ),
    )  # fmt: skip
