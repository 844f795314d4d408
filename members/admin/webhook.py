"""Webhooks, their log, and how to send something again."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.base.admin.decorators import detail_action, labelled
from config.base.admin.options import ReadOnlyAdmin
from config.base.errors import DomainError
from members.models import Webhook, WebhookDelivery
from members.services import webhooks

MISSED_DAYS: Final = 7
STATE_COLOURS: Final = {
    "active": "success", "disabled": "danger", "delivered": "success", "failed": "danger",
    "pending": "info", "skipped": "warning",
}  # fmt: skip


def _page(webhook_id: str) -> str:
    return reverse("admin:members_webhook_change", args=[webhook_id])


class SendingAdmin(ReadOnlyAdmin):
    """Rows that can be sent, by those who may."""

    permission = "members.change_webhook"

    def has_send_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Say whether the visitor may have something sent."""
        return request.user.has_perm(self.permission)


@admin.register(Webhook)
class WebhookAdmin(SendingAdmin):
    """Addresses that events are sent to; the API makes them, so that nobody else sees secrets."""

    list_display = (
        "url", "touchpoint", "kind_list", "state_label", "reason", "failing_since", "created_at",
    )  # fmt: skip
    list_select_related = ("touchpoint",)
    list_filter = ("state", "reason")
    search_fields = ("url", "touchpoint__code")
    actions_detail = ("send_test", "replay_missed", "switch")

    @admin.display(description=_("kinds"))
    def kind_list(self, webhook: Webhook) -> str:
        """Return the kinds in one line."""
        return ", ".join(webhook.kinds)

    @labelled(_("state"), STATE_COLOURS)
    def state_label(self, webhook: Webhook) -> tuple[str, Any]:
        """Return whether anything is sent, with its colour."""
        return webhook.state, webhook.get_state_display()

    @detail_action(_("Send a test message"), url_path="test", permissions=["send"], icon="send")
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Owe the receiver a message that says nothing."""
        question = gettext("Send a test message to this address?")
        if request.method != "POST":
            return self.ask(request, object_id, gettext("Send a test message"), question)
        try:
            webhooks.send_test(webhook_id=int(object_id), at=datetime.now(UTC))
            messages.success(request, gettext("A test message will be sent."))
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect(_page(object_id))

    @detail_action(
        _("Replay what was missed"), url_path="replay", permissions=["send"], icon="replay"
    )
    def replay_missed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send again what failed or was skipped in the last days."""
        question = gettext("Send again all that failed or was skipped in the last %(days)s days?")
        if request.method != "POST":
            title = gettext("Replay what was missed")
            return self.ask(request, object_id, title, question % {"days": MISSED_DAYS})
        at = datetime.now(UTC)
        try:
            count = webhooks.replay_missed(
                webhook_id=int(object_id), since=at - timedelta(days=MISSED_DAYS), at=at
            )
            told = ngettext(
                "%(count)d message will be sent.", "%(count)d messages will be sent.", count
            )
            messages.success(request, told % {"count": count})
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect(_page(object_id))

    @detail_action(_("Switch off or on"), url_path="switch", permissions=["send"], icon="toggle_on")
    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Switch a webhook off, or on again."""
        webhook = Webhook.objects.get(pk=object_id)
        is_active = webhook.state == "active"
        if request.method != "POST":
            title = gettext("Switch off") if is_active else gettext("Switch on")
            question = gettext("Shall this address get no more messages?")
            if not is_active:
                question = gettext("Shall this address get messages again?")
            return self.ask(request, object_id, title, question)
        webhooks.change(webhook_id=webhook.pk, changes=webhooks.Changes(is_active=not is_active))
        return redirect(_page(object_id))

    def ask(self, request: HttpRequest, object_id: str, title: str, question: str) -> HttpResponse:
        """Ask before something is sent."""
        return self.confirmation(request, title=title, question=question, back=_page(object_id))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(SendingAdmin):
    """What was sent, what is owed, and what failed."""

    list_display = (
        "created_at", "webhook", "kind", "state_label", "attempts", "status", "error", "due_at",
    )  # fmt: skip
    list_select_related = ("webhook",)
    list_filter = ("state",)
    actions = ("replay",)  # type: ignore[assignment]  # one of the few things to do here

    @labelled(_("state"), STATE_COLOURS)
    def state_label(self, delivery: WebhookDelivery) -> tuple[str, Any]:
        """Return where the message stands, with its colour."""
        return delivery.state, delivery.get_state_display()

    @admin.action(description=_("Replay"), permissions=["send"])
    def replay(self, request: HttpRequest, rows: models.QuerySet[WebhookDelivery]) -> None:
        """Send the chosen messages again, under their ids."""
        chosen = WebhookDelivery.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
        count = webhooks.replay(deliveries=chosen, at=datetime.now(UTC))
        told = ngettext(
            "%(count)d message will be sent.", "%(count)d messages will be sent.", count
        )
        messages.success(request, told % {"count": count})
