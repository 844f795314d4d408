"""The pages of campaigns, who agrees to them, and what they add to other pages."""

from django.utils.translation import gettext_lazy as _

from campaigns import queries
from campaigns.admin import (
    campaign_acts,
    campaign_editor,
    campaign_panels,
    campaigns,
    offers,
    results,
)
from campaigns.services import campaign_drafts, launching
from campaigns.services import own_data as campaigns_own_data
from config.base.admin.reauth import fresh_login_required
from config.base.panels import EventText, Page, Panel, Place, register
from members.services import approvals
from members.services.approvals import Kind
from rewards import publication
from rewards.services import own_data


def install() -> None:
    """Register the pages, and who carries out which request."""
    approvals.register(
        campaign_drafts.PUBLISH,
        Kind(
            _("Let a campaign run"), launching.publish, campaign_panels.summarise,
            campaign_panels.effects, campaign_drafts.PUBLISH_PERMISSION, campaign_panels.address,
            launching.drop,
        ),
    )  # fmt: skip
    publication.tell_terms(queries.terms_in_force)
    own_data.add_parts(campaigns_own_data.PARTS)
    register(
        Page("campaigns/board/", "campaign_board", campaigns.board_page),
        Page("campaigns/new/", "campaign_new", campaign_editor.new_page),
        Page("campaigns/drafts/<int:version_id>/", "campaign_draft", campaign_editor.draft_page),
        Page("campaigns/<int:campaign_id>/", "campaign", campaigns.campaign_page),
        Page("campaigns/<int:campaign_id>/draft/", "campaign_copy", campaigns.copy_page),
        Page(
            "campaigns/<int:campaign_id>/do/<slug:verb>/", "campaign_verb",
            fresh_login_required(campaigns.verb_page),
        ),
        Page("campaigns/<int:campaign_id>/results/", "campaign_results", results.results_page),
        Page(
            "campaigns/acts/<int:act_id>/undo/", "campaign_act_undo",
            fresh_login_required(campaign_acts.undo_page),
        ),
        Page(
            "campaigns/global-holdout/", "global_holdout",
            fresh_login_required(campaign_acts.holdout_page),
        ),
        Panel(
            "campaigns.running", Place.DASHBOARD_WORK, "admin/campaigns/running.html",
            campaign_panels.running_panel, 5, campaigns.VIEW,
        ),
        Panel(
            "campaigns.member", Place.MEMBER_ASIDE, "admin/campaigns/of_member.html",
            campaign_panels.member_panel, 35, "campaigns.view_campaignmember",
        ),
        Panel(
            "campaigns.offers", Place.MEMBER_ASIDE, "admin/campaigns/offers.html",
            offers.offers_panel, 25, offers.VIEW,
        ),
        EventText("offer.shown", offers.event_details),
        EventText("campaign.acted", campaign_panels.event_details),
        EventText("campaign.undone", campaign_panels.event_details),
    )  # fmt: skip
