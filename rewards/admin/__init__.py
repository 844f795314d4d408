"""The console's pages of the points ledger, of what earns, and of what points turn into."""

from rewards.admin import catalogue, coupon, grant, importing, inbound, ledger, reservation, rule

__all__ = ["catalogue", "coupon", "grant", "importing", "inbound", "ledger", "reservation", "rule"]
