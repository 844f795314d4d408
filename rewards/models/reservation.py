"""What is held for a purchase: points, and with them coupons, rewards and benefits."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ReservationStatus(models.TextChoices):
    """Where a reservation stands."""

    HELD = "held", _("Held")
    CAPTURED = "captured", _("Captured")
    RELEASED = "released", _("Released")
    LAPSED = "lapsed", _("Lapsed")


class Reservation(models.Model):
    """Points set aside until they are captured, released, or the time is over.

    With it stand or fall the coupon uses, benefit uses and redemptions that name it. The points of
    each reward are a row of their own below `parent`, so that a tender is never mixed with a price.
    """

    public_id = models.UUIDField(_("reservation id"), unique=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="reservations", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    account = models.ForeignKey(
        "rewards.PointsAccount", models.PROTECT, related_name="reservations",
        verbose_name=_("account"),
    )  # fmt: skip
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="parts",
        verbose_name=_("part of"),
    )  # fmt: skip
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, related_name="reservations",
        verbose_name=_("order"),
    )  # fmt: skip
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=8, choices=ReservationStatus, default=ReservationStatus.HELD
    )
    points = models.BigIntegerField(_("points"))
    captured_points = models.BigIntegerField(_("captured"), default=0)
    given_back_points = models.BigIntegerField(_("given back"), default=0)
    held_at = models.DateTimeField(_("held at"))
    expires_at = models.DateTimeField(_("expires at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gte=0)
                & Q(captured_points__gte=0)
                & Q(captured_points__lte=F("points"))
                & Q(given_back_points__gte=0)
                & Q(given_back_points__lte=F("captured_points")),
                name="reservation_points_within_held",
            ),
            models.CheckConstraint(
                condition=Q(status="held", closed_at__isnull=True)
                | (~Q(status="held") & Q(closed_at__isnull=False)),
                name="reservation_closed_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["member", "expires_at"],
                condition=Q(status="held"),
                name="reservation_held",
            )
        ]

    def __str__(self) -> str:
        return f"{self.points} {self.status}"

    def lapsed_by(self, at: datetime) -> bool:
        """Say whether its time was over by then, whether or not that is settled yet."""
        is_over = self.status == ReservationStatus.HELD and self.expires_at <= at
        return is_over or self.status == ReservationStatus.LAPSED
