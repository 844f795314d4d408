"""Figures that are kept: metrics by day for trends, and what finance says a point costs."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class MetricValue(models.Model):
    """What one metric was at the end of one day: a cache for trends, read again from the data.

    The last days are measured again each day, because facts may come late.
    """

    metric = models.CharField(_("metric"), max_length=40)
    day = models.DateField(_("day"))
    numerator = models.DecimalField(_("numerator"), max_digits=24, decimal_places=4)
    denominator = models.DecimalField(
        _("denominator"), max_digits=24, decimal_places=4, null=True, blank=True
    )
    measured_at = models.DateTimeField(_("measured at"))

    class Meta:
        verbose_name = _("measured figure")
        verbose_name_plural = _("measured figures")
        constraints = [
            models.UniqueConstraint(fields=["metric", "day"], name="metric_value_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.day}"


class UnitCost(models.Model):
    """What finance reckons one outstanding point to cost, from a day on; never edited.

    Where there is none yet, the amount counts that points are worth when paid with.
    """

    effective_on = models.DateField(_("effective on"), unique=True)
    amount = models.DecimalField(_("cost of one point"), max_digits=12, decimal_places=6)
    reason = models.CharField(_("reason"), max_length=200)
    set_by = models.CharField(_("set by"), max_length=64)
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        verbose_name = _("unit cost of points")
        verbose_name_plural = _("unit costs of points")
        ordering = ["-effective_on"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="unit_cost_not_negative"),
            models.CheckConstraint(condition=~Q(reason=""), name="unit_cost_is_explained"),
        ]

    def __str__(self) -> str:
        return f"{self.effective_on}: {self.amount}"
