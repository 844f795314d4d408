"""Who a member of staff is, how far they decide alone, and which account is their own."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import RoleAuthority, StaffAuthority

STAFF: Final = "staff:"
STAFF_NUMBER: Final = "staff:#"

_SURVIVORS: Final = """
WITH RECURSIVE up (asked, id, merged_into_id) AS (
    SELECT id, id, merged_into_id FROM members_member WHERE id = ANY(%s::bigint[])
    UNION ALL
    SELECT up.asked, m.id, m.merged_into_id
    FROM up JOIN members_member m ON m.id = up.merged_into_id
)
SELECT asked, id FROM up WHERE merged_into_id IS NULL
"""

# Two look-ups by index for each cashier, whatever the number of staff.
_BUYERS: Final = """
SELECT c.cashier, a.member_id FROM unnest(%(cashiers)s::text[]) AS c (cashier)
JOIN members_staffauthority a ON a.staff_no = c.cashier AND a.staff_no <> ''
WHERE a.member_id IS NOT NULL
UNION
SELECT c.cashier, a.member_id FROM unnest(%(cashiers)s::text[]) AS c (cashier)
JOIN auth_user u ON u.username = c.cashier
JOIN members_staffauthority a ON a.user_id = u.id
WHERE a.member_id IS NOT NULL
"""


class OwnAccountError(DomainError):
    """Nobody gives themselves anything, nor decides what concerns them as a member."""

    def __init__(self) -> None:
        super().__init__("own_account", _("This is your own member account."), 403)


@dataclass(frozen=True, slots=True)
class Limits:
    """Points that may be moved by hand without a second person. Units: points."""

    call: int = 0
    day: int = 0
    member_month: int = 0


_COLUMNS: Final = {
    "call": "adjustment_limit_points",
    "day": "adjustment_daily_limit_points",
    "member_month": "adjustment_member_month_limit_points",
}


def limits_of(user_id: int) -> Limits:
    """Return how far a member of staff decides alone.

    Their own limits count where they are set, else the highest of their roles, else nothing.
    Source: STF-02.
    """
    own = StaffAuthority.objects.filter(user_id=user_id).values(*_COLUMNS.values()).first() or {}
    roles = RoleAuthority.objects.filter(group__user=user_id).aggregate(
        **{name: Max(column) for name, column in _COLUMNS.items()}
    )
    found = {}
    for name, column in _COLUMNS.items():
        limit = own.get(column)
        found[name] = int(roles[name] or 0) if limit is None else int(limit)
    return Limits(**found)


def refuse_own_account(*, actor: str, member_id: int | None) -> None:
    """Refuse what staff do to their own member account, or to one that is merged with it.

    Raises: OwnAccountError.
    Source: STF-02.
    """
    if member_id is None:
        return
    own = _own(actor)
    if own is not None and _is_one_person(own, member_id):
        raise OwnAccountError


def own_accounts(actor: str) -> frozenset[int]:
    """Return the member account that identifiers of a member of staff lead to, if there is one.

    Source: STF-02.
    """
    own = _own(actor)
    return frozenset() if own is None else frozenset(_survivors({own}).values())


def _own(actor: str) -> int | None:
    """Return the account that a member of staff buys with, as it was written down."""
    if not actor.startswith(STAFF):
        return None
    rows = StaffAuthority.objects.filter(member__isnull=False)
    if actor.startswith(STAFF_NUMBER):
        rows = rows.filter(user_id=int(actor.removeprefix(STAFF_NUMBER)))
    else:
        rows = rows.filter(user__username=actor.removeprefix(STAFF))
    return rows.values_list("member_id", flat=True).first()


def own_tills(sales: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
    """Return those (cashier, member) whose cashier is that member, by staff number or user name.

    One statement, a second one only where a cashier buys as a member at all.
    Source: STF-02.
    """
    if not sales:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_BUYERS, {"cashiers": sorted({cashier for cashier, _member in sales})})
        buyers = cursor.fetchall()
    if not buyers:
        return set()
    survivor = _survivors({member for _c, member in sales} | {member for _c, member in buyers})
    people = {(cashier, survivor[member]) for cashier, member in buyers}
    return {sale for sale in sales if (sale[0], survivor.get(sale[1])) in people}


def _is_one_person(one: int, other: int) -> bool:
    survivor = _survivors({one, other})
    return survivor.get(one) == survivor.get(other)


def _survivors(member_ids: Collection[int]) -> dict[int, int]:
    """Return into whom each member was merged in the end: itself where it was not."""
    with connection.cursor() as cursor:
        cursor.execute(_SURVIVORS, [sorted(member_ids)])
        return dict(cursor.fetchall())
