"""What a key may do, and the check that every endpoint makes."""

from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.base.errors import DomainError


class Credentials(Protocol):
    """What an authenticated key says about itself."""

    @property
    def scopes(self) -> frozenset[str]:
        """Return what the key may do."""
        ...


class NotAuthenticatedError(DomainError):
    """The endpoint needs a key and none was sent."""

    def __init__(self) -> None:
        super().__init__(
            "not_authenticated",
            _("Send the touchpoint's key as Authorization: Bearer."),
            status=401,
        )


class KeyInvalidError(DomainError):
    """The key is unknown, expired or revoked; which of them is not told."""

    def __init__(self) -> None:
        super().__init__("key_invalid", _("The key is unknown, expired or revoked."), status=401)


class ScopeMissingError(DomainError):
    """The key is good, but not for this."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            "scope_missing", _("The key does not have the scope for this."), status=403, scope=scope
        )


class HasScope(BasePermission):
    """Let a key pass that has the scope which the view declares for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether the request may go on.

        Raises: NotAuthenticatedError, ScopeMissingError.
        """
        declared: dict[str, str] = getattr(view, "scopes", {})
        scope = declared.get(str(request.method))
        if scope is None:
            # A method that the view does not offer is answered by 405, not by a question of rights;
            # one that it offers without naming a scope stays shut.
            return view.is_public or not view.offers(str(request.method))
        credentials: Any = request.auth
        if credentials is None:
            raise NotAuthenticatedError
        if scope not in credentials.scopes:
            raise ScopeMissingError(scope)
        return True


def bearer_secret(request: Request) -> str | None:
    """Return the secret of the Authorization header, None where there is no such header.

    Raises: KeyInvalidError for a header of another form.
    """
    header: str | None = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    kind, _space, secret = header.partition(" ")
    secret = secret.strip()
    if kind.lower() != "bearer" or not secret or len(secret) > 200 or not secret.isascii():
        raise KeyInvalidError
    return secret
