"""The service desk (客服工作台): one box that leads from what a caller says to the member's page.

What is searched for is posted and never kept: addresses and logs show no phone and no name. Between
the answer and its list the session holds the members' ids alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from config.base import clock, panels
from config.base.admin import scope, site
from config.base.panels import Finder
from members import desk
from members.admin.member import STATUS_COLOURS, masked_name
from members.models import Member

PERMISSION: Final = "members.view_member"
FOUND: Final = "desk_found"
SHOW_FOUND: Final = "found"
MAX_LENGTH: Final = 200

FINDERS: Final = (
    Finder("phone", _("Phone"), desk.by_phone, 10),
    Finder("card", _("Card number"), desk.by_card, 20),
    Finder("email", _("E-mail"), desk.by_email, 30),
    Finder("order", _("Order number"), desk.by_order, 40, "members.view_order"),
    Finder("name", _("Full name"), desk.by_name, 60),
    Finder("other", _("Other id"), desk.by_other_identifier, 70),
    Finder("phone_tail", _("Last digits of the phone"), desk.by_phone_tail, 80),
    Finder("card_tail", _("Last digits of the card"), desk.by_card_tail, 85),
    Finder("former", _("Former phone or card, replaced"), desk.by_former_identifier, 90),
)


@dataclass(slots=True)
class Card:
    """One member among the hits."""

    member: Member
    why: list[str]
    name: str = ""
    colour: str = ""
    lines: list[tuple[Promise, Any]] = field(default_factory=list)


@never_cache
def desk_page(request: HttpRequest) -> HttpResponse:
    """Find members; one alone is shown at once. Source: SVC-01, STF-06."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method == "POST":
        return _answer(request)
    # The list stays where it is when an agent comes back from the wrong member's page.
    found: Sequence[tuple[int, list[str]]] = request.session.get(FOUND, ())
    return _page(request, found if SHOW_FOUND in request.GET else ())


def _answer(request: HttpRequest) -> HttpResponse:
    text = desk.plain(request.POST.get("term", ""))
    found = _found(request, text) if text and len(text) <= MAX_LENGTH and "\0" not in text else {}
    if len(found) == 1:
        (member,) = found
        if "former" in found[member]:
            _say_replaced(request)
        return redirect("admin:members_member_change", member)
    if not found:
        return _page(request, (), text[:MAX_LENGTH], is_answer=bool(text))
    request.session[FOUND] = list(found.items())
    return redirect(f"{reverse('admin:desk')}?{SHOW_FOUND}")


def _say_replaced(request: HttpRequest) -> None:
    text = gettext("This phone or card was replaced: nothing is earned with it any more.")
    messages.warning(request, text)


def _found(request: HttpRequest, text: str) -> dict[int, list[str]]:
    """Return the members with the ways that led to them, the surest way's first."""
    found: dict[int, list[str]] = {}
    for finder in panels.finders(request):
        for member in finder.find(text)[: desk.MOST]:
            found.setdefault(member, []).append(finder.code)
    if scope.is_limited(request):
        seen = scope.narrowed(request, Member.objects.filter(pk__in=found))
        mine = set(seen.values_list("pk", flat=True))
        found = {member: why for member, why in found.items() if member in mine}
    return dict(list(found.items())[: desk.MOST])


def _page(
    request: HttpRequest,
    pairs: Sequence[tuple[int, list[str]]],
    text: str = "",
    *,
    is_answer: bool = False,
) -> HttpResponse:
    cards = _cards(request, pairs, clock.now())
    count = len(cards)
    context = {
        **site.current().each_context(request),
        "title": gettext("Service desk"),
        "cards": cards,
        "term": text,
        "is_nothing": is_answer,
        "told": ngettext("%(count)d member found", "%(count)d members found", count)
        % {"count": count},
    }
    return TemplateResponse(request, "admin/members/desk.html", context)


def _cards(
    request: HttpRequest, pairs: Sequence[tuple[int, list[str]]], at: datetime
) -> list[Card]:
    """Return the hits, each part of them read once for all."""
    if not pairs:
        return []
    rows = Member.objects.select_related("profile").in_bulk([pk for pk, _why in pairs])
    titles = {finder.code: str(finder.title) for finder in panels.finders(request)}
    found = [
        Card(
            rows[pk],
            [titles[code] for code in codes if code in titles],
            masked_name(rows[pk]),
            STATUS_COLOURS.get(rows[pk].status, "info"),
        )
        for pk, codes in pairs
        if pk in rows
    ]
    members = [card.member for card in found]
    for column in panels.columns(request, listed=False):
        values = column.read(members, at)
        for card in found:
            card.lines.append((column.title, values.get(card.member.pk, "–")))
    return found
