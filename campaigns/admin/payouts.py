"""The queue of payouts: approved by one person, taken out as a file, noted as paid by another."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin import csv_files
from campaigns.models import Payout, PayoutState
from campaigns.services import payouts
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.admin.decorators import labelled
from config.base.errors import DomainError
from members.admin.base import MemberOwnedAdmin
from members.services import notes

VIEW: Final = "campaigns.view_payout"
APPROVE: Final = "campaigns.approve_payout"
PAY: Final = "campaigns.pay_payout"
SHOWN: Final = 100
MAX_REFERENCE: Final = 64
COLUMNS: Final = (
    "payout", "card_number", "amount", "currency", "requested_at", "approved_by", "approved_at",
)  # fmt: skip
TONES: Final = {
    "requested": "warning", "approved": "info", "paid": "success", "refused": "danger",
}  # fmt: skip


@admin.register(Payout)
class PayoutAdmin(MemberOwnedAdmin):
    """Cash owed or paid to referrers."""

    list_display = (
        "requested_at", "member_card", "amount", "currency", "state_label", "decided_by",
        "paid_at", "reference",
    )  # fmt: skip
    list_filter = ("state",)
    concealed = ("note",)

    @labelled(_("state"), TONES)
    def state_label(self, payout: Payout) -> tuple[str, Any]:
        """Return where the payout stands, with its colour."""
        return payout.state, payout.get_state_display()


def queue_page(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Show payouts by where they stand, oldest first; carry out what was chosen.

    `?format=csv` gives all that are approved and not paid yet.
    Source: RWD-09.
    """
    if not any(request.user.has_perm(each) for each in (VIEW, APPROVE, PAY)):
        raise PermissionDenied
    if request.GET.get("format") == "csv":
        return _file(request)
    chosen = request.GET.get("state", "")
    state = PayoutState(chosen) if chosen in PayoutState.values else PayoutState.REQUESTED
    if request.method == "POST":
        _carry_out(request)
        return redirect(f"{reverse('admin:payout_queue')}?state={state}")
    rows = Payout.objects.filter(state=state).select_related("member__profile", "referral")
    is_open = state in {PayoutState.REQUESTED, PayoutState.APPROVED}
    found = list(rows.order_by("requested_at" if is_open else "-requested_at", "pk")[: SHOWN + 1])
    context = {
        **site.current().each_context(request),
        "title": gettext("Payouts"),
        "state": state,
        "tabs": [(tab.value, tab.label) for tab in PayoutState],
        "rows": _with_notes(found[:SHOWN]),
        "has_more": len(found) > SHOWN,
        "total": rows.aggregate(sum=Sum("amount"))["sum"],
        "may_approve": state == PayoutState.REQUESTED and request.user.has_perm(APPROVE),
        "may_pay": state == PayoutState.APPROVED and request.user.has_perm(PAY),
    }
    return TemplateResponse(request, "admin/campaigns/payouts.html", context)


def _with_notes(rows: Sequence[Payout]) -> list[tuple[Payout, str]]:
    sealed = [(row.member_id, row.note) for row in rows if row.note]
    opened = iter(notes.read_many(sealed))
    return [(row, next(opened) if row.note else "") for row in rows]


def _carry_out(request: HttpRequest) -> None:
    act = _act(request)
    chosen = [int(pk) for pk in request.POST.getlist("payout") if pk.isdecimal()]
    if act is None or not chosen:
        messages.info(request, gettext("Choose at least one."))
        return
    done = 0
    for payout in Payout.objects.filter(pk__in=chosen).order_by("pk").values_list("pk", flat=True):
        try:
            act(payout_id=payout, actor=actor_of(request), at=clock.now())
            done += 1
        except DomainError as refused:
            messages.error(request, f"#{payout}: {refused.message}")
    if done:
        told = ngettext("%(count)d payout changed.", "%(count)d payouts changed.", done)
        messages.success(request, told % {"count": done})


def _act(request: HttpRequest) -> Callable[..., Payout] | None:
    """Return what the pressed button does; None where none was. Raises: PermissionDenied."""
    said = request.POST
    reference = said.get("reference", "")[:MAX_REFERENCE]
    acts: dict[str, tuple[str, Callable[..., Payout]]] = {
        "approve": (APPROVE, payouts.approve),
        "refuse": (APPROVE, partial(payouts.refuse, reason=said.get("reason", ""))),
        "pay": (PAY, partial(payouts.note_paid, reference=reference)),
    }
    allowed = {name: act for name, (may, act) in acts.items() if request.user.has_perm(may)}
    pressed = said.get("act")
    if not allowed or (pressed is not None and pressed not in allowed):
        raise PermissionDenied
    return None if pressed is None else allowed[pressed]


def _file(request: HttpRequest) -> StreamingHttpResponse:
    if not request.user.has_perm(PAY):
        raise PermissionDenied
    rows = Payout.objects.filter(state=PayoutState.APPROVED).select_related("member")
    return csv_files.answer(request, "payouts", _lines(rows.order_by("pk")))


def _lines(rows: QuerySet[Payout]) -> Iterator[Sequence[object]]:
    yield COLUMNS
    for row in rows.iterator(chunk_size=1_000):
        assert row.decided_at is not None
        yield (
            row.pk, row.member.card_number, f"{row.amount:f}", row.currency,
            f"{clock.local(row.requested_at):%Y-%m-%d %H:%M}", row.decided_by,
            f"{clock.local(row.decided_at):%Y-%m-%d %H:%M}",
        )  # fmt: skip
