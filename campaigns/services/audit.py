"""What the audit proves of campaigns, offers, referrals and payouts.

Source: ORG-06, CMP-09, CMP-13, CMP-15, SEG-07, ENG-04, RWD-09.
"""

from pathlib import Path
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import audit

FOLDER: Final = Path(__file__).resolve().parent.parent / "sql" / "audit"

TEXTS: Final[dict[str, Promise]] = {
    "campaign_act_version": _("An act is of a version of its campaign."),
    "campaign_act_treated": _("Something is given to addressed members only."),
    "campaign_budget_spent": _("A campaign's budget has given what its acts have."),
    "campaign_segment": _("The segment of a running campaign holds whom it addresses."),
    "prospect_offer_given": _("An offer to prospects has given what it counts, and no more."),
    "referral_kept_order": _("A referral was rewarded for an order that was kept long enough."),
    "referral_payout": _("A payout is of a referral in cash, and of its amount."),
    "referral_rewarded": _("A rewarded referral has the reward of its terms, and no other."),
    "referral_single_entry": _("Points for a referral are of exactly one referral."),
}


def checks() -> list[audit.Check]:
    """Return the checks of this app."""
    return audit.load(FOLDER, TEXTS, {})
