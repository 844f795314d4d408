"""The people behind the console, one per role."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import StaffAuthority

PASSWORD_BYTES: Final = 9
APPS: Final = ("members", "tiers", "rewards")


@dataclass(frozen=True, slots=True)
class Role:
    """One role: what it may do beside looking, and how far it decides alone."""

    username: str
    title: Promise | str
    permissions: tuple[str, ...] = ()
    is_superuser: bool = False
    adjustment_limit_points: int = 0


@dataclass(frozen=True, slots=True)
class LogIn:
    """A user of the console, with a password that is told once."""

    role: Role
    password: str = field(repr=False)


_SERVICE: Final = ("rewards.add_entry", "members.add_approval", "members.change_case")
ROLES: Final = (
    Role("admin", _("Administrator"), is_superuser=True, adjustment_limit_points=100_000),
    Role(
        "operations",
        _("Loyalty operations"),
        (
            "rewards.add_rule",
            "rewards.change_rule",
            "rewards.add_ruleversion",
            "rewards.change_ruleversion",
            "rewards.add_pointspolicy",
            "rewards.change_pointspolicy",
            "tiers.add_ladderversion",
            "tiers.change_ladderversion",
            "tiers.change_tier",
            "rewards.add_coupontemplate",
            "rewards.change_coupontemplate",
            "rewards.add_couponbatch",
            "rewards.change_coupon",
            "rewards.add_reward",
            "rewards.change_reward",
            "rewards.change_stock",
            "rewards.change_redemption",
            "tiers.add_membershipplan",
            "tiers.change_membershipplan",
            "members.add_brand",
            "members.add_interactionkind",
            "members.change_interactionkind",
            "members.add_touchpoint",
            "members.change_touchpoint",
        ),
    ),
    Role("service", _("Customer service"), _SERVICE, adjustment_limit_points=500),
    Role(
        "supervisor",
        _("Service supervisor"),
        (*_SERVICE, "members.change_approval", "tiers.add_standingoverride"),
        adjustment_limit_points=5_000,
    ),
    Role("auditor", _("Auditor")),
)


@transaction.atomic
def appoint() -> list[LogIn]:
    """Make the users of all roles, or give those that exist new passwords."""
    return [_appoint(role) for role in ROLES]


def _appoint(role: Role) -> LogIn:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user, _created = User.objects.get_or_create(username=role.username)
    user.is_staff, user.is_active, user.is_superuser = True, True, role.is_superuser
    user.set_password(password)
    user.save()
    if not role.is_superuser:
        group, _made = Group.objects.get_or_create(name=role.username)
        group.permissions.set(_permissions(role.permissions))
        user.groups.set([group])
    StaffAuthority.objects.update_or_create(
        user=user, defaults={"adjustment_limit_points": role.adjustment_limit_points}
    )
    return LogIn(role, password)


def _permissions(named: Collection[str]) -> list[Permission]:
    """Return those that are named, and every permission to look."""
    wanted = set(named)
    found = Permission.objects.filter(content_type__app_label__in=APPS).select_related(
        "content_type"
    )
    return [
        permission
        for permission in found
        if permission.codename.startswith("view_")
        or f"{permission.content_type.app_label}.{permission.codename}" in wanted
    ]
