"""The base of every endpoint that touchpoints call."""

import uuid
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from config.base import clock
from config.base.api.scopes import KeyInvalidError, bearer_secret
from config.base.api.views import Endpoint
from config.base.errors import DomainError
from members.models import Member, MemberStatus, Touchpoint
from members.services import api_keys, identity

PERSONAL_SCOPE = "members:read_personal"


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


class TouchpointEndpoint(Endpoint):
    """An endpoint for touchpoints with a key."""

    authentication_classes = (KeyAuthentication,)

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
