"""What staff may decide alone, and what needs a second person."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AdjustmentLimits(models.Model):
    """How many points may be moved by hand without a second person; empty: not set here."""

    adjustment_limit_points = models.PositiveBigIntegerField(
        _("adjustment limit (points per call)"), null=True, blank=True
    )
    adjustment_daily_limit_points = models.PositiveBigIntegerField(
        _("adjustment limit (points per day)"), null=True, blank=True
    )
    adjustment_member_month_limit_points = models.PositiveBigIntegerField(
        _("adjustment limit (points per member and month)"), null=True, blank=True
    )

    class Meta:
        abstract = True


class RoleAuthority(AdjustmentLimits):
    """The limits of everybody in a group who has none of their own."""

    group = models.OneToOneField(
        "auth.Group", models.CASCADE, related_name="authority", verbose_name=_("role")
    )

    class Meta:
        verbose_name = _("authority of a role")
        verbose_name_plural = _("authorities of roles")

    def __str__(self) -> str:
        return str(self.group)


class StaffAuthority(AdjustmentLimits):
    """Who a member of staff is: where they work, as whom they buy, how far they decide alone.

    A limit that is set here counts instead of those of the person's roles.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="authority", verbose_name=_("staff")
    )
    org_unit = models.ForeignKey(
        "members.OrgUnit", models.PROTECT, null=True, blank=True,
        verbose_name=_("organisation unit"),
        help_text=_("Only members and orders of its stores are shown; empty: all of them."),
    )  # fmt: skip
    member = models.OneToOneField(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="staff",
        verbose_name=_("own member account"),
    )  # fmt: skip
    staff_no = models.CharField(
        _("staff number"), max_length=64, blank=True, default="", db_default="",
        help_text=_("As tills report it; the user name counts as well."),
    )  # fmt: skip
    goodwill_coupons_per_day = models.PositiveSmallIntegerField(
        _("goodwill coupons per day"), default=3
    )

    class Meta:
        verbose_name = _("staff authority")
        verbose_name_plural = _("staff authorities")
        permissions = [("view_league_table", _("Can view who enrolled how many members"))]
        constraints = [
            models.UniqueConstraint(
                fields=["staff_no"], condition=~Q(staff_no=""), name="staff_no_unique"
            )
        ]

    def __str__(self) -> str:
        return str(self.user)


class RevealCount(models.Model):
    """How often one member of staff has looked at personal data on a local day."""

    actor = models.CharField(_("actor"), max_length=80)
    day = models.DateField(_("day"))
    count = models.PositiveIntegerField(_("times"))

    class Meta:
        verbose_name = _("reveals of a day")
        verbose_name_plural = _("reveals of a day")
        constraints = [models.UniqueConstraint(fields=["actor", "day"], name="reveal_count_unique")]

    def __str__(self) -> str:
        return f"{self.actor} {self.day}: {self.count}"


class ApprovalState(models.TextChoices):
    """Where a request stands."""

    REQUESTED = "requested", _("Requested")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("request", "Withdrawn")


class Approval(models.Model):
    """A request that takes effect when a second person agrees."""

    kind = models.CharField(_("kind"), max_length=40)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, verbose_name=_("member")
    )
    payload = models.JSONField(_("payload"))
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(
        _("state"), max_length=10, choices=ApprovalState, default=ApprovalState.REQUESTED
    )
    requested_by = models.CharField(_("requested by"), max_length=80)
    requested_at = models.DateTimeField(_("requested at"))
    decided_by = models.CharField(_("decided by"), max_length=64, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["requested", "withdrawn"])
                | ~Q(decided_by=F("requested_by")),
                name="approval_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_at__isnull=True)
                | (~Q(state="requested") & Q(decided_at__isnull=False)),
                name="approval_decided_when_closed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["requested_at"], condition=Q(state="requested"), name="approval_waiting"
            )
        ]

    def __str__(self) -> str:
        return self.kind
