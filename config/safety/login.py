"""Logging in: the password, then the second factor of whoever has one.

Until the second factor is shown nobody is logged in: the session only says whose password was
given.

Source: MEM-10.
"""

import time
from typing import Any, Final

from django.conf import settings
from django.contrib import admin, auth
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django_otp import devices_for_user
from django_otp import login as otp_login
from django_otp.models import Device
from unfold.forms import AuthenticationForm

from config.base import acts
from config.base.acts import Acting
from config.base.admin import acting, site
from config.base.api import limits
from config.base.api.limits import RateLimitedError
from config.models import RecoverySheet
from config.safety import sessions

PENDING: Final = "loyalty_pending_login"
PENDING_SECONDS: Final = 300
PENDING_TRIES: Final = 5
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
TOO_MANY: Final = 429


class ConsoleLoginView(LoginView):
    """The console's log-in page."""

    template_name = "admin/login.html"
    authentication_form = AuthenticationForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        return super().get_context_data(
            **site.current().each_context(self.request),
            title=gettext("Log in"),
            app_path=self.request.get_full_path(),
            **kwargs,
        )

    def form_valid(self, form: Any) -> HttpResponse:
        """Log in, or ask for the second factor first."""
        user: User = form.get_user()
        going = self.get_success_url()
        if not has_second_factor(user):
            return HttpResponseRedirect(finish(self.request, user, None, going))
        self.request.session.cycle_key()
        self.request.session[PENDING] = {
            "user": user.pk, "at": time.time(), "tries": 0, "next": going,
        }  # fmt: skip
        return HttpResponseRedirect(reverse("console_second_step"))

    def form_invalid(self, form: Any) -> HttpResponse:
        """Say that it was wrong, in the same words whether or not there is such a person."""
        refused(self.request, "login.failed", str(form.data.get("username", "")))
        return super().form_invalid(form)


@never_cache
def login_page(request: HttpRequest) -> HttpResponseBase:
    """Show the log-in page, or what is behind it to who is logged in."""
    if request.method == "GET" and admin.site.has_permission(request):
        return HttpResponseRedirect(reverse("admin:index"))
    if request.method == "POST":
        try:
            limits.take("login", acting.address_of(request), settings.LOYALTY_LOGINS_PER_MINUTE)
        except RateLimitedError:
            return locked_out(request, None, None)
    return ConsoleLoginView.as_view()(request)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Any
) -> HttpResponse:
    """Answer whoever has guessed too often, in the same words whether or not they guess rightly."""
    form = AuthenticationForm(request)
    form.errors  # noqa: B018 - an unbound form has none, and gets the one below
    context = {
        **site.current().each_context(request),
        "title": gettext("Log in"),
        "app_path": request.get_full_path(),
        "form": form,
        "refusal": gettext("Too many attempts to log in. Try again in a while."),
    }
    page = TemplateResponse(request, "admin/console/locked.html", context, status=TOO_MANY)
    return page.render()


def has_second_factor(user: User) -> bool:
    """Tell whether a person has a device; recovery codes alone are none."""
    return bool(second_factors(user))


def second_factors(user: User) -> list[Device]:
    """Return a person's devices, recovery codes left out."""
    return [device for device in devices_for_user(user) if not isinstance(device, RecoverySheet)]


def pending_user(request: HttpRequest) -> User | None:
    """Return who has to show a second factor: password given, or logged in before they had one."""
    pending = request.session.get(PENDING)
    if pending and time.time() - pending["at"] <= PENDING_SECONDS:
        return User.objects.filter(pk=pending["user"], is_active=True).first()
    return request.user if isinstance(request.user, User) else None


@transaction.atomic
def verified(user: User, code: str) -> Device | None:
    """Return the device that a code is right for; the code is used up."""
    for device in devices_for_user(user, for_verify=True):
        is_recovery = isinstance(device, RecoverySheet)
        is_code = code.replace(" ", "").isdigit()
        if is_recovery == is_code:
            continue
        if device.verify_token(code.replace(" ", "")):
            return device
    return None


def wrong_code(request: HttpRequest, user: User) -> bool:
    """Count a wrong code; tell whether the password has to be given again."""
    refused(request, "second_factor.failed", user.get_username())
    pending = request.session.get(PENDING)
    if not pending:
        return False
    pending["tries"] += 1
    request.session.modified = True
    if pending["tries"] < PENDING_TRIES:
        return False
    request.session.flush()
    return True


def finish(request: HttpRequest, user: User, device: Device | None, going: str = "") -> str:
    """Log a person in and return where they were going.

    The session gets a new name, and what it knew of the log-in is forgotten.
    """
    pending = request.session.pop(PENDING, None) or {}
    going = going or pending.get("next", "")
    if request.user.is_authenticated:
        request.session.cycle_key()
    else:
        auth.login(request, user, backend=BACKEND)
    kind = ""
    if device is not None:
        otp_login(request, device)
        kind = kind_of(device)
    sessions.begin(request, sessions.roles_of(user))
    acting.record(request, "login", second_factor=kind)
    is_ours = url_has_allowed_host_and_scheme(
        going, {request.get_host()}, require_https=request.is_secure()
    )
    return going if is_ours else reverse("admin:index")


def kind_of(device: Device) -> str:
    """Return what a device is, as a code."""
    if isinstance(device, RecoverySheet):
        return "recovery_code"
    return "passkey" if hasattr(device, "credential_id") else "authenticator"


def refused(request: HttpRequest, act: str, username: str) -> None:
    """Write down an attempt that failed.

    What was typed as a name and is nobody's may be a password: it is not kept.
    """
    user = User.objects.filter(username=username).only("username").first()
    actor = f"staff:{user.username}" if user else acts.nameless(username)
    acts.record(
        Acting(actor=actor[:64], act=act, address=acting.address_of(request)),
    )
