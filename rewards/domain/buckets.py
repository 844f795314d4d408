"""The buckets of a points account and the transfers that are allowed between them."""

from enum import StrEnum
from typing import Final, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Bucket(StrEnum):
    """Where points stand; `issuance` is the source of everything that is earned."""

    ISSUANCE = "issuance"
    PENDING = "pending"
    AVAILABLE = "available"
    RESERVED = "reserved"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    REVERSED = "reversed"
    DEBT = "debt"
    ADJUSTMENT = "adjustment"
    TRANSFER = "transfer"

    @classmethod
    def choices(cls) -> list[tuple[str, Promise]]:
        """Return (value, label for people) in the order of a point's life."""
        return [(bucket.value, LABELS[bucket]) for bucket in cls]


Flow: TypeAlias = tuple[Bucket, Bucket]

LABELS: Final[dict[Bucket, Promise]] = {
    Bucket.ISSUANCE: _("Issuance"),
    Bucket.PENDING: _("Pending"),
    Bucket.AVAILABLE: _("Available"),
    Bucket.RESERVED: _("Reserved"),
    Bucket.REDEEMED: _("Redeemed"),
    Bucket.EXPIRED: _("Expired"),
    Bucket.REVERSED: _("Reversed"),
    Bucket.DEBT: _("Points debt"),
    Bucket.ADJUSTMENT: _("Adjustment"),
    Bucket.TRANSFER: _("Transfer"),
}

EARN: Final[Flow] = (Bucket.ISSUANCE, Bucket.AVAILABLE)
EARN_PENDING: Final[Flow] = (Bucket.ISSUANCE, Bucket.PENDING)
ACTIVATE: Final[Flow] = (Bucket.PENDING, Bucket.AVAILABLE)
HOLD: Final[Flow] = (Bucket.AVAILABLE, Bucket.RESERVED)
CAPTURE: Final[Flow] = (Bucket.RESERVED, Bucket.REDEEMED)
RELEASE: Final[Flow] = (Bucket.RESERVED, Bucket.AVAILABLE)
REDEEM: Final[Flow] = (Bucket.AVAILABLE, Bucket.REDEEMED)
GIVE_BACK: Final[Flow] = (Bucket.REDEEMED, Bucket.AVAILABLE)
EXPIRE: Final[Flow] = (Bucket.AVAILABLE, Bucket.EXPIRED)
PAY_DEBT: Final[Flow] = (Bucket.AVAILABLE, Bucket.DEBT)
ADJUST_UP: Final[Flow] = (Bucket.ADJUSTMENT, Bucket.AVAILABLE)
ADJUST_DOWN: Final[Flow] = (Bucket.AVAILABLE, Bucket.ADJUSTMENT)
TRANSFER_IN: Final[Flow] = (Bucket.TRANSFER, Bucket.AVAILABLE)
TRANSFER_OUT: Final[Flow] = (Bucket.AVAILABLE, Bucket.TRANSFER)
TRANSFER_IN_PENDING: Final[Flow] = (Bucket.TRANSFER, Bucket.PENDING)
TRANSFER_OUT_PENDING: Final[Flow] = (Bucket.PENDING, Bucket.TRANSFER)
TRANSFER_OUT_EXPIRED: Final[Flow] = (Bucket.EXPIRED, Bucket.TRANSFER)
TRANSFER_OUT_OF_DEBT: Final[Flow] = (Bucket.DEBT, Bucket.TRANSFER)
REVERSE_PENDING: Final[Flow] = (Bucket.PENDING, Bucket.REVERSED)
REVERSE_AVAILABLE: Final[Flow] = (Bucket.AVAILABLE, Bucket.REVERSED)
REVERSE_EXPIRED: Final[Flow] = (Bucket.EXPIRED, Bucket.REVERSED)
REVERSE_INTO_DEBT: Final[Flow] = (Bucket.DEBT, Bucket.REVERSED)

ALLOWED: Final[frozenset[Flow]] = frozenset({
    EARN, EARN_PENDING, ACTIVATE, HOLD, CAPTURE, RELEASE, REDEEM, GIVE_BACK, EXPIRE, PAY_DEBT,
    ADJUST_UP, ADJUST_DOWN, TRANSFER_IN, TRANSFER_OUT, TRANSFER_IN_PENDING,
    TRANSFER_OUT_PENDING, TRANSFER_OUT_EXPIRED, TRANSFER_OUT_OF_DEBT,
    REVERSE_PENDING, REVERSE_AVAILABLE, REVERSE_EXPIRED, REVERSE_INTO_DEBT,
})  # fmt: skip
"""What the database checks too; anything else is not a movement of this ledger."""
