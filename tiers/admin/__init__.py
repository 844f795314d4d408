"""The console's pages of the ladder, of benefits, and of who has what of them."""

from tiers.admin import benefit, ladder

__all__ = ["benefit", "ladder"]
