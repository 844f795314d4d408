"""What is said of members as customers, and by which policy. Computed again at any time."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.customer_words import Band, CustomerClass, LifecycleStage
from members.models.append_only import AppendOnly

_ATLEAST_ONE = [MinValueValidator(1)]
_SCORE = [MaxValueValidator(100)]


def _days(label: Any, default: int) -> "models.PositiveSmallIntegerField[Any, Any]":
    return models.PositiveSmallIntegerField(label, default=default, validators=_ATLEAST_ONE)


def _number(label: Any, default: int) -> "models.PositiveIntegerField[Any, Any]":
    return models.PositiveIntegerField(label, default=default, validators=_ATLEAST_ONE)


def _money(label: Any, default: str) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(
        label, max_digits=18, decimal_places=4, default=Decimal(default),
        validators=[MinValueValidator(Decimal("0.01"))],
    )  # fmt: skip


def _score(label: Any, default: int) -> "models.PositiveSmallIntegerField[Any, Any]":
    return models.PositiveSmallIntegerField(label, default=default, validators=_SCORE)


class InsightPolicy(AppendOnly):
    """From which thresholds on, and with which weights; the newest version counts.

    Without any, the defaults of the columns do.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    window_days = _days(_("window (days)"), 365)
    frequency_high = _number(_("high frequency from (orders)"), 24)
    frequency_medium = _number(_("medium frequency from (orders)"), 6)
    monetary_high = _money(_("high spend from"), "3000")
    monetary_medium = _money(_("medium spend from"), "1000")
    new_days = _days(_("new for (days)"), 90)
    churned_days = _days(_("churned after (days)"), 180)
    retain_orders = _number(_("retained from (orders)"), 4)
    won_back_days = _days(_("won back for (days)"), 90)
    advocate_value = _score(_("high value from (current value)"), 80)
    dormancy_by_rhythm = models.BooleanField(_("dormant by the member's own rhythm"), default=True)
    dormant_days = _days(_("dormant after (days, where there is no rhythm)"), 90)
    dormant_percent = _days(_("dormant after (per cent of the usual gap)"), 300)
    dormant_least_days = _days(_("dormant after at least (days)"), 30)
    dormant_most_days = _days(_("dormant after at most (days)"), 180)
    dormant_gaps = _days(_("gaps that make a rhythm"), 3)
    full_orders = _number(_("full score for frequency (orders)"), 24)
    full_amount = _money(_("full score for spend"), "6000")
    full_margin = _money(_("full score for margin"), "1500")
    growth_days = _days(_("growth and new products: days compared"), 90)
    full_growth_percent = _days(_("full score for growth (per cent)"), 100)
    referral_points = _score(_("score per referral"), 30)
    review_points = _score(_("score per review"), 10)
    survey_points = _score(_("score per survey point"), 5)
    full_new_groups = _days(_("full score for new products (categories)"), 5)
    frequency_weight = _score(_("weight of frequency"), 40)
    amount_weight = _score(_("weight of spend"), 40)
    margin_weight = _score(_("weight of margin"), 20)
    growth_weight = _score(_("weight of growth"), 40)
    recommendation_weight = _score(_("weight of recommendation"), 30)
    new_products_weight = _score(_("weight of new products"), 30)
    current_weight = _score(_("share of the current value in the whole (per cent)"), 60)
    grid_medium = _score(_("medium from (score)"), 34)
    grid_high = _score(_("high from (score)"), 67)
    reason = models.CharField(_("reason"), max_length=200)
    created_at = models.DateTimeField(_("published at"))
    created_by = models.CharField(_("published by"), max_length=80)

    class Meta(AppendOnly.Meta):
        verbose_name = _("policy of customer value")
        verbose_name_plural = _("policies of customer value")

    def __str__(self) -> str:
        return f"{self.number}"


class MemberInsight(models.Model):
    """What is said of one member as of a programme day; one row per living member.

    `orders` and `spent` are of the policy's window, `…_total` of all time: the historic lifetime
    value, before and after cost. `scores` are the sub-scores of the value model.
    """

    member = models.OneToOneField(
        "members.Member", models.PROTECT, primary_key=True, related_name="insight",
        verbose_name=_("member"),
    )  # fmt: skip
    computed_at = models.DateTimeField(_("computed at"))
    computed_on = models.DateField(_("as of"))
    policy = models.PositiveIntegerField(_("policy version"))
    model = models.PositiveSmallIntegerField(_("model version"))
    stage = models.CharField(_("lifecycle stage"), max_length=8, choices=LifecycleStage)
    stage_since = models.DateField(_("in this stage since"))
    customer_class = models.CharField(_("customer class"), max_length=9, choices=CustomerClass)
    class_since = models.DateField(_("in this class since"))
    frequency_band = models.CharField(_("purchase frequency"), max_length=6, choices=Band)
    monetary_band = models.CharField(_("spend band"), max_length=6, choices=Band)
    orders_total = models.PositiveIntegerField(_("orders so far"))
    spent_total = models.DecimalField(_("spent so far"), max_digits=18, decimal_places=4)
    margin_total = models.DecimalField(
        _("margin so far"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    orders = models.PositiveIntegerField(_("orders"))
    spent = models.DecimalField(_("spent"), max_digits=18, decimal_places=4)
    average_order = models.DecimalField(
        _("AOV"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    first_order_on = models.DateField(_("first purchase on"), null=True, blank=True)
    last_order_on = models.DateField(_("last purchase on"), null=True, blank=True)
    median_gap_days = models.DecimalField(
        _("usual gap (days)"), max_digits=7, decimal_places=1, null=True, blank=True
    )
    dormant_from = models.DateField(_("dormant from"), null=True, blank=True)
    value_current = models.PositiveSmallIntegerField(_("current value"))
    value_potential = models.PositiveSmallIntegerField(_("potential value"))
    value_total = models.PositiveSmallIntegerField(_("value"))
    scores = models.JSONField(_("sub-scores"), default=dict)
    review_on = models.DateField(_("next look on"), null=True, blank=True)

    class Meta:
        verbose_name = _("customer value")
        verbose_name_plural = _("customer values")
        constraints = [
            models.CheckConstraint(
                condition=Q(value_current__lte=100)
                & Q(value_potential__lte=100)
                & Q(value_total__lte=100),
                name="insight_scores_of_100",
            ),
            models.CheckConstraint(
                condition=Q(stage__in=LifecycleStage.values)
                & Q(customer_class__in=CustomerClass.values)
                & Q(frequency_band__in=Band.values)
                & Q(monetary_band__in=Band.values),
                name="insight_words_known",
            ),
        ]
        indexes = [
            models.Index(fields=["review_on"], name="insight_review"),
            models.Index(fields=["stage"], name="insight_stage"),
            models.Index(fields=["customer_class"], name="insight_class"),
            models.Index(fields=["value_current", "value_potential"], name="insight_value"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.stage}"


class ValueScore(models.Model):
    """A member's value from a day on, until the next row of the member."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="value_scores", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    on = models.DateField(_("day"))
    current = models.PositiveSmallIntegerField(_("current value"))
    potential = models.PositiveSmallIntegerField(_("potential value"))
    total = models.PositiveSmallIntegerField(_("value"))
    policy = models.PositiveIntegerField(_("policy version"))
    model = models.PositiveSmallIntegerField(_("model version"))

    class Meta:
        verbose_name = _("value score")
        verbose_name_plural = _("value scores")
        constraints = [models.UniqueConstraint(fields=["member", "on"], name="value_score_unique")]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.on}"


class StageDay(models.Model):
    """How many members were in a stage at the end of a day on which any moved, and how many did."""

    on = models.DateField(_("day"))
    stage = models.CharField(_("lifecycle stage"), max_length=8, choices=LifecycleStage)
    members = models.PositiveBigIntegerField(_("members"))
    entered = models.PositiveBigIntegerField(_("entered"), default=0)
    left = models.PositiveBigIntegerField(_("left"), default=0)

    class Meta:
        verbose_name = _("day of a lifecycle stage")
        verbose_name_plural = _("days of lifecycle stages")
        constraints = [models.UniqueConstraint(fields=["on", "stage"], name="stage_day_unique")]

    def __str__(self) -> str:
        return f"{self.on} {self.stage}"


class InsightMark(models.Model):
    """How far the event log has been read, and by which policy all members have been looked at.

    Every event up to `safe_event` has been read; up to `seen_event` all that could be seen then,
    and the others too once every transaction before `seen_transaction` is over.
    """

    safe_event = models.BigIntegerField(_("read up to"), default=0)
    seen_event = models.BigIntegerField(_("seen up to"), default=0)
    seen_transaction = models.BigIntegerField(_("transaction"), default=0)
    basis = models.CharField(_("policy and model"), max_length=24, blank=True)
    swept_to = models.BigIntegerField(_("members looked at up to"), null=True, blank=True)
    looked_at = models.DateTimeField(_("computed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("progress of customer value")
        verbose_name_plural = _("progress of customer value")

    def __str__(self) -> str:
        return self.basis
