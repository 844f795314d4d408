"""What movements of points say to people."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rewards.domain import buckets
from rewards.domain.buckets import Bucket, Flow

MOVEMENTS: Final[Mapping[Flow, Promise]] = {
    buckets.EARN: _("Earned"),
    buckets.EARN_PENDING: _("Earned, pending"),
    buckets.ACTIVATE: _("Became available"),
    buckets.HOLD: _("Reserved"),
    buckets.CAPTURE: _("Spent (reserved before)"),
    buckets.RELEASE: _("Released"),
    buckets.REDEEM: _("Spent"),
    buckets.GIVE_BACK: _("Given back"),
    buckets.EXPIRE: _("Expired"),
    buckets.PAY_DEBT: _("Settled points debt"),
    buckets.ADJUST_UP: _("Adjusted up"),
    buckets.ADJUST_DOWN: _("Adjusted down"),
    buckets.TRANSFER_IN: _("Taken over"),
    buckets.TRANSFER_OUT: _("Handed over"),
    buckets.TRANSFER_IN_PENDING: _("Taken over, pending"),
    buckets.TRANSFER_OUT_PENDING: _("Handed over (pending)"),
    buckets.TRANSFER_OUT_EXPIRED: _("Handed over (expired)"),
    buckets.TRANSFER_OUT_OF_DEBT: _("Handed over as debt"),
    buckets.REVERSE_PENDING: _("Clawed back (pending)"),
    buckets.REVERSE_AVAILABLE: _("Clawed back"),
    buckets.REVERSE_EXPIRED: _("Clawed back (expired)"),
    buckets.REVERSE_INTO_DEBT: _("Clawed back into debt"),
}

REASONS: Final[Mapping[str, Promise]] = {
    "order_paid": _("Order paid"),
    "order_changed": _("Order changed"),
    "order_cancelled": _("Order cancelled"),
    "order_moved": _("Order moved to another member"),
    "refunded": _("Refund"),
    "interaction": _("Interaction"),
    "interaction_withdrawn": _("Interaction removed"),
    "late_fact": _("Late or corrected fact"),
    "tender_refunded": _("Refund of an order paid with points"),
    "reserved": _("Reserved for a purchase"),
    "captured": _("Reservation captured"),
    "released": _("Reservation released"),
    "hold_lapsed": _("Reservation lapsed"),
    "hold_released": _("Reservation released"),
    "activated": _("Return window over"),
    "expired": _("End of validity"),
    "debt_settled": _("Points debt settled first"),
    "adjustment": _("Adjusted by hand"),
    "bulk_grant": _("Bulk grant"),
    "campaign": _("Campaign"),
    "campaign_undone": _("Gift of a campaign taken back"),
    "goodwill": _("Goodwill"),
    "prospect_offer": _("Offer to a prospect"),
    "referral": _("Referral"),
    "referral_taken_back": _("Reward of a referral taken back"),
    "goodwill_undone": _("Goodwill taken back"),
    "opening": _("Opening balance"),
    "merged": _("Merged with another member"),
    "merge_undone": _("Merge undone"),
}

GROWING: Final = frozenset({Bucket.PENDING, Bucket.AVAILABLE})
LEAVING: Final = frozenset({Bucket.PENDING, Bucket.AVAILABLE, Bucket.RESERVED, Bucket.DEBT})
INSIDE: Final = frozenset({buckets.ACTIVATE, buckets.HOLD, buckets.RELEASE, buckets.PAY_DEBT})


def movement(source: str, target: str) -> str:
    """Return what a transfer means for the member."""
    flow = (Bucket(source), Bucket(target))
    return str(MOVEMENTS.get(flow, f"{source} → {target}"))


def change(source: str, target: str, points: int) -> int:
    """Return what a transfer does to all that a member has: 0 where it only moves inside.

    Units: points; what is pending, available and reserved, less debt.
    """
    flow = (Bucket(source), Bucket(target))
    if flow in INSIDE:
        return 0
    if flow[1] in GROWING:
        return points
    return -points if flow[0] in LEAVING else 0


def reason(code: str) -> str:
    """Return the reason of an entry for people: the words that staff gave stay as they are."""
    return str(REASONS.get(code, code))


WARNINGS: Mapping[str, Promise] = {
    "member_frozen": _("The member is frozen: nothing can be spent"),
    "member_closed": _("The membership is closed"),
    "points_debt": _("Points are owed: none can be spent"),
    "open_case": _("A case is open"),
    "no_marketing": _("No marketing messages allowed"),
}


def warning(code: str) -> str:
    """Return what somebody who serves a member should know."""
    return str(WARNINGS.get(code, code))
