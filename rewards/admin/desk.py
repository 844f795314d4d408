"""What points and coupons add to the service desk: ways to a member, the header, the acts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.base import clock
from config.base.admin import formats
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit
from members import words as member_words
from members.admin import timeline
from members.admin.acts import Act, ActForm, act_page
from members.models import Approval, Case, Member, Source
from members.models.case import CaseState
from members.services import authority
from rewards.admin import progress
from rewards.admin.panels import points_of
from rewards.domain import coupon_codes
from rewards.models import Coupon, CouponTemplate, Goodwill, Redemption
from rewards.services import contact, goodwill, receipt_claims

GOODWILL: Final = "rewards.give_goodwill"
CONTACT: Final = "members.change_contact_member"
CLAIM: Final = "members.change_order"
QUICK_POINTS: Final = (50, 100, 200, 500)
MOST_POINTS: Final = 100_000
COUPONS_SHOWN: Final = 5


# Ways to a member


def by_coupon_code(text: str) -> list[int]:
    """Return whose coupon this is, however its code is written."""
    rows = Coupon.objects.filter(code=coupon_codes.normalise(text), member__isnull=False)
    return list(rows.values_list("member_id", flat=True))


def by_redemption(text: str) -> list[int]:
    """Return who has redeemed under this number."""
    try:
        number = UUID(text)
    except ValueError:
        return []
    return list(Redemption.objects.filter(public_id=number).values_list("member_id", flat=True))


# The header and the warnings


def header(visit: Visit) -> Mapping[str, Any] | None:
    """Show until when the tier is kept, what keeps it, and what leads to the next one."""
    reading = progress.tier_reading(visit)
    if reading is None:
        return None
    told = progress.progress(visit) or {}
    outlook = reading.outlook
    keep = [gap for gap in (outlook.retention if outlook else ()) if _missing(gap)]
    ahead = outlook.progress if outlook else ()
    return {
        "until_on": reading.current.until_on,
        "keep": progress.steps([{**gap, "needed": _missing(gap)} for gap in keep]),
        "is_kept": bool(outlook and outlook.retention and not keep),
        "target": told.get("target", ""),
        "ways": progress.steps([gap for gap in ahead if gap.get("needed")]),
    }


def _missing(gap: Mapping[str, Any]) -> int:
    return max(0, int(gap["threshold"]) - int(gap["value"]))


def warnings(visit: Visit) -> Mapping[str, Any]:
    """Warn of points that are owed."""
    return {"debt": points_of(visit).balance.debt}


def coupons_left(visit: Visit) -> Mapping[str, Any]:
    """Show the coupons that the member can use now, those that end first before the others."""
    rows = Coupon.objects.live(visit.at).filter(member_id=visit.subject.pk)
    found = rows.select_related("template").order_by("expires_at", "pk")[: COUPONS_SHOWN + 1]
    shown = [(coupon, coupon_codes.for_people(coupon.code)) for coupon in found]
    return {"coupons": shown[:COUPONS_SHOWN], "more": len(shown) > COUPONS_SHOWN}


def goodwill_given(visit: Visit) -> Mapping[str, Any] | None:
    """Show what the visitor has just given and may still take back."""
    since = visit.at - goodwill.UNDO_WITHIN
    rows = Goodwill.objects.filter(
        given_by=actor_of(visit.request), given_at__gt=since, member_id=visit.subject.pk,
        undone_at__isnull=True,
    ).select_related("coupon__template")  # fmt: skip
    found = list(rows.order_by("-given_at"))
    return {"rows": found} if found else None


def act_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what an act of the desk says: the points, the order, and its reason unsealed."""
    points = int(payload.get("points") or 0)
    told = [gettext("%(points)s points") % {"points": formats.signed(points)}] if points else []
    told += [str(payload[key]) for key in ("source", "ref") if payload.get(key)]
    return told + timeline.sealed_details(visit, payload)


# Goodwill


class GoodwillForm(ActForm):
    """Points or a coupon, and the case that it makes good."""

    what = forms.ChoiceField(label=_("What to give"))
    points = forms.IntegerField(
        label=_("Points"), min_value=1, max_value=MOST_POINTS, required=False
    )
    case = forms.ChoiceField(label=_("For the case"), required=False)

    def __init__(self, *args: Any, member: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        templates = CouponTemplate.objects.filter(is_goodwill=True, is_active=True)
        what: Any = self.fields["what"]
        what.choices = [
            ("points", _("Points")),
            *((template.code, name_of(template)) for template in templates.order_by("code")),
        ]
        open_cases = Case.objects.filter(member_id=member, state=CaseState.OPEN)
        case: Any = self.fields["case"]
        case.choices = [
            ("", "–"),
            *((str(row.pk), member_words.case(row.code)) for row in open_cases.order_by("-pk")),
        ]

    def clean(self) -> dict[str, Any]:
        """Ask how many points where points are given."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("what") == "points" and not values.get("points"):
            self.add_error("points", _("How many points?"))
        return values


def goodwill_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Give goodwill points or a coupon. Source: SVC-11."""

    def form(data: Any) -> ActForm:
        return GoodwillForm(data, member=member_id)

    return act_page(
        request,
        member_id,
        Act(
            _("Goodwill"), _("Give"), GOODWILL, form, _give, _goodwill_note,
            lambda _visit: {"quick": QUICK_POINTS},
        ),
    )  # fmt: skip


def _goodwill_note(visit: Visit) -> str:
    limit = authority.limits_of(visit.request.user.pk or 0).call
    told = gettext(
        "You may give up to %(limit)s points at once; more, and further coupons, take a second"
        " person. What you give can be taken back for %(minutes)d minutes."
    )
    minutes = goodwill.UNDO_WITHIN // timedelta(minutes=1)
    return told % {"limit": formats.points(limit), "minutes": minutes}


def _give(request: HttpRequest, member: Member, values: Mapping[str, Any]) -> str:
    act = goodwill.Act(
        request.user.pk or 0, member.pk, values["verified_by"], values["reason"],
        actor_of(request), clock.now(), int(values["case"]) if values["case"] else None,
    )  # fmt: skip
    outcome: Goodwill | Approval
    if values["what"] == "points":
        outcome = goodwill.give_points(act=act, points=values["points"])
    else:
        outcome = goodwill.give_coupon(act=act, template=values["what"])
    if isinstance(outcome, Approval):
        return gettext("Sent for approval.")
    return gettext("Given. You can take it back for a few minutes.")


@require_POST
def undo_page(request: HttpRequest, goodwill_id: int) -> HttpResponse:
    """Take back a goodwill that the visitor has just given."""
    if not request.user.has_perm(GOODWILL):
        raise PermissionDenied
    row = Goodwill.objects.filter(pk=goodwill_id).first()
    if row is None:
        return redirect("admin:desk")
    try:
        goodwill.undo(goodwill=row.pk, actor=actor_of(request), at=clock.now())
        messages.success(request, gettext("Taken back."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("admin:members_member_change", row.member_id)


def summarise_goodwill(approval: Approval) -> str:
    """Return what a request for goodwill asks for, for people."""
    if template := approval.payload.get("template"):
        return gettext("coupon %(template)s") % {"template": template}
    points = formats.signed(int(approval.payload["points"]))
    return gettext("%(points)s points") % {"points": points}


# Phone and card


class PhoneForm(ActForm):
    """The new phone."""

    phone = forms.CharField(
        label=_("New phone"), max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )  # fmt: skip


class CardForm(ActForm):
    """The new card, a new number where none is at hand."""

    card_number = forms.CharField(
        label=_("New card number"), max_length=24, required=False,
        help_text=_("As it stands on the new card; empty: a number is made."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )  # fmt: skip


def phone_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Change a member's phone (换绑手机号)."""
    note = gettext(
        "The old phone leads to nobody from now on. Consents stay as they are, purpose by purpose."
    )
    act = Act(
        _("Change phone"), _("Change"), CONTACT, PhoneForm, _change_phone, lambda _visit: note
    )
    return act_page(request, member_id, act)


def _change_phone(request: HttpRequest, member: Member, values: Mapping[str, Any]) -> str:
    contact.change_phone(
        member=member.pk, phone=values["phone"], verified_by=values["verified_by"],
        reason=values["reason"], actor=actor_of(request), at=clock.now(),
    )  # fmt: skip
    return gettext("The phone has been changed.")


def card_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Replace a member's card."""
    note = gettext("Nothing is earned with the old card any more; points and tier stay.")
    act = Act(
        _("Replace card"), _("Replace"), CONTACT, CardForm, _replace_card, lambda _visit: note
    )
    return act_page(request, member_id, act)


def _replace_card(request: HttpRequest, member: Member, values: Mapping[str, Any]) -> str:
    contact.replace_card(
        member=member.pk, card_number=values["card_number"], verified_by=values["verified_by"],
        reason=values["reason"], actor=actor_of(request), at=clock.now(),
    )  # fmt: skip
    return gettext("The card has been replaced.")


# Claiming a purchase


class ClaimForm(ActForm):
    """What stands on the receipt."""

    source = forms.ChoiceField(label=_("Where it was bought"))
    order_no = forms.CharField(label=_("Order number"), max_length=100)
    total = forms.DecimalField(
        label=_("Total on the receipt"), min_value=0, max_digits=14, decimal_places=2
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = Source.objects.select_related("touchpoint").order_by("code")
        source: Any = self.fields["source"]
        source.choices = [(row.code, f"{row.code} · {row.touchpoint.name}") for row in sources]


def claim_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Claim a purchase from its receipt (补登积分)."""
    note = gettext("Only a purchase that nobody was named for; the total has to be the receipt's.")
    act = Act(_("Claim a purchase"), _("Claim"), CLAIM, ClaimForm, _claim, lambda _visit: note)
    return act_page(request, member_id, act)


def _claim(request: HttpRequest, member: Member, values: Mapping[str, Any]) -> str:
    outcome = receipt_claims.claim_receipt(
        member=member.pk, source=values["source"], order_no=values["order_no"].strip(),
        total=values["total"], verified_by=values["verified_by"], reason=values["reason"],
        actor=actor_of(request), at=clock.now(),
    )  # fmt: skip
    earned = int(outcome.data.get("points", {}).get("earned", 0))
    return gettext("The purchase is the member's now: %(points)s points.") % {
        "points": formats.points(earned)
    }


def undo_address(pk: int) -> str:
    """Return where a goodwill is taken back."""
    return reverse("admin:goodwill_undo", args=[pk])
