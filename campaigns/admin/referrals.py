"""Referrals: the lists, the queue of those that were held, and the member page's part."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from campaigns import referral_words as words
from campaigns.domain import referral_codes
from campaigns.models import Referral, ReferralCode, ReferralProgramme, ReferralState
from campaigns.services import referral_decisions, referral_terms
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from config.base.errors import DomainError
from config.base.panels import Visit
from members.admin.base import MemberOwnedAdmin, member_link
from members.admin.search import members_named

PERMISSION: Final = "campaigns.moderate_referral"
VIEW: Final = "campaigns.view_referral"
SHOWN: Final = 50
ON_MEMBER: Final = 10
TABS: Final = (ReferralState.HELD, ReferralState.REFUSED)
DECISIONS: Final = {"accept": referral_decisions.accept, "refuse": referral_decisions.refuse}


@admin.register(ReferralProgramme)
class ReferralProgrammeAdmin(ReadOnlyAdmin):
    """The terms of referrals, version by version."""

    list_display = ("number", "from_at", "is_active", "reward", "return_window_days", "created_by")
    ordering = ("-number",)
    actions_list = ("write",)

    def has_write_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may ask for other terms."""
        return request.user.has_perm(referral_terms.EDIT_PERMISSION)

    @action(  # type: ignore[untyped-decorator]  # Unfold has no types
        description=_("Change the terms"), url_path="write", permissions=["write"], icon="edit"
    )
    def write(self, request: HttpRequest) -> HttpResponse:
        """Open the form with what is in force."""
        return redirect("admin:referral_terms")


@admin.register(ReferralCode)
class ReferralCodeAdmin(MemberOwnedAdmin):
    """Codes that members hand on."""

    list_display = ("code", "member_card", "from_at", "ended_at")
    own_references = ("code",)


@admin.register(Referral)
class ReferralAdmin(MemberOwnedAdmin):
    """Who brought whom, and what became of it."""

    list_display = (
        "registered_at", "referrer_card", "friend_card", "state_label", "kept_from", "rewarded_at",
    )  # fmt: skip
    list_select_related = ("referrer", "friend")
    list_filter = ("state",)
    concealed = ("note", "reasons", "cleared")
    shown_last = ("what_was_found",)

    def find(self, rows: Any, term: str) -> Any:
        """Return the referrals in which the named member takes part."""
        named = list(members_named(term))
        return rows.filter(referrer_id__in=named) | rows.filter(friend_id__in=named)

    @admin.display(description=_("referrer"))
    def referrer_card(self, referral: Referral) -> str:
        """Return who brought the friend."""
        return member_link(referral.referrer_id, referral.referrer.card_number)

    @admin.display(description=_("friend"))
    def friend_card(self, referral: Referral) -> str:
        """Return who was brought."""
        return member_link(referral.friend_id, referral.friend.card_number)

    @labelled(_("state"), dict(words.TONES))
    def state_label(self, referral: Referral) -> tuple[str, Any]:
        """Return where the referral stands, with its colour."""
        return referral.state, referral.get_state_display()

    @admin.display(description=_("reasons"))
    def what_was_found(self, referral: Referral) -> str:
        """Return what was found about the referral."""
        return "; ".join(words.reasons([*referral.reasons, *referral.cleared])) or "–"


def queue_page(request: HttpRequest) -> HttpResponse:
    """Show referrals that are held or were refused, oldest first; carry out what was chosen.

    Source: ENG-04.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    is_refused = request.GET.get("state") == ReferralState.REFUSED
    state = ReferralState.REFUSED if is_refused else ReferralState.HELD
    if request.method == "POST":
        _carry_out(request)
        return redirect(f"{reverse('admin:referral_queue')}?state={state}")
    rows = Referral.objects.filter(state=state).select_related(
        "referrer__profile", "friend__profile", "order"
    )
    found = list(rows.order_by("-pk" if is_refused else "pk")[: SHOWN + 1])
    context = {
        **site.current().each_context(request),
        "title": gettext("Referrals to check"),
        "state": state,
        "tabs": [(tab.value, tab.label) for tab in TABS],
        "rows": [(row, words.reasons(row.reasons)) for row in found[:SHOWN]],
        "has_more": len(found) > SHOWN,
    }
    return TemplateResponse(request, "admin/campaigns/referrals.html", context)


def _carry_out(request: HttpRequest) -> None:
    chosen = [int(pk) for pk in request.POST.getlist("referral") if pk.isdecimal()]
    decide = DECISIONS.get(request.POST.get("act", ""))
    if decide is None or not chosen:
        messages.info(request, gettext("Choose at least one."))
        return
    done = 0
    for referral in Referral.objects.filter(pk__in=chosen).order_by("pk").values_list("pk"):
        try:
            decide(
                referral_id=referral[0], reason=request.POST.get("reason", ""),
                actor=actor_of(request), at=clock.now(),
            )  # fmt: skip
            done += 1
        except DomainError as refused:
            messages.error(request, f"#{referral[0]}: {refused.message}")
    if done:
        told = ngettext("%(count)d referral decided.", "%(count)d referrals decided.", done)
        messages.success(request, told % {"count": done})


def member_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show who brought the member, and whom the member has brought; nothing where nobody did."""
    member = visit.subject.pk
    by = Referral.objects.filter(friend_id=member).select_related("referrer").first()
    rows = Referral.objects.filter(referrer_id=member)
    counts = list(rows.values("state").annotate(count=Count("pk")).order_by("state"))
    code = ReferralCode.objects.filter(member_id=member, ended_at=None).first()
    if by is None and not counts and code is None:
        return None
    shown = rows.select_related("friend").order_by("-pk")[:ON_MEMBER] if counts else ()
    return {
        "code": None if code is None else referral_codes.for_people(code.code),
        "by": None if by is None else _shown(by),
        "rows": [_shown(row) for row in shown],
        "total": sum(each["count"] for each in counts),
        "rewarded": sum(
            each["count"] for each in counts if each["state"] == ReferralState.REWARDED
        ),
    }


def _shown(row: Referral) -> tuple[Referral, str, list[str]]:
    return row, words.TONES[row.state], words.reasons(row.reasons)


def event_details(_visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what an event of a referral says in the timeline."""
    number = payload.get("referral") or payload.get("payout")
    told = [] if number is None else [f"#{number}"]
    codes = [*payload.get("reasons", ()), *filter(None, [payload.get("reason")])]
    return [*told, *words.reasons(map(str, codes))]
