"""How the service desk finds members by what a caller can say: part by part, with its reason.

Every way is one look-up in one index, so that none costs more on a large programme.
Source: SVC-01, MEM-08.
"""

import re
from collections.abc import Sequence
from typing import Final

from members.domain.identifiers import TAIL_LENGTH, normalise
from members.domain.personal import name_key
from members.models import Identifier, IdentifierKind, Member, MemberProfile, Order
from members.services import crypto, identity, profile
from members.services.identity import HashKey, IdentifierInvalid

MOST: Final = 20
MOST_CANDIDATES: Final = 1000
"""How many phones that end alike are opened to compare more digits than the four stored ones."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_TAIL: Final = re.compile(r"[0-9]{4}", re.ASCII)
_LONGER_TAIL: Final = re.compile(r"[0-9]{5,8}", re.ASCII)
_GROUPED_DIGITS: Final = re.compile(r"[0-9]+(?:[ -][0-9]+)+", re.ASCII)


def plain(text: str) -> str:
    """Return a search text without what is only written for the eye."""
    wanted = text.strip()
    if _GROUPED_DIGITS.fullmatch(wanted):
        wanted = re.sub("[ -]", "", wanted)
    return wanted


def by_phone(text: str) -> list[int]:
    """Return whose phone this is now."""
    return _living(IdentifierKind.PHONE, text)


def by_phone_tail(text: str) -> list[int]:
    """Return whose phone ends with these four to eight digits."""
    if _TAIL.fullmatch(text):
        return _ending(text, MOST)
    if not _LONGER_TAIL.fullmatch(text):
        return []
    candidates = _ending(text[-TAIL_LENGTH:], MOST_CANDIDATES)
    known = profile.read_identifiers(candidates)
    found = (
        member
        for member in candidates
        if any(
            each.kind == IdentifierKind.PHONE and each.value.endswith(text)
            for each in known.get(member, ())
        )
    )
    return list(found)[:MOST]


def _ending(tail: str, limit: int) -> list[int]:
    rows = Identifier.objects.filter(tail4=tail, kind=IdentifierKind.PHONE, ended_at__isnull=True)
    return list(rows.values_list("member_id", flat=True)[:limit])


def by_card(text: str) -> list[int]:
    """Return whose card this is now."""
    own = list(Member.objects.filter(card_number=text).values_list("pk", flat=True)[:MOST])
    return own or _living(IdentifierKind.CARD, text)


def by_card_tail(text: str) -> list[int]:
    """Return whose card ends with these four digits."""
    if not _TAIL.fullmatch(text):
        return []
    rows = Identifier.objects.filter(tail4=text, kind=IdentifierKind.CARD, ended_at__isnull=True)
    return list(rows.values_list("member_id", flat=True)[:MOST])


def by_email(text: str) -> list[int]:
    """Return whose e-mail address this is."""
    return _living(IdentifierKind.EMAIL, text) if "@" in text else []


def by_other_identifier(text: str) -> list[int]:
    """Return who is known by this id of another system, or by this member id."""
    found = _living(IdentifierKind.EXTERNAL, text) or _living(IdentifierKind.WECHAT_UNIONID, text)
    if not found and _UUID.fullmatch(text):
        found = list(Member.objects.filter(public_id=text).values_list("pk", flat=True))
    return found


def by_name(text: str) -> list[int]:
    """Return who has exactly this name."""
    if not name_key(text):
        return []
    rows = MemberProfile.objects.filter(name_hash__in=crypto.name_hashes(text))
    return list(rows.values_list("member_id", flat=True)[:MOST])


def by_order(text: str) -> list[int]:
    """Return who bought under this order number, at any source."""
    rows = Order.objects.filter(order_no=text).values_list("member_id", flat=True)
    return sorted(set(rows[:MOST]))


def by_former_identifier(text: str) -> list[int]:
    """Return who once had this phone or card: replaced, so nothing is earned with it any more."""
    refs = [*_refs(IdentifierKind.PHONE, text), *_refs(IdentifierKind.CARD, text)]
    if not refs:
        return []
    # The tail's index leads to few rows; ended ones are in no other.
    rows = Identifier.objects.filter(
        tail4=text[-TAIL_LENGTH:],
        kind__in=[IdentifierKind.PHONE, IdentifierKind.CARD],
        value_hash__in=[value_hash for _kind, _app, value_hash in refs],
        ended_at__isnull=False,
    )
    return sorted(set(rows.values_list("member_id", flat=True)[:MOST]))


def _living(kind: IdentifierKind, text: str) -> list[int]:
    return sorted(set(identity.resolve(_refs(kind, text)).values()))


def _refs(kind: IdentifierKind, text: str) -> Sequence[HashKey]:
    try:
        normal = normalise(kind, text)
    except IdentifierInvalid:
        return ()
    return list(identity.known_hashes([(kind.value, "", normal)]))
