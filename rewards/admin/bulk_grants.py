"""Points or coupons for a list of members: bring it, look at it, ask, watch it being given."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock, jobs
from config.base.admin import formats, reauth, site
from config.base.admin.actors import actor_of
from config.base.admin.decorators import labelled
from config.base.admin.file_input import FileInput
from config.base.admin.options import ReadOnlyAdmin
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit
from members.admin.base import MemberOwnedAdmin
from members.models import Approval
from members.services.approvals import Change
from rewards import bulk_words
from rewards.domain.bulk_lists import MOST_POINTS
from rewards.models import BulkGrant, BulkGrantLine, CouponTemplate
from rewards.models.bulk_grant import BulkGift, BulkLineState, BulkState
from rewards.services import bulk_grants
from rewards.services.bulk_grants import Gift
from rewards.tasks import give_in_bulk

LOOK: Final = (bulk_grants.PERMISSION, bulk_grants.APPROVE_PERMISSION)
LISTED: Final = 30
SAMPLE: Final = 5
SHOWN: Final = 20
MOST_BYTES: Final = 2 * 1024 * 1024
COLOURS: Final = {
    "prepared": "info", "requested": "warning", "refused": "danger", "giving": "info",
    "done": "success",
}  # fmt: skip


@admin.register(BulkGrant)
class BulkGrantAdmin(ReadOnlyAdmin):
    """Lists of members that were given something, and what became of them."""

    list_display = ("reason", "gift", "members", "state_label", "created_by", "created_at")
    list_filter = ("state", "gift")
    list_select_related = ("approval",)
    concealed = ("report",)

    @labelled(_("state"), COLOURS)
    def state_label(self, bulk: BulkGrant) -> tuple[str, str]:
        """Return how far the list has come, with its colour."""
        return _state(bulk)


@admin.register(BulkGrantLine)
class BulkGrantLineAdmin(MemberOwnedAdmin):
    """Who was on a list, and what became of it."""

    list_display = ("member_card", "bulk", "points", "state", "code", "given_at")
    list_filter = ("state",)
    list_select_related = ("member", "bulk")


class ListForm(forms.Form):
    """Whom to give what, and why."""

    gift = forms.ChoiceField(label=_("What is given"), choices=BulkGift.choices)
    points = forms.IntegerField(
        label=_("Points each"), required=False, min_value=1, max_value=MOST_POINTS,
        help_text=_("Empty where every line says its own."),
    )  # fmt: skip
    template = forms.ModelChoiceField(
        label=_("Coupon template"), required=False,
        queryset=CouponTemplate.objects.filter(is_active=True).order_by("code"),
    )  # fmt: skip
    text = forms.CharField(
        label=_("List"), required=False, max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 8, "placeholder": "6200 0000 0000 0000, 500"}),
        help_text=_("One member a line: card number, phone or member id; points after a comma."),
    )  # fmt: skip
    file = forms.FileField(
        widget=FileInput,
        label=_("or a file"),
        required=False,
        help_text=_("Text or CSV in UTF-8 or GB 18030."),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Members' points say it; do not name anybody."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Take the list out of the text or the file, and what is given out of its field."""
        said: dict[str, Any] = super().clean() or {}
        file = said.get("file")
        said["list"] = said.get("text", "") if file is None else self._read(file)
        if not said["list"].strip():
            self.add_error("text", gettext("Bring a list, here or as a file."))
        is_coupon = said.get("gift") == BulkGift.COUPON
        if is_coupon and said.get("template") is None:
            self.add_error("template", gettext("Choose the coupon template."))
        said["of"] = Gift(template=said.get("template")) if is_coupon else Gift(said.get("points"))
        return said

    def _read(self, file: Any) -> str:
        if file.size > MOST_BYTES:
            self.add_error("file", gettext("The file is too large."))
            return ""
        raw = file.read()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return str(raw.decode(encoding))
            except UnicodeDecodeError:
                continue
        self.add_error("file", gettext("The file cannot be read."))
        return ""


def list_page(request: HttpRequest) -> HttpResponse:
    """Take a list in, and show those that came before.

    Source: PTS-15, RWD-01.
    """
    _demand(request, *LOOK)
    form = ListForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        _demand(request, bulk_grants.PERMISSION)
        bulk = _prepared(request, form)
        if bulk is not None:
            return redirect("admin:bulk_grant", bulk.pk)
    rows = BulkGrant.objects.select_related("approval", "coupon_template").order_by("-pk")
    context = {
        **site.current().each_context(request),
        "title": gettext("Bulk grants"),
        "form": form,
        "may_add": request.user.has_perm(bulk_grants.PERMISSION),
        "rows": [(bulk, what(bulk), *_shown_state(bulk)) for bulk in rows[:LISTED]],
    }
    return TemplateResponse(request, "admin/rewards/bulk_grants.html", context)


def _prepared(request: HttpRequest, form: ListForm) -> BulkGrant | None:
    said = form.cleaned_data
    try:
        return bulk_grants.prepare(
            text=said["list"], gift=said["of"], reason=said["reason"], actor=actor_of(request),
            at=clock.now(),
        )  # fmt: skip
    except DomainError as error:
        form.add_error(None, str(error.message))
        return None


def bulk_page(request: HttpRequest, bulk_id: int) -> HttpResponse:
    """Show one list where it stands, and take the next step."""
    _demand(request, *LOOK)
    rows = BulkGrant.objects.select_related("approval", "coupon_template")
    bulk = get_object_or_404(rows, pk=bulk_id)
    if request.method == "POST":
        _demand(request, bulk_grants.PERMISSION)
        if request.POST.get("step") != "discard" and not reauth.is_fresh(request):
            return reauth.ask(request)
        return _step(request, bulk)
    counts = bulk_grants.counts(bulk.pk)
    done = sum(counts.values()) - counts.get(BulkLineState.WAITING, 0)
    colour, state = _shown_state(bulk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Bulk grant #%(number)d") % {"number": bulk.pk},
        "bulk": bulk,
        "what": what(bulk),
        "cost": cost(bulk),
        "colour": colour,
        "state": state,
        "is_prepared": bulk.state == BulkState.PREPARED,
        "is_at_work": bulk.state == BulkState.GIVING,
        "done": done,
        "percent": formats.share(done, bulk.members),
        "given": counts.get(BulkLineState.GIVEN, 0),
        "failed": counts.get(BulkLineState.FAILED, 0),
        "left_out": bulk_words.left_out(bulk.report),
        "lines": bulk_words.lines(bulk.report),
        "sample": _sample(bulk, SHOWN),
        "more": max(0, bulk.members - SHOWN),
        "may_add": request.user.has_perm(bulk_grants.PERMISSION),
    }
    return TemplateResponse(request, "admin/rewards/bulk_grant.html", context)


def _step(request: HttpRequest, bulk: BulkGrant) -> HttpResponse:
    try:
        if request.POST.get("step") == "discard":
            bulk_grants.discard(bulk_id=bulk.pk)
            messages.success(request, gettext("The list was thrown away."))
            return redirect("admin:bulk_grants")
        bulk_grants.submit(bulk_id=bulk.pk, actor=actor_of(request), at=clock.now())
        messages.success(request, gettext("Sent for approval."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("admin:bulk_grant", bulk.pk)


def _sample(bulk: BulkGrant, count: int) -> Sequence[BulkGrantLine]:
    return list(bulk.lines.select_related("member").order_by("pk")[:count])


def _state(bulk: BulkGrant) -> tuple[str, str]:
    if bulk.state == BulkState.REQUESTED and bulk_grants.is_turned_down(bulk):
        assert bulk.approval is not None
        return "refused", bulk.approval.get_state_display()
    return bulk.state, bulk.get_state_display()


def _shown_state(bulk: BulkGrant) -> tuple[str, str]:
    code, text = _state(bulk)
    return COLOURS[code], text


def what(bulk: BulkGrant) -> str:
    """Return what everybody on the list is given, for people."""
    if bulk.coupon_template is not None:
        return name_of(bulk.coupon_template)
    return gettext("%(points)s points in all") % {"points": formats.points(bulk.total_points)}


def cost(bulk: BulkGrant) -> str:
    """Return what the list costs at most, for people."""
    if bulk.cost is None:
        return gettext("depends on what is bought")
    return formats.money(bulk.cost)


def execute_approved(approval: Approval, at: datetime) -> None:
    """Let workers give what was approved.

    Raises: BulkGrantError.
    """
    bulk = bulk_grants.approve(approval=approval, at=at)
    jobs.hint(give_in_bulk, bulk.pk)


def summarise(approval: Approval) -> str:
    """Return what a request for a bulk grant asks for, for people."""
    bulk = _bulk_of(approval)
    told = gettext("%(what)s for %(members)s members")
    return told % {"what": what(bulk), "members": formats.points(bulk.members)}


def effects(approval: Approval) -> Sequence[Change]:
    """Return what a request for a bulk grant would do, for who decides it."""
    bulk = _bulk_of(approval)
    cards = [formats.card(line.member.card_number) for line in _sample(bulk, SAMPLE)]
    each = formats.points(bulk.points) if bulk.points else gettext("as the list says")
    rows = [
        Change(gettext("Members"), "", formats.points(bulk.members)),
        Change(gettext("What is given"), "", what(bulk)),
        Change(gettext("Cost at most"), "", cost(bulk)),
        Change(gettext("For example"), "", ", ".join(cards)),
    ]
    if bulk.gift == BulkGift.POINTS:
        rows.insert(2, Change(gettext("Points each"), "", each))
    return rows


def address(approval: Approval) -> str:
    """Return where the list of a request can be seen."""
    return reverse("admin:bulk_grant", args=[approval.payload["bulk"]])


def _bulk_of(approval: Approval) -> BulkGrant:
    rows = BulkGrant.objects.select_related("coupon_template")
    return rows.get(pk=approval.payload["bulk"])


def event_details(_visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return why a member was given something with others, for the timeline."""
    rows = BulkGrant.objects.filter(pk=int(payload.get("bulk_grant", 0)))
    return list(rows.values_list("reason", flat=True))


def _demand(request: HttpRequest, *permissions: str) -> None:
    """Refuse who has none of these permissions."""
    if not any(request.user.has_perm(permission) for permission in permissions):
        raise PermissionDenied
