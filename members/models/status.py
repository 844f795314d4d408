"""What has changed about a member over time, where the instant of the change matters later."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.fields.ranges import DateTimeRangeField, RangeBoundary
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _


class Suspension(models.Model):
    """A member was frozen from an instant until another (open: still is), and why."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="suspensions", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    from_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=32)

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("from_at")),
                name="suspension_ends_after_start",
            ),
            # Two open suspensions overlap too.
            ExclusionConstraint(
                name="suspension_no_overlap",
                expressions=[
                    (F("member"), RangeOperators.EQUAL),
                    (
                        Func(
                            F("from_at"),
                            F("ended_at"),
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [models.Index(fields=["member", "from_at"], name="suspension_member_from")]

    def __str__(self) -> str:
        return f"{self.from_at:%Y-%m-%d} – {self.ended_at or '…'}"


class AttributeChange(models.Model):
    """An attribute of a member was given a value, or lost it (null), at an instant.

    The profile holds what is now; this says what was then, so that a late fact and a recompute
    see what the fact saw. Erasure deletes these rows.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="attribute_changes", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    name = models.TextField(_("attribute"))
    value = models.JSONField(_("value"), null=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("attribute change")
        verbose_name_plural = _("attribute changes")
        indexes = [models.Index(fields=["member", "at"], name="attribute_change_member_at")]

    def __str__(self) -> str:
        return self.name
