"""Cash that is owed to members (现金奖励)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PayoutState(models.TextChoices):
    """Where a payout stands; `paid` is what somebody has noted with the bank's reference."""

    REQUESTED = "requested", pgettext_lazy("payout", "Waits for approval")
    APPROVED = "approved", pgettext_lazy("payout", "To be paid")
    PAID = "paid", pgettext_lazy("payout", "Paid")
    REFUSED = "refused", pgettext_lazy("payout", "Refused")


class Payout(models.Model):
    """Cash owed to a referrer: approved by one person, paid by another, never points.

    `note` is why it was refused, sealed under the member's key.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="payouts", verbose_name=_("member")
    )
    referral = models.OneToOneField(
        "campaigns.Referral", models.PROTECT, related_name="payout", verbose_name=_("referral")
    )
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(
        _("state"), max_length=9, choices=PayoutState, default=PayoutState.REQUESTED
    )
    requested_at = models.DateTimeField(_("requested at"))
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    paid_by = models.CharField(_("paid by"), max_length=80, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    reference = models.CharField(_("payment reference"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        permissions = [
            ("approve_payout", _("Can approve and refuse payouts")),
            ("pay_payout", _("Can take approved payouts out and note that they are paid")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_amount_positive"),
            models.CheckConstraint(
                condition=Q(state="requested", decided_at__isnull=True, paid_at__isnull=True)
                | Q(state__in=["approved", "refused"], decided_at__isnull=False,
                    paid_at__isnull=True)
                | Q(state="paid", decided_at__isnull=False, paid_at__isnull=False),
                name="payout_state_dated",
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | (~Q(reference="") & ~Q(paid_by=F("decided_by"))),
                name="payout_paid_by_another",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["state", "requested_at"], name="payout_queue")]

    def __str__(self) -> str:
        return f"#{self.pk}"
