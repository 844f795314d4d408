"""Earning rules, the policy of points, and what was decided for each fact."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Rule(models.Model):
    """An earning rule; what it says is in its versions."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        permissions = [("publish_rule", _("Can publish and end earning rules"))]

    def __str__(self) -> str:
        return self.name_zh


class RuleState(models.TextChoices):
    """A draft may be edited; an active version never."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")


class RuleTrigger(models.TextChoices):
    """What a rule looks at."""

    ORDER = "order", _("Order")
    INTERACTION = "interaction", _("Interaction")


class RuleEffect(models.TextChoices):
    """How a rule gives points."""

    PER_AMOUNT = "per_amount", _("Points per amount")
    MULTIPLIER = "multiplier", _("Multiplier")
    FIXED = "fixed", _("Fixed points")


class FactorSource(models.TextChoices):
    """Where a multiplier comes from."""

    FIXED = "fixed", _("Fixed factor")
    TIER = "tier", _("The member's tier")


class GroupMode(models.TextChoices):
    """What the rules of one stacking group do to each other."""

    ADD = "add", _("Add up")
    BEST = "best", _("Best one only")
    PRODUCT = "product", _("Multiply")
    FIRST = "first", _("First one only")


class CapPeriod(models.TextChoices):
    """The period over which a member's cap counts."""

    DAY = "day", _("Day")
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")
    YEAR = "year", _("Year")
    LIFETIME = "lifetime", _("Lifetime")


class RuleVersion(models.Model):
    """What a rule says from one instant until another, by the instant of the purchase."""

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="versions", verbose_name=_("rule"))
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=8, choices=RuleState, default=RuleState.DRAFT)
    trigger = models.CharField(
        _("trigger"), max_length=12, choices=RuleTrigger, default=RuleTrigger.ORDER
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    conditions = models.JSONField(_("conditions"), null=True, blank=True)
    line_conditions = models.JSONField(_("line conditions"), null=True, blank=True)
    effect = models.CharField(_("effect"), max_length=12, choices=RuleEffect)
    points = models.PositiveBigIntegerField(_("points"), default=1)
    per_amount = models.DecimalField(_("per amount"), max_digits=12, decimal_places=4, default=1)
    factor = models.DecimalField(_("factor"), max_digits=8, decimal_places=4, default=1)
    factor_source = models.CharField(
        _("factor from"), max_length=8, choices=FactorSource, default=FactorSource.FIXED
    )
    max_points = models.PositiveBigIntegerField(_("at most per order"), null=True, blank=True)
    group = models.CharField(_("stacking group"), max_length=40, blank=True)
    group_mode = models.CharField(
        _("stacking"), max_length=8, choices=GroupMode, default=GroupMode.ADD
    )
    priority = models.IntegerField(_("priority"), default=0)
    cap_points = models.PositiveBigIntegerField(_("at most per member"), null=True, blank=True)
    cap_period = models.CharField(_("per period"), max_length=8, choices=CapPeriod, blank=True)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=64)

    class Meta:
        verbose_name = _("rule version")
        verbose_name_plural = _("rule versions")
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="rule_version_unique"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True)
                | Q(valid_from__isnull=True)
                | Q(valid_until__gt=F("valid_from")),
                name="rule_version_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(per_amount__gt=0) & Q(factor__gte=0), name="rule_version_positive"
            ),
            models.CheckConstraint(
                condition=Q(cap_points__isnull=True, cap_period="")
                | (Q(cap_points__isnull=False) & ~Q(cap_period="")),
                name="rule_version_cap_has_period",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"


class ExpiryPolicy(models.TextChoices):
    """How long points last."""

    MONTH_END = "month_end", _("End of the month, some months later")
    ROLLING_DAYS = "rolling_days", _("Some days later")
    ROLLING_MONTHS = "rolling_months", _("Some months later")
    FIXED_DATE = "fixed_date", _("A fixed date of the year")
    SLIDING = "sliding", _("Some months after the last earning")
    NEVER = "never", _("Never")


class ActivateOn(models.TextChoices):
    """From when the return window runs."""

    PAID = "paid", _("Payment")
    COMPLETED = "completed", _("Completion")


class PointsPolicy(models.Model):
    """The programme's settings for points from an instant on; the newest one in force counts."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    effective_from = models.DateTimeField(_("effective from"), null=True, blank=True)
    expiry = models.CharField(
        _("expiry"), max_length=16, choices=ExpiryPolicy, default=ExpiryPolicy.MONTH_END
    )
    expires_after = models.PositiveIntegerField(
        _("expires after"), default=12, help_text=_("Months, or days for a number of days.")
    )
    expires_on = models.CharField(_("fixed date (MM-DD)"), max_length=5, blank=True)
    return_window_days = models.JSONField(
        _("return window (days per channel)"), default=dict, blank=True
    )
    activate_on = models.CharField(
        _("window runs from"), max_length=10, choices=ActivateOn, default=ActivateOn.PAID
    )
    earn_on_points_paid = models.BooleanField(_("points paid with earn points"), default=False)
    excluded_skus = models.JSONField(_("excluded SKUs"), default=list, blank=True)
    excluded_categories = models.JSONField(_("excluded categories"), default=list, blank=True)
    excluded_brands = models.JSONField(_("excluded brands"), default=list, blank=True)
    late_fact_days = models.PositiveIntegerField(
        _("late facts refold within (days)"), null=True, blank=True, default=35,
        help_text=_("Empty: without limit."),
    )  # fmt: skip
    claim_days = models.PositiveIntegerField(_("claims within (days)"), default=30)
    give_back_min_days = models.PositiveIntegerField(
        _("points given back last at least (days)"), default=0
    )
    pay_points = models.PositiveIntegerField(
        _("paying: points"), default=100, help_text=_("So many points are worth the amount below.")
    )
    pay_amount = models.DecimalField(
        _("paying: amount"), max_digits=12, decimal_places=2, default=1
    )
    pay_min_points = models.PositiveIntegerField(_("paying: at least (points)"), default=100)
    pay_step_points = models.PositiveIntegerField(_("paying: in steps of (points)"), default=100)
    pay_max_percent = models.DecimalField(
        _("paying: at most (percent of goods)"), max_digits=5, decimal_places=2, default=50
    )

    class Meta:
        verbose_name = _("points policy")
        verbose_name_plural = _("points policies")
        constraints = [
            models.UniqueConstraint(
                fields=["effective_from"], name="policy_effective_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(pay_points__gt=0)
                & Q(pay_amount__gt=0)
                & Q(pay_step_points__gt=0)
                & Q(pay_max_percent__gte=0)
                & Q(pay_max_percent__lte=100),
                name="policy_paying_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class Evaluation(models.Model):
    """What one fact made of one order or interaction: the awards then wanted, and why.

    The newest evaluation of an order holds what its points are; `delta` is what this fact changed.
    """

    fact = models.ForeignKey(
        "members.ReceivedFact", models.PROTECT, related_name="evaluations", db_index=False,
        verbose_name=_("fact"),
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        verbose_name=_("member"),
    )  # fmt: skip
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, related_name="evaluations",
        db_index=False, verbose_name=_("order"),
    )  # fmt: skip
    interaction = models.ForeignKey(
        "members.Interaction", models.PROTECT, null=True, blank=True, related_name="evaluations",
        db_index=False, verbose_name=_("interaction"),
    )  # fmt: skip
    points = models.BigIntegerField(_("points"))
    delta = models.BigIntegerField(_("change"))
    awards = models.JSONField(_("awards"), default=list)
    explanation = models.JSONField(_("explanation"), default=list)
    result = models.JSONField(_("result"), default=dict)
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        indexes = [
            models.Index(fields=["fact"], name="evaluation_fact"),
            models.Index(
                fields=["order", "-id"], condition=Q(order__isnull=False), name="evaluation_order"
            ),
            models.Index(
                fields=["interaction", "-id"],
                condition=Q(interaction__isnull=False),
                name="evaluation_interaction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points} ({self.delta:+})"
