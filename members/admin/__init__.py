"""The console's pages of members, their facts, and the connected systems."""

from members.admin import (
    approval,
    brand,
    case,
    fact,
    insight,
    member,
    merge,
    person,
    presence,
    prospect,
    segment,
    staff,
    touchpoint,
    webhook,
)

__all__ = [
    "approval", "brand", "case", "fact", "insight", "member", "merge", "person", "presence",
    "prospect", "segment", "staff", "touchpoint", "webhook",
]  # fmt: skip
