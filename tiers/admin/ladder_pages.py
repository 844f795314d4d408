"""Write the next version of the ladder, look at it, send it for review. Each with one service."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from config.base import clock
from config.base.admin import reauth, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from members.models import Approval
from members.services import drafts
from tiers.admin.ladder_form import LadderBuilder, choices
from tiers.models import LadderDraft
from tiers.services import ladder_drafts

REASON_LENGTH: Final = 200
LOOK: Final = (ladder_drafts.EDIT_PERMISSION, ladder_drafts.PUBLISH_PERMISSION)


def new_page(request: HttpRequest) -> HttpResponse:
    """Write a new draft, beginning with what is in force.

    Source: TIR-06, TIR-13.
    """
    _need(request)
    try:
        content = ladder_drafts.begin(clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:tiers_ladderversion_changelist")
    return _editor(request, LadderDraft(content=content))


def draft_page(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Change a draft, send it for review, take it back or throw it away.

    Who may publish it sees it.
    """
    if not any(request.user.has_perm(permission) for permission in LOOK):
        raise PermissionDenied
    draft = get_object_or_404(LadderDraft, pk=draft_id)
    if draft.published_id is not None:
        return redirect("admin:tiers_ladderversion_change", draft.published_id)
    return _editor(request, draft)


def _editor(request: HttpRequest, draft: LadderDraft) -> HttpResponse:
    data = request.POST if request.method == "POST" and request.POST else None
    about = {"name": draft.name, "starts_at": draft.starts_at}
    builder = LadderBuilder(draft.content, about, data)
    do = data.get("do", "save") if data else ""
    if data and not builder.is_redraw:
        _need(request)
        act = _ACTS.get(do)
        done = act(request, draft, builder) if act else None
        if done is not None:
            return done
    waiting = ladder_drafts.pending([draft.pk]).get(draft.pk) if draft.pk else None
    context = {
        **site.current().each_context(request),
        "title": draft.name or gettext("New version of the ladder"),
        "draft": draft,
        "form": builder.form,
        "worth": builder.tier_rows(),
        "parts": builder.parts(),
        "choices": choices(builder.tiers),
        "warnings": builder.warnings(),
        "changes": ladder_drafts.changes(draft, clock.now()) if draft.pk else (),
        "pending": waiting,
        "may_write": request.user.has_perm(ladder_drafts.EDIT_PERMISSION),
    }
    return TemplateResponse(request, "admin/tiers/ladder_draft.html", context)


def _save(request: HttpRequest, draft: LadderDraft, builder: LadderBuilder) -> HttpResponse | None:
    saved = _saved(request, draft, builder)
    if saved is None:
        return None
    messages.success(request, gettext("The draft is saved."))
    return redirect("admin:ladder_draft", saved.pk)


def _simulate(
    request: HttpRequest, draft: LadderDraft, builder: LadderBuilder
) -> HttpResponse | None:
    saved = _saved(request, draft, builder)
    return None if saved is None else redirect("admin:ladder_simulation", saved.pk)


def _submit(
    request: HttpRequest, draft: LadderDraft, builder: LadderBuilder
) -> HttpResponse | None:
    saved = _saved(request, draft, builder)
    if saved is None:
        return None
    if not reauth.is_fresh(request):
        return reauth.ask(request, reverse("admin:ladder_draft", args=[saved.pk]))
    reason = request.POST.get("reason", "").replace("\x00", "")[:REASON_LENGTH]
    try:
        ladder_drafts.submit(
            draft_id=saved.pk, reason=reason, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, gettext("Sent for review: somebody else has to publish it."))
    return redirect("admin:ladder_draft", saved.pk)


def _saved(request: HttpRequest, draft: LadderDraft, builder: LadderBuilder) -> LadderDraft | None:
    content = builder.content()
    if content is None:
        return None
    said: dict[str, Any] = {
        "name": builder.form.cleaned_data["name"], "content": content,
        "starts_at": builder.starts_at(), "actor": actor_of(request), "at": clock.now(),
    }  # fmt: skip
    try:
        if draft._state.adding:
            return ladder_drafts.create(**said)
        return ladder_drafts.save(draft_id=draft.pk, **said)
    except DomainError as error:
        builder.refuse(error)
        return None


def _withdraw(request: HttpRequest, draft: LadderDraft, _builder: LadderBuilder) -> HttpResponse:
    try:
        ladder_drafts.withdraw(draft_id=draft.pk, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("admin:ladder_draft", draft.pk)


def _discard(request: HttpRequest, draft: LadderDraft, _builder: LadderBuilder) -> HttpResponse:
    try:
        ladder_drafts.discard(draft_id=draft.pk, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, gettext("The draft was thrown away."))
    return redirect("admin:tiers_ladderdraft_changelist")


Act = Callable[[HttpRequest, LadderDraft, LadderBuilder], HttpResponse | None]
_ACTS: Final[dict[str, Act]] = {
    "save": _save, "simulate": _simulate, "submit": _submit, "withdraw": _withdraw,
    "discard": _discard,
}  # fmt: skip


def _need(request: HttpRequest) -> None:
    if not request.user.has_perm(ladder_drafts.EDIT_PERMISSION):
        raise PermissionDenied


def summarise(approval: Approval) -> str:
    """Return what a request about the ladder asks for, for people."""
    draft = LadderDraft.objects.filter(pk=approval.payload[drafts.SUBJECT]).first()
    return gettext("the draft has been thrown away") if draft is None else draft.name


def address(approval: Approval) -> str:
    """Return where the draft of a request can be seen and simulated."""
    found = LadderDraft.objects.filter(pk=approval.payload[drafts.SUBJECT]).exists()
    return reverse("admin:ladder_draft", args=[approval.payload[drafts.SUBJECT]]) if found else ""


def effects(approval: Approval) -> Any:
    """Return what a request about the ladder would change, for who decides it."""
    return ladder_drafts.effects(approval, clock.now())


def execute_approved(approval: Approval, at: Any) -> None:
    """Publish what was approved. Raises: what `ladder_drafts.publish` raises."""
    ladder_drafts.publish(approval, at)
