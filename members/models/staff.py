"""What staff may decide alone, and what needs a second person."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class StaffAuthority(models.Model):
    """The limits within which one member of staff puts things right alone."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="authority", verbose_name=_("staff")
    )
    org_unit = models.ForeignKey(
        "members.OrgUnit", models.PROTECT, null=True, blank=True,
        verbose_name=_("organisation unit"),
    )  # fmt: skip
    adjustment_limit_points = models.PositiveBigIntegerField(
        _("adjustment limit (points per call)"), default=500
    )
    goodwill_coupons_per_day = models.PositiveSmallIntegerField(
        _("goodwill coupons per day"), default=3
    )

    class Meta:
        verbose_name = _("staff authority")
        verbose_name_plural = _("staff authorities")

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
                condition=Q(state="requested") | ~Q(decided_by=F("requested_by")),
                name="approval_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_at__isnull=True)
                | (~Q(state="requested") & Q(decided_at__isnull=False)),
                name="approval_decided_when_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.kind
