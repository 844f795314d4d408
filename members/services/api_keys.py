"""The secrets of touchpoints: issued once, kept as hashes, rotated with an overlap."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import scopes as scope_names
from members.domain import tokens
from members.models import ApiKey, Touchpoint

PREFIX_LENGTH: Final = 8
PREFIX_CHARACTERS: Final = string.ascii_lowercase + string.digits
SECRET_BYTES: Final = 32
ROTATION_OVERLAP: Final = timedelta(days=1)

_TOUCHPOINT_FIELDS: Final = [field.attname for field in Touchpoint._meta.concrete_fields]
# Written out: every request runs it, and building it from the ORM costs as much as the statement.
_AUTHENTICATE: Final = """
SELECT k.id, k.scopes, {columns}
FROM members_apikey k JOIN members_touchpoint t ON t.id = k.touchpoint_id
WHERE k.secret_hash = %(hash)s AND t.is_active
  AND (k.revoked_at IS NULL OR k.revoked_at > %(at)s)
  AND (k.expires_at IS NULL OR k.expires_at > %(at)s)
ORDER BY k.id LIMIT 1
""".format(columns=", ".join(f't."{f.column}"' for f in Touchpoint._meta.concrete_fields))

_SECRET = re.compile(r"lk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", re.ASCII)


# A member token is only as good as the key that it came from and the member's status now.
_AUTHENTICATE_MEMBER: Final = """
SELECT k.id, k.scopes, m.id, {columns}
FROM members_apikey k JOIN members_touchpoint t ON t.id = k.touchpoint_id
JOIN members_member m ON m.public_id = %(member)s
WHERE k.id = %(key)s AND t.is_active AND m.status = 'active'
  AND (k.revoked_at IS NULL OR k.revoked_at > %(at)s)
  AND (k.expires_at IS NULL OR k.expires_at > %(at)s)
""".format(columns=", ".join(f't."{f.column}"' for f in Touchpoint._meta.concrete_fields))


class ApiKeyEndedError(DomainError):
    """The key was revoked or has expired and cannot be rotated."""

    def __init__(self) -> None:
        super().__init__("api_key_ended", _("This key is no longer valid."), 409)


@dataclass(frozen=True, slots=True)
class TokenMember:
    """The member that a token was made for, who is active."""

    id: int
    public_id: UUID


@dataclass(frozen=True, slots=True)
class AuthenticatedKey:
    """A key that was presented and is valid: who speaks, and what it may do.

    With a member token `member` is whom alone it is good for.
    """

    touchpoint: Touchpoint
    scopes: frozenset[str]
    key_id: int
    member: TokenMember | None = None

    @property
    def actor(self) -> str:
        """Return the name under which the touchpoint, or the member through it, acts."""
        if self.member is not None:
            return f"member:{self.member.public_id}"
        return f"touchpoint:{self.touchpoint.code}"


def issue(
    touchpoint: Touchpoint,
    scopes: Iterable[str],
    *,
    at: datetime,
    expires_at: datetime | None = None,
) -> str:
    """Give the touchpoint a further key and return its secret, which is not kept.

    Raises: ScopeUnknownError.
    """
    prefix = "".join(secrets.choice(PREFIX_CHARACTERS) for _place in range(PREFIX_LENGTH))
    secret = f"lk_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    ApiKey.objects.create(
        touchpoint=touchpoint,
        prefix=f"lk_{prefix}",
        secret_hash=_digest(secret),
        scopes=list(scope_names.checked(scopes)),
        created_at=at,
        expires_at=expires_at,
    )
    return secret


@transaction.atomic
def rotate(*, key_id: int, at: datetime, overlap: timedelta = ROTATION_OVERLAP) -> str:
    """Replace a key by a new one with the same scopes; the old one works until the overlap ends.

    Raises: ApiKeyEndedError.
    """
    key = ApiKey.objects.select_related("touchpoint")
    old = key.select_for_update(of=("self",), no_key=True).get(pk=key_id)
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= at):
        raise ApiKeyEndedError
    lifetime = old.expires_at - old.created_at if old.expires_at else None
    expires_at = at + lifetime if lifetime else None
    secret = issue(old.touchpoint, old.scopes, at=at, expires_at=expires_at)
    ends_at = at + overlap
    old.expires_at = min(old.expires_at, ends_at) if old.expires_at else ends_at
    old.save(update_fields=["expires_at"])
    return secret


def revoke(*, key_id: int, at: datetime) -> bool:
    """End a key at once; tell whether it was not revoked before."""
    changed = ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=at)
    return changed > 0


def authenticate(secret: str, at: datetime) -> AuthenticatedKey | None:
    """Return whom the secret stands for, in one statement; None for any that does not.

    Only hashes are compared, so the time it takes tells nothing about the secret.
    """
    if secret.startswith(tokens.PREFIX):
        return _authenticate_member(secret, at)
    if not _SECRET.fullmatch(secret):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_AUTHENTICATE, {"hash": _digest(secret), "at": at})
        row = cursor.fetchone()
    if row is None:
        return None
    key_id, scopes, *values = row
    touchpoint = Touchpoint.from_db(connection.alias, _TOUCHPOINT_FIELDS, values)
    return AuthenticatedKey(touchpoint, frozenset(scopes), key_id)


def _authenticate_member(text: str, at: datetime) -> AuthenticatedKey | None:
    """Return whom a member token stands for; without a statement where its signature is not ours.

    Revoking its key, and freezing, closing, erasing or merging its member, ends it at once.
    """
    token = tokens.read(text, signing_secrets(), at)
    if token is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            _AUTHENTICATE_MEMBER, {"key": token.key_id, "member": token.member, "at": at}
        )
        row = cursor.fetchone()
    if row is None:
        return None
    key_id, scopes, member_id, *values = row
    touchpoint = Touchpoint.from_db(connection.alias, _TOUCHPOINT_FIELDS, values)
    member = TokenMember(member_id, token.member)
    return AuthenticatedKey(touchpoint, token.scopes & frozenset(scopes), key_id, member)


def signing_secrets() -> list[str]:
    """Return what tokens may be signed with, the secret for new ones first."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
