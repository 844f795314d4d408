"""Points or coupons given to the members of a list."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BulkGift(models.TextChoices):
    """What every member of the list is given."""

    POINTS = "points", _("Points")
    COUPON = "coupon", _("A coupon")


class BulkState(models.TextChoices):
    """How far a bulk grant has come; whether it was refused is said by its approval."""

    PREPARED = "prepared", _("Prepared")
    REQUESTED = "requested", pgettext_lazy("bulk grant", "Waits for approval")
    GIVING = "giving", _("Being given")
    DONE = "done", _("Done")


class BulkGrant(models.Model):
    """One list of members with what they are given and why; frozen once approval is asked for.

    `report` says what of the list was left out: counts by code, and the numbers of its lines.
    Units: points per member unless a line says otherwise; cost in the programme's currency.
    """

    gift = models.CharField(_("what is given"), max_length=8, choices=BulkGift)
    points = models.PositiveBigIntegerField(_("points each"), null=True, blank=True)
    coupon_template = models.ForeignKey(
        "rewards.CouponTemplate", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("coupon template"),
    )  # fmt: skip
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(
        _("state"), max_length=9, choices=BulkState, default=BulkState.PREPARED
    )
    members = models.PositiveIntegerField(_("members"), default=0)
    total_points = models.PositiveBigIntegerField(_("points in all"), default=0)
    cost = models.DecimalField(
        _("cost at most"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    report = models.JSONField(_("report"), default=dict)
    approval = models.OneToOneField(
        "members.Approval", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("approval"),
    )  # fmt: skip
    created_by = models.CharField(_("prepared by"), max_length=80)
    created_at = models.DateTimeField(_("prepared at"))
    heartbeat_at = models.DateTimeField(_("last progress"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("bulk grant")
        verbose_name_plural = _("bulk grants")
        permissions = [("approve_bulkgrant", _("Can approve bulk grants"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(gift="points", coupon_template__isnull=True)
                | Q(gift="coupon", coupon_template__isnull=False, points__isnull=True),
                name="bulk_grant_says_what",
            ),
            models.CheckConstraint(
                condition=Q(state="prepared") | Q(approval__isnull=False),
                name="bulk_grant_is_approved",
            ),
        ]
        indexes = [
            models.Index(
                fields=["heartbeat_at"], condition=Q(state="giving"), name="bulk_grant_at_work"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.reason[:60]}"


class BulkLineState(models.TextChoices):
    """What has become of one member of a list."""

    WAITING = "waiting", pgettext_lazy("bulk grant", "Waiting")
    GIVEN = "given", pgettext_lazy("bulk grant", "Given")
    FAILED = "failed", _("Failed")


class BulkGrantLine(models.Model):
    """One member of a list, given to once; `code` says why nothing could be given."""

    bulk = models.ForeignKey(
        BulkGrant, models.CASCADE, related_name="lines", verbose_name=_("bulk grant")
    )
    member = models.ForeignKey("members.Member", models.PROTECT, verbose_name=_("member"))
    points = models.PositiveBigIntegerField(_("points"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=8, choices=BulkLineState, default=BulkLineState.WAITING
    )
    code = models.CharField(_("why not"), max_length=40, blank=True)
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)

    class Meta:
        verbose_name = _("member of a bulk grant")
        verbose_name_plural = _("members of bulk grants")
        constraints = [
            models.UniqueConstraint(fields=["bulk", "member"], name="bulk_grant_member_once"),
            models.CheckConstraint(
                condition=Q(points__isnull=True) | Q(points__gt=0), name="bulk_line_gives_points"
            ),
            models.CheckConstraint(
                condition=Q(state="given", given_at__isnull=False)
                | (~Q(state="given") & Q(given_at__isnull=True)),
                name="bulk_line_given_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bulk", "id"], condition=Q(state="waiting"), name="bulk_line_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.bulk_id}: {self.member_id}"
