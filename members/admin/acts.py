"""Acts of the service desk: a form with how the caller was identified and why, one service call.

Apps describe an act of theirs; how it is shown, refused and told of is the same for all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import site
from config.base.errors import DomainError
from config.base.panels import Visit
from members import words
from members.admin.member import masked_name
from members.domain import callers
from members.models import Member

MAX_REASON: Final = 200
LAST: Final = ("verified_by", "reason")


class ActForm(forms.Form):
    """What every act asks, after its own questions."""

    verified_by = forms.ChoiceField(label=_("How was the caller identified?"))
    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked: Any = self.fields["verified_by"]
        choices = [(code, words.caller_check(code)) for code in callers.CHECKS]
        asked.choices = [("", _("Please choose")), *choices]
        self.order_fields([name for name in self.fields if name not in LAST] + list(LAST))


@dataclass(frozen=True, slots=True)
class Act:
    """One act: who may do it, what it asks, and the service that does it.

    `work` returns what is said afterwards. `told` returns what the form says above its questions,
    `facts` what else the page shows of the member.
    """

    title: Promise
    submit: Promise
    permission: str
    form: Callable[..., ActForm]
    work: Callable[[HttpRequest, Member, Mapping[str, Any]], str]
    told: Callable[[Visit], str] = lambda _visit: ""
    facts: Callable[[Visit], Mapping[str, Any]] = lambda _visit: {}
    template: str = "admin/members/act.html"


def act_page(request: HttpRequest, member_id: int, act: Act) -> HttpResponse:
    """Show the form of an act, or carry it out and return to the member.

    Source: STF-06.
    """
    if not request.user.has_perm(act.permission):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    form = act.form(request.POST if request.method == "POST" else None)
    refused: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            told = act.work(request, member, form.cleaned_data)
        except DomainError as error:
            refused = error
            form.add_error(None, str(error.message))
        else:
            messages.success(request, told)
            return redirect("admin:members_member_change", member.pk)
    visit = Visit(request, clock.now(), member)
    context = {
        **site.current().each_context(request),
        "title": act.title,
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": act.told(visit),
        "submit": act.submit,
        "other_member": refused.details.get("member") if refused else None,
        **act.facts(visit),
    }
    return TemplateResponse(request, act.template, context)


def address(name: str) -> Callable[[Visit], str]:
    """Return how the address of an act's page is told for a member who can still be served."""

    def read(visit: Visit) -> str:
        if visit.subject.status not in ("active", "frozen"):
            return ""
        return reverse(f"admin:{name}", args=[visit.subject.pk])

    return read
