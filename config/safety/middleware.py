"""What every request of the console passes: is the session alive, and who acts."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import ResolverMatch, reverse
from django.utils.translation import gettext

from config.base import acts
from config.base.acts import Subject
from config.base.admin.acting import acting_of
from config.safety import sessions

GetResponse = Callable[[HttpRequest], HttpResponseBase]

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
# Views that write their own acts, with what only they know.
SPEAK_FOR_THEMSELVES: Final = frozenset(("admin:login", "console_login"))
SERVER_ERROR: Final = 500


def _is_console(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.CONSOLE_PATH)


class ActingMiddleware:
    """Have the database write down what a member of staff changes, and write the act itself.

    Source: MEM-10, LEG-09.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and write down who did what."""
        if request.method in SAFE_METHODS or not _is_console(request):
            return self.get_response(request)
        request.acting = None  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            who = request.acting  # type: ignore[attr-defined]
            if who is not None:
                acts.end()
        if who is not None and response.status_code < SERVER_ERROR:
            acts.record(who, _subject(request), after=_outcome(request, response))
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Let the session of the database know who acts, once it is known what they do."""
        if request.method in SAFE_METHODS or not _is_console(request):
            return None
        name = _name(request.resolver_match)
        if request.user.is_authenticated and name not in SPEAK_FOR_THEMSELVES:
            who = acting_of(request, name, request.POST.get("reason", ""))
            request.acting = who  # type: ignore[attr-defined]
            acts.begin(who)
        return None


def _name(match: ResolverMatch | None) -> str:
    return match.view_name if match and match.view_name else "unnamed"


def _subject(request: HttpRequest) -> Subject:
    """Return what a request is about, as far as its address says."""
    match = request.resolver_match
    kwargs = match.kwargs if match else {}
    name = _name(match)
    row = next(iter(kwargs.values()), "")
    member = kwargs.get("member_id")
    if member is None and name.startswith("admin:members_member_"):
        member = kwargs.get("object_id")
    approval = kwargs.get("object_id") if name.startswith("admin:members_approval_") else None
    return Subject(row_id=str(row)[:64], member_id=_number(member), approval_id=_number(approval))


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _outcome(request: HttpRequest, response: HttpResponseBase) -> dict[str, Any]:
    """Return what came of a request: its status, and which action for how many rows of a list."""
    outcome: dict[str, Any] = {"status": response.status_code}
    if action := request.POST.get("action"):
        outcome["action"] = action[:64]
        outcome["rows"] = len(request.POST.getlist("_selected_action"))
    return outcome


class SessionMiddleware:
    """End sessions whose time is over, and lead people to the second factor that they need.

    Source: MEM-10.
    """

    # Where somebody may go who still has to get a second factor.
    OPEN = frozenset(
        (
            "admin:logout", "console_second_factors", "console_authenticator",
            "console_second_step", "console_confirm", "console_recovery_codes",
            "otp_webauthn:credential-registration-begin",
            "otp_webauthn:credential-registration-complete",
            "otp_webauthn:credential-authentication-begin",
            "otp_webauthn:credential-authentication-complete",
            "otp_webauthn:js-i18n-catalog", "admin:jsi18n",
        )
    )  # fmt: skip

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; `process_view` decides."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Answer instead of the page where the visitor may not go on."""
        if not _is_console(request):
            return None
        user = request.user
        if not isinstance(user, User):
            return None
        roles = sessions.roles_of(user)
        if sessions.is_over(request, roles):
            auth.logout(request)
            messages.info(request, gettext("Your session has ended. Log in again."))
            return redirect(f"{reverse('admin:login')}?next={_back(request)}")
        if (
            roles.need_second_factor
            and not user.is_verified()  # type: ignore[attr-defined]
            and _name(request.resolver_match) not in self.OPEN
        ):
            return redirect("console_second_factors")
        return None


def _back(request: HttpRequest) -> str:
    """Return where to go after logging in again: a page that was shown, not what was sent to it."""
    is_page = request.method == "GET" and _name(request.resolver_match) != "admin:login"
    return request.path if is_page else reverse("admin:index")
