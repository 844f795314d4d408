"""Write a rule, try it, send it for review; end one. Each with one service call."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from members.services import drafts
from rewards.admin import rule_preview_parts
from rewards.admin.rule_choices import RuleChoices
from rewards.admin.rule_form import (
    REASON_LENGTH,
    RuleBuilder,
    RuleForm,
    new_version,
)
from rewards.models import RuleVersion
from rewards.models.rule import RuleState
from rewards.services import rule_drafts

# What a rule that was never saved can have done to it.
_FIRST_ACTS: Final = ("save", "submit")
# Buttons of the form that only ask for it again, with a row more or less.
_REDRAWS: Final = ("refresh", "add-row", "remove-row", "add-group")


class EndForm(forms.Form):
    """When a rule ends, and why."""

    until = forms.DateTimeField(
        label=_("Until"), required=False, help_text=_("Empty: as soon as it is approved."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )


def new_page(request: HttpRequest) -> HttpResponse:
    """Write a new rule.

    Source: PTS-04, PTS-06.
    """
    _need(request)
    return _builder_page(request, new_version())


def draft_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Change a draft, try it, send it for review, take it back or throw it away.

    Who may publish it sees and tries it.
    """
    if not may_look(request):
        raise PermissionDenied
    version = get_object_or_404(RuleVersion.objects.select_related("rule"), pk=version_id)
    if version.state != RuleState.DRAFT:
        return redirect("admin:rewards_rule_change", version.rule_id)
    return _builder_page(request, version)


@require_POST
def copy_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Make a new draft of a version and open it."""
    _need(request)
    version = get_object_or_404(RuleVersion, pk=version_id)
    draft = rule_drafts.copy(version_id=version.pk, actor=actor_of(request), at=clock.now())
    messages.success(request, gettext("A new draft was made."))
    return redirect("admin:rule_draft", draft.pk)


def end_page(request: HttpRequest, version_id: int) -> HttpResponse:
    """Ask for a version in force to end."""
    _need(request)
    version = get_object_or_404(RuleVersion.objects.select_related("rule"), pk=version_id)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            rule_drafts.ask_to_end(
                version_id=version.pk,
                until=form.cleaned_data["until"],
                reason=form.cleaned_data["reason"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("Sent for approval."))
            return redirect("admin:rewards_rule_change", version.rule_id)
    context = {
        **site.current().each_context(request),
        "title": gettext("End this rule"),
        "form": form,
        "subject": f"{name_of(version.rule)} · v{version.number}",
        "back": reverse("admin:rewards_rule_change", args=[version.rule_id]),
        "submit": gettext("Send for approval"),
    }
    return TemplateResponse(request, "admin/rewards/rule_end.html", context)


def may_look(request: HttpRequest) -> bool:
    """Tell whether the visitor may open drafts."""
    wanted = (rule_drafts.EDIT_PERMISSION, rule_drafts.PUBLISH_PERMISSION)
    return any(request.user.has_perm(permission) for permission in wanted)


def _need(request: HttpRequest) -> None:
    if not request.user.has_perm(rule_drafts.EDIT_PERMISSION):
        raise PermissionDenied


def _builder_page(request: HttpRequest, version: RuleVersion) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    builder = RuleBuilder(version, RuleChoices(), data)
    do = (data.get("do") if data else None) or ""
    if do == "preview":
        return _part(request, "rule_preview.html", rule_preview_parts.of_cart(builder))
    if do == "month":
        return _part(request, "rule_month.html", rule_preview_parts.of_month(request, builder))
    if do and do.partition(":")[0] not in _REDRAWS:
        _need(request)
        act = _ACTS.get(do) if version.pk or do in _FIRST_ACTS else None
        if act is not None and (done := act(request, builder)) is not None:
            return done
    return TemplateResponse(request, "admin/rewards/rule_draft.html", _context(request, builder))


def _part(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, f"admin/rewards/{template}", context)


def _context(request: HttpRequest, builder: RuleBuilder) -> dict[str, Any]:
    version = builder.version
    pending = version.pk and drafts.pending(
        kind=rule_drafts.PUBLISH, draft_ids=[version.pk]
    ).get(version.pk)  # fmt: skip
    # A row that was only added is no mistake yet: what is wrong is said on saving.
    is_redraw = request.POST.get("do", "").partition(":")[0] in _REDRAWS
    shown = RuleBuilder(version, builder.choices, request.POST) if is_redraw else builder
    if is_redraw:
        shown.form = RuleForm(None, initial=request.POST.dict())
    names_are_fixed = version.pk and version.rule.versions.filter(state=RuleState.ACTIVE).exists()
    return {
        **site.current().each_context(request),
        "title": name_of(version.rule) if version.pk else gettext("New earning rule"),
        "builder": shown,
        "form": shown.form,
        "version": version,
        "pending": pending or None,
        "names_are_fixed": bool(names_are_fixed),
        "may_write": request.user.has_perm(rule_drafts.EDIT_PERMISSION),
        "preview": rule_preview_parts.of_cart(builder),
    }


def _save(request: HttpRequest, builder: RuleBuilder) -> HttpResponse | None:
    draft = _saved(request, builder)
    if draft is None:
        return None
    messages.success(request, gettext("The draft is saved."))
    return redirect("admin:rule_draft", draft.pk)


def _submit(request: HttpRequest, builder: RuleBuilder) -> HttpResponse | None:
    draft = _saved(request, builder)
    if draft is None:
        return None
    reason = request.POST.get("reason", "").replace("\x00", "")[:REASON_LENGTH]
    try:
        rule_drafts.submit(
            draft_id=draft.pk, reason=reason, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:rule_draft", draft.pk)
    messages.success(request, gettext("Sent for review: somebody else has to publish it."))
    return redirect("admin:rewards_rule_change", draft.rule_id)


def _saved(request: HttpRequest, builder: RuleBuilder) -> RuleVersion | None:
    if not builder.read():
        return None
    said: dict[str, Any] = {
        "names": builder.names,
        "terms": builder.terms,
        "actor": actor_of(request),
        "at": clock.now(),
    }
    try:
        if builder.version._state.adding:
            return rule_drafts.create(**said)
        return rule_drafts.save(draft_id=builder.version.pk, **said)
    except DomainError as error:
        builder.refuse(error)
        return None


def _withdraw(request: HttpRequest, builder: RuleBuilder) -> HttpResponse:
    try:
        rule_drafts.withdraw(draft_id=builder.version.pk, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("admin:rule_draft", builder.version.pk)


def _discard(request: HttpRequest, builder: RuleBuilder) -> HttpResponse:
    try:
        rule_drafts.discard(draft_id=builder.version.pk, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, gettext("The draft was thrown away."))
    return redirect("admin:rewards_rule_changelist")


_ACTS: Final[dict[str, Callable[[HttpRequest, RuleBuilder], HttpResponse | None]]] = {
    "save": _save,
    "submit": _submit,
    "withdraw": _withdraw,
    "discard": _discard,
}
