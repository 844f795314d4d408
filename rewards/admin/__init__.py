"""The console's pages of the points ledger and of what earns."""

from rewards.admin import importing, ledger, reservation, rule

__all__ = ["importing", "ledger", "reservation", "rule"]
