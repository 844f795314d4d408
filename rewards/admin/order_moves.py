"""Moving an order to the right member: what both sides lose and gain is shown before it is done."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from members import desk
from members.admin.acts import ActForm
from members.admin.member import masked_name
from members.models import Member, Order
from rewards.services import order_moves
from rewards.services.order_moves import Act, Side
from tiers import queries as tier_queries

PERMISSION: Final = "members.move_order"
ORDERS_SHOWN: Final = 50


class MoveForm(ActForm):
    """Which order, and whose it is."""

    order = forms.ModelChoiceField(Order.objects.none(), label=_("Order"))
    to = forms.CharField(
        label=_("The right member"), max_length=64,
        help_text=_("Card number or whole phone."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Order.objects.filter(member=member).order_by("-placed_at", "-pk")
        newest = rows.values_list("pk", flat=True)[:ORDERS_SHOWN]
        order: Any = self.fields["order"]
        order.queryset = Order.objects.filter(pk__in=list(newest)).order_by("-placed_at", "-pk")
        order.label_from_instance = _label

    def clean_to(self) -> int:
        """Return the member that the card or phone leads to."""
        text = desk.plain(self.cleaned_data["to"])
        found = desk.by_card(text) or desk.by_phone(text)
        if len(found) != 1:
            raise forms.ValidationError(_("This leads to nobody."))
        return found[0]


def _label(order: Order) -> str:
    day = clock.local_day(order.placed_at)
    return f"{day} · {order.order_no} · {formats.money(order.net_amount)} · {order.source}"


def move_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Show what moving an order does, then do it. Source: SVC-01, STF-06."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    form = MoveForm(request.POST if request.method == "POST" else None, member=member)
    sides: tuple[Side, Side] | None = None
    seen = ""
    if request.method == "POST" and form.is_valid():
        try:
            seen = f"{form.cleaned_data['order'].pk}:{form.cleaned_data['to']}"
            # What is done is what was shown: another order or member is shown first.
            if request.POST.get("confirm") == seen:
                order_moves.move_order(**_asked(request, form.cleaned_data))
                messages.success(request, gettext("The order has been moved."))
                return redirect("admin:members_member_change", member.pk)
            sides = order_moves.preview(**_asked(request, form.cleaned_data))
        except DomainError as error:
            form.add_error(None, str(error.message))
    context = {
        **site.current().each_context(request),
        "title": gettext("Move an order"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": gettext("The order, its refunds and what it earned go to the right member."),
        "sides": _for_people(sides) if sides else (),
        "submit": gettext("Move the order") if sides else gettext("Show what it does"),
        "submit_name": "confirm" if sides else "preview",
        "submit_value": seen,
    }
    return TemplateResponse(request, "admin/rewards/move_order.html", context)


def _asked(request: HttpRequest, values: Mapping[str, Any]) -> dict[str, Any]:
    act = Act(values["verified_by"], values["reason"], actor_of(request), clock.now())
    return {"order": values["order"].pk, "member": values["to"], "act": act}


def _for_people(sides: tuple[Side, Side]) -> list[dict[str, Any]]:
    members = Member.objects.select_related("profile").in_bulk([side.member for side in sides])
    tiers = {code: name_of(tier) for code, tier in tier_queries.tiers_by_code().items()}
    return [
        {
            "member": members[side.member],
            "name": masked_name(members[side.member]),
            "side": side,
            "change": side.after.total - side.before.total,
            "tier_before": tiers.get(side.before.tier, ""),
            "tier_after": tiers.get(side.after.tier, ""),
        }
        for side in sides
    ]
