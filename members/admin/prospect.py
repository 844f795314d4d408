"""Prospects in the console: the list, entry by hand, a look in clear, opting out and forgetting.

Source: CMP-13.
"""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from config.base import clock
from config.base.admin import acting, site
from config.base.admin.actors import actor_of
from config.base.admin.decorators import detail_action, labelled
from config.base.admin.options import ExactSearchMixin, ReadOnlyAdmin
from config.base.errors import DomainError
from members.domain.identifiers import TAIL_LENGTH, IdentifierInvalid, normalise
from members.models import ContactKind, ForgottenBecause, InterestKind, Prospect, ProspectContact
from members.services import prospect_erasure, prospects, reveals
from members.services.consents import ConsentDecision
from members.services.prospects import Entered, NewProspect

ADD: Final = "members.add_prospect"
REVEAL: Final = "members.reveal_prospect"
ERASE: Final = "members.erase_prospect"
LIST: Final = "admin:members_prospect_changelist"
FORM: Final = "admin/console/plain_form.html"
TONES: Final = {
    "addressable": "success", "silent": "", "opted_out": "warning", "joined": "info",
    "forgotten": "danger",
}  # fmt: skip
MAX_CODE: Final = 64
MAX_REASON: Final = 200
MAX_EVIDENCE: Final = 2_000


@admin.register(Prospect)
class ProspectAdmin(ExactSearchMixin, ReadOnlyAdmin):
    """People who are interested and no members; their contacts stay masked."""

    list_display = (
        "created_at", "source", "interest_text", "reached_by", "state_label", "consented_at",
        "expires_at",
    )  # fmt: skip
    list_filter = ("interest_kind", "forgotten_because")
    sortable_by = ("created_at",)
    search_help_text = _("Phone, e-mail, or the last four digits of the phone")
    concealed = ("master_version",)
    shown_last = ("reached_by", "state_label")
    actions_list = ("enter",)
    actions_detail = ("reveal", "forget")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Prospect]:
        """Return prospects with how they can be reached."""
        rows: models.QuerySet[Prospect] = super().get_queryset(request)
        return rows.prefetch_related("contacts")

    def find(self, rows: models.QuerySet[Any], term: str) -> models.QuerySet[Any]:
        """Return the prospects that a contact leads to, or the tail of a phone."""
        if len(term) == TAIL_LENGTH and term.isdecimal():
            return rows.filter(contacts__tail4=term)
        found = (_found(kind, term) for kind in ContactKind.values)
        return rows.filter(pk__in=[pk for pk in found if pk is not None])

    @admin.display(description=_("interest"))
    def interest_text(self, prospect: Prospect) -> str:
        """Return the interest with its kind."""
        if not prospect.interest:
            return "–"
        return f"{prospect.get_interest_kind_display()} · {prospect.interest}"

    @admin.display(description=_("reached by"))
    def reached_by(self, prospect: Prospect) -> str:
        """Return which contacts there are, masked."""
        shown = [
            f"{row.get_kind_display()} …{row.tail4}" if row.tail4 else row.get_kind_display()
            for row in prospect.contacts.all()
        ]
        return ", ".join(shown) or "–"

    @labelled(_("state"), TONES)
    def state_label(self, prospect: Prospect) -> tuple[str, Any]:
        """Return where the prospect stands, with its colour."""
        if prospect.forgotten_at is not None:
            return "forgotten", prospect.get_forgotten_because_display()
        if prospect.converted_at is not None:
            return "joined", gettext("Joined")
        if prospect.may_be_addressed:
            return "addressable", gettext("Agreed to marketing")
        if prospect.opted_out_at is not None:
            return "opted_out", gettext("Opted out")
        return "silent", gettext("No consent")

    def has_enter_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may enter prospects."""
        return request.user.has_perm(ADD)

    def has_reveal_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may look at contacts in clear."""
        return request.user.has_perm(REVEAL)

    def has_forget_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may forget prospects."""
        return request.user.has_perm(ERASE)

    @action(  # type: ignore[untyped-decorator]  # Unfold has no types
        description=_("Enter a prospect"), url_path="enter", permissions=["enter"], icon="add"
    )
    def enter(self, request: HttpRequest) -> HttpResponse:
        """Open the form."""
        return redirect("admin:prospect_add")

    @detail_action(_("Show in clear"), url_path="clear", permissions=["reveal"], icon="visibility")
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the page that asks why."""
        return redirect("admin:prospect_reveal", object_id)

    @detail_action(
        _("Opt out or forget"), url_path="stop", permissions=["forget"], icon="person_off"
    )
    def forget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the page that asks which, and why."""
        return redirect("admin:prospect_forget", object_id)


@admin.register(ProspectContact)
class ProspectContactAdmin(ReadOnlyAdmin):
    """Contacts by kind; the values are not shown."""

    list_display = ("prospect", "kind", "tail4")
    list_select_related = ("prospect",)


def _found(kind: str, term: str) -> int | None:
    try:
        return prospects.find((kind, "", normalise(kind, term)))
    except IdentifierInvalid:
        return None


class ProspectForm(forms.Form):
    """What somebody has left at a counter or on paper."""

    phone = forms.CharField(label=_("Phone"), max_length=32, required=False)
    email = forms.CharField(label=_("E-mail"), max_length=254, required=False)
    source = forms.SlugField(
        label=_("Source"), max_length=MAX_CODE, help_text=_("Such as shop, fair or landing-page.")
    )
    interest_kind = forms.ChoiceField(
        label=_("Kind of interest"), choices=[("", "–"), *InterestKind.choices], required=False
    )
    interest = forms.CharField(label=_("Interest"), max_length=MAX_CODE, required=False)
    has_agreed = forms.BooleanField(
        label=_("Has agreed to marketing"), required=False,
        help_text=_("Without it the prospect is kept and never written to."),
    )  # fmt: skip
    text_version = forms.CharField(
        label=_("Version of the text agreed to"), max_length=32, required=False
    )
    evidence = forms.CharField(
        label=_("Proof"), max_length=MAX_EVIDENCE, required=False,
        help_text=_("Such as the number of the signed form. Kept sealed."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Demand the proof of a consent, and bring contacts to their normal form."""
        said = super().clean() or {}
        for kind in ContactKind.values:
            try:
                said[kind] = normalise(kind, said[kind]) if said.get(kind) else ""
            except IdentifierInvalid as error:
                self.add_error(kind, str(error.message))
        if said.get("has_agreed") and not (said.get("text_version") and said.get("evidence")):
            self.add_error("evidence", gettext("A consent needs its text version and a proof."))
        return said

    def wanted(self) -> NewProspect:
        """Return what was filled in."""
        said = self.cleaned_data
        consent = None
        if said["has_agreed"]:
            consent = ConsentDecision(
                prospects.MARKETING, granted=True, text_version=said["text_version"],
                source="console", evidence=said["evidence"],
            )  # fmt: skip
        return NewProspect(
            contacts=tuple((kind, "", said[kind]) for kind in ContactKind.values if said[kind]),
            source=said["source"], interest_kind=said["interest_kind"],
            interest=said["interest"], consent=consent,
        )  # fmt: skip


def add_page(request: HttpRequest) -> HttpResponse:
    """Enter a prospect by hand."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    form = ProspectForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _is_entered(request, form):
        return redirect(LIST)
    return _form(request, form, gettext("Enter a prospect"), gettext("Save"))


def _is_entered(request: HttpRequest, form: ProspectForm) -> bool:
    try:
        done = prospects.enter(
            wanted=form.wanted(), touchpoint=None, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        field = error.details.get("field")
        form.add_error(field if field in form.fields else None, str(error.message))
        return False
    told = {
        Entered.NEW: gettext("The prospect was entered."),
        Entered.KNOWN: gettext("The prospect was known; what is new was added."),
        Entered.MEMBER: gettext("This is a member already; nothing was entered."),
    }
    messages.info(request, told[done])
    return True


class WhyForm(forms.Form):
    """Why somebody looks or acts."""

    reason = forms.CharField(label=_("Reason"), max_length=MAX_REASON)


class ForgetForm(WhyForm):
    """What a prospect has asked for, and how that was told."""

    do = forms.ChoiceField(
        label=_("What the prospect asks for"),
        choices=[("stop", _("No more messages")), ("forget", _("To be forgotten, for good"))],
    )


def reveal_page(request: HttpRequest, prospect_id: int) -> HttpResponse:
    """Show a prospect's phone and e-mail in clear, once, for a reason; it is written down."""
    if not request.user.has_perm(REVEAL):
        raise PermissionDenied
    prospect = get_object_or_404(Prospect.objects.known(), pk=prospect_id)
    form = WhyForm(request.POST or None)
    shown: list[tuple[str, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            reveals.count(actor=actor_of(request), at=clock.now())
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            acting.record(
                request, "reveal", reason=form.cleaned_data["reason"], prospect=prospect.pk
            )
            found = prospects.contacts_of([prospect])[prospect.pk]
            kinds = dict(ContactKind.choices)
            shown = [(str(kinds[ContactKind(kind)]), each) for kind, each in found.items()]
    response = _form(request, form, gettext("A prospect in clear"), gettext("Show"), shown=shown)
    response["Cache-Control"] = "no-store"
    return response


def forget_page(request: HttpRequest, prospect_id: int) -> HttpResponse:
    """Note that a prospect wants no more messages, or forget them for good."""
    if not request.user.has_perm(ERASE):
        raise PermissionDenied
    prospect = get_object_or_404(Prospect.objects.known(), pk=prospect_id)
    form = ForgetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        at = clock.now()
        prospects.opt_out(prospect_id=prospect.pk, at=at)
        if form.cleaned_data["do"] == "forget":
            prospect_erasure.forget(
                prospect_ids=[prospect.pk], because=ForgottenBecause.ASKED, at=at
            )
        messages.success(request, gettext("Done."))
        return redirect(LIST)
    return _form(request, form, gettext("Opt out or forget"), gettext("Carry out"))


def _form(
    request: HttpRequest, form: forms.Form, title: str, submit: str, **more: Any
) -> HttpResponse:
    context = {
        **site.current().each_context(request),
        "title": title, "form": form, "submit": submit, "back": LIST, **more,
    }  # fmt: skip
    return TemplateResponse(request, FORM, context)
