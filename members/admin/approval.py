"""Requests that wait for a second person."""

from typing import Final

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import reauth
from config.base.admin.actors import actor_of
from config.base.admin.decorators import detail_action, labelled
from config.base.errors import DomainError
from members.admin.base import MemberOwnedAdmin
from members.models import Approval
from members.models.staff import ApprovalState
from members.services import approvals

DECISIONS: Final = {
    "approve": (approvals.approve, _("Approved and carried out.")),
    "refuse": (approvals.refuse, _("Refused.")),
    "withdraw": (approvals.withdraw, _("Withdrawn.")),
}


@admin.register(Approval)
class ApprovalAdmin(MemberOwnedAdmin):
    """Requests of staff, decided here by somebody else."""

    list_display = (
        "title", "summary", "member_card", "reason", "requested_by", "requested_at", "state_label",
    )  # fmt: skip
    list_filter = ("state",)
    concealed = ("payload", "kind")
    shown_last = ("title", "summary")
    actions_detail = ("decide",)

    @admin.display(description=_("request"))
    def title(self, approval: Approval) -> str:
        """Return what kind of request it is."""
        return approvals.title_of(approval.kind)

    @admin.display(description=_("what is asked"))
    def summary(self, approval: Approval) -> str:
        """Return what the request asks for."""
        return approvals.summary_of(approval)

    @labelled(
        _("state"),
        {"requested": "warning", "approved": "success", "refused": "danger", "withdrawn": "info"},
    )
    def state_label(self, approval: Approval) -> tuple[str, str]:
        """Return where the request stands, with its colour."""
        return approval.state, approval.get_state_display()

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may decide requests, of this kind where one is named.

        Who asked for it opens it as well, to take it back.
        """
        found = None
        if object_id is not None:
            found = self.get_queryset(request).filter(pk=object_id).first()
        if found is None:
            return bool(approvals.decidable_kinds(request.user.has_perm))
        is_own = found.requested_by == actor_of(request)
        return is_own or request.user.has_perm(approvals.permission_of(found.kind))

    @detail_action(
        _("Decide"),
        url_path="decide",
        permissions=["decide"],
        icon="approval_delegation",
    )
    def decide(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show the request with its two buttons, or carry out the one that was pressed."""
        if not reauth.is_fresh(request):
            return reauth.ask(request)
        rows = self.get_queryset(request).select_related("member")
        approval = get_object_or_404(rows, pk=object_id)
        if request.method == "POST":
            return self._decided(request, approval)
        context = {
            **self.admin_site.each_context(request),
            "title": approvals.title_of(approval.kind),
            "approval": approval,
            "summary": approvals.summary_of(approval),
            "effects": approvals.effects_of(approval),
            "address": approvals.address_of(approval),
            "is_open": approval.state == ApprovalState.REQUESTED,
            "is_own": approval.requested_by == actor_of(request),
        }
        return TemplateResponse(request, "admin/console/approval.html", context)

    def _decided(self, request: HttpRequest, approval: Approval) -> HttpResponse:
        decide, told = DECISIONS.get(request.POST.get("decision", ""), DECISIONS["refuse"])
        try:
            decide(approval_id=approval.pk, actor=actor_of(request), at=clock.now())
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("admin:members_approval_decide", approval.pk)
        messages.success(request, str(told))
        return redirect("admin:approvals_inbox")
