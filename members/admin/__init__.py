"""The console's pages of members, their facts, and the connected systems."""

from members.admin import approval, fact, member, person, presence, staff, touchpoint

__all__ = ["approval", "fact", "member", "person", "presence", "staff", "touchpoint"]
