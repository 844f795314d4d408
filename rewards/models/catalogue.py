"""What points buy and gifts are made of: rewards, their stock, codes and redemptions."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.append_only import AppendOnly
from rewards.models.rule import CapPeriod


class RewardKind(models.TextChoices):
    """What a member gets."""

    GOODS = "goods", _("Goods")
    COUPON = "coupon", _("Coupon")
    SERVICE = "service", _("Service")
    EXPERIENCE = "experience", _("Experience")
    GIFT_CARD = "gift_card", _("Gift card")
    PARTNER_CODE = "partner_code", _("Partner code")
    DONATION = "donation", _("Donation")
    ENTRY_FEE = "entry_fee", _("Entry to an activity")
    PACK = "pack", _("Gift pack")


class Reward(models.Model):
    """Something that points buy, that is given as a gift, or both (积分商城礼品).

    Units: `points` for one; money in the programme's currency.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=RewardKind)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)
    description_zh = models.TextField(_("Chinese description"), blank=True)
    description_en = models.TextField(_("English description"), blank=True)
    points = models.PositiveBigIntegerField(_("points"), default=0)
    is_listed = models.BooleanField(
        _("in the catalogue"), default=True, help_text=_("Otherwise it is only given as a gift.")
    )
    valid_from = models.DateTimeField(_("available from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("available until"), null=True, blank=True)
    min_tier = models.ForeignKey(
        "tiers.Tier", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("from tier"),
    )  # fmt: skip
    conditions = models.JSONField(_("conditions"), null=True, blank=True)
    member_limit = models.PositiveIntegerField(_("at most per member"), null=True, blank=True)
    member_limit_period = models.CharField(
        _("per period"), max_length=8, choices=CapPeriod, default=CapPeriod.LIFETIME
    )
    total_limit = models.PositiveIntegerField(_("at most for all"), null=True, blank=True)
    total_limit_period = models.CharField(
        _("per period (all)"), max_length=8, choices=CapPeriod, default=CapPeriod.LIFETIME
    )
    tracks_stock = models.BooleanField(_("has a stock"), default=True)
    needs_approval = models.BooleanField(_("needs approval"), default=False)
    needs_address = models.BooleanField(_("is delivered"), default=False)
    cost = models.DecimalField(
        _("unit cost"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    market_value = models.DecimalField(
        _("market value"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    low_stock_at = models.PositiveIntegerField(_("low stock at"), null=True, blank=True)
    cover_days = models.PositiveIntegerField(_("stock should last (days)"), null=True, blank=True)
    coupon_template = models.ForeignKey(
        "rewards.CouponTemplate", models.PROTECT, null=True, blank=True, related_name="rewards",
        verbose_name=_("coupon template"),
    )  # fmt: skip
    benefit = models.ForeignKey(
        "tiers.Benefit", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("benefit"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True)
                | Q(valid_from__isnull=True)
                | Q(valid_until__gt=F("valid_from")),
                name="reward_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(coupon_template__isnull=False) | ~Q(kind="coupon"),
                name="reward_coupon_has_template",
            ),
            models.CheckConstraint(
                condition=Q(benefit__isnull=False) | ~Q(kind="service"),
                name="reward_service_has_benefit",
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh


class RewardAccess(models.Model):
    """Members of a tier, or a higher one, may have the reward from an earlier instant on."""

    reward = models.ForeignKey(
        Reward, models.CASCADE, related_name="accesses", verbose_name=_("reward")
    )
    tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="+", verbose_name=_("tier"))
    opens_at = models.DateTimeField(_("opens at"))

    class Meta:
        verbose_name = _("early access")
        verbose_name_plural = _("early access")
        constraints = [
            models.UniqueConstraint(fields=["reward", "tier"], name="reward_access_unique")
        ]

    def __str__(self) -> str:
        return f"{self.tier}"


class RewardSlot(models.Model):
    """One date of an experience or an activity, with its own seats in stock."""

    reward = models.ForeignKey(
        Reward, models.PROTECT, related_name="slots", verbose_name=_("reward")
    )
    code = models.SlugField(_("code"), max_length=40)
    place = models.CharField(_("place"), max_length=120, blank=True)
    starts_at = models.DateTimeField(_("begins at"))
    ends_at = models.DateTimeField(_("ends at"))
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        constraints = [
            models.UniqueConstraint(fields=["reward", "code"], name="reward_slot_unique"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="reward_slot_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Stock(models.Model):
    """What there is of a reward: for everybody, or kept for a tier and higher ones.

    `on_hand` is what its movements add up to, `held` what reservations have set aside of it.
    """

    reward = models.ForeignKey(
        Reward, models.PROTECT, related_name="stocks", verbose_name=_("reward")
    )
    slot = models.ForeignKey(
        RewardSlot, models.PROTECT, null=True, blank=True, related_name="stocks",
        verbose_name=_("slot"),
    )  # fmt: skip
    tier = models.ForeignKey(
        "tiers.Tier", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("kept for tier"),
    )  # fmt: skip
    on_hand = models.PositiveIntegerField(_("on hand"), default=0)
    held = models.PositiveIntegerField(_("held"), default=0)

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stocks")
        constraints = [
            models.UniqueConstraint(
                fields=["reward", "slot", "tier"], name="stock_unique", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(held__lte=F("on_hand")), name="stock_held_within_on_hand"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reward}: {self.on_hand}"


class RedemptionStatus(models.TextChoices):
    """Where a redemption or a gift stands."""

    HELD = "held", _("Held")
    REQUESTED = "requested", pgettext_lazy("redemption", "Requested")
    APPROVED = "approved", pgettext_lazy("redemption", "Approved")
    FULFILLED = "fulfilled", _("Fulfilled")
    RETURNED = "returned", pgettext_lazy("redemption", "Returned")
    CANCELLED = "cancelled", pgettext_lazy("redemption", "Cancelled")


class Redemption(models.Model):
    """A reward that a member gets: for points, or as a gift with none (积分兑换).

    `reservation` is the row that carries its points in the ledger. The address is sealed under the
    member's key, as it was when it was given.
    """

    public_id = models.UUIDField(_("redemption id"), unique=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="redemptions", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    reward = models.ForeignKey(
        Reward, models.PROTECT, related_name="redemptions", verbose_name=_("reward")
    )
    slot = models.ForeignKey(
        RewardSlot, models.PROTECT, null=True, blank=True, related_name="redemptions",
        verbose_name=_("slot"),
    )  # fmt: skip
    stock = models.ForeignKey(
        Stock, models.PROTECT, null=True, blank=True, related_name="redemptions", db_index=False,
        verbose_name=_("stock"),
    )  # fmt: skip
    reservation = models.OneToOneField(
        "rewards.Reservation", models.PROTECT, null=True, blank=True, related_name="redemption",
        verbose_name=_("reservation"),
    )  # fmt: skip
    grant = models.ForeignKey(
        "rewards.Grant", models.PROTECT, null=True, blank=True, related_name="redemptions",
        verbose_name=_("grant"),
    )  # fmt: skip
    pack = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="contents",
        verbose_name=_("part of"),
    )  # fmt: skip
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    points = models.PositiveBigIntegerField(_("points"), default=0)
    status = models.CharField(
        _("status"), max_length=10, choices=RedemptionStatus, default=RedemptionStatus.REQUESTED
    )
    sealed_address = models.BinaryField(_("sealed address"), null=True, blank=True)
    carrier = models.CharField(_("carrier"), max_length=40, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=64, blank=True)
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    actor = models.CharField(_("actor"), max_length=80)
    requested_at = models.DateTimeField(_("requested at"))
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    approved_by = models.CharField(_("approved by"), max_length=80, blank=True)
    fulfilled_at = models.DateTimeField(_("fulfilled at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("returned or cancelled at"), null=True, blank=True)
    close_reason = models.CharField(_("why"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="redemption_quantity_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["returned", "cancelled"], closed_at__isnull=False)
                | (~Q(status__in=["returned", "cancelled"]) & Q(closed_at__isnull=True)),
                name="redemption_closed_has_instant",
            ),
            models.CheckConstraint(
                condition=~Q(status="fulfilled") | Q(fulfilled_at__isnull=False),
                name="redemption_fulfilled_has_instant",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "requested_at"], name="redemption_member"),
            models.Index(
                fields=["status", "requested_at"],
                condition=Q(status__in=["requested", "approved"]),
                name="redemption_open",
            ),
            models.Index(fields=["reward", "requested_at"], name="redemption_reward"),
        ]

    def __str__(self) -> str:
        return f"{self.reward} × {self.quantity}"


class StockMovement(AppendOnly):
    """Some of a stock came or went, and why."""

    stock = models.ForeignKey(
        Stock, models.PROTECT, related_name="movements", verbose_name=_("stock")
    )
    quantity = models.IntegerField(_("quantity"))
    reason = models.CharField(_("reason"), max_length=40)
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("redemption"),
    )  # fmt: skip
    actor = models.CharField(_("actor"), max_length=80)
    at = models.DateTimeField(_("at"))

    class Meta(AppendOnly.Meta):
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0), name="stock_movement_not_zero")
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+}"


class RewardCode(models.Model):
    """One code of a gift card or a partner, bought in advance; it is given to one redemption.

    The code is sealed under the site's key; its hash finds one that was loaded before.
    """

    reward = models.ForeignKey(
        Reward, models.PROTECT, related_name="codes", verbose_name=_("reward")
    )
    batch = models.CharField(_("batch"), max_length=64)
    code_hash = models.BinaryField(_("code hash"), max_length=32)
    sealed_code = models.BinaryField(_("sealed code"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, null=True, blank=True, related_name="codes",
        verbose_name=_("redemption"),
    )  # fmt: skip
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reward code")
        verbose_name_plural = _("reward codes")
        constraints = [
            models.UniqueConstraint(fields=["code_hash", "reward"], name="reward_code_unique"),
            models.CheckConstraint(
                condition=Q(redemption__isnull=True, given_at__isnull=True)
                | Q(redemption__isnull=False, given_at__isnull=False),
                name="reward_code_given_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["reward", "id"],
                condition=Q(redemption__isnull=True),
                name="reward_code_free",
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch}"
