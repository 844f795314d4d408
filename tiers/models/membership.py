"""Paid membership: a tier bought for a period (付费会员)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tiers.models.ladder import StandingOverride, Tier


class MembershipPlan(models.Model):
    """What can be bought: a tier for some months at a price."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="plans", verbose_name=_("tier"))
    months = models.PositiveSmallIntegerField(_("months"), default=12)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)
    remind_days = models.PositiveSmallIntegerField(_("reminder before the end (days)"), default=7)
    refund_days = models.PositiveSmallIntegerField(_("full refund within (days)"), default=7)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("membership plan")
        verbose_name_plural = _("membership plans")
        constraints = [
            models.CheckConstraint(
                condition=Q(months__gt=0) & Q(price__gte=0), name="membership_plan_positive"
            )
        ]

    def __str__(self) -> str:
        return self.name_zh


class MembershipStatus(models.TextChoices):
    """How a paid membership stands; a cancelled one runs to its end and is not renewed."""

    ACTIVE = "active", pgettext_lazy("membership", "Active")
    CANCELLED = "cancelled", pgettext_lazy("membership", "Not renewed")
    REFUNDED = "refunded", pgettext_lazy("membership", "Refunded")
    ENDED = "ended", pgettext_lazy("membership", "Ended")


class PaidMembership(models.Model):
    """One purchase of a plan by one member; a renewal is a row that begins where this one ends."""

    public_id = models.UUIDField(_("membership id"), unique=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="paid_memberships",
        verbose_name=_("member"),
    )  # fmt: skip
    plan = models.ForeignKey(
        MembershipPlan, models.PROTECT, related_name="memberships", verbose_name=_("plan")
    )
    override = models.OneToOneField(
        StandingOverride, models.PROTECT, null=True, blank=True, related_name="membership",
        verbose_name=_("tier override"),
    )  # fmt: skip
    renews = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="renewed_by",
        verbose_name=_("renews"),
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=10, choices=MembershipStatus, default=MembershipStatus.ACTIVE
    )
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    purchase_ref = models.CharField(_("purchase reference"), max_length=128)
    from_at = models.DateTimeField(_("from"))
    until_at = models.DateTimeField(_("until"))
    bought_at = models.DateTimeField(_("bought at"))
    reminded_at = models.DateTimeField(_("reminded at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("paid membership")
        verbose_name_plural = _("paid memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["purchase_ref", "touchpoint"],
                name="paid_membership_purchase_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(until_at__gt=F("from_at")), name="paid_membership_ends_after_start"
            ),
        ]
        indexes = [
            models.Index(
                fields=["until_at"],
                condition=Q(status__in=["active", "cancelled"]),
                name="paid_membership_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan}"
