"""The event log: one row per change, which followers and people read."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.append_only import AppendOnly


class MemberEvent(AppendOnly):
    """Something changed for one member; written in the transaction of the change."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="events", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=40)
    schema = models.PositiveSmallIntegerField(_("schema"), default=1)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    caused_by = models.CharField(_("caused by"), max_length=80, blank=True)
    payload = models.JSONField(_("payload"), default=dict)

    class Meta(AppendOnly.Meta):
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["member", "occurred_at"], name="event_member_at")]

    def __str__(self) -> str:
        return self.kind


class Subscription(models.Model):
    """A follower wants events of a kind; synchronised from the wiring."""

    follower = models.CharField(_("follower"), max_length=64)
    kind = models.CharField(_("kind"), max_length=40)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["kind", "follower"], name="subscription_unique")
        ]

    def __str__(self) -> str:
        return f"{self.follower}: {self.kind}"


class DeliveryState(models.TextChoices):
    """Where a delivery stands; `failed` deliveries wait for a person."""

    PENDING = "pending", pgettext_lazy("delivery", "Pending")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class EventDelivery(models.Model):
    """One event owed to one follower."""

    event = models.ForeignKey(
        MemberEvent, models.PROTECT, related_name="deliveries", verbose_name=_("event")
    )
    follower = models.CharField(_("follower"), max_length=64)
    state = models.CharField(
        _("state"), max_length=8, choices=DeliveryState, default=DeliveryState.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"))
    error_code = models.CharField(_("error"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("event delivery")
        verbose_name_plural = _("event deliveries")
        constraints = [
            models.UniqueConstraint(fields=["event", "follower"], name="delivery_unique")
        ]
        indexes = [
            models.Index(
                fields=["follower", "due_at"], condition=Q(state="pending"), name="delivery_pending"
            ),
            models.Index(fields=["follower"], condition=Q(state="failed"), name="delivery_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.follower}: {self.event_id}"
