"""The pages on which staff merge two members, and undo that, each with what it would do."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit
from members import words
from members.admin.member import masked_name
from members.admin.search import members_named
from members.models import (
    Approval,
    Identifier,
    Member,
    MemberProfile,
    MemberStatus,
)
from members.services.merging import MAX_NOTE_LENGTH, TEXTS, active_merge
from rewards.models import Coupon
from rewards.services import merging
from rewards.services.merging import Preview, Side
from tiers import queries

PERMISSION: Final = "members.merge_member"
MOST_FOUND: Final = 10

Row = tuple[str, Sequence[str]]


class SearchForm(forms.Form):
    """What the other member can be found by; sent in the body, so that no address keeps it."""

    term = forms.CharField(
        label=_("Other member"), max_length=100,
        help_text=_("Phone, last four digits, card number, full name, external id or order"),
    )  # fmt: skip


class MergeForm(forms.Form):
    """Which member goes, and why."""

    other = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_NOTE_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )


class UndoForm(forms.Form):
    """Why the two are not the same person."""

    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_NOTE_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )


def merge_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Find another member, compare, and merge it into this one.

    Source: MEM-04.
    """
    member = _subject(request, member_id)
    if request.method == "POST" and request.POST.get("step") != "search":
        return _submitted(request, member)
    other = request.GET.get("other", "")
    if other.isdecimal() and request.method == "GET":
        return _compared(request, member, _other(member, int(other)), None)
    form = SearchForm(request.POST or None)
    has_searched = request.method == "POST" and form.is_valid()
    ids = members_named(form.cleaned_data["term"]) if has_searched else _namesakes(member)
    return _render(
        request,
        member,
        {
            "title": gettext("Merge"),
            "search_form": form,
            "candidates": _candidates(member, ids),
            "has_searched": has_searched,
        },
    )


def _submitted(request: HttpRequest, member: Member) -> HttpResponse:
    form = MergeForm(request.POST)
    other = _other(member, int(request.POST.get("other") or 0))
    if not form.is_valid() or not _merged(request, member, form):
        return _compared(request, member, other, form)
    return redirect("admin:members_member_change", member.pk)


def _merged(request: HttpRequest, member: Member, form: MergeForm) -> bool:
    try:
        outcome = merging.merge_by_staff(
            user_id=request.user.pk or 0,
            away=form.cleaned_data["other"],
            into=member.pk,
            note=form.cleaned_data["reason"],
            actor=actor_of(request),
            at=clock.now(),
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    is_asked = isinstance(outcome, Approval)
    messages.success(request, gettext("Sent for approval.") if is_asked else gettext("Merged."))
    return True


def _compared(
    request: HttpRequest, member: Member, other: Member, form: MergeForm | None
) -> HttpResponse:
    at = clock.now()
    shown = merging.preview(away=other.pk, into=member.pk, at=at)
    changes = [words.purpose(purpose) for purpose, _channel in shown.consents]
    context: dict[str, Any] = {
        "title": gettext("Merge"),
        "headings": (gettext("Is merged"), gettext("Stays"), gettext("After")),
        "rows": _comparison(other, member, shown, at),
        "obstacles": [TEXTS[obstacle] for obstacle in shown.obstacles],
        "changes": sorted(set(changes)),
        "note": gettext(
            "All identifiers lead to the member that stays. It can be undone for 30 days; points"
            " that are spent by then stay spent."
        ),
        "swap": reverse("admin:member_merge", args=[other.pk]) + f"?other={member.pk}",
    }
    if not shown.obstacles:
        context["form"] = form or MergeForm(initial={"other": other.pk})
    return _render(request, member, context)


def _comparison(away: Member, into: Member, shown: Preview, at: datetime) -> list[Row]:
    members = (away, into)
    rows: list[Row] = [
        (gettext("Card"), [formats.card(each.card_number) for each in members] + [""]),
        (gettext("Name"), [masked_name(each) for each in members] + [""]),
        *_sides([shown.away, shown.into, shown.after]),
        (gettext("Coupons"), _summed(_coupons(each, at) for each in members)),
        (gettext("Identifiers"), _summed(_identifiers(each) for each in members)),
    ]
    return rows


def _sides(sides: Sequence[Side | None]) -> list[Row]:
    names = {code: name_of(tier) for code, tier in queries.tiers_by_code().items()}
    found = [side for side in sides if side is not None]
    return [
        (gettext("Tier"), [names.get(side.tier, side.tier) for side in found]),
        (gettext("Kept until"), [side.kept_until_on or gettext("not limited") for side in found]),
        (gettext("Available"), [formats.points(side.balance.available) for side in found]),
        (gettext("Pending"), [formats.points(side.balance.pending) for side in found]),
        (gettext("Points debt"), [formats.points(side.balance.debt) for side in found]),
    ]


def _summed(counts: Iterable[int]) -> list[str]:
    both = list(counts)
    return [str(count) for count in (*both, sum(both))]


def _coupons(member: Member, at: datetime) -> int:
    return Coupon.objects.live(at).filter(member=member).count()


def _identifiers(member: Member) -> int:
    return Identifier.objects.filter(member=member, ended_at__isnull=True).count()


# Undoing


def unmerge_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Show what undoing the merge of this member would do, and undo it.

    Source: MEM-04.
    """
    member = _subject(request, member_id)
    done = active_merge(away=member.pk)
    if done is None:
        raise Http404
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _undone(request, member, form):
        return redirect("admin:members_member_change", member.pk)
    context: dict[str, Any] = {
        "title": gettext("Undo merge"),
        "note": gettext(
            "What is left of the points goes back. Purchases since the merge stay with the"
            " survivor, consents stay as they are."
        ),
    }
    try:
        sides = merging.preview_undo(away=member.pk, at=clock.now())
    except DomainError as refused:
        context["obstacles"] = [refused.message]
    else:
        cards = (member.card_number, done.into.card_number)
        context |= {
            "form": form,
            "headings": [formats.card(card) for card in cards],
            "rows": _sides(sides),
        }
    return _render(request, member, context)


def _undone(request: HttpRequest, member: Member, form: UndoForm) -> bool:
    try:
        merging.unmerge(
            away=member.pk,
            note=form.cleaned_data["reason"],
            actor=actor_of(request),
            at=clock.now(),
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    messages.success(request, gettext("The merge has been undone."))
    return True


# Parts of both


def _subject(request: HttpRequest, member_id: int) -> Member:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    return get_object_or_404(Member.objects.select_related("profile"), pk=member_id)


def _other(member: Member, other: int) -> Member:
    rows = Member.objects.select_related("profile").exclude(pk=member.pk)
    return get_object_or_404(rows, pk=other)


def _namesakes(member: Member) -> list[int]:
    """Return members of the same name, who may be the same person."""
    profile = getattr(member, "profile", None)
    if profile is None or profile.name_hash is None:
        return []
    rows = MemberProfile.objects.filter(name_hash=bytes(profile.name_hash))
    return list(rows.values_list("member_id", flat=True)[: MOST_FOUND + 1])


def _candidates(member: Member, ids: Sequence[int]) -> list[Member]:
    rows = Member.objects.filter(pk__in=ids, status=MemberStatus.ACTIVE).exclude(pk=member.pk)
    return list(rows.select_related("profile").order_by("pk")[:MOST_FOUND])


def _render(request: HttpRequest, member: Member, context: dict[str, Any]) -> HttpResponse:
    shown = {
        **site.current().each_context(request),
        "member": member,
        "member_name": masked_name(member),
        **context,
    }
    return TemplateResponse(request, "admin/rewards/merge.html", shown)


def merge_address(visit: Visit) -> str:
    """Return where another member is merged into this one; empty where that cannot be."""
    if visit.subject.status != MemberStatus.ACTIVE:
        return ""
    return reverse("admin:member_merge", args=[visit.subject.pk])


def unmerge_address(visit: Visit) -> str:
    """Return where the merge of this member is undone; empty where it is not merged."""
    if visit.subject.status != MemberStatus.MERGED:
        return ""
    return reverse("admin:member_unmerge", args=[visit.subject.pk])


def summarise(approval: Approval) -> str:
    """Return what a request for a merge asks for, for people."""
    away = Member.objects.filter(pk=approval.payload["away"]).first()
    card = "–" if away is None else formats.card(away.card_number)
    return gettext("Merge %(card)s into this member") % {"card": card}
