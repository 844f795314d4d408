"""The console's pages of the points ledger, of what earns, and of what points turn into."""

from rewards.admin import (
    budget,
    bulk_grants,
    catalogue,
    coupon,
    exports,
    goodwill,
    grant,
    importing,
    inbound,
    ledger,
    reservation,
    rule,
    uploads,
)

__all__ = [
    "budget", "bulk_grants", "catalogue", "coupon", "exports", "goodwill", "grant", "importing",
    "inbound", "ledger", "reservation", "rule", "uploads",
]  # fmt: skip
