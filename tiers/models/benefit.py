"""What a tier gives besides points: benefits, members' entitlements to them, and their use."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tiers.models.ladder import Tier


class Benefit(models.Model):
    """One kind of service or right that members can have (权益)."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)
    description_zh = models.TextField(_("Chinese description"), blank=True)
    description_en = models.TextField(_("English description"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("benefit")
        verbose_name_plural = _("benefits")

    def __str__(self) -> str:
        return self.name_zh


class QuotaPeriod(models.TextChoices):
    """Over what a quota counts before it begins anew."""

    TERM = "term", _("As long as it lasts")
    MONTH = "month", _("Calendar month")
    YEAR = "year", _("Calendar year")
    MEMBERSHIP_YEAR = "membership_year", _("Membership year")


class LeavePolicy(models.TextChoices):
    """What becomes of the entitlement when the member leaves the tier."""

    END = "end", _("Ends at once")
    RUN_OUT = "run_out", _("Runs out with its period")


class TierBenefit(models.Model):
    """What a tier gives of a benefit, for members that enter it from one instant until another.

    A version of its own: members keep what they were granted when another one takes its place.
    """

    tier = models.ForeignKey(Tier, models.PROTECT, related_name="benefits", verbose_name=_("tier"))
    benefit = models.ForeignKey(
        Benefit, models.PROTECT, related_name="terms", verbose_name=_("benefit")
    )
    number = models.PositiveIntegerField(_("version"), default=1)
    effective_from = models.DateTimeField(
        _("effective from"), null=True, blank=True, help_text=_("Empty: since ever.")
    )
    effective_until = models.DateTimeField(_("effective until"), null=True, blank=True)
    quota = models.PositiveIntegerField(
        _("uses per period"), null=True, blank=True, help_text=_("Empty: without limit.")
    )
    period = models.CharField(
        _("period"), max_length=16, choices=QuotaPeriod, default=QuotaPeriod.YEAR
    )
    on_leave = models.CharField(
        _("on leaving the tier"), max_length=8, choices=LeavePolicy, default=LeavePolicy.END
    )

    class Meta:
        verbose_name = _("tier benefit")
        verbose_name_plural = _("tier benefits")
        constraints = [
            models.UniqueConstraint(
                fields=["tier", "benefit", "number"], name="tier_benefit_version_unique"
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True)
                | Q(effective_from__isnull=True)
                | Q(effective_until__gt=F("effective_from")),
                name="tier_benefit_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.benefit}"


class BenefitRollout(models.Model):
    """How far members have been given what tiers give since that was changed.

    `terms` is a digest of what is in force; a benefit that is new to a tier reaches those who hold
    the tier, slice by slice.
    """

    terms = models.CharField(_("terms in force"), max_length=64)
    last_member_id = models.BigIntegerField(_("last member"), default=0)
    begun_at = models.DateTimeField(_("begun at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("benefit roll-out")
        verbose_name_plural = _("benefit roll-outs")

    def __str__(self) -> str:
        return self.terms[:8]


class EntitlementSource(models.TextChoices):
    """Where an entitlement comes from."""

    TIER = "tier", _("Tier")
    GRANT = "grant", _("Grant")
    MEMBERSHIP = "membership", _("Paid membership")
    STAFF = "staff", _("Staff")


class Entitlement(models.Model):
    """A member's claim to a benefit, from an instant until another, with its quota.

    `source_ref` names what gave it (a grant, a paid membership); each gives a benefit once.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="entitlements", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    benefit = models.ForeignKey(
        Benefit, models.PROTECT, related_name="entitlements", verbose_name=_("benefit")
    )
    terms = models.ForeignKey(
        TierBenefit, models.PROTECT, null=True, blank=True, related_name="entitlements",
        verbose_name=_("tier benefit"),
    )  # fmt: skip
    source = models.CharField(_("from"), max_length=12, choices=EntitlementSource)
    source_ref = models.CharField(_("reference"), max_length=80, blank=True)
    quota = models.PositiveIntegerField(_("uses per period"), null=True, blank=True)
    period = models.CharField(
        _("period"), max_length=16, choices=QuotaPeriod, default=QuotaPeriod.TERM
    )
    from_at = models.DateTimeField(_("from"))
    until_at = models.DateTimeField(_("until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "benefit", "terms"],
                condition=Q(source="tier", ended_at__isnull=True),
                name="entitlement_of_tier_once",
            ),
            models.UniqueConstraint(
                fields=["member", "benefit", "source", "source_ref"],
                condition=~Q(source="tier"),
                name="entitlement_of_source_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason="")
                | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="entitlement_end_is_explained",
            ),
        ]
        indexes = [
            models.Index(
                fields=["member"], condition=Q(ended_at__isnull=True), name="entitlement_open"
            ),
            models.Index(
                fields=["until_at"],
                condition=Q(ended_at__isnull=True, until_at__isnull=False),
                name="entitlement_due",
            ),
            models.Index(
                fields=["member", "terms"],
                condition=Q(source="tier"),
                name="entitlement_member_terms",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.benefit}"


class EntitlementPeriod(models.Model):
    """How much of an entitlement's quota is held and used in one period; kept for locking.

    What it says is what the uses add up to; the constraint is the last word on the quota.
    """

    entitlement = models.ForeignKey(
        Entitlement, models.PROTECT, related_name="periods", verbose_name=_("entitlement")
    )
    starts_on = models.DateField(_("period from"))
    quota = models.PositiveIntegerField(_("quota"), null=True, blank=True)
    held = models.PositiveIntegerField(_("held"), default=0)
    used = models.PositiveIntegerField(_("used"), default=0)

    class Meta:
        verbose_name = _("entitlement period")
        verbose_name_plural = _("entitlement periods")
        constraints = [
            models.UniqueConstraint(
                fields=["entitlement", "starts_on"], name="entitlement_period_unique"
            ),
            models.CheckConstraint(
                condition=Q(quota__isnull=True) | Q(quota__gte=F("held") + F("used")),
                name="entitlement_period_within_quota",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entitlement_id}: {self.starts_on}"


class UseStatus(models.TextChoices):
    """Where the use of a benefit, or of a coupon, stands."""

    HELD = "held", _("Held")
    USED = "used", pgettext_lazy("benefit use", "Used")
    RETURNED = "returned", pgettext_lazy("benefit use", "Returned")


class EntitlementUse(models.Model):
    """Some uses of a benefit at one moment: held for a purchase, made, or given back.

    `reservation` is the public id of what holds it.
    """

    public_id = models.UUIDField(_("use id"), unique=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        verbose_name=_("member"),
    )  # fmt: skip
    period = models.ForeignKey(
        EntitlementPeriod, models.PROTECT, related_name="uses", verbose_name=_("period")
    )
    uses = models.PositiveIntegerField(_("uses"), default=1)
    status = models.CharField(_("status"), max_length=8, choices=UseStatus, default=UseStatus.USED)
    reservation = models.UUIDField(_("reservation id"), null=True, blank=True)
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    actor = models.CharField(_("actor"), max_length=80)
    used_at = models.DateTimeField(_("at"))
    closed_at = models.DateTimeField(_("given back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("benefit use")
        verbose_name_plural = _("benefit uses")
        constraints = [
            models.CheckConstraint(condition=Q(uses__gt=0), name="entitlement_use_not_zero"),
            models.CheckConstraint(
                condition=Q(status="returned", closed_at__isnull=False)
                | (~Q(status="returned") & Q(closed_at__isnull=True)),
                name="entitlement_use_returned_has_instant",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "used_at"], name="entitlement_use_member"),
            models.Index(
                fields=["reservation"],
                condition=Q(reservation__isnull=False),
                name="entitlement_use_reservation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.uses}"
