"""The base of every endpoint that touchpoints call."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from config.base import clock
from config.base.api import limits
from config.base.api.reading import ObjectReader, parse_uuid
from config.base.api.scopes import KeyInvalidError, bearer_secret
from config.base.api.views import Endpoint
from config.base.errors import DomainError
from config.base.rate_limits import Verdict
from members.models import Member, MemberStatus, Touchpoint
from members.services import api_keys, identity, one_time_passwords
from members.services.one_time_passwords import CountedTry
from members.services.presence import Proof

PERSONAL_SCOPE: Final = "members:read_personal"
POLICY: Final = "requests"

PRESENCE_KEYS: Final = frozenset({"member_code", "otp"})
MAX_MEMBER_CODE_LENGTH: Final = 64
MAX_OTP_LENGTH: Final = 16


class MemberNotFoundError(DomainError):
    """No member has this id; an erased one is nobody."""

    def __init__(self) -> None:
        super().__init__("member_not_found", _("There is no such member."), status=404)


class KeyAuthentication(BaseAuthentication):
    """Find the touchpoint by the bearer key: one statement, for every request anew.

    Nothing is remembered between requests, so a revoked key ends with the request in flight.
    """

    def authenticate(self, request: Request) -> tuple[Touchpoint, api_keys.AuthenticatedKey] | None:
        """Return the touchpoint and its key, None where no key was sent.

        Raises: KeyInvalidError.
        """
        secret = bearer_secret(request)
        if secret is None:
            return None
        key = api_keys.authenticate(secret, clock.now())
        if key is None:
            raise KeyInvalidError
        return key.touchpoint, key

    def authenticate_header(self, request: Request) -> str:
        """Return how to authenticate."""
        return 'Bearer realm="api"'


class TokenNotAcceptedError(DomainError):
    """A member token may not do this, whatever its scopes."""

    def __init__(self) -> None:
        super().__init__(
            "token_not_accepted", _("A member token is not accepted here."), status=403
        )


class TokenOtherMemberError(DomainError):
    """A member token is good for its own member alone, and the request has to name that one."""

    def __init__(self) -> None:
        super().__init__("token_other_member", _("The token is of another member."), status=403)


PATH = "path"
QUERY = "query"
BODY = "body"
ROW = "row"


class TouchpointEndpoint(Endpoint):
    """An endpoint for touchpoints with a key.

    `member_token` says for which methods a member token is accepted, and where the member is named
    that has to be the token's: in the address (PATH), in the query or the body as `member` (QUERY,
    BODY), or by the row that the endpoint loads (ROW), which then calls `check_owner`. A method
    that is not there refuses every member token.
    """

    authentication_classes = (KeyAuthentication,)
    member_token: ClassVar[Mapping[str, str]] = {}
    _verdict: Verdict | None = None
    _otp: CountedTry | None = None

    def at(self) -> datetime:
        """Return the instant of the request."""
        if not hasattr(self, "_at"):
            self._at = clock.now()
        return self._at

    def key_of(self, request: Request) -> api_keys.AuthenticatedKey:
        """Return the key that the request was made with."""
        key = request.auth
        assert isinstance(key, api_keys.AuthenticatedKey)
        return key

    def may_read_personal(self, request: Request) -> bool:
        """Say whether the key may see personal values."""
        return PERSONAL_SCOPE in self.key_of(request).scopes

    def proof_of(self, reader: ObjectReader) -> Proof:
        """Return what the body shows of the member's presence.

        Bodies that take it have the keys `PRESENCE_KEYS`.
        """
        reader.text("otp", MAX_OTP_LENGTH, required=False)
        code = reader.text("member_code", MAX_MEMBER_CODE_LENGTH, required=False)
        return Proof(code, self._otp)

    def check_permissions(self, request: Request) -> None:
        """Let a request pass that is within its limit and may do this, for this member.

        Raises: RateLimitedError, TokenNotAcceptedError, TokenOtherMemberError and what the scope
        check raises.
        """
        key = request.auth
        method = str(request.method)
        is_token = isinstance(key, api_keys.AuthenticatedKey) and key.member is not None
        if isinstance(key, api_keys.AuthenticatedKey):
            self._verdict = _counted(key)
        if is_token and method not in self.member_token and self.offers(method):
            raise TokenNotAcceptedError
        super().check_permissions(request)
        if is_token and self.offers(method) and self.member_token[method] != ROW:
            self.check_owner(request, public_id=self._named(request))
        self._count_try(request)

    def check_owner(
        self, request: Request, *, public_id: object = None, member: int | None = None
    ) -> None:
        """Refuse a member token that is of another member than this one.

        Raises: TokenOtherMemberError.
        """
        own = self.key_of(request).member
        if own is None:
            return
        if member is not None and member == own.id:
            return
        if public_id is None or str(public_id).lower() != str(own.public_id):
            raise TokenOtherMemberError

    def check_rows_owner(self, request: Request, rows: QuerySet[Any]) -> None:
        """Refuse a member token that is of another member than the row; nobody's row passes.

        Costs a statement for member tokens only.
        Raises: TokenOtherMemberError.
        """
        if self.key_of(request).member is None:
            return
        owner = rows.values_list("member_id", flat=True).first()
        if owner is not None:
            self.check_owner(request, member=owner)

    def _named(self, request: Request) -> object:
        """Return the member that the request names, None where it does not."""
        place = self.member_token[str(request.method)]
        if place == PATH:
            return self.kwargs["public_id"]
        if place == QUERY:
            return request.query_params.get("member")
        if place == BODY:
            return request.data.get("member") if isinstance(request.data, dict) else None
        return None

    def _count_try(self, request: Request) -> None:
        """Count a try of a one-time password now, so that a refused command does not undo it."""
        if request.method == "GET" or not isinstance(request.data, dict):
            return
        if isinstance(request.data.get("otp"), str):
            named = self.kwargs.get("public_id") or parse_uuid(request.data.get("member"))
            if named is not None:
                self._otp = one_time_passwords.count_try(
                    request.data["otp"], public_id=named, at=self.at()
                )

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tell what is left of the caller's limit."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self._verdict is not None:
            for name, value in limits.told(POLICY, self._verdict).items():
                answer.headers.setdefault(name, value)
        return answer


def _counted(key: api_keys.AuthenticatedKey) -> Verdict | None:
    """Count the request for the key, or for the member whose tokens share a limit.

    Raises: RateLimitedError.
    """
    if key.member is None:
        return limits.take(POLICY, f"key:{key.key_id}", key.touchpoint.requests_per_minute)
    name = f"member:{key.touchpoint.pk}:{key.member.id}"
    return limits.take(POLICY, name, key.touchpoint.member_requests_per_minute)


def member_of(public_id: uuid.UUID) -> Member:
    """Return the member of an address; a merged one is its survivor.

    Raises: MemberNotFoundError.
    """
    member = Member.objects.filter(public_id=public_id).first()
    if member is not None and member.status == MemberStatus.MERGED:
        survivors = identity.resolve_public_ids([public_id])
        member = Member.objects.filter(pk__in=survivors.values()).first()
    if member is None or member.status == MemberStatus.ERASED:
        raise MemberNotFoundError
    return member
