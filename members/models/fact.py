"""What touchpoints reported, received once and for ever."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class FactKind(models.TextChoices):
    """The kinds of fact, in the order in which they act at one instant."""

    ORDER = "order", _("Order")
    REFUND = "refund", _("Refund")
    INTERACTION = "interaction", _("Interaction")


class FactState(models.TextChoices):
    """What has become of a fact."""

    APPLIED = "applied", _("Applied")
    AWAITING_MEMBER = "awaiting_member", _("Awaiting the member")
    PARKED = "parked", _("Waiting for its order")


class ReceivedFact(models.Model):
    """One version of one order, refund or interaction, as received.

    `acts_at` is the instant at which it folds; `body` is the validated content without identifiers,
    from which the member's history can be folded again.
    """

    source = models.CharField(_("source"), max_length=64)
    kind = models.CharField(_("kind"), max_length=12, choices=FactKind)
    ref = models.CharField(_("reference"), max_length=200)
    version = models.BigIntegerField(_("version"), default=1)
    order_no = models.CharField(_("order number"), max_length=100, blank=True)
    digest = models.BinaryField(_("digest"), max_length=32)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="facts",
        verbose_name=_("member"),
    )  # fmt: skip
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, related_name="facts",
        db_index=False, verbose_name=_("order"),
    )  # fmt: skip
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    state = models.CharField(
        _("state"), max_length=16, choices=FactState, default=FactState.APPLIED
    )
    acts_at = models.DateTimeField(_("acts at"))
    received_at = models.DateTimeField(_("received at"))
    awaits_kind = models.CharField(_("awaited identifier kind"), max_length=24, blank=True)
    awaits_hash = models.BinaryField(_("awaited identifier hash"), null=True, blank=True)
    body = models.JSONField(_("content"))

    class Meta:
        verbose_name = _("received fact")
        verbose_name_plural = _("received facts")
        constraints = [
            models.UniqueConstraint(
                fields=["ref", "source", "kind", "version"], name="fact_received_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=FactKind.values), name="fact_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=FactState.values), name="fact_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["order_no", "source"], condition=~Q(order_no=""), name="fact_of_order"
            ),
            models.Index(
                fields=["awaits_hash", "awaits_kind"],
                condition=Q(state="awaiting_member"),
                name="fact_awaiting",
            ),
            models.Index(
                fields=["received_at"],
                condition=Q(state__in=["awaiting_member", "parked"]),
                name="fact_waiting_since",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}/{self.kind}/{self.ref}/{self.version}"
