"""What the service desk has given to make good a failure (安抚补偿)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Goodwill(models.Model):
    """One goodwill: points or a coupon, by whom, for which case, and whether it was taken back."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", verbose_name=_("member")
    )
    points = models.PositiveBigIntegerField(_("points"), null=True, blank=True)
    coupon = models.OneToOneField(
        "rewards.Coupon", models.PROTECT, null=True, blank=True, related_name="goodwill",
        verbose_name=_("coupon"),
    )  # fmt: skip
    case = models.ForeignKey(
        "members.Case", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("case"),
    )  # fmt: skip
    given_by = models.CharField(_("given by"), max_length=80)
    given_at = models.DateTimeField(_("given at"))
    undone_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("goodwill")
        verbose_name_plural = _("goodwill")
        permissions = [("give_goodwill", _("Can give goodwill points and coupons"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(points__isnull=True) | Q(coupon__isnull=True),
                name="goodwill_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(points__isnull=False) | Q(coupon__isnull=False),
                name="goodwill_something",
            ),
        ]
        indexes = [models.Index(fields=["given_by", "given_at"], name="goodwill_by_day")]

    def __str__(self) -> str:
        return f"{self.given_by} {self.given_at:%Y-%m-%d}"
