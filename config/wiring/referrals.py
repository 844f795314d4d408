"""What referrals add to the console, and who agrees to what."""

from django.utils.translation import gettext_lazy as _

from campaigns.admin import payouts, referral_terms, referrals
from campaigns.services import referral_terms as terms
from config.base.admin.reauth import fresh_login_required
from config.base.panels import EventText, Page, Panel, Place, register
from members.services import approvals

EVENTS = (
    "referral.registered", "referral.code_refused", "referral.held", "referral.accepted",
    "referral.refused", "referral.rewarded", "referral.taken_back", "payout.approved",
    "payout.refused", "payout.paid",
)  # fmt: skip


def install() -> None:
    """Register the pages, the member page's part, and the kind of request."""
    approvals.register(
        terms.APPROVAL_KIND,
        approvals.Kind(
            _("Referral programme"), terms.publish, terms.summarise, terms.effects,
            terms.APPROVE_PERMISSION,
        ),
    )  # fmt: skip
    register(
        Page("referrals/queue/", "referral_queue", referrals.queue_page),
        Page("referrals/terms/", "referral_terms", referral_terms.terms_page),
        Page("payouts/", "payout_queue", fresh_login_required(payouts.queue_page)),
        Panel(
            "campaigns.referrals", Place.MEMBER_PROFILE, "admin/campaigns/referral_panel.html",
            referrals.member_panel, 60, referrals.VIEW,
        ),
        *(EventText(kind, referrals.event_details) for kind in EVENTS),
    )  # fmt: skip
