"""The ladder, and who stands where on it and why."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.fields.ranges import DateTimeRangeField, RangeBoundary
from django.db import models
from django.db.models import Deferrable, F, Func, Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import AppendOnly


class Tier(models.Model):
    """One rank of the ladder; rank 0 is where every member starts."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    rank = models.PositiveSmallIntegerField(_("rank"), unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=40)

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.name_zh


class ReviewPolicy(models.TextChoices):
    """How far a review may lower a member."""

    ONE_LEVEL = "one_level", _("One rank")
    TO_EARNED = "to_earned", _("To the rank still earned")


class RefundPolicy(models.TextChoices):
    """What a refund that removes qualification does to the tier."""

    KEEP = "keep", _("Keep until the review")
    WITHDRAW = "withdraw", _("Withdraw a recent upgrade")
    IMMEDIATE = "immediate", _("Requalify at once")
    GRACE = "grace", _("Requalify after the grace period")


class LadderVersion(models.Model):
    """The ladder's terms from an instant on; frozen once effective."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    effective_from = models.DateTimeField(
        _("effective from"), null=True, blank=True,
        help_text=_("Empty: since ever."),
    )  # fmt: skip
    validity_days = models.PositiveIntegerField(_("tier validity (days)"), default=365)
    grace_days = models.PositiveIntegerField(_("grace period (days)"), default=0)
    review = models.CharField(
        _("review"), max_length=10, choices=ReviewPolicy, default=ReviewPolicy.ONE_LEVEL
    )
    refund_policy = models.CharField(
        _("after a refund"), max_length=10, choices=RefundPolicy, default=RefundPolicy.WITHDRAW
    )
    withdraw_days = models.PositiveIntegerField(_("withdrawal within (days)"), default=30)
    warning_days = models.PositiveIntegerField(
        _("warning before the end (days)"), default=30, help_text=_("0: none.")
    )
    growth_spend_weight = models.DecimalField(
        _("growth value per 1.00 spent"), max_digits=9, decimal_places=4, default=1
    )
    growth_interaction_weight = models.PositiveIntegerField(
        _("growth value per interaction"), default=0
    )
    qualifying_kinds = models.JSONField(_("qualifying interaction kinds"), default=list)
    tenure_counts_suspension = models.BooleanField(
        _("frozen time counts as membership"), default=True
    )

    class Meta:
        verbose_name = _("ladder version")
        verbose_name_plural = _("ladder versions")
        constraints = [
            models.UniqueConstraint(
                fields=["effective_from"], name="ladder_effective_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class LadderRollout(models.Model):
    """How far the members have met a version of the ladder that came after them.

    What time does to a member is found by an instant stored with the member; a new version makes
    that instant another one for everybody, so everybody is gone through once, in id order.
    """

    ladder = models.OneToOneField(
        LadderVersion, models.CASCADE, primary_key=True, related_name="rollout",
        verbose_name=_("ladder version"),
    )  # fmt: skip
    last_member_id = models.BigIntegerField(_("last member"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("ladder roll-out")
        verbose_name_plural = _("ladder roll-outs")

    def __str__(self) -> str:
        return f"{self.ladder}"


class TierTerm(models.Model):
    """What one tier is worth under one version of the ladder."""

    ladder = models.ForeignKey(
        LadderVersion, models.PROTECT, related_name="terms", verbose_name=_("ladder version")
    )
    tier = models.ForeignKey(Tier, models.PROTECT, verbose_name=_("tier"))
    multiplier = models.DecimalField(
        _("points multiplier"), max_digits=6, decimal_places=3, default=1
    )
    discount_percent = models.DecimalField(
        _("tier discount (%)"), max_digits=5, decimal_places=2, default=0
    )

    class Meta:
        verbose_name = _("tier terms")
        verbose_name_plural = _("tier terms")
        constraints = [
            models.UniqueConstraint(fields=["ladder", "tier"], name="tier_term_unique"),
            models.CheckConstraint(condition=Q(multiplier__gte=1), name="tier_term_multiplier"),
        ]

    def __str__(self) -> str:
        return f"{self.ladder} {self.tier}"


class Purpose(models.TextChoices):
    """What a rule is for."""

    ENTRY = "entry", _("Entry")
    RETENTION = "retention", _("Retention")


class TenureUnit(models.TextChoices):
    """What the threshold of a tenure rule counts."""

    DAYS = "days", _("Days")
    MONTHS = "months", _("Months")


class QualificationRule(models.Model):
    """One condition for a tier: all conditions of a group have to hold, any group is enough."""

    ladder = models.ForeignKey(
        LadderVersion, models.PROTECT, related_name="rules", verbose_name=_("ladder version")
    )
    tier = models.ForeignKey(Tier, models.PROTECT, verbose_name=_("tier"))
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose, default=Purpose.ENTRY)
    from_tier = models.ForeignKey(
        Tier, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("only from tier"),
    )  # fmt: skip
    group = models.PositiveSmallIntegerField(_("group"), default=1)
    metric = models.CharField(_("metric"), max_length=20)
    window = models.CharField(_("window"), max_length=20)
    window_days = models.PositiveIntegerField(_("window length (days)"), null=True, blank=True)
    threshold = models.DecimalField(_("threshold"), max_digits=18, decimal_places=4)
    unit = models.CharField(
        _("unit of tenure"), max_length=6, choices=TenureUnit, default=TenureUnit.MONTHS
    )
    attribute = models.CharField(_("attribute"), max_length=60, blank=True)
    value = models.CharField(_("value"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("qualification rule")
        verbose_name_plural = _("qualification rules")
        ordering = ["ladder", "tier", "purpose", "group", "id"]

    def __str__(self) -> str:
        return f"{self.tier} {self.purpose} {self.metric} ≥ {self.threshold}"


class ProgressEntry(AppendOnly):
    """Progress towards a tier, dated when it counts; corrections are further entries."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="progress_entries", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    metric = models.CharField(_("metric"), max_length=20)
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4)
    at = models.DateTimeField(_("counts at"))
    fact = models.ForeignKey(
        "members.ReceivedFact", models.PROTECT, null=True, blank=True, db_index=False,
        verbose_name=_("fact"),
    )  # fmt: skip
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta(AppendOnly.Meta):
        verbose_name = _("progress entry")
        verbose_name_plural = _("progress entries")
        indexes = [models.Index(fields=["member", "at"], name="progress_member_at")]

    def __str__(self) -> str:
        return f"{self.metric} {self.amount:+}"


class Standing(models.Model):
    """A member held a tier from an instant until another (open: still does), and why.

    Standings are the stored result of folding the member's facts; a late fact rewrites them from
    its own instant on, the event log keeps what was said before.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="standings", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    tier = models.ForeignKey(Tier, models.PROTECT, verbose_name=_("tier"))
    from_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    kept_until_on = models.DateField(_("kept until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=32)
    evidence = models.JSONField(_("evidence"), default=dict)

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("from_at")),
                name="standing_ends_after_start",
            ),
            # Two open standings overlap too. Checked at commit: one statement ends and begins.
            ExclusionConstraint(
                name="standing_no_overlap",
                deferrable=Deferrable.DEFERRED,
                expressions=[
                    (F("member"), RangeOperators.EQUAL),
                    (
                        Func(
                            F("from_at"),
                            F("ended_at"),
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [
            models.Index(
                fields=["tier"], condition=Q(ended_at__isnull=True), name="standing_open_tier"
            ),
            models.Index(
                fields=["member"], condition=Q(ended_at__isnull=True), name="standing_open_member"
            ),
            models.Index(fields=["member", "from_at"], name="standing_member_from"),
        ]

    def __str__(self) -> str:
        return f"{self.tier}"


class LapseWarning(models.Model):
    """A member was told that a term of a tier is about to end; each term is told of once."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="lapse_warnings", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    tier = models.ForeignKey(Tier, models.PROTECT, db_index=False, verbose_name=_("tier"))
    kept_until_on = models.DateField(_("kept until"))
    warned_at = models.DateTimeField(_("warned at"))

    class Meta:
        verbose_name = _("warning of a tier's end")
        verbose_name_plural = _("warnings of tiers' ends")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "tier", "kept_until_on"], name="lapse_warning_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.kept_until_on}"


class StandingOverride(models.Model):
    """A tier laid over the computed standing for a time: set by staff, or bought (a floor).

    `follow_at` is when the member's benefits have to follow it next: its beginning, then its end.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="standing_overrides",
        verbose_name=_("member"),
    )  # fmt: skip
    tier = models.ForeignKey(Tier, models.PROTECT, verbose_name=_("tier"))
    is_floor = models.BooleanField(
        _("at least"), default=False,
        help_text=_("A tier that is earned and ranks higher counts instead."),
    )  # fmt: skip
    from_at = models.DateTimeField(_("from"))
    until_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200)
    set_by = models.CharField(_("set by"), max_length=64)
    approved_by = models.CharField(_("approved by"), max_length=64)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    follow_at = models.DateTimeField(_("benefits follow at"), null=True, blank=True)

    class Meta:
        verbose_name = _("tier override")
        verbose_name_plural = _("tier overrides")
        permissions = [("approve_override", _("Can decide requests for tier overrides"))]
        indexes = [
            models.Index(
                fields=["follow_at"],
                condition=Q(follow_at__isnull=False),
                name="override_to_follow",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(until_at__gt=F("from_at")), name="override_ends_after_start"
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(approved_by=""), name="override_is_explained"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} – {self.until_at:%Y-%m-%d}"
