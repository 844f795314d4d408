"""The pages of prospects and of offers to them, who agrees, and what they tell members' pages."""

from django.utils.translation import gettext_lazy as _

from campaigns.admin import prospect_offers as offers
from campaigns.services import prospect_offers, prospect_own_data
from config.base.admin.reauth import fresh_login_required
from config.base.panels import EventText, Page, register
from members.admin import prospect
from members.services import approvals
from members.services.approvals import Kind
from rewards.services import own_data

EVENTS = ("prospect.joined", "prospect.rewarded", "prospect.not_rewarded")


def install() -> None:
    """Register the pages, and who carries out which request."""
    approvals.register(
        prospect_offers.APPROVAL_KIND,
        Kind(
            _("Offer to prospects"), prospect_offers.publish, prospect_offers.summarise,
            prospect_offers.effects, prospect_offers.APPROVE_PERMISSION, offers.address,
            prospect_offers.drop,
        ),
    )  # fmt: skip
    own_data.add_parts(prospect_own_data.PARTS)
    register(
        Page("prospects/enter/", "prospect_add", prospect.add_page),
        Page(
            "prospects/<int:prospect_id>/clear/", "prospect_reveal",
            fresh_login_required(prospect.reveal_page),
        ),
        Page(
            "prospects/<int:prospect_id>/stop/", "prospect_forget",
            fresh_login_required(prospect.forget_page),
        ),
        Page("prospects/offers/new/", "prospect_offer_add", offers.write_page),
        Page("prospects/offers/<int:offer_id>/", "prospect_offer", offers.offer_page),
        Page(
            "prospects/offers/<int:offer_id>/change/", "prospect_offer_change", offers.write_page
        ),
        Page("prospects/offers/<int:offer_id>/ask/", "prospect_offer_ask", offers.ask_page),
        Page(
            "prospects/offers/<int:offer_id>/end/", "prospect_offer_end",
            fresh_login_required(offers.end_page),
        ),
        *(EventText(kind, offers.event_details) for kind in EVENTS),
    )  # fmt: skip
