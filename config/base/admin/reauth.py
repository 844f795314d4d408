"""Asking for the password again before what would hurt most in somebody else's hands.

A page asks before it shows its form. What was typed into the form is not lost: it is taken for
twice as long as the form is shown without asking.

Source: MEM-10.
"""

import functools
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

CONFIRMED: Final = "loyalty_confirmed_at"
# Either lets remove somebody else's second factors. The library's own page, which would ask for the
# latter, is not shown.
REMOVE_FACTORS: Final = ("auth.change_user", "otp_totp.delete_totpdevice")

View = Callable[..., HttpResponseBase]


def confirm(request: HttpRequest) -> None:
    """Remember that the visitor has just shown who they are."""
    request.session[CONFIRMED] = time.time()


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether the visitor has shown recently enough who they are."""
    allowed = settings.LOYALTY_CONFIRM_MINUTES * 60 * (1 if request.method == "GET" else 2)
    return bool(time.time() - request.session.get(CONFIRMED, 0.0) <= allowed)


def ask(request: HttpRequest, saved_at: str = "") -> HttpResponse:
    """Send the visitor to the page that asks for the password, and back.

    `saved_at` is where the page is that has kept what was typed; without it, nothing was saved.
    """
    if saved_at:
        messages.warning(request, gettext("The draft is saved. Confirm who you are, then send it."))
    elif request.method != "GET":
        messages.warning(
            request, gettext("Nothing was saved. Confirm who you are, then repeat it.")
        )
    query = urlencode({"next": saved_at or request.get_full_path()})
    return redirect(f"{reverse('console_confirm')}?{query}")


def fresh_login_required(view: View) -> View:
    """Let a page of the console be opened only shortly after the password was given."""

    @functools.wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_fresh(request) else ask(request)

    return asking


class FreshLoginMixin:
    """Model pages whose forms and actions want a fresh confirmation; lists do not."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show or save the form, after asking who is there."""
        return self._asked(request, "changeform_view", *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Delete the row, after asking who is there."""
        return self._asked(request, "delete_view", *args, **kwargs)

    def user_change_password(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Set somebody's password, after asking who is there."""
        return self._asked(request, "user_change_password", *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the list; its actions ask who is there."""
        if request.method == "GET":
            response: HttpResponseBase = super().changelist_view(  # type: ignore[misc]
                request, *args, **kwargs
            )
            return response
        return self._asked(request, "changelist_view", *args, **kwargs)

    def _asked(
        self, request: HttpRequest, name: str, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if not is_fresh(request):
            return ask(request)
        response: HttpResponseBase = getattr(super(), name)(request, *args, **kwargs)
        return response
