"""Offers to prospects in the console: written, sent for approval, ended, and what they brought.

Source: CMP-13.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from campaigns import message_words
from campaigns.admin import results
from campaigns.admin.prospect_form import OfferForm
from campaigns.admin.reason_form import ReasonForm
from campaigns.admin.results import Line, Part
from campaigns.kpis import prospect_results
from campaigns.kpis.prospect_results import OfferResults
from campaigns.models import AddressState, OfferState, ProspectAddress, ProspectOffer
from campaigns.prospect_words import not_given
from campaigns.services import prospect_audience, prospect_offers
from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit
from members.models import Approval, InterestKind

VIEW: Final = "campaigns.view_prospectoffer"
ADD: Final = "campaigns.add_prospectoffer"
CHANGE: Final = "campaigns.change_prospectoffer"
RUN: Final = "campaigns.run_prospectoffer"
LIST: Final = "admin:campaigns_prospectoffer_changelist"
TONES: Final = {"draft": "", "asked": "warning", "running": "success", "ended": "info"}
ADDRESS_TONES: Final = {
    "held_out": "", "queued": "info", "sending": "info", "sent": "success", "skipped": "warning",
    "failed": "danger", "unknown": "danger",
}  # fmt: skip


@admin.register(ProspectOffer)
class ProspectOfferAdmin(ReadOnlyAdmin):
    """Offers by where they stand; the name leads to the offer's page."""

    list_display = ("page", "kind", "state_label", "starts_at", "ends_at", "given", "most_given")
    list_display_links = None
    list_filter = ("state", "kind")
    actions_list = ("write",)

    def has_write_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may write offers."""
        return request.user.has_perm(ADD)

    @action(  # type: ignore[untyped-decorator]  # Unfold has no types
        description=_("New offer"), url_path="write", permissions=["write"], icon="add"
    )
    def write(self, request: HttpRequest) -> HttpResponse:
        """Open an empty form."""
        return redirect("admin:prospect_offer_add")

    @admin.display(description=_("offer"))
    def page(self, offer: ProspectOffer) -> SafeString:
        """Return the name as a link."""
        address = reverse("admin:prospect_offer", args=[offer.pk])
        return format_html('<a class="lc-link" href="{}">{}</a>', address, name_of(offer))

    @labelled(_("state"), TONES)
    def state_label(self, offer: ProspectOffer) -> tuple[str, Any]:
        """Return where the offer stands, with its colour."""
        return offer.state, offer.get_state_display()


@admin.register(ProspectAddress)
class ProspectAddressAdmin(ReadOnlyAdmin):
    """Who is in the audience of which offer, and what became of it."""

    list_display = ("prospect", "offer", "state_label", "channel", "sent_at", "given_at")
    list_select_related = ("prospect", "offer")
    list_filter = ("state",)
    concealed = ("provider_id",)

    @labelled(_("state"), ADDRESS_TONES)
    def state_label(self, row: ProspectAddress) -> tuple[str, Any]:
        """Return what became of the message, with its colour."""
        return row.state, row.get_state_display()


def offer_page(request: HttpRequest, offer_id: int) -> HttpResponse:
    """Show what an offer says, whom it reached, and how many more joined than without it."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    offer = _offer(offer_id)
    is_draft = offer.state == OfferState.DRAFT
    read = prospect_results.read(offer)
    context = {
        **site.current().each_context(request),
        "title": name_of(offer),
        "offer": offer,
        "tone": TONES[offer.state],
        "said": said(offer),
        "waiting": prospect_audience.of(offer, clock.now()).count() if is_draft else None,
        "states": [
            (AddressState(state).label, formats.points(count))
            for state, count in read.states.items()
        ],
        "audience": formats.points(read.audience),
        "part": part(read) if read.audience else None,
        "given": formats.points(read.given),
        "reasons": [(message_words.reason(code), count) for code, count in read.reasons.items()],
        "not_given": [(not_given(code), count) for code, count in read.not_given.items()],
        "may_change": is_draft and request.user.has_perm(CHANGE),
        "may_end": offer.state == OfferState.RUNNING and request.user.has_perm(RUN),
    }
    return TemplateResponse(request, "admin/campaigns/prospect_offer.html", context)


def _offer(offer_id: int) -> ProspectOffer:
    rows = ProspectOffer.objects.select_related("template", "coupon_template")
    return get_object_or_404(rows, pk=offer_id)


def said(offer: ProspectOffer) -> list[tuple[str, str]]:
    """Return what an offer says, for people."""
    kind = InterestKind(offer.interest_kind).label if offer.interest_kind else ""
    interest = " · ".join(part for part in (str(kind), offer.interest) if part)
    return [
        (gettext("Kind"), offer.get_kind_display()),
        (gettext("Product"), offer.product or "–"),
        (gettext("Given for joining"), prospect_offers.gift_text(offer)),
        (gettext("Given at most"), formats.points(offer.most_given)),
        (gettext("Days to join"), str(offer.valid_days)),
        (gettext("From"), prospect_offers.instant(offer.starts_at)),
        (gettext("Until"), prospect_offers.instant(offer.ends_at)),
        (gettext("Sources"), ", ".join(offer.sources) or gettext("any")),
        (gettext("Interest"), interest or gettext("any")),
        (gettext("Message template"), name_of(offer.template)),
        (gettext("Hold-out in per cent"), str(offer.holdout_percent)),
    ]


def part(read: OfferResults) -> Part:
    """Return the comparison of those addressed with the hold-out, as a card shows it."""
    members = gettext("%(treated)s addressed, %(holdout)s held out") % {
        "treated": formats.points(read.treated.members),
        "holdout": formats.points(read.holdout.members),
    }
    line = Line(
        gettext("Prospects who joined"),
        f"{read.treated.value * 100:.1f} %",
        f"{read.holdout.value * 100:.1f} %" if read.holdout.members else "–",
        results.interval_of_shares(read.added),
    )
    return Part(gettext("Everybody taken in"), members, not read.holdout.members, (line,))


def write_page(request: HttpRequest, offer_id: int | None = None) -> HttpResponse:
    """Write a new offer, or a draft anew."""
    if not request.user.has_perm(ADD if offer_id is None else CHANGE):
        raise PermissionDenied
    offer = None if offer_id is None else _offer(offer_id)
    form = OfferForm(request.POST or None, initial=_initial(offer))
    if request.method == "POST" and form.is_valid():
        written = _written(request, form, offer)
        if written is not None:
            return redirect("admin:prospect_offer", written.pk)
    title = gettext("New offer to prospects") if offer is None else name_of(offer)
    return _form(request, form, title, gettext("Save the draft"))


def _initial(offer: ProspectOffer | None) -> dict[str, Any]:
    if offer is None:
        return {"starts_at": clock.now()}
    return {**model_to_dict(offer), "sources": ", ".join(offer.sources)}


def _written(
    request: HttpRequest, form: OfferForm, offer: ProspectOffer | None
) -> ProspectOffer | None:
    try:
        return prospect_offers.write(
            offer_id=None if offer is None else offer.pk, terms=form.terms(),
            actor=actor_of(request), at=clock.now(),
        )  # fmt: skip
    except DomainError as error:
        form.add_error(error.details.get("field"), str(error.message))
        return None


def ask_page(request: HttpRequest, offer_id: int) -> HttpResponse:
    """Ask somebody else to let an offer run."""
    if not request.user.has_perm(CHANGE):
        raise PermissionDenied
    offer = _offer(offer_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            prospect_offers.ask(
                offer_id=offer.pk, reason=form.cleaned_data["reason"], actor=actor_of(request),
                at=clock.now(),
            )  # fmt: skip
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("Sent for approval."))
            return redirect("admin:prospect_offer", offer.pk)
    return _form(request, form, name_of(offer), gettext("Send for approval"))


def end_page(request: HttpRequest, offer_id: int) -> HttpResponse:
    """End an offer: nobody is written to any more."""
    if not request.user.has_perm(RUN):
        raise PermissionDenied
    offer = _offer(offer_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            prospect_offers.end(
                offer_id=offer.pk, reason=form.cleaned_data["reason"], at=clock.now()
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("The offer was ended."))
            return redirect("admin:prospect_offer", offer.pk)
    return _form(request, form, name_of(offer), gettext("End the offer"))


def _form(request: HttpRequest, form: Any, title: str, submit: str) -> HttpResponse:
    context = {
        **site.current().each_context(request),
        "title": title, "form": form, "submit": submit, "back": LIST,
    }  # fmt: skip
    return TemplateResponse(request, "admin/campaigns/form.html", context)


def address(approval: Approval) -> str:
    """Return where the offer can be seen that somebody is to agree to."""
    return reverse("admin:prospect_offer", args=[approval.payload["offer"]])


def event_details(_visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what an event of a prospect says in the timeline."""
    told = [str(payload[name]) for name in ("source", "offer", "coupon") if payload.get(name)]
    if payload.get("points"):
        told.append(gettext("%(points)s points") % {"points": formats.points(payload["points"])})
    if payload.get("reason"):
        told.append(not_given(str(payload["reason"])))
    return told
