"""Which parts the apps show on the console's pages."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from campaigns.admin import (
    automations,
    dashboards,
    festivals,
    goals,
    month_end,
    reports,
)
from config.base import clock
from config.base.admin import scope
from config.base.admin.reauth import fresh_login_required
from config.base.panels import (
    Column,
    EventText,
    Group,
    Link,
    Page,
    Panel,
    Place,
    name_programme,
    register,
)
from config.safety import admin as safety
from config.wiring import (
    campaigns,
    care,
    desk,
    feedback,
    messaging,
    programme,
    prospects,
    referrals,
    segments,
    today,
)
from members.admin import customer_value, inbox, insight, league
from members.admin import panels as members
from members.admin import reports as member_reports
from members.admin import scope as member_scope
from members.services import approvals, brand
from members.services import insight as insight_service
from rewards.admin import (
    adjustment,
    catalogue_panels,
    coupon,
    coupon_forms,
    data_requests,
    exports,
    membership,
    own_till,
    progress,
    redemption_forms,
    statement,
    uploads,
    warehouse,
)
from rewards.admin import panels as rewards
from rewards.services import adjustment as adjust_service
from rewards.services import erasing
from rewards.services.adjustment import APPROVAL_KIND
from tiers import pages as tier_pages
from tiers import panels as tiers
from tiers.services import standing

# What the arguments of pages name: whoever sees some stores only is kept off the rows of others.
SUBJECTS: Final = {
    "member_id": "members.Member",
    "redemption_id": "rewards.Redemption",
    "coupon_id": "rewards.Coupon",
    "case_id": "members.Case",
    "goodwill_id": "rewards.Goodwill",
    "message_id": "campaigns.Message",
    "act_id": "campaigns.CampaignAct",
    "prospect_id": "members.Prospect",
}


def install() -> None:
    """Register every panel, button and page, and who carries out which request."""
    scope.install(scope.Scope(member_scope.is_limited, member_scope.narrow, SUBJECTS))
    today.install()
    _install_figures()
    _install_member_page()
    _install_pages()
    _install_triggers()
    desk.install()
    care.install()
    messaging.install()
    name_programme(lambda: brand.programme_name(clock.now()))
    approvals.register(
        standing.APPROVAL_KIND,
        approvals.Kind(
            _("Tier override"),
            standing.execute_approved,
            tier_pages.summarise,
            tier_pages.effects,
            "tiers.approve_override",
        ),
    )
    approvals.register(
        APPROVAL_KIND,
        approvals.Kind(
            _("Points adjustment"),
            adjustment.execute_approved,
            adjustment.summarise,
            adjustment.effects,
            "rewards.approve_adjustment",
            drop=adjust_service.drop_request,
        ),
    )
    approvals.register(
        erasing.APPROVAL_KIND,
        approvals.Kind(
            _("Erasure of a member"), erasing.execute_approved, erasing.summarise,
            erasing.effects, erasing.PERMISSION,
        ),
    )  # fmt: skip
    programme.install()
    segments.install()
    campaigns.install()
    referrals.install()
    prospects.install()
    feedback.install()


def _install_figures() -> None:
    register(
        Page("reports/dashboard/<slug:group>/", "dashboard", dashboards.dashboard_page),
        Page("reports/goals/", "goals", goals.goals_page),
        Page("reports/goals/set/", "goal_add", goals.goal_page),
        Page("reports/goals/<int:goal_id>/change/", "goal_change", goals.goal_page),
        Page("reports/goals/<int:goal_id>/give-up/", "goal_give_up", goals.give_up_page),
        Page("reports/month-end/", "month_end", month_end.month_end_page),
        Page(
            "reports/month-end/<slug:month>/<slug:column>/", "month_end_entries",
            month_end.month_end_entries,
        ),
        Page("reports/unit-cost/", "unit_cost", fresh_login_required(month_end.unit_cost_page)),
        Page("reports/report/<int:report_id>/", "report", reports.report_page),
        Page("reports/report/<int:report_id>/pdf/", "report_pdf", reports.report_pdf_page),
        Page("reports/report/<int:report_id>/send/", "report_send", reports.send_to_all_page),
        Page(
            "reports/report/mail/<int:delivery_id>/again/", "report_send_again",
            reports.send_again_page,
        ),
    )  # fmt: skip


def _install_member_page() -> None:
    register(
        Panel("rewards.tier", Place.MEMBER_BADGES, "admin/rewards/tier.html", progress.badge),
        Panel(
            "rewards.figures", Place.MEMBER_FIGURES, "admin/rewards/figures.html",
            rewards.figures, 10, "rewards.view_pointsaccount",
        ),
        Panel(
            "rewards.progress", Place.MEMBER_TIER, "admin/rewards/progress.html",
            progress.progress, 5, "tiers.view_standing",
        ),
        Panel(
            "tiers.benefits", Place.MEMBER_ASIDE, "admin/tiers/benefits.html",
            progress.benefits, 20, "tiers.view_entitlement",
        ),
        Panel(
            "members.stage", Place.MEMBER_BADGES, "admin/members/stage_badge.html",
            insight.stage_badge, 10, insight.VIEW,
        ),
        Panel(
            "members.insight", Place.MEMBER_PROFILE, "admin/members/insight.html",
            insight.insight_panel, 5, insight.VIEW,
        ),
        Panel(
            "rewards.expiring", Place.MEMBER_ASIDE, "admin/rewards/expiring.html",
            rewards.expiring, 30, "rewards.view_lot",
        ),
        Panel(
            "members.cases", Place.MEMBER_ASIDE, "admin/members/cases.html",
            members.cases, 40, "members.view_case",
        ),
        Panel(
            "rewards.lots", Place.MEMBER_POINTS, "admin/rewards/lots.html",
            rewards.lots, 10, "rewards.view_lot",
        ),
        Panel(
            "rewards.entries", Place.MEMBER_POINTS, "admin/rewards/entries.html",
            rewards.entries, 20, "rewards.view_entry",
        ),
        Panel(
            "rewards.orders", Place.MEMBER_ORDERS, "admin/rewards/orders.html",
            rewards.orders, 10, "members.view_order",
        ),
        Panel(
            "rewards.coupons", Place.MEMBER_POINTS, "admin/rewards/coupons.html",
            coupon.coupons_panel, 25, "rewards.view_coupon",
        ),
        Panel(
            "rewards.redemptions", Place.MEMBER_POINTS, "admin/rewards/redemptions.html",
            catalogue_panels.redemptions, 30, "rewards.view_redemption",
        ),
        Panel(
            "tiers.history", Place.MEMBER_TIER, "admin/tiers/history.html",
            tiers.history, 10, "tiers.view_standing",
        ),
        Panel(
            "members.identifiers", Place.MEMBER_PROFILE, "admin/members/identifiers.html",
            members.identifiers, 10, "members.view_identifier",
        ),
        Panel(
            "members.profile", Place.MEMBER_PROFILE, "admin/members/profile.html",
            members.profile, 20, "members.view_memberprofile",
        ),
        Panel(
            "members.consents", Place.MEMBER_PROFILE, "admin/members/consents.html",
            members.consents, 30, "members.view_consent",
        ),
    )  # fmt: skip


def _install_pages() -> None:
    register(
        Page("approvals/", "approvals_inbox", inbox.inbox_page, is_scoped=True),
        Page("reports/enrolments-by-staff/", "report_league", league.league_page, is_scoped=True),
        Panel(
            "rewards.order", Place.ORDER, "admin/rewards/order_points.html",
            rewards.order_points, 10, "rewards.view_entry",
        ),
        Column("tier", _("tier"), progress.tier_labels, 10, "tiers.view_standing"),
        Column("phone", _("phone"), members.phone_tails, 20, "members.view_identifier"),
        Page(
            "members/member/<int:member_id>/statement/", "points_statement",
            statement.statement_page,
        ),
        Link(
            "rewards.statement", _("Monthly statement"), "description", rewards.statement_address,
            10, statement.PERMISSION, Group.MORE,
        ),
        EventText("tier.changed", tiers.changed_details),
        EventText(insight_service.STAGE_CHANGED, insight.stage_details),
        EventText(insight_service.CLASS_CHANGED, insight.class_details),
        EventText("tier.override", tiers.override_details),
        Page(
            "rewards/coupons/<int:template_id>/generate/", "coupons_generate",
            coupon_forms.generate_page,
        ),
        Page("rewards/coupons/<int:template_id>/load/", "coupons_load", coupon_forms.load_page),
        Page("rewards/coupon/<int:coupon_id>/revoke/", "coupon_revoke", coupon_forms.revoke_page),
        EventText("coupon.issued", coupon.event_details),
        EventText("coupon.redeemed", coupon.event_details),
        EventText("coupon.returned", coupon.event_details),
        EventText("coupon.revoked", coupon.event_details),
        EventText("tier.lapse_warning", tiers.lapse_details),
    )  # fmt: skip
    _install_files()


def _install_triggers() -> None:
    register(
        Page("campaigns/festivals/", "festivals", festivals.festivals_page),
        Page("campaigns/festivals/add/", "festival_add", festivals.festival_page),
        Page(
            "campaigns/festivals/<int:festival_id>/", "festival_change", festivals.festival_page
        ),
        Page("campaigns/automations/", "automations", automations.automations_page),
        Page(
            "campaigns/automations/<slug:code>/<slug:verb>/", "automation_switch",
            automations.automation_switch,
        ),
    )  # fmt: skip


def _install_files() -> None:
    register(
        Page(
            "members/member/<int:member_id>/data/", "data_requests",
            fresh_login_required(data_requests.data_requests_page),
        ),
        Link(
            "members.data", _("Personal data"), "policy", data_requests.data_requests_address, 90,
            data_requests.PERMISSION,
        ),
        Page("imports/", "imports", uploads.imports_page),
        Page("imports/<int:upload_id>/", "import_file", uploads.import_page),
        Page("imports/<int:upload_id>/rejects/", "import_rejects", uploads.rejects_file),
        Page("exports/", "exports", fresh_login_required(exports.exports_page)),
        Page(
            "exports/<int:export_id>/file/", "export_file",
            fresh_login_required(exports.export_file),
        ),
        Page("rewards/fulfilment/", "fulfilment", warehouse.fulfilment_page),
        Page(
            "rewards/redemption/<int:redemption_id>/do/<slug:verb>/", "redemption_verb",
            redemption_forms.redemption_page,
        ),
        Page(
            "rewards/reward/<int:reward_id>/stock/", "reward_stock", redemption_forms.stock_page
        ),
        Page("reports/customer-value/", "customer_value", customer_value.customer_value_page),
        Page(
            "reports/customer-value/policy/", "insight_policy_new", customer_value.policy_page
        ),
        Page("reports/enrolment/", "report_enrolment", member_reports.enrolment_page),
        Page(
            "members/member/<int:member_id>/tier-override/", "tier_override",
            tier_pages.override_page,
        ),
        Page(
            "members/member/<int:member_id>/adjustment/", "points_adjustment",
            adjustment.adjustment_page,
        ),
        Link(
            "rewards.adjustment", _("Adjust points"), "exposure", rewards.adjustment_address, 20,
            adjustment.PERMISSION, Group.MAKE_GOOD,
        ),
        Page("rewards/case/<int:case_id>/release/", "own_till_release", own_till.release_page),
        Link(
            "rewards.own_till", _("Release points"), "lock_open", own_till.release_address, 15,
            own_till.PERMISSION,
        ),
        Page("members/member/<int:member_id>/status/", "member_status", membership.status_page),
        Link(
            "members.status", _("Freeze or close"), "lock", membership.status_address, 40,
            membership.PERMISSION, Group.ACCOUNT,
        ),
        Link(
            "config.staff_acts", _("Staff acts"), "policy", safety.member_address, 90,
            "config.view_staffact",
        ),
        Link(
            "tiers.override", _("Tier override"), "person_edit", tiers.override_address, 30,
            tier_pages.PERMISSION, Group.ACCOUNT,
        ),
    )  # fmt: skip
