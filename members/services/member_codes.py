"""Codes that members show at tills: for a minute, for one use (动态会员码)."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from members.domain import sealing
from members.domain.card import check_digit
from members.models import Member, MemberCode, MemberStatus
from members.services import crypto
from members.services.member_tokens import MemberInactiveError

LIFETIME: Final = timedelta(seconds=60)
RANDOM_DIGITS: Final = 19
FORGET_AFTER: Final = timedelta(days=1)

_CODE = re.compile(rf"[0-9]{{{RANDOM_DIGITS + 1}}}", re.ASCII)

# Two commands with one code: the later one waits for the row and finds it used, or, where the first
# was undone, unused.
_CONSUME = """
UPDATE members_membercode SET used_at = %(at)s
WHERE code_hash = ANY(%(hashes)s::bytea[]) AND member_id = %(member)s
  AND used_at IS NULL AND made_at <= %(at)s AND expires_at > %(at)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code to be shown, as digits or in a QR code."""

    code: str
    expires_at: datetime


def make(*, member: Member, at: datetime) -> ShownCode:
    """Make a code for a member; only its keyed hash is kept. Older ones live on until they end.

    Raises: MemberInactiveError.
    Source: MEM-15.
    """
    if member.status != MemberStatus.ACTIVE:
        raise MemberInactiveError(member.status)
    digits = f"{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"
    code = digits + check_digit(digits)
    ends_at = at + LIFETIME
    MemberCode.objects.create(
        member=member, code_hash=_hashes(code)[0], made_at=at, expires_at=ends_at
    )
    return ShownCode(code, ends_at)


def member_of(code: str, *, at: datetime) -> int | None:
    """Return whom a code that holds was made for, without using it."""
    if not is_code(code):
        return None
    live = MemberCode.objects.filter(
        code_hash__in=_hashes(code), used_at__isnull=True, made_at__lte=at, expires_at__gt=at
    )
    return live.values_list("member_id", flat=True).first()


def consume(code: str, *, member: int, at: datetime) -> bool:
    """Use a code up in the caller's transaction; tell whether it held for this member."""
    if not is_code(code):
        return False
    with connection.cursor() as cursor:
        cursor.execute(_CONSUME, {"hashes": _hashes(code), "member": member, "at": at})
        return cursor.fetchone() is not None


def is_code(text: str) -> bool:
    """Tell whether the text has the form of a code and its check digit is right."""
    return _CODE.fullmatch(text) is not None and check_digit(text[:-1]) == text[-1]


def forget_old(*, at: datetime, limit: int) -> int:
    """Delete codes that ended long ago, up to a limit; return how many there were."""
    old = MemberCode.objects.filter(expires_at__lt=at - FORGET_AFTER).order_by("expires_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    count, _details = MemberCode.objects.filter(pk__in=ids).delete()
    return count


def _hashes(code: str) -> list[bytes]:
    """Return the hashes under every configured key, the current one first."""
    return [sealing.keyed_hash(key, "member_code", code) for key in crypto.keyring().newest_first]
