"""The moderation queue: reviews and photos that wait, to be approved many at a time."""

from collections.abc import Mapping
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

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit
from members.models import InteractionKind, Moderation, ModerationState
from rewards.services import moderation

PERMISSION: Final = "members.moderate"
SHOWN: Final = 50
PHOTOS_SHOWN: Final = 6
TEXT_SHOWN: Final = 600
TABS: Final = (ModerationState.PENDING, ModerationState.APPROVED)
REFUSALS: Final[dict[str, Promise]] = {
    moderation.REFUSED_LINE: _("the order line is not one of this member"),
    moderation.REFUSED_SECOND: _("another review of the order line has had the reward"),
}


def queue_page(request: HttpRequest) -> HttpResponse:
    """Show reviews that wait, or those approved, oldest first; carry out what was chosen.

    Source: ENG-03.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    chosen = request.GET.get("state", "")
    state = ModerationState.APPROVED if chosen == "approved" else ModerationState.PENDING
    if request.method == "POST":
        _carry_out(request)
        return redirect(f"{reverse('admin:moderation')}?state={state}")
    rows = Moderation.objects.filter(state=state).select_related(
        "fact__interaction", "member__profile"
    )
    order = "occurred_at" if state == ModerationState.PENDING else "-occurred_at"
    found = list(rows.order_by(order, "pk")[: SHOWN + 1])
    names = {kind.code: name_of(kind) for kind in InteractionKind.objects.all()}
    context = {
        **site.current().each_context(request),
        "title": gettext("Moderation"),
        "state": state,
        "tabs": [(tab.value, tab.label) for tab in TABS],
        "rows": [_shown(row, names) for row in found[:SHOWN]],
        "has_more": len(found) > SHOWN,
        "reasons": moderation.REASONS.items(),
    }
    return TemplateResponse(request, "admin/rewards/moderation.html", context)


def _shown(row: Moderation, names: dict[str, str]) -> dict[str, Any]:
    """Return a review for people: what it says as plain text, never as a page of its own."""
    said = row.fact.interaction
    data: dict[str, Any] = said.data if isinstance(said.data, dict) else {}
    photos = data.get("photos")
    texts = [data.get(key) for key in ("title", "text", "content")]
    return {
        "row": row,
        "kind": names.get(said.kind, said.kind),
        "text": "\n".join(text for text in texts if isinstance(text, str))[:TEXT_SHOWN],
        "rating": data.get("rating") if isinstance(data.get("rating"), int | float) else None,
        "photos": [
            link
            for link in (photos if isinstance(photos, list) else [])
            if isinstance(link, str) and link.startswith("https://")
        ][:PHOTOS_SHOWN],
    }


def _carry_out(request: HttpRequest) -> None:
    reviews = [int(pk) for pk in request.POST.getlist("review") if pk.isdecimal()]
    act, reason = request.POST.get("act"), request.POST.get("reason", "")
    at, actor = clock.now(), actor_of(request)
    if not reviews:
        messages.info(request, gettext("Choose at least one."))
        return
    try:
        if act == "approve":
            done = moderation.approve(reviews=reviews, at=at, actor=actor)
            _tell(request, done.approved)
            for review, code in done.refused.items():
                told = {"number": review, "why": REFUSALS[code]}
                messages.warning(request, gettext("#%(number)d: %(why)s.") % told)
            return
        carry_out = moderation.remove if act == "remove" else moderation.reject
        _tell(request, carry_out(reviews=reviews, reason=reason, at=at, actor=actor))
    except DomainError as refused:
        messages.error(request, str(refused.message))


def _tell(request: HttpRequest, count: int) -> None:
    told = ngettext("%(count)d review decided.", "%(count)d reviews decided.", count)
    messages.success(request, told % {"count": count})


def event_details(_visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what an event of a review says in the timeline."""
    reason = moderation.REASONS.get(str(payload.get("reason", "")))
    return [text for text in (f"#{payload.get('review')}", str(reason or "")) if text]
