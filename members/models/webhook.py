"""Where the event log is sent to: subscriptions of touchpoints, and what is owed to each."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class WebhookState(models.TextChoices):
    """Whether anything is sent."""

    ACTIVE = "active", pgettext_lazy("webhook", "Active")
    DISABLED = "disabled", pgettext_lazy("webhook", "Disabled")


class DisabledReason(models.TextChoices):
    """Why nothing is sent any more."""

    NONE = "", "–"
    REQUESTED = "requested", _("Switched off on request")
    GONE = "gone", _("The receiver said that it is gone (410)")
    FAILING = "failing", _("Failed for days")


class Webhook(models.Model):
    """One address of a touchpoint's system that wants events of some kinds.

    Secrets are sealed under the installation's key; after a rotation the old one signs too until
    its time is over. `failing_since` is when sending first failed since it last succeeded.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, related_name="webhooks", verbose_name=_("touchpoint")
    )
    url = models.CharField(_("address"), max_length=2_000)
    kinds = ArrayField(models.CharField(max_length=40), verbose_name=_("kinds"))
    secret = models.BinaryField(_("secret"))
    old_secret = models.BinaryField(_("secret before"), null=True, blank=True)
    old_secret_until = models.DateTimeField(_("secret before signs until"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=8, choices=WebhookState, default=WebhookState.ACTIVE
    )
    reason = models.CharField(_("reason"), max_length=12, choices=DisabledReason, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="active", reason="") | (Q(state="disabled") & ~Q(reason="")),
                name="webhook_disabled_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(old_secret__isnull=True, old_secret_until__isnull=True)
                | Q(old_secret__isnull=False, old_secret_until__isnull=False),
                name="webhook_old_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class SendState(models.TextChoices):
    """Where a message stands; failed and skipped ones wait for somebody to replay them."""

    PENDING = "pending", pgettext_lazy("delivery", "Pending")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")


class WebhookDelivery(models.Model):
    """One message owed to one webhook: an event, or (without one) a test.

    Its public id is the `webhook-id` of every attempt, so that a receiver knows a repetition.
    Instants are the wall's, whatever the programme's clock says: they are about the network.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(
        Webhook, models.CASCADE, related_name="deliveries", db_index=False,
        verbose_name=_("webhook"),
    )  # fmt: skip
    event = models.ForeignKey(
        "members.MemberEvent", models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("event"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=40)
    state = models.CharField(_("state"), max_length=9, choices=SendState, default=SendState.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"))
    status = models.PositiveSmallIntegerField(_("last status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("created at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state="delivered", delivered_at__isnull=False)
                | (~Q(state="delivered") & Q(delivered_at__isnull=True)),
                name="webhook_delivered_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], condition=Q(state="pending"), name="webhook_delivery_due"
            ),
            models.Index(
                fields=["webhook", "due_at", "id"],
                condition=Q(state="pending"),
                name="webhook_delivery_next",
            ),
            models.Index(fields=["webhook", "-id"], name="webhook_delivery_log"),
            models.Index(fields=["created_at"], name="webhook_delivery_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"
