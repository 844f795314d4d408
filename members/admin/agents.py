"""Who looks after a member, and what becomes of a leaver's members."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.panels import Visit
from members.admin.base import colleague
from members.admin.member import masked_name
from members.models import Member
from members.services import account_managers

PERMISSION: Final = "members.assign_account_manager"


class AgentForm(forms.Form):
    """Which colleague; empty for nobody, or for whoever has fewest members."""

    def __init__(self, nobody: str, *args: Any, without: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = [user for user in account_managers.colleagues() if user.pk != without]
        self.fields["agent"] = forms.ChoiceField(
            label=_("Colleague"), required=False,
            choices=[("", nobody), *((user.pk, colleague(user)) for user in found)],
        )  # fmt: skip

    @property
    def chosen(self) -> int | None:
        """Return the colleague's number."""
        return int(self.cleaned_data["agent"]) if self.cleaned_data["agent"] else None


def agent_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Give a member a dedicated agent. Source: BEN-09."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    rows = Member.objects.select_related("profile", "account_manager")
    member = get_object_or_404(rows, pk=member_id)
    form = AgentForm(
        gettext("Nobody"), request.POST or None, initial={"agent": member.account_manager_id}
    )
    if request.method == "POST" and form.is_valid() and _given(request, member, form):
        return redirect("admin:members_member_change", member.pk)
    now = member.account_manager
    context = {
        **site.current().each_context(request),
        "title": gettext("Dedicated agent"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": gettext("Now: %(name)s.") % {"name": colleague(now) if now else gettext("Nobody")},
        "submit": gettext("Save"),
    }
    return TemplateResponse(request, "admin/console/form.html", context)


def _given(request: HttpRequest, member: Member, form: AgentForm) -> bool:
    try:
        account_managers.assign(
            member_id=member.pk, agent_id=form.chosen, at=clock.now(), actor=actor_of(request)
        )
    except DomainError as refused:
        form.add_error(None, str(refused.message))
        return False
    messages.success(request, gettext("Done."))
    return True


def agent_address(visit: Visit) -> str:
    """Return where a member's dedicated agent is chosen."""
    return reverse("admin:member_agent", args=[visit.subject.pk])


def hand_over_page(request: HttpRequest, user_id: int) -> HttpResponse:
    """Hand over the members and cases of somebody who leaves. Source: BEN-09."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    leaver = get_object_or_404(User, pk=user_id)
    fewest = gettext("Each to whoever has fewest")
    posted = request.POST if request.method == "POST" else None
    form = AgentForm(fewest, posted, without=leaver.pk)
    back = reverse("admin:auth_user_change", args=[leaver.pk])
    if request.method == "POST" and form.is_valid():
        moved = account_managers.hand_over(
            leaver_id=leaver.pk, to_id=form.chosen, at=clock.now(), actor=actor_of(request)
        )
        messages.success(request, gettext("%(count)d members handed over.") % {"count": moved})
        return redirect(back)
    context = {
        **site.current().each_context(request),
        "title": gettext("Hand over members and cases"),
        "subject": colleague(leaver),
        "form": form,
        "back": back,
    }
    return TemplateResponse(request, "admin/members/hand_over.html", context)
