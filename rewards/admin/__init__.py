"""The console's pages of the points ledger, of what earns, and of what points turn into."""

from rewards.admin import (
    budget,
    catalogue,
    coupon,
    goodwill,
    grant,
    importing,
    inbound,
    ledger,
    reservation,
    rule,
)

__all__ = [
    "budget", "catalogue", "coupon", "goodwill", "grant", "importing", "inbound", "ledger",
    "reservation", "rule",
]  # fmt: skip
