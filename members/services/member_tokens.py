"""Short-lived tokens that are good for one member only, for pages and apps of shops."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import tokens
from members.models import Member, MemberStatus
from members.services import api_keys
from members.services.api_keys import AuthenticatedKey

DEFAULT_LIFETIME: Final = timedelta(minutes=15)
LONGEST_LIFETIME: Final = timedelta(hours=1)


class TokenScopesError(DomainError):
    """A token would have scopes that its key, or any member, may not have."""

    def __init__(self, refused: Collection[str]) -> None:
        super().__init__(
            "token_scopes_refused",
            _("A member token cannot have these scopes."),
            403,
            scopes=sorted(refused),
        )


class MemberInactiveError(DomainError):
    """The member is frozen or closed and can do nothing by itself."""

    def __init__(self, status: str) -> None:
        is_frozen = status == MemberStatus.FROZEN
        code = "member_frozen" if is_frozen else "member_not_active"
        super().__init__(code, _("The member is not active."), 403)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token with what it is good for."""

    token: str
    scopes: tuple[str, ...]
    expires_at: datetime


def issue(
    *,
    key: AuthenticatedKey,
    member: Member,
    scopes: Collection[str] | None,
    lifetime: timedelta,
    at: datetime,
) -> IssuedToken:
    """Make a token for a member; without scopes it gets all that its key can hand on.

    Nothing is stored: the signature and, at every use, the key and the member's status tell.
    Raises: TokenScopesError, MemberInactiveError.
    """
    if member.status != MemberStatus.ACTIVE:
        raise MemberInactiveError(member.status)
    possible = tokens.grantable(key.scopes)
    if scopes is None:
        scopes = [name for name in possible if name not in tokens.ONLY_WHEN_ASKED]
    if refused := set(scopes) - set(possible):
        raise TokenScopesError(refused)
    ends_at = (at + min(lifetime, LONGEST_LIFETIME)).replace(microsecond=0)
    granted = frozenset(scopes)
    said = tokens.MemberToken(key.key_id, member.public_id, ends_at, granted)
    secret = api_keys.signing_secrets()[0]
    return IssuedToken(tokens.write(said, secret), tuple(sorted(granted)), ends_at)
