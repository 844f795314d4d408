"""How soon cases are answered and solved, by service level, and when the desk is there."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models.case import CaseKind, CasePriority


class ServicePolicy(models.Model):
    """What a kind of case is promised from a service level on; the highest that fits counts.

    The service level of a member is the rank of the tier.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=CaseKind)
    service_level = models.PositiveSmallIntegerField(_("from service level"), default=0)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=CasePriority)
    first_response_minutes = models.PositiveIntegerField(
        _("answer within (business minutes)"), null=True, blank=True
    )
    resolve_minutes = models.PositiveIntegerField(
        _("solution within (business minutes)"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("service policy")
        verbose_name_plural = _("service policies")
        ordering = ["kind", "service_level"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "service_level"], name="service_policy_unique"),
            models.CheckConstraint(
                condition=Q(priority__in=CasePriority.values), name="service_policy_priority"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ≥ {self.service_level}"


class Weekday(models.IntegerChoices):
    """Days of the week, as ISO counts them."""

    MONDAY = 1, _("Monday")
    TUESDAY = 2, _("Tuesday")
    WEDNESDAY = 3, _("Wednesday")
    THURSDAY = 4, _("Thursday")
    FRIDAY = 5, _("Friday")
    SATURDAY = 6, _("Saturday")
    SUNDAY = 7, _("Sunday")


class ServiceHours(models.Model):
    """When the desk is there on a day of the week; a day without a row is closed."""

    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday, unique=True)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"))

    class Meta:
        verbose_name = _("service hours")
        verbose_name_plural = _("service hours")
        ordering = ["weekday"]
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__in=Weekday.values), name="service_hours_weekday"
            ),
            models.CheckConstraint(condition=Q(opens__lt=F("closes")), name="service_hours_order"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class SpecialDay(models.Model):
    """A day unlike its weekday: a holiday (no hours), or one that is worked to make up for one."""

    on = models.DateField(_("day"), unique=True)
    name = models.CharField(_("name"), max_length=60, blank=True)
    opens = models.TimeField(_("opens"), null=True, blank=True)
    closes = models.TimeField(_("closes"), null=True, blank=True)

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ["-on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens__isnull=True, closes__isnull=True) | Q(opens__lt=F("closes")),
                name="special_day_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on:%Y-%m-%d} {self.name}".strip()
