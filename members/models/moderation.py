"""What members have published, and whether it may stay."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ModerationState(models.TextChoices):
    """What a moderator has said."""

    PENDING = "pending", _("Waiting")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    REMOVED = "removed", _("Removed")


class Moderation(models.Model):
    """One review or photo that earns once it is approved.

    An approval and a removal are facts of their own; `number` counts the approvals, `approval` is
    the fact of the newest.
    """

    fact = models.OneToOneField(
        "members.ReceivedFact", models.PROTECT, primary_key=True, related_name="moderation",
        verbose_name=_("fact"),
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="moderations", verbose_name=_("member")
    )
    state = models.CharField(
        _("state"), max_length=8, choices=ModerationState, default=ModerationState.PENDING
    )
    order_source = models.CharField(_("source"), max_length=64, blank=True)
    order_no = models.CharField(_("order number"), max_length=100, blank=True)
    line_no = models.PositiveIntegerField(_("line"), null=True, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    number = models.PositiveIntegerField(_("times approved"), default=0, db_default=0)
    approval = models.ForeignKey(
        "members.ReceivedFact", models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("approval"),
    )  # fmt: skip
    reason = models.CharField(_("reason"), max_length=32, blank=True, db_default="")
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True, db_default="")
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("moderation")
        verbose_name_plural = _("moderations")
        permissions = [("moderate", _("Can approve, reject and remove reviews"))]
        indexes = [
            models.Index(fields=["state", "occurred_at"], name="moderation_queue"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ModerationState.values), name="moderation_state_known"
            ),
            models.CheckConstraint(
                condition=(Q(state="pending") & Q(decided_at__isnull=True))
                | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="moderation_decided_at",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(approval__isnull=False),
                name="moderation_approval_given",
            ),
            models.UniqueConstraint(
                fields=["order_no", "order_source", "line_no"],
                condition=Q(state="approved", line_no__isnull=False),
                name="moderation_one_per_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fact_id} {self.state}"
