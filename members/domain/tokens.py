"""Member tokens: what one says, sealed by a signature, so that reading it needs no database.

A token names its member, the key that it was issued with, its scopes and its end. It holds nothing
secret and nothing personal.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

PREFIX: Final = "mt_"
PURPOSE: Final = b"loyalty/member-token/1"
SIGNATURE_BYTES: Final = 32

# What a member may do with a token. A scope's place is its bit in tokens that are out: only append.
MEMBER_SCOPES: Final = (
    "members:read",
    "members:read_personal",
    "points:read",
    "tiers:read",
    "quotes:read",
    "rewards:read",
    "coupons:read",
    "reservations:write",
    "redemptions:write",
    "coupons:write",
    "benefits:write",
    "tokens:write",
    "cases:read",
    "cases:write",
    "messages:read",
    "feedback:write",
)
# Not given unless asked for: a token lives in a shop's page or app.
ONLY_WHEN_ASKED: Final = frozenset({"members:read_personal"})

_LAYOUT = struct.Struct(">BQ16sQI")
_VERSION: Final = 1
_TOKEN = re.compile(r"mt_[A-Za-z0-9_-]{92}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MemberToken:
    """What a token says; whether it still holds is asked when it is used."""

    key_id: int
    member: UUID
    expires_at: datetime
    scopes: frozenset[str]


def write(token: MemberToken, secret: str) -> str:
    """Return the token, signed."""
    mask = sum(1 << place for place, name in enumerate(MEMBER_SCOPES) if name in token.scopes)
    ends = int(token.expires_at.timestamp())
    content = _LAYOUT.pack(_VERSION, token.key_id, token.member.bytes, ends, mask)
    signed = content + _signature(content, secret)
    return PREFIX + base64.urlsafe_b64encode(signed).decode().rstrip("=")


def read(text: str, secrets: Iterable[str], at: datetime) -> MemberToken | None:
    """Return what a token says; None for one that nobody here has signed, or that is over."""
    content = _signed_content(text, secrets)
    if content is None:
        return None
    version, key_id, member, ends, mask = _LAYOUT.unpack(content)
    if version != _VERSION or at.timestamp() >= ends:
        return None
    scopes = frozenset(name for place, name in enumerate(MEMBER_SCOPES) if mask >> place & 1)
    return MemberToken(key_id, UUID(bytes=member), datetime.fromtimestamp(ends, UTC), scopes)


def grantable(key_scopes: Iterable[str]) -> Sequence[str]:
    """Return what a key can hand on: never more than it may do itself."""
    held = set(key_scopes)
    return [name for name in MEMBER_SCOPES if name in held]


def _signed_content(text: str, secrets: Iterable[str]) -> bytes | None:
    if not _TOKEN.fullmatch(text):
        return None
    try:
        signed = base64.b64decode(text.removeprefix(PREFIX), b"-_", validate=True)
    except binascii.Error:
        return None
    content, signature = signed[:-SIGNATURE_BYTES], signed[-SIGNATURE_BYTES:]
    if len(content) != _LAYOUT.size:
        return None
    right = [hmac.compare_digest(signature, _signature(content, each)) for each in secrets]
    return content if any(right) else None


def _signature(content: bytes, secret: str) -> bytes:
    key = hmac.digest(secret.encode(), PURPOSE, hashlib.sha256)
    return hmac.digest(key, content, hashlib.sha256)
