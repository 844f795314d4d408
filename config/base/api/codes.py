"""The stable codes of problems, each with its status and its title for people.

Every app registers the codes of its own endpoints; the schema and the documents read them here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TYPE_PREFIX = "/api/problems/"


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """One kind of problem. The code never changes its meaning."""

    code: str
    status: int
    title: "str | Promise"

    @property
    def type_uri(self) -> str:
        """Return the address that tells people about this kind of problem."""
        return f"{TYPE_PREFIX}{self.code}"


_registered: dict[str, ProblemCode] = {}


def register(codes: Iterable[tuple[str, int, "str | Promise"]]) -> None:
    """Make codes known; registering the same code again with another status is a mistake.

    Raises: ValueError for a code that means two things.
    """
    for code, status, title in codes:
        known = _registered.setdefault(code, ProblemCode(code, status, title))
        if known.status != status:
            raise ValueError(f"{code} is registered with status {known.status} already")


def known() -> dict[str, ProblemCode]:
    """Return all registered codes."""
    return dict(_registered)


def find(code: str, status: int) -> ProblemCode:
    """Return what is known of a code; an unregistered one gets the title of its status."""
    return _registered.get(code) or ProblemCode(code, status, STATUS_TITLES.get(status, UNKNOWN))


UNKNOWN = _("The request was refused")

STATUS_TITLES: dict[int, "str | Promise"] = {
    400: _("The request is malformed"),
    401: _("Who is asking is not known"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("This method is not offered here"),
    409: _("In conflict with what is stored"),
    413: _("The body is too large"),
    415: _("The body is not JSON in UTF-8"),
    422: _("The request cannot be processed"),
    429: _("Too many requests"),
    500: _("Something went wrong on our side"),
    503: _("Try again in a moment"),
}

register(
    [
        ("request_invalid", 400, _("Some fields are not right")),
        ("json_invalid", 400, _("The body is not valid JSON")),
        ("cursor_invalid", 400, _("The cursor is not one of ours")),
        ("parameter_invalid", 400, _("A query parameter is not right")),
        ("amount_invalid", 400, _("Not an amount in the programme's currency")),
        ("not_authenticated", 401, _("A key is needed")),
        ("key_invalid", 401, _("The key is unknown, expired or revoked")),
        ("scope_missing", 403, _("The key does not have the scope for this")),
        ("not_found", 404, _("Not found")),
        ("method_not_allowed", 405, _("This method is not offered here")),
        ("body_too_large", 413, _("The body is too large")),
        ("unsupported_media_type", 415, _("The body is not JSON in UTF-8")),
        ("rate_limited", 429, _("Too many requests")),
        ("internal_error", 500, _("Something went wrong on our side")),
        ("temporarily_unavailable", 503, _("Try again in a moment")),
    ]
)
