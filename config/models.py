"""Models of the site itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProgrammeClock(models.Model):
    """One row: the instant up to which a programme under the `due` clock has been run."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("programme clock")
        verbose_name_plural = _("programme clock")
        constraints = [
            models.CheckConstraint(name="config_programmeclock_one_row", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return self.at.isoformat()
