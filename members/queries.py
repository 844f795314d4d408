"""Reading members: searches by what a person can say or show, and anniversaries."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Min, Q, QuerySet

from config.base import clock
from members.domain.personal import name_key
from members.models import IdentifierKind, Member, MemberProfile, Suspension
from members.services import crypto
from members.services.identity import HashKey, IdentifierInvalid, known_hashes, normalise

MAX_FOUND: Final = 200
MAX_SEARCH_LENGTH: Final = 200
# Kinds whose value alone is asked for; those of other systems need their app beside it.
SEARCHED_KINDS: Final = (
    IdentifierKind.PHONE,
    IdentifierKind.EMAIL,
    IdentifierKind.CARD,
    IdentifierKind.WECHAT_UNIONID,
    IdentifierKind.EXTERNAL,
)

_TAIL = re.compile(r"[0-9A-Za-z]{4}", re.ASCII)

# Every branch is one look-up in one index; a condition with OR over them would read whole tables.
_SEARCH = """
SELECT id FROM members_member WHERE public_id = %(public_id)s
UNION SELECT id FROM members_member WHERE card_number = %(text)s
UNION SELECT i.member_id
    FROM unnest(%(kinds)s::text[], %(apps)s::text[], %(hashes)s::bytea[]) AS a (kind, app, hash)
    JOIN members_identifier i
      ON i.value_hash = a.hash AND i.kind = a.kind AND i.app = a.app AND i.ended_at IS NULL
UNION (SELECT member_id FROM members_identifier
       WHERE tail4 = %(tail)s AND tail4 <> '' AND ended_at IS NULL LIMIT %(limit)s)
UNION (SELECT member_id FROM members_memberprofile
       WHERE name_hash = ANY(%(names)s::bytea[]) LIMIT %(limit)s)
UNION (SELECT member_id FROM members_order WHERE order_no = %(text)s LIMIT %(limit)s)
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Anniversary:
    """A member whose n-th anniversary it is."""

    member_id: int
    since: date
    years: int


def search(text: str) -> QuerySet[Member]:
    """Return the members that a search text leads to, at most 200.

    By member id, phone, tail, card, e-mail, unionid, external id, whole name, or order number;
    each exactly, by index.
    Source: MEM-08.
    """
    return Member.objects.filter(id__in=search_ids(text))


def search_ids(text: str) -> list[int]:
    """Return the database ids of the members that a search text leads to, in one statement."""
    wanted = text.strip()
    if not wanted or len(wanted) > MAX_SEARCH_LENGTH or "\0" in wanted:
        return []
    refs = _refs(wanted)
    parameters = {
        "text": wanted,
        "public_id": _uuid(wanted),
        "kinds": [kind for kind, _app, _hash in refs],
        "apps": [app for _kind, app, _hash in refs],
        "hashes": [value_hash for _kind, _app, value_hash in refs],
        "tail": wanted if _TAIL.fullmatch(wanted) else "",
        "names": crypto.name_hashes(wanted) if name_key(wanted) else [],
        "limit": MAX_FOUND,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH, parameters)
        return sorted(row[0] for row in cursor.fetchall())


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _refs(text: str) -> list[HashKey]:
    """Return the hashes under which the text may be stored as an identifier."""
    values = []
    for kind in SEARCHED_KINDS:
        try:
            values.append((kind.value, "", normalise(kind, text)))
        except IdentifierInvalid:
            continue
    return list(known_hashes(values))


def membership_anniversaries(day: date) -> list[Anniversary]:
    """Return the living members who joined on this day's date in an earlier year.

    Source: MEM-14.
    """
    earliest = Member.objects.aggregate(first=Min("joined_at"))["first"]
    if earliest is None:
        return []
    within = Q()
    for origin in origins(day, clock.local_day(earliest).year):
        ends_at = clock.day_start(origin + timedelta(days=1))
        within |= Q(joined_at__gte=clock.day_start(origin), joined_at__lt=ends_at)
    if not within:
        return []
    rows = Member.objects.living().filter(within).order_by("id").values_list("id", "joined_at")
    return _anniversaries(((pk, clock.local_day(joined_at)) for pk, joined_at in rows), day)


def first_purchase_anniversaries(day: date) -> list[Anniversary]:
    """Return the living members whose first purchase was on this day's date in an earlier year.

    Source: MEM-14.
    """
    earliest = MemberProfile.objects.aggregate(first=Min("first_purchase_on"))["first"]
    if earliest is None:
        return []
    living = MemberProfile.objects.filter(member__in=Member.objects.living())
    rows = living.filter(first_purchase_on__in=origins(day, earliest.year)).order_by("member_id")
    pairs = rows.values_list("member_id", "first_purchase_on")
    return _anniversaries(((pk, since) for pk, since in pairs if since is not None), day)


def origins(day: date, first_year: int) -> list[date]:
    """Return the earlier days whose anniversary falls on the day, from a year on.

    29 February counts with the day that the programme's leap-day rule names, so a day may have
    two origins in one year, or (29 February itself in other years) none.
    """
    candidates = (
        date(year, month, number)
        for year in range(first_year, day.year)
        for month, number in {(day.month, day.day), (2, 29)}
        if _exists(year, month, number)
    )
    return sorted(origin for origin in candidates if clock.anniversary(origin, day.year) == day)


def _exists(year: int, month: int, number: int) -> bool:
    try:
        date(year, month, number)
    except ValueError:
        return False
    return True


def _anniversaries(pairs: Iterable[tuple[int, date]], day: date) -> list[Anniversary]:
    return [Anniversary(pk, since, day.year - since.year) for pk, since in pairs]


def suspensions_of(
    members: Collection[int],
) -> dict[int, list[tuple[datetime, datetime | None]]]:
    """Return when each member was frozen, and when that ended; every member is there."""
    found: dict[int, list[tuple[datetime, datetime | None]]] = {member: [] for member in members}
    rows = Suspension.objects.filter(member_id__in=found).order_by("from_at")
    for member, from_at, ended_at in rows.values_list("member_id", "from_at", "ended_at"):
        found[member].append((from_at, ended_at))
    return found
