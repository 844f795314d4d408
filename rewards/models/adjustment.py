"""How much of what a touchpoint or a member of staff may adjust alone is used up."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AdjustmentBudget(models.Model):
    """Points that a touchpoint has moved by hand in a local day, or for one member in a month.

    Given and taken points count alike. `period` is the day, YYYY-MM-DD, where no member is named,
    else the month, YYYY-MM.
    """

    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, verbose_name=_("touchpoint")
    )
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, verbose_name=_("member")
    )
    period = models.CharField(_("period"), max_length=10)
    points = models.PositiveBigIntegerField(_("points"))

    class Meta:
        verbose_name = _("used adjustment budget")
        verbose_name_plural = _("used adjustment budgets")
        constraints = [
            models.UniqueConstraint(
                fields=["touchpoint", "period", "member"],
                name="adjustment_budget_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(points__gt=0), name="adjustment_budget_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.period}: {self.points}"


class StaffBudget(models.Model):
    """Points that a member of staff has moved or asked for in a day, or for a member in a month.

    What waits for approval counts, and what was approved; what was refused or withdrawn does not.
    `period` is as with `AdjustmentBudget`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("staff"))
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, verbose_name=_("member")
    )
    period = models.CharField(_("period"), max_length=10)
    points = models.PositiveBigIntegerField(_("points"))

    class Meta:
        verbose_name = _("used budget of staff")
        verbose_name_plural = _("used budgets of staff")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "period", "member"],
                name="staff_budget_unique",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.period}: {self.points}"
