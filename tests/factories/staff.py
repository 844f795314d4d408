"""Members of staff in their roles, for tests."""

from typing import Any

from django.contrib.auth.models import Group, User

from config.wiring import roles
from members.models import OrgUnit, StaffAuthority, Store


def person(username: str, *codes: str, **authority: Any) -> User:
    """Return a member of staff in these roles, with what is known of them."""
    roles.reset()
    user = User.objects.create_user(username, password="x", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=codes))
    if authority:
        StaffAuthority.objects.create(user=user, **authority)
    return user


def limits(call: int, day: int, member_month: int) -> dict[str, int]:
    """Return limits as a person's own."""
    return {
        "adjustment_limit_points": call,
        "adjustment_daily_limit_points": day,
        "adjustment_member_month_limit_points": member_month,
    }


def district(*codes: str) -> OrgUnit:
    """Return a unit with a unit below it that has these stores."""
    above = OrgUnit.objects.create(code="east", name="华东")
    below = OrgUnit.objects.create(code="sh", name="上海", parent=above)
    for code in codes:
        Store.objects.update_or_create(code=code, defaults={"org_unit": below})
    return above
