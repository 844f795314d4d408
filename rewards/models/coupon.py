"""Coupons: what they are worth, the codes, and where each was used (优惠券)."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CouponKind(models.TextChoices):
    """What a coupon takes off."""

    AMOUNT = "amount", _("Amount off")
    PERCENT = "percent", _("Percent off")
    FREE_ITEM = "free_item", _("Free item")
    FREE_SHIPPING = "free_shipping", _("Free shipping")


class CouponStacking(models.TextChoices):
    """What a coupon does beside others on one order."""

    ALONE = "alone", _("No other coupon beside it")
    OTHERS = "others", _("Other templates may stand beside it")
    ANY = "any", _("Any other may stand beside it")


class CouponTemplate(models.Model):
    """The definition of a coupon (券模板); its terms are frozen once a coupon has been issued.

    `conditions` speak of the order and the member, `line_conditions` of the lines it is for.
    Units: money in the programme's currency.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)
    terms_zh = models.TextField(_("Chinese terms"), blank=True)
    terms_en = models.TextField(_("English terms"), blank=True)
    kind = models.CharField(_("kind"), max_length=16, choices=CouponKind)
    amount = models.DecimalField(
        _("amount"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    percent = models.DecimalField(
        _("percent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    max_discount = models.DecimalField(
        _("at most"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    free_sku = models.CharField(_("free SKU"), max_length=64, blank=True)
    min_spend = models.DecimalField(_("minimum spend"), max_digits=12, decimal_places=2, default=0)
    conditions = models.JSONField(_("conditions"), null=True, blank=True)
    line_conditions = models.JSONField(_("line conditions"), null=True, blank=True)
    is_first_order_only = models.BooleanField(_("first order only"), default=False)
    stacking = models.CharField(
        _("combination"), max_length=8, choices=CouponStacking, default=CouponStacking.ALONE
    )
    is_bearer = models.BooleanField(
        _("for whoever has the code"), default=False,
        help_text=_("Otherwise only the member it was issued to can use it."),
    )  # fmt: skip
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    expires_after_days = models.PositiveIntegerField(
        _("days valid after issue"), null=True, blank=True
    )
    uses_per_code = models.PositiveIntegerField(_("uses per code"), default=1)
    uses_per_member = models.PositiveIntegerField(_("uses per member"), null=True, blank=True)
    max_issued = models.PositiveIntegerField(_("at most issued"), null=True, blank=True)
    issued = models.PositiveIntegerField(_("issued"), default=0)
    is_claimable = models.BooleanField(_("members may claim it"), default=False)
    claims_per_member = models.PositiveIntegerField(_("claims per member"), default=1)
    is_goodwill = models.BooleanField(
        _("for goodwill"), default=False,
        help_text=_("The service desk may give it to make good a failure."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("coupon template")
        verbose_name_plural = _("coupon templates")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="amount", amount__isnull=False, amount__gt=0)
                | Q(kind="percent", percent__isnull=False, percent__gt=0, percent__lte=100)
                | (Q(kind="free_item") & ~Q(free_sku=""))
                | Q(kind="free_shipping"),
                name="coupon_template_says_what",
            ),
            models.CheckConstraint(
                condition=Q(max_issued__isnull=True) | Q(issued__lte=F("max_issued")),
                name="coupon_template_issued_within_limit",
            ),
            models.CheckConstraint(
                condition=Q(min_spend__gte=0) & Q(uses_per_code__gt=0),
                name="coupon_template_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh


class CouponBatch(models.Model):
    """Codes made or loaded together."""

    template = models.ForeignKey(
        CouponTemplate, models.PROTECT, related_name="batches", verbose_name=_("coupon template")
    )
    name = models.CharField(_("name"), max_length=80)
    is_imported = models.BooleanField(_("loaded from a file"), default=False)
    count = models.PositiveIntegerField(_("codes"), default=0)
    skipped = models.PositiveIntegerField(_("codes known before"), default=0)
    created_by = models.CharField(_("created by"), max_length=80)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("coupon batch")
        verbose_name_plural = _("coupon batches")

    def __str__(self) -> str:
        return self.name


class CouponStatus(models.TextChoices):
    """Where a coupon stands at an instant; time alone changes it without writing anything."""

    POOLED = "pooled", _("In the pool")
    ISSUED = "issued", pgettext_lazy("coupon", "Issued")
    HELD = "held", pgettext_lazy("coupon", "Held")
    REDEEMED = "redeemed", pgettext_lazy("coupon", "Redeemed")
    EXPIRED = "expired", pgettext_lazy("coupon", "Expired")
    REVOKED = "revoked", pgettext_lazy("coupon", "Revoked")


class CouponQuerySet(models.QuerySet["Coupon"]):
    """What is asked of coupons."""

    def given_out(self) -> "CouponQuerySet":
        """Return coupons that somebody has, or may have; codes in a pool are nobody's yet."""
        return self.filter(issued_at__isnull=False)

    def live(self, at: datetime) -> "CouponQuerySet":
        """Return coupons that can be used at an instant, or could if they were not held."""
        begun = Q(valid_from=None) | Q(valid_from__lte=at)
        goes_on = Q(expires_at=None) | Q(expires_at__gt=at)
        return self.given_out().filter(begun, goes_on, revoked_at=None, used__lt=F("max_uses"))


class Coupon(models.Model):
    """One code: issued to a member, lying in a pool, or for whoever has it.

    Issued → held (in a reservation) → redeemed → (given back), expired, revoked: what is stored are
    the counters and instants that say which, so that time alone needs to write nothing. `code` is
    stored without spaces, in capitals, look-alikes folded.
    """

    public_id = models.UUIDField(_("coupon id"), unique=True)
    template = models.ForeignKey(
        CouponTemplate, models.PROTECT, related_name="coupons", verbose_name=_("coupon template")
    )
    batch = models.ForeignKey(
        CouponBatch, models.PROTECT, null=True, blank=True, related_name="coupons",
        verbose_name=_("coupon batch"),
    )  # fmt: skip
    code = models.CharField(_("code"), max_length=40, unique=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="coupons",
        db_index=False, verbose_name=_("member"),
    )  # fmt: skip
    grant = models.ForeignKey(
        "rewards.Grant", models.PROTECT, null=True, blank=True, related_name="coupons",
        verbose_name=_("grant"),
    )  # fmt: skip
    redemption = models.ForeignKey(
        "rewards.Redemption", models.PROTECT, null=True, blank=True, related_name="coupons",
        verbose_name=_("redemption"),
    )  # fmt: skip
    max_uses = models.PositiveIntegerField(_("uses"), default=1)
    held = models.PositiveIntegerField(_("held"), default=0)
    used = models.PositiveIntegerField(_("used"), default=0)
    issued_at = models.DateTimeField(_("issued at"), null=True, blank=True)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoke_reason = models.CharField(_("why revoked"), max_length=40, blank=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.CheckConstraint(
                condition=Q(max_uses__gte=F("held") + F("used")), name="coupon_uses_within_limit"
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=True) | Q(issued_at__isnull=False),
                name="coupon_issued_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["member", "issued_at"],
                condition=Q(member__isnull=False),
                name="coupon_member",
            ),
            models.Index(
                fields=["template", "id"],
                condition=Q(member__isnull=True, issued_at__isnull=True, revoked_at__isnull=True),
                name="coupon_pool",
            ),
        ]

    def __str__(self) -> str:
        return f"…{self.code[-4:]}"

    def status_at(self, at: datetime) -> CouponStatus:
        """Return where the coupon stands at an instant; what is held may still be used after."""
        if self.revoked_at is not None:
            return CouponStatus.REVOKED
        if self.issued_at is None:
            return CouponStatus.POOLED
        if self.used >= self.max_uses:
            return CouponStatus.REDEEMED
        if self.used + self.held >= self.max_uses:
            return CouponStatus.HELD
        if self.expires_at is not None and self.expires_at <= at:
            return CouponStatus.EXPIRED
        return CouponStatus.ISSUED


class CouponUseStatus(models.TextChoices):
    """Where the use of a coupon stands."""

    HELD = "held", _("Held")
    REDEEMED = "redeemed", pgettext_lazy("coupon", "Redeemed")
    RETURNED = "returned", pgettext_lazy("coupon", "Given back")


class CouponUse(models.Model):
    """A coupon held for a purchase, redeemed on an order, or given back (核销)."""

    public_id = models.UUIDField(_("use id"), unique=True)
    coupon = models.ForeignKey(
        Coupon, models.PROTECT, related_name="uses", verbose_name=_("coupon")
    )
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="coupon_uses",
        db_index=False, verbose_name=_("member"),
    )  # fmt: skip
    status = models.CharField(_("status"), max_length=8, choices=CouponUseStatus)
    reservation = models.ForeignKey(
        "rewards.Reservation", models.PROTECT, null=True, blank=True, related_name="coupon_uses",
        verbose_name=_("reservation"),
    )  # fmt: skip
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, related_name="coupon_uses",
        verbose_name=_("order"),
    )  # fmt: skip
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    discount = models.DecimalField(
        _("discount"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    held_at = models.DateTimeField(_("held at"), null=True, blank=True)
    redeemed_at = models.DateTimeField(_("redeemed at"), null=True, blank=True)
    returned_at = models.DateTimeField(_("given back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("coupon use")
        verbose_name_plural = _("coupon uses")
        constraints = [
            models.UniqueConstraint(
                fields=["coupon", "order"],
                condition=Q(order__isnull=False) & ~Q(status="returned"),
                name="coupon_use_once_per_order",
            ),
            models.CheckConstraint(
                condition=Q(status="held", held_at__isnull=False, returned_at__isnull=True)
                | Q(status="redeemed", redeemed_at__isnull=False, returned_at__isnull=True)
                | Q(status="returned", returned_at__isnull=False),
                name="coupon_use_status_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["member", "coupon"],
                condition=Q(member__isnull=False) & ~Q(status="returned"),
                name="coupon_use_member",
            ),
            models.Index(fields=["coupon"], condition=Q(status="held"), name="coupon_use_held"),
            models.Index(
                fields=["reference"],
                condition=Q(order__isnull=True, status="redeemed") & ~Q(reference=""),
                name="coupon_use_reference",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coupon} {self.status}"


class CouponMisses(models.Model):
    """How many codes that lead nowhere were sent within one hour.

    By a touchpoint, or by one member through it with a token of its own.
    """

    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.CASCADE, verbose_name=_("touchpoint")
    )
    member = models.ForeignKey(
        "members.Member", models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("member"),
    )  # fmt: skip
    hour = models.DateTimeField(_("hour"))
    count = models.PositiveIntegerField(_("unknown codes"))

    class Meta:
        verbose_name = _("unknown coupon codes")
        verbose_name_plural = _("unknown coupon codes")
        constraints = [
            models.UniqueConstraint(
                fields=["touchpoint", "member", "hour"],
                nulls_distinct=False,
                name="coupon_misses_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.touchpoint} {self.count}"
