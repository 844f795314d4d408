"""What a member may know of their own referrals: how far each has come, never about whom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count

from campaigns.models import Referral, ReferralState

# That somebody is looking at one is nobody's business but ours.
SHOWN_AS: Final = {
    ReferralState.REGISTERED: "joined",
    ReferralState.WAITING: "waiting",
    ReferralState.HELD: "waiting",
    ReferralState.REWARDED: "rewarded",
    ReferralState.REFUSED: "over",
    ReferralState.LAPSED: "over",
    ReferralState.TAKEN_BACK: "over",
}
STATES: Final = ("joined", "waiting", "rewarded", "over")
MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Brought:
    """One friend, without a name."""

    state: str
    joined_at: datetime
    rewarded_at: datetime | None


def counts(member_ids: list[int]) -> dict[str, int]:
    """Return how many friends the member and those merged into it have brought, by state."""
    found = dict.fromkeys(STATES, 0)
    rows = Referral.objects.filter(referrer_id__in=member_ids).values_list("state")
    for state, count in rows.annotate(count=Count("pk")).order_by():
        found[SHOWN_AS[ReferralState(state)]] += count
    return found


def latest(member_ids: list[int]) -> list[Brought]:
    """Return the last friends, the latest first."""
    rows = Referral.objects.filter(referrer_id__in=member_ids).order_by("-registered_at", "-pk")
    return [
        Brought(SHOWN_AS[ReferralState(state)], joined_at, rewarded_at)
        for state, joined_at, rewarded_at in rows.values_list(
            "state", "registered_at", "rewarded_at"
        )[:MOST]
    ]
