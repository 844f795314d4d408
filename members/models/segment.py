"""Segments as data: who was in which one, from when until when.

What a segment means is decided above (its conditions, a campaign's audience); here stand the
results, so that rules and tills read them without asking anybody.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class SegmentKind(models.TextChoices):
    """How the members of a segment come about."""

    DYNAMIC = "dynamic", _("Follows its conditions")
    FROZEN = "frozen", _("Kept as it was counted")
    CAMPAIGN = "campaign", _("Audience of a campaign")


class Segment(models.Model):
    """A set of members. `conditions` is the condition language over the member's fields.

    An audience that a campaign has published has no conditions of its own.
    """

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    kind = models.CharField(
        _("kind"), max_length=8, choices=SegmentKind, default=SegmentKind.DYNAMIC
    )
    conditions = models.JSONField(_("conditions"), null=True, blank=True)
    alert_percent = models.PositiveSmallIntegerField(
        _("alert when the size moves by (per cent a day)"), null=True, blank=True
    )
    size = models.PositiveBigIntegerField(_("members"), null=True, blank=True)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="campaign", conditions__isnull=True)
                | (~Q(kind="campaign") & Q(conditions__isnull=False)),
                name="segment_has_conditions",
            )
        ]

    def __str__(self) -> str:
        return self.name_zh


class SegmentMembership(models.Model):
    """One member was in a segment from an instant until another; open while it lasts."""

    segment = models.ForeignKey(
        Segment, models.PROTECT, related_name="memberships", verbose_name=_("segment"),
        db_index=False,
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="segment_memberships", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    from_at = models.DateTimeField(_("since"))
    to_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("segment membership")
        verbose_name_plural = _("segment memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "member"], condition=Q(to_at__isnull=True),
                name="segment_membership_open_once",
            ),
            models.CheckConstraint(
                condition=Q(to_at__isnull=True) | Q(to_at__gte=F("from_at")),
                name="segment_membership_ends_after_start",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["member", "segment", "from_at"], name="segment_of_member")]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.member_id}"


class SegmentDay(models.Model):
    """How large a segment was at the end of a local day, and what moved on that day."""

    segment = models.ForeignKey(
        Segment, models.PROTECT, related_name="days", verbose_name=_("segment")
    )
    on = models.DateField(_("day"))
    size = models.PositiveBigIntegerField(_("members"))
    entries = models.PositiveBigIntegerField(_("entered"))
    exits = models.PositiveBigIntegerField(_("left"))

    class Meta:
        verbose_name = _("size of a segment")
        verbose_name_plural = _("sizes of segments")
        ordering = ["segment", "-on"]
        constraints = [models.UniqueConstraint(fields=["segment", "on"], name="segment_day_unique")]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.on}"
