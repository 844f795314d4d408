"""What members are told: templates with their versions, messages, and what providers report."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    """Why somebody is written to; marketing needs a consent, security never waits."""

    MARKETING = "marketing", _("Marketing")
    SERVICE = "service", pgettext_lazy("message", "Service")
    SECURITY = "security", _("Security")


class Via(models.TextChoices):
    """How a message reaches a member."""

    WECHAT = "wechat", _("WeChat")
    PUSH = "push", _("App push")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")
    INBOX = "inbox", _("In-app inbox")


class MessageTemplate(models.Model):
    """One message that members can be sent; its texts are in its versions.

    A service message that `needs_consent` is sent to those who agreed to service or to marketing
    messages; any other goes to all who have not refused it.
    """

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    purpose = models.CharField(_("purpose"), max_length=9, choices=Purpose)
    needs_consent = models.BooleanField(_("needs a consent"))
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="marketing", needs_consent=True)
                | Q(purpose="service")
                | Q(purpose="security", needs_consent=False),
                name="message_template_consent_of_purpose",
            )
        ]

    def __str__(self) -> str:
        return self.name_en or self.name_zh if get_language() == "en" else self.name_zh


class VersionState(models.TextChoices):
    """Whether a version is still being written."""

    DRAFT = "draft", pgettext_lazy("message", "Draft")
    PUBLISHED = "published", _("Published")


class TemplateVersion(models.Model):
    """The texts of a template at one time; the newest published one is sent.

    `contents` is `{language: {channel: {"subject", "body"}}}`, `variables` a list of
    `{"name", "type", "fallback": {language: text}}`. A published one is never altered.
    """

    template = models.ForeignKey(
        MessageTemplate, models.PROTECT, related_name="versions", db_index=False,
        verbose_name=_("message template"),
    )  # fmt: skip
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(
        _("state"), max_length=9, choices=VersionState, default=VersionState.DRAFT
    )
    variables = models.JSONField(_("variables"), default=list, blank=True)
    contents = models.JSONField(_("texts"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by = models.CharField(_("published by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        ordering = ["template", "-number"]
        permissions = [("publish_templateversion", _("Can publish texts of messages"))]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number"),
            models.UniqueConstraint(
                fields=["template"], condition=Q(state="draft"), name="template_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(state="published", published_at__isnull=False)
                | Q(state="draft", published_at__isnull=True),
                name="template_version_published_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} · v{self.number}"


class AssetKind(models.TextChoices):
    """What a piece of the content library is."""

    TEXT = "text", pgettext_lazy("content", "Text")
    IMAGE = "image", pgettext_lazy("content", "Image address")
    VIDEO = "video", pgettext_lazy("content", "Video address")
    FILE = "file", pgettext_lazy("content", "File address")


class ContentAsset(models.Model):
    """One version of a piece of the content library in one language; the newest one is used.

    Templates name it `{{ asset.code }}`. Rows are only added.
    """

    code = models.SlugField(_("code"), max_length=60)
    language = models.CharField(
        _("language"), max_length=2, choices=[("zh", _("Chinese")), ("en", _("English"))]
    )
    number = models.PositiveIntegerField(_("version"))
    kind = models.CharField(_("kind"), max_length=5, choices=AssetKind)
    title = models.CharField(_("title"), max_length=80)
    value = models.TextField(_("content"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner")
    )
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)

    class Meta:
        verbose_name = _("content")
        verbose_name_plural = _("content library")
        ordering = ["code", "language", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "language", "number"], name="content_asset_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.language} · v{self.number}"


class MessageState(models.TextChoices):
    """Where a message stands.

    `sending` is committed before a provider is spoken to: what dies then may have gone out. It is
    `unknown`, and for marketing only a person sends it again.
    """

    QUEUED = "queued", pgettext_lazy("message", "Queued")
    SENDING = "sending", pgettext_lazy("message", "Sending")
    SENT = "sent", pgettext_lazy("message", "Sent")
    DELIVERED = "delivered", pgettext_lazy("message", "Delivered")
    FAILED = "failed", pgettext_lazy("message", "Failed")
    SUPPRESSED = "suppressed", pgettext_lazy("message", "Not sent")
    UNKNOWN = "unknown", pgettext_lazy("message", "Unknown")


class Message(models.Model):
    """One message owed to one member for one occurrence of a trigger, and what became of it.

    What was said is kept for a time, sealed under the member's own key, so that erasure reaches it.
    `lease_until` and `claimed_at` are the wall's.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, verbose_name=_("member")
    )
    template = models.ForeignKey(
        MessageTemplate, models.PROTECT, related_name="+", db_index=False,
        verbose_name=_("message template"),
    )  # fmt: skip
    version = models.ForeignKey(
        TemplateVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        verbose_name=_("template version"),
    )  # fmt: skip
    purpose = models.CharField(_("purpose"), max_length=9, choices=Purpose)
    trigger = models.CharField(_("trigger"), max_length=80)
    occurrence = models.CharField(_("occurrence"), max_length=120)
    channel = models.CharField(_("channel"), max_length=8, choices=Via, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=MessageState, default=MessageState.QUEUED
    )
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    due_at = models.DateTimeField(_("due at"))
    expires_at = models.DateTimeField(_("stale from"), null=True, blank=True)
    context = models.JSONField(
        _("context"), default=dict, null=True, blank=True, encoder=DjangoJSONEncoder
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded at"))
    ended_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    provider_id = models.CharField(_("provider's id"), max_length=80, blank=True)
    sealed = models.BinaryField(_("sealed text"), null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        permissions = [("retry_message", _("Can send messages of unknown outcome again"))]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "trigger", "occurrence"], name="message_once_per_occurrence"
            ),
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="message_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
                name="message_leased_while_sending",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending"], ended_at__isnull=True)
                | (~Q(state__in=["queued", "sending"]) & Q(ended_at__isnull=False)),
                name="message_ended_has_instant",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "delivered"])
                | (Q(sent_at__isnull=False) & ~Q(channel="")),
                name="message_sent_has_channel_and_instant",
            ),
            models.CheckConstraint(
                condition=Q(state="delivered", delivered_at__isnull=False)
                | (~Q(state="delivered") & Q(delivered_at__isnull=True)),
                name="message_delivered_has_instant",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["failed", "suppressed", "unknown"]) | ~Q(reason=""),
                name="message_not_sent_has_reason",
            ),
        ]
        indexes = [
            # Marketing waits in a line of its own: a campaign keeps no receipt waiting.
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state="queued", purpose="marketing"),
                name="message_due_marketing",
            ),
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state="queued") & ~Q(purpose="marketing"),
                name="message_due_other",
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state="sending"), name="message_leased"
            ),
            models.Index(fields=["member", "-id"], name="message_of_member"),
            models.Index(fields=["trigger", "state"], name="message_by_trigger"),
            models.Index(
                fields=["state", "-id"],
                condition=Q(state__in=["failed", "unknown"]),
                name="message_in_trouble",
            ),
            models.Index(
                fields=["channel", "provider_id"],
                condition=~Q(provider_id=""),
                name="message_by_provider",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(context__isnull=False),
                name="message_with_context",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} {self.occurrence}"


class MessageReceipt(models.Model):
    """What a provider reported about a message, each report once; kept as it came."""

    message = models.ForeignKey(
        Message, models.PROTECT, related_name="receipts", db_index=False, verbose_name=_("message")
    )
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=10)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("delivery receipt")
        verbose_name_plural = _("delivery receipts")
        constraints = [
            models.UniqueConstraint(fields=["message", "kind"], name="receipt_once_per_kind")
        ]

    def __str__(self) -> str:
        return self.kind


class MessagePolicy(models.Model):
    """When and how often members are written to, in versions; the newest one holds.

    Times are the programme's; quiet hours may run over midnight, equal ends are none. Caps are per
    member over the last 24 hours and 7 days; empty is no cap.
    """

    number = models.PositiveIntegerField(_("number"), unique=True)
    channel_order = models.JSONField(_("order of channels"))
    quiet_from = models.TimeField(_("quiet hours from"))
    quiet_until = models.TimeField(_("quiet hours until"))
    quiet_purposes = models.JSONField(_("purposes that keep the quiet hours"))
    marketing_per_day = models.PositiveSmallIntegerField(
        _("marketing messages a day"), null=True, blank=True
    )
    marketing_per_week = models.PositiveSmallIntegerField(
        _("marketing messages a week"), null=True, blank=True
    )
    reason = models.CharField(_("reason"), max_length=200)
    set_by = models.CharField(_("set by"), max_length=80)
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        verbose_name = _("delivery settings")
        verbose_name_plural = _("delivery settings")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"v{self.number}"
