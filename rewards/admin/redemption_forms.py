"""What staff do with redemptions and stock: one form, one service call, its refusal shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from rewards.models import Redemption, Reward, RewardSlot
from rewards.services import redeeming, redemption, stock
from tiers.models import Tier

REDEMPTION_PERMISSION: Final = "rewards.change_redemption"
STOCK_PERMISSION: Final = "rewards.change_stock"
MOST_PIECES: Final = 1_000_000


class PlainForm(forms.Form):
    """Nothing but a confirmation."""


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=40)


class FulfilForm(forms.Form):
    """How a reward is sent; empty where it is handed over."""

    carrier = forms.CharField(label=_("carrier"), max_length=40, required=False)
    tracking_number = forms.CharField(label=_("tracking number"), max_length=64, required=False)


class ReturnForm(ReasonForm):
    """What comes back with a reward that is returned."""

    points_back = forms.BooleanField(label=_("Give the points back"), required=False, initial=True)
    stock_back = forms.BooleanField(label=_("Put it back in stock"), required=False)


class StockForm(ReasonForm):
    """How many pieces came or went, of which pool, and why."""

    quantity = forms.IntegerField(
        label=_("quantity"), min_value=-MOST_PIECES, max_value=MOST_PIECES,
        help_text=_("Negative takes away."),
    )  # fmt: skip
    slot = forms.ModelChoiceField(RewardSlot.objects.none(), label=_("slot"), required=False)
    tier = forms.ModelChoiceField(
        Tier.objects.order_by("rank"), label=_("kept for tier"), required=False
    )

    def __init__(self, reward: Reward, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slot"].queryset = reward.slots.order_by("starts_at")  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that can be done with a redemption, and the service that does it."""

    title: Promise
    form: type[forms.Form]
    carry_out: Callable[..., object]
    statuses: frozenset[str]


def _approve(row: Redemption, values: dict[str, Any], actor: str) -> None:
    redemption.approve(redemption=row.pk, at=clock.now(), actor=actor)


def _fulfil(row: Redemption, values: dict[str, Any], actor: str) -> None:
    redemption.fulfil(redemption=row.pk, at=clock.now(), actor=actor, **values)


def _cancel(row: Redemption, values: dict[str, Any], actor: str) -> None:
    redeeming.cancel(
        redemption=row.public_id, at=clock.now(), actor=actor, reason=values["reason"],
        needs_active=False,
    )  # fmt: skip


def _return(row: Redemption, values: dict[str, Any], actor: str) -> None:
    redeeming.return_(redemption=row.public_id, at=clock.now(), actor=actor, **values)


_OPEN: Final = frozenset({"requested", "approved"})
VERBS: Final = {
    "approve": Verb(_("Approve"), PlainForm, _approve, frozenset({"requested"})),
    "fulfil": Verb(_("Hand over or send"), FulfilForm, _fulfil, _OPEN),
    "cancel": Verb(_("Cancel and give back"), ReasonForm, _cancel, _OPEN | {"fulfilled"}),
    "return": Verb(_("Take back"), ReturnForm, _return, frozenset({"fulfilled"})),
}


def verbs_for(row: Redemption) -> list[tuple[str, Verb]]:
    """Return what can be done with a redemption as it stands."""
    return [
        (name, verb)
        for name, verb in VERBS.items()
        if row.status in verb.statuses and (name != "approve" or row.reward.needs_approval)
    ]


def redemption_page(request: HttpRequest, redemption_id: int, verb: str) -> HttpResponse:
    """Do one thing with a redemption."""
    if not request.user.has_perm(REDEMPTION_PERMISSION):
        raise PermissionDenied
    if verb not in VERBS:
        raise Http404
    rows = Redemption.objects.select_related("reward", "member")
    row = get_object_or_404(rows, pk=redemption_id)
    chosen = VERBS[verb]
    form = chosen.form(request.POST if request.method == "POST" else None)
    back = reverse("admin:rewards_redemption_change", args=[row.pk])
    actor = actor_of(request)

    def work() -> object:
        return chosen.carry_out(row, form.cleaned_data, actor)

    return form_page(request, form, work, (str(chosen.title), str(row), back))


def stock_page(request: HttpRequest, reward_id: int) -> HttpResponse:
    """Receive stock of a reward, or correct it."""
    if not request.user.has_perm(STOCK_PERMISSION):
        raise PermissionDenied
    reward = get_object_or_404(Reward, pk=reward_id)
    form = StockForm(reward, request.POST if request.method == "POST" else None)
    back = reverse("admin:rewards_reward_change", args=[reward.pk])
    actor = actor_of(request)

    def work() -> object:
        values = form.cleaned_data
        return stock.receive(
            reward=reward, quantity=values["quantity"], reason=values["reason"], at=clock.now(),
            actor=actor, place=(values["slot"], values["tier"]),
        )  # fmt: skip

    return form_page(request, form, work, (gettext("Receive or correct stock"), str(reward), back))


def form_page(
    request: HttpRequest,
    form: forms.Form,
    work: Callable[[], object],
    told: tuple[str, str, str],
) -> HttpResponse:
    """Show a form, or carry it out and go back; `told` are title, subject and where back is."""
    title, subject, back = told
    if request.method == "POST" and form.is_valid():
        try:
            work()
        except DomainError as refused:
            form.add_error(None, str(refused.message))
        else:
            messages.success(request, gettext("Done."))
            return redirect(back)
    context = {
        **site.current().each_context(request),
        "title": title,
        "subject": subject,
        "form": form,
        "back": back,
    }
    return TemplateResponse(request, "admin/console/staff_form.html", context)
