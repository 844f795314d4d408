"""Passkeys, as far as the library leaves them to the site."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.i18n import JavaScriptCatalog
from django_otp_webauthn import exceptions, views
from django_otp_webauthn.helpers import WebAuthnHelper

from config.base import panels
from config.base.admin import acting, reauth
from config.safety import login

_CompleteAuthentication = views.CompleteCredentialAuthenticationView


class PasskeyHelper(WebAuthnHelper):  # type: ignore[misc]  # no types there
    """Passkeys belong to the host that the console is opened at, which Django has checked."""

    def get_relying_party_domain(self) -> str:
        """Return the host without its port."""
        host: str = self.request.get_host()
        return host.rsplit(":", 1)[0]

    def get_relying_party_name(self) -> str:
        """Return the programme's name, for the browser to show."""
        return panels.programme_name() or str(super().get_relying_party_name())

    def get_allowed_origins(self) -> list[str]:
        """Return where the ceremony may take place."""
        return [f"{self.request.scheme}://{self.request.get_host()}"]


class BeginRegistration(views.BeginCredentialRegistrationView):  # type: ignore[misc]
    """Start making a passkey, shortly after the password was given."""

    def check_can_register(self) -> None:
        """Refuse where nobody has shown lately who they are.

        Raises: NotVerified.
        """
        if not reauth.is_fresh(self.request):
            raise exceptions.NotVerified


class CompleteRegistration(views.CompleteCredentialRegistrationView):  # type: ignore[misc]
    """Keep the new passkey."""

    def post(self, *args: Any, **kwargs: Any) -> JsonResponse:
        """Keep it and write that down."""
        response: JsonResponse = super().post(*args, **kwargs)
        acting.record(self.request, "second_factor.added", kind="passkey")
        return response


class _Pending:
    """Ceremonies of who has given the password and not yet the second factor."""

    request: HttpRequest

    def get_user(self) -> User | None:
        """Return whose second factor is asked for; nobody without a password."""
        return login.pending_user(self.request)

    def check_can_authenticate(self) -> None:
        """Refuse where no password was given.

        Raises: PasswordlessLoginDisabled.
        """
        if self.get_user() is None:
            raise exceptions.PasswordlessLoginDisabled


class BeginAuthentication(_Pending, views.BeginCredentialAuthenticationView):  # type: ignore[misc]
    """Start showing a passkey."""


class CompleteAuthentication(_Pending, _CompleteAuthentication):  # type: ignore[misc, valid-type]
    """Log in whoever has shown the passkey."""

    def complete_auth(self, device: Any) -> None:
        """Finish the log-in."""
        self.redirect_url = login.finish(self.request, device.user, device)

    def get_success_url(self) -> str:
        """Return where the visitor was going."""
        return self.redirect_url


def _catalogue(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    return JavaScriptCatalog.as_view(packages=["django_otp_webauthn"])(request, *args, **kwargs)


app_name = "otp_webauthn"
urlpatterns = [
    path(
        "registration/begin/", BeginRegistration.as_view(), name="credential-registration-begin"
    ),
    path(
        "registration/complete/", CompleteRegistration.as_view(),
        name="credential-registration-complete",
    ),
    path(
        "authentication/begin/", BeginAuthentication.as_view(),
        name="credential-authentication-begin",
    ),
    path(
        "authentication/complete/", CompleteAuthentication.as_view(),
        name="credential-authentication-complete",
    ),
    path("jsi18n/", _catalogue, name="js-i18n-catalog"),
]  # fmt: skip
