"""Messages at work: what is sent and what is not, and why; delivery settings; content.

Source: CMP-04, CMP-08, CMP-18.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import channels, message_words
from campaigns.admin.reason_form import ReasonForm
from campaigns.domain.delivery import Policy
from campaigns.models import (
    AssetKind,
    Campaign,
    Message,
    MessagePolicy,
    MessageState,
    MessageTemplate,
    Purpose,
    TemplateVersion,
    Via,
)
from campaigns.services import content, message_policy, triggering
from campaigns.services import messages as message_service
from campaigns.services.content import Piece
from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.admin.kept import kept
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit

VIEW: Final = "campaigns.view_message"
RETRY: Final = "campaigns.retry_message"
SET_POLICY: Final = "campaigns.add_messagepolicy"
WRITE: Final = "campaigns.add_templateversion"
VIEW_CONTENT: Final = "campaigns.view_contentasset"
ADD_CONTENT: Final = "campaigns.add_contentasset"
KEPT_SECONDS: Final = 60
TRIGGERS_SHOWN: Final = 50
OF_MEMBER_SHOWN: Final = 20
_TIME: Final = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PolicyForm(ReasonForm):
    """When and how often members are written to."""

    channel_order = forms.CharField(
        label=_("Order of channels"), max_length=80,
        help_text=_("The first choice first. A member's own order comes before."),
    )  # fmt: skip
    quiet_from = forms.TimeField(label=_("Quiet hours from"), widget=_TIME)
    quiet_until = forms.TimeField(
        label=_("Quiet hours until"), widget=_TIME,
        help_text=_("In the programme's time. The same time twice: no quiet hours."),
    )  # fmt: skip
    quiet_purposes = forms.MultipleChoiceField(
        label=_("Purposes that keep the quiet hours"), required=False,
        choices=[each for each in Purpose.choices if each[0] != Purpose.SECURITY],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    marketing_per_day = forms.IntegerField(
        label=_("Marketing messages to a member within 24 hours"), required=False,
        min_value=0, max_value=1_000, help_text=_("Empty: no cap."),
    )  # fmt: skip
    marketing_per_week = forms.IntegerField(
        label=_("Marketing messages to a member within 7 days"), required=False,
        min_value=0, max_value=1_000, help_text=_("Empty: no cap."),
    )  # fmt: skip
    field_order = (
        "channel_order", "quiet_from", "quiet_until", "quiet_purposes", "marketing_per_day",
        "marketing_per_week", "reason",
    )  # fmt: skip

    def policy(self) -> Policy:
        """Return what was filled in."""
        values = dict(self.cleaned_data)
        del values["reason"]
        order = values.pop("channel_order").replace("，", ",").replace(",", " ").split()
        return Policy(channel_order=tuple(order), **values)


class ContentForm(forms.Form):
    """One version of a piece of content."""

    code = forms.SlugField(label=_("Code"), max_length=60)
    language = forms.ChoiceField(
        label=_("Language"), choices=[("zh", _("Chinese")), ("en", _("English"))]
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=AssetKind.choices)
    title = forms.CharField(label=_("Title"), max_length=80)
    value = forms.CharField(
        label=_("Content"), max_length=1_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A text, or the https address of an image, video or file."),
    )  # fmt: skip
    owner = forms.ModelChoiceField(
        get_user_model().objects.filter(is_active=True, is_staff=True), label=_("Owner")
    )

    def piece(self) -> Piece:
        """Return what was filled in."""
        values = dict(self.cleaned_data)
        values["kind"] = AssetKind(values["kind"])
        return Piece(owner_id=values.pop("owner").pk, **values)


def messages_page(request: HttpRequest) -> HttpResponse:
    """Show the templates, what became of the messages of each trigger, and which ways are open."""
    _need(request, VIEW)
    names = dict(Via.choices)
    context = {
        "title": gettext("Messages"),
        "triggers": _named(kept("message_triggers", _by_trigger, seconds=KEPT_SECONDS)),
        "templates": _templates(),
        "ways": [
            (names[Via(code)], code in channels.open_channels()) for code in channels.installed()
        ],
        "policy": message_policy.in_force(),
        "may_write": request.user.has_perm(WRITE),
        "may_set": request.user.has_perm(SET_POLICY),
        "log": reverse("admin:campaigns_message_changelist"),
    }
    return _shown(request, "admin/campaigns/messages.html", context)


def _by_trigger() -> list[dict[str, Any]]:
    counted = Message.objects.values("trigger").annotate(
        audience=Count("pk"),
        waiting=Count("pk", filter=Q(state__in=[MessageState.QUEUED, MessageState.SENDING])),
        sent=Count("pk", filter=Q(state__in=[MessageState.SENT, MessageState.DELIVERED])),
        suppressed=Count("pk", filter=Q(state=MessageState.SUPPRESSED)),
        failed=Count("pk", filter=Q(state=MessageState.FAILED)),
        unknown=Count("pk", filter=Q(state=MessageState.UNKNOWN)),
    )
    return [dict(row) for row in counted.order_by("-audience", "trigger")[:TRIGGERS_SHOWN]]


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what became of messages, with what each trigger is called."""
    names = _names([row["trigger"] for row in rows])
    return [
        {**row, "name": names[row["trigger"]], "bars": _bars(row)} for row in rows
    ]  # fmt: skip


def _names(triggers: Sequence[str]) -> dict[str, str]:
    """Return what triggers are called: campaigns by name, others as they are."""
    codes = {each: each.removeprefix(triggering.CAUSE) for each in triggers}
    campaigns = {row.code: row for row in Campaign.objects.filter(code__in=codes.values())}
    return {
        each: name_of(campaigns[code]) if code in campaigns else each
        for each, code in codes.items()
    }  # fmt: skip


def _bars(row: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the parts of a bar: colour and share in per cent."""
    tones = (("success", "sent"), ("danger", "failed"), ("warning", "unknown"))
    return [(tone, formats.share(row[name], row["audience"])) for tone, name in tones]


def _templates() -> list[dict[str, Any]]:
    versions = TemplateVersion.objects.order_by("template_id", "-number").distinct("template_id")
    newest = {each.template_id: each for each in versions}
    return [
        {"template": each, "newest": newest.get(each.pk)} for each in MessageTemplate.objects.all()
    ]


def trigger_page(request: HttpRequest) -> HttpResponse:
    """Show of one trigger how many messages are in which state, and why."""
    _need(request, VIEW)
    trigger = request.GET.get("trigger", "")[:80].replace("\x00", "")
    names = dict(MessageState.choices)
    reasons = message_service.reasons_of(trigger)
    counts = message_service.counts_of(trigger)
    context = {
        "title": _names([trigger])[trigger] or gettext("Messages"),
        "counts": [
            (names[MessageState(state)], message_words.STATE_TONES[MessageState(state)], count)
            for state, count in counts.items()
        ],
        "audience": sum(counts.values()),
        "reasons": [
            (names[MessageState(state)], message_words.reason(code), count)
            for (state, code), count in reasons.items()
        ],
    }
    return _shown(request, "admin/campaigns/message_trigger.html", context)


def retry_page(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send a message of unknown outcome again: somebody has asked the provider."""
    _need(request, RETRY)
    message = get_object_or_404(Message.objects.select_related("template"), pk=message_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            message_service.retry(
                message_id=message.pk, reason=form.cleaned_data["reason"],
                actor=actor_of(request), at=clock.now(),
            )  # fmt: skip
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("The message is sent again."))
            return redirect("admin:campaigns_message_changelist")
    note = gettext("It may have gone out already: the member may get it twice.")
    context = {
        "title": gettext("Send the message again"), "form": form, "note": note,
        "submit": gettext("Send again"), "back": "admin:campaigns_message_changelist",
    }  # fmt: skip
    return _shown(request, "admin/campaigns/form.html", context)


def policy_page(request: HttpRequest) -> HttpResponse:
    """Set order of channels, quiet hours and caps, with the reason."""
    _need(request, SET_POLICY)
    form = PolicyForm(request.POST or None, initial=_initial(message_policy.in_force()))
    if request.method == "POST" and form.is_valid():
        try:
            message_policy.change(
                policy=form.policy(), reason=form.cleaned_data["reason"],
                actor=actor_of(request), at=clock.now(),
            )  # fmt: skip
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("The delivery settings hold from now on."))
            return redirect("admin:messages")
    last = MessagePolicy.objects.order_by("-number").first()
    note = f"{last.set_by} · {clock.local(last.set_at):%Y-%m-%d}: {last.reason}" if last else ""
    context = {
        "title": gettext("Delivery settings"), "form": form, "note": note,
        "submit": gettext("Save"), "back": "admin:messages",
    }  # fmt: skip
    return _shown(request, "admin/campaigns/form.html", context)


def _initial(policy: Policy) -> dict[str, Any]:
    values = {name: getattr(policy, name) for name in policy.__slots__}
    return {
        **values,
        "channel_order": ", ".join(policy.channel_order),
        "quiet_purposes": list(policy.quiet_purposes),
    }


def content_page(request: HttpRequest) -> HttpResponse:
    """Show the content library with where each piece is used, and add a version."""
    _need(request, VIEW_CONTENT)
    may_add = request.user.has_perm(ADD_CONTENT)
    form = ContentForm(request.POST or None, initial={"owner": request.user.pk})
    if request.method == "POST":
        _need(request, ADD_CONTENT)
        if form.is_valid() and _is_added(request, form):
            return redirect("admin:content_library")
    used = content.where_used()
    context = {
        "title": gettext("Content library"),
        "rows": [(each, used.get(each.code, [])) for each in content.newest()],
        "form": form if may_add else None,
    }
    return _shown(request, "admin/campaigns/content.html", context)


def _is_added(request: HttpRequest, form: ContentForm) -> bool:
    try:
        content.add(piece=form.piece(), actor=actor_of(request), at=clock.now())
    except DomainError as error:
        form.add_error("value", str(error.message))
        return False
    messages.success(request, gettext("The content is used from now on."))
    return True


def of_member(visit: Visit) -> Mapping[str, Any]:
    """Show the last messages of a member, and why some were not sent."""
    rows = Message.objects.filter(member=visit.subject).select_related("template")
    return {
        "rows": [message_words.row(each) for each in rows.order_by("-pk")[:OF_MEMBER_SHOWN]],
        "may_retry": visit.may(RETRY),
    }


def in_trouble(_visit: Visit) -> int:
    """Return how many messages wait for somebody who looks into them."""
    return Message.objects.filter(state=MessageState.UNKNOWN).count()


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _shown(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    known = site.current().each_context(request)
    return TemplateResponse(request, template, {**known, **context})
