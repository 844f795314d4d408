"""Goals: which figure has to move from where to where, by when, and who answers for it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Goal(models.Model):
    """One SMART goal. Units: baseline and target as people write them, shares in per cent.

    Its status is computed from the figure when it is looked at, never stored.
    """

    name = models.CharField(_("name"), max_length=80)
    metric = models.CharField(_("metric"), max_length=40)
    baseline = models.DecimalField(_("baseline"), max_digits=20, decimal_places=4)
    target = models.DecimalField(_("target"), max_digits=20, decimal_places=4)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="goals", verbose_name=_("owner")
    )
    created_by = models.CharField(_("created by"), max_length=64)
    created_at = models.DateTimeField(_("created at"))
    closed_at = models.DateTimeField(_("given up at"), null=True, blank=True)

    class Meta:
        verbose_name = _("goal")
        verbose_name_plural = _("goals")
        ordering = ["ends_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="goal_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(target=F("baseline")), name="goal_moves_something"),
        ]

    def __str__(self) -> str:
        return self.name
