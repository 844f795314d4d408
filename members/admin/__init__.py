"""The console's pages of members, their facts, and the connected systems."""

from members.admin import approval, brand, fact, member, person, staff, touchpoint, webhook

__all__ = ["approval", "brand", "fact", "member", "person", "staff", "touchpoint", "webhook"]
