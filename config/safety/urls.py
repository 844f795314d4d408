"""Addresses of logging in, below the console's."""

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path

from config.safety import login, pages, passkeys


def _inside(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let only who is logged in see a page."""

    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        # Asked for at the time of the request: the console's site is put in place late.
        return admin.site.admin_view(view)(request, *args, **kwargs)

    return guarded


urlpatterns = [
    path("login/", login.login_page, name="console_login"),
    path("second-step/", pages.second_step_page, name="console_second_step"),
    path("second-factors/", _inside(pages.second_factors_page), name="console_second_factors"),
    path(
        "second-factors/authenticator/", _inside(pages.authenticator_page),
        name="console_authenticator",
    ),
    path(
        "second-factors/recovery-codes/", _inside(pages.recovery_codes_page),
        name="console_recovery_codes",
    ),
    path("confirm/", _inside(pages.confirm_page), name="console_confirm"),
    path(
        "staff/<int:user_id>/second-factors/", _inside(pages.reset_page),
        name="console_reset_second_factors",
    ),
    path("passkeys/", include(passkeys)),
]  # fmt: skip
