"""Gifts that follow by themselves from an order, a tier, or the calendar."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rewards.models.catalogue import Reward
from rewards.models.coupon import CouponTemplate
from rewards.models.rule import RuleState


class GrantTrigger(models.TextChoices):
    """What a gift follows from."""

    ORDER = "order", _("Order")
    TIER_ENTERED = "tier_entered", _("Entering a tier")
    BIRTHDAY = "birthday", _("Birthday")
    TENURE = "tenure", _("Years of membership")


class GrantRepeat(models.TextChoices):
    """How often one member can be given the same gift."""

    ONCE = "once", _("Once")
    CYCLE = "cycle", _("Once per qualification cycle")
    YEAR = "year", _("Once a year")
    EACH = "each", _("Each time")


class StepMode(models.TextChoices):
    """Which steps of a stepped gift are given."""

    HIGHEST = "highest", _("The highest one reached")
    ALL = "all", _("All that are reached")


class StepWindow(models.TextChoices):
    """Over which purchases a step counts."""

    ORDER = "order", _("One order")
    MONTH = "month", _("Calendar month")
    YEAR = "year", _("Calendar year")
    LIFETIME = "lifetime", _("Ever")


class StepMetric(models.TextChoices):
    """What a step counts."""

    SPEND = "spend", _("Net spend")
    ORDERS = "orders", _("Number of orders")


class GrantRule(models.Model):
    """A gift that members get when something is true; what it says is in its versions."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)

    class Meta:
        verbose_name = _("grant rule")
        verbose_name_plural = _("grant rules")

    def __str__(self) -> str:
        return self.name_zh


class GrantRuleVersion(models.Model):
    """What a grant rule says from one instant until another.

    `tier` is the tier to enter, for gifts on entering one; `years` the milestones of tenure.
    """

    rule = models.ForeignKey(
        GrantRule, models.PROTECT, related_name="versions", verbose_name=_("grant rule")
    )
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=8, choices=RuleState, default=RuleState.DRAFT)
    trigger = models.CharField(_("trigger"), max_length=12, choices=GrantTrigger)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    conditions = models.JSONField(_("conditions"), null=True, blank=True)
    tier = models.ForeignKey(
        "tiers.Tier", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("tier"),
    )  # fmt: skip
    years = models.JSONField(_("years of membership"), default=list, blank=True)
    repeat = models.CharField(
        _("how often"), max_length=8, choices=GrantRepeat, default=GrantRepeat.ONCE
    )
    step_mode = models.CharField(
        _("steps"), max_length=8, choices=StepMode, default=StepMode.HIGHEST
    )
    step_window = models.CharField(
        _("steps count over"), max_length=8, choices=StepWindow, default=StepWindow.ORDER
    )
    step_metric = models.CharField(
        _("steps count"), max_length=8, choices=StepMetric, default=StepMetric.SPEND
    )
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)

    class Meta:
        verbose_name = _("grant rule version")
        verbose_name_plural = _("grant rule versions")
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="grant_rule_version_unique"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True)
                | Q(valid_from__isnull=True)
                | Q(valid_until__gt=F("valid_from")),
                name="grant_rule_version_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(trigger="tier_entered") | Q(tier__isnull=False),
                name="grant_rule_version_names_tier",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"


class GrantStep(models.Model):
    """What a version gives, from a threshold on; a gift without steps has one, at 0."""

    version = models.ForeignKey(
        GrantRuleVersion, models.PROTECT, related_name="steps", verbose_name=_("version")
    )
    threshold = models.DecimalField(_("from"), max_digits=14, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("grant step")
        verbose_name_plural = _("grant steps")
        ordering = ["version", "threshold"]
        constraints = [
            models.UniqueConstraint(fields=["version", "threshold"], name="grant_step_unique")
        ]

    def __str__(self) -> str:
        return f"≥ {self.threshold}"


class GiftKind(models.TextChoices):
    """What one item of a gift or a pack is."""

    COUPON = "coupon", _("Coupon")
    REWARD = "reward", _("Reward")
    POINTS = "points", _("Points")
    BENEFIT = "benefit", _("Benefit")


class GiftItem(models.Model):
    """One item of a gift (of a grant step) or of a gift pack (a reward).

    Units: `quantity` are coupons, pieces, points, or uses of a benefit.
    """

    step = models.ForeignKey(
        GrantStep, models.CASCADE, null=True, blank=True, related_name="items",
        verbose_name=_("grant step"),
    )  # fmt: skip
    pack = models.ForeignKey(
        Reward, models.CASCADE, null=True, blank=True, related_name="items",
        verbose_name=_("gift pack"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=8, choices=GiftKind)
    coupon_template = models.ForeignKey(
        CouponTemplate, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("coupon template"),
    )  # fmt: skip
    reward = models.ForeignKey(
        Reward, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reward")
    )
    benefit = models.ForeignKey(
        "tiers.Benefit", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("benefit"),
    )  # fmt: skip
    quantity = models.PositiveIntegerField(
        _("quantity"), null=True, blank=True, default=1,
        help_text=_("Empty, for a benefit: without limit."),
    )  # fmt: skip
    valid_days = models.PositiveIntegerField(_("valid for (days)"), null=True, blank=True)

    class Meta:
        verbose_name = _("gift item")
        verbose_name_plural = _("gift items")
        constraints = [
            models.CheckConstraint(
                condition=Q(step__isnull=False, pack__isnull=True)
                | Q(step__isnull=True, pack__isnull=False),
                name="gift_item_of_one",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="coupon", coupon_template__isnull=False, reward__isnull=True,
                    benefit__isnull=True,
                )
                | Q(
                    kind="reward", coupon_template__isnull=True, reward__isnull=False,
                    benefit__isnull=True,
                )
                | Q(
                    kind="points", coupon_template__isnull=True, reward__isnull=True,
                    benefit__isnull=True,
                )
                | Q(
                    kind="benefit", coupon_template__isnull=True, reward__isnull=True,
                    benefit__isnull=False,
                ),
                name="gift_item_names_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind="benefit") | Q(quantity__gt=0), name="gift_item_quantity_positive"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} × {self.quantity}"


class GrantStatus(models.TextChoices):
    """Whether a gift is still the member's."""

    GIVEN = "given", pgettext_lazy("grant", "Given")
    REVOKED = "revoked", pgettext_lazy("grant", "Revoked")


class Grant(models.Model):
    """A gift that a member was given, once for each occurrence of what it follows from.

    `occurrence` names it: `once`, a year, an order, a tier's cycle, with the step where there are
    several. `evidence` is what was true; `waiting` in it says why nothing could be given yet,
    `kept` what had been used when it was revoked.
    """

    public_id = models.UUIDField(_("grant id"), unique=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="grants", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    rule = models.ForeignKey(
        GrantRule, models.PROTECT, related_name="grants", verbose_name=_("grant rule")
    )
    version = models.ForeignKey(
        GrantRuleVersion, models.PROTECT, related_name="grants", verbose_name=_("version")
    )
    step = models.ForeignKey(
        GrantStep, models.PROTECT, null=True, blank=True, related_name="grants",
        verbose_name=_("grant step"),
    )  # fmt: skip
    occurrence = models.CharField(_("occurrence"), max_length=80)
    status = models.CharField(
        _("status"), max_length=8, choices=GrantStatus, default=GrantStatus.GIVEN
    )
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, related_name="grants",
        verbose_name=_("order"),
    )  # fmt: skip
    evidence = models.JSONField(_("evidence"), default=dict)
    given_at = models.DateTimeField(_("given at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoke_reason = models.CharField(_("why revoked"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "rule", "occurrence"], name="grant_once_per_occurrence"
            ),
            models.CheckConstraint(
                condition=Q(status="given", revoked_at__isnull=True)
                | Q(status="revoked", revoked_at__isnull=False),
                name="grant_revoked_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["member"],
                condition=Q(status="given", evidence__has_key="waiting"),
                name="grant_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.occurrence}"


class GrantCalendar(models.Model):
    """Up to which day the gifts of the calendar have been given; one row.

    The days after it are gone through in order, so that no birthday is lost while nothing ran.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    done_on = models.DateField(_("given up to"))

    class Meta:
        verbose_name = _("calendar of gifts")
        verbose_name_plural = _("calendars of gifts")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="grant_calendar_single")]

    def __str__(self) -> str:
        return f"{self.done_on}"
