"""Lists of templates, content, messages, receipts and delivery settings."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns import message_words
from campaigns.models import (
    ContentAsset,
    Message,
    MessagePolicy,
    MessageReceipt,
    MessageTemplate,
    TemplateVersion,
)
from config.base.admin.decorators import labelled
from config.base.admin.options import ExactSearchMixin, ReadOnlyAdmin


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ReadOnlyAdmin):
    """Templates; they are written on a page of their own."""

    list_display = ("code", "name_zh", "name_en", "purpose", "needs_consent", "retired_at")
    list_filter = ("purpose",)
    ordering = ("code",)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin):
    """Texts as they were published."""

    list_display = ("template", "number", "state", "published_at", "published_by")
    list_select_related = ("template",)
    list_filter = ("state",)


@admin.register(ContentAsset)
class ContentAssetAdmin(ReadOnlyAdmin):
    """Every version of what is in the content library."""

    list_display = ("code", "language", "number", "kind", "title", "owner", "created_at")
    list_select_related = ("owner",)
    list_filter = ("kind", "language")


@admin.register(Message)
class MessageAdmin(ExactSearchMixin, ReadOnlyAdmin):
    """Messages and what became of them; found by trigger or card number."""

    list_display = ("member", "template", "trigger", "channel", "state_label", "due_at", "sent_at")
    list_select_related = ("member", "template")
    list_filter = ("state", "channel")
    concealed = ("context",)

    @labelled(_("state"), message_words.STATE_TONES)
    def state_label(self, message: Message) -> tuple[str, Any]:
        """Return where the message stands, with its colour."""
        return message.state, message.get_state_display()

    def find(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return the messages of a trigger, or the one of a card number."""
        return rows.filter(trigger=term) | rows.filter(member__card_number=term)


@admin.register(MessageReceipt)
class MessageReceiptAdmin(ReadOnlyAdmin):
    """What providers reported."""

    list_display = ("message", "kind", "reason", "occurred_at", "received_at")
    list_select_related = ("message",)


@admin.register(MessagePolicy)
class MessagePolicyAdmin(ReadOnlyAdmin):
    """Versions of the delivery settings."""

    list_display = ("number", "quiet_from", "quiet_until", "reason", "set_by", "set_at")
