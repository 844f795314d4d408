"""Campaigns: whom they address, what they give, within which limits, and what they have done."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CampaignState(models.TextChoices):
    """Where a campaign stands; what is running is frozen."""

    DRAFT = "draft", pgettext_lazy("campaign", "Draft")
    REVIEW = "review", pgettext_lazy("campaign", "In review")
    PILOT = "pilot", _("Pilot")
    LIVE = "live", pgettext_lazy("campaign", "Live")
    PAUSED = "paused", pgettext_lazy("campaign", "Paused")
    ENDED = "ended", pgettext_lazy("campaign", "Ended")


RUNNING = (CampaignState.PILOT, CampaignState.LIVE)


class Campaign(models.Model):
    """One campaign; what it says is in its versions, `running` is the one that counts.

    Units: `stage_percent` of the audience that is not held out.
    """

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    objective = models.CharField(_("objective"), max_length=300, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("owner"),
    )  # fmt: skip
    state = models.CharField(
        _("state"), max_length=6, choices=CampaignState, default=CampaignState.DRAFT
    )
    stage_percent = models.PositiveSmallIntegerField(_("stage (per cent)"), default=0)
    is_preset = models.BooleanField(_("preset"), default=False)
    running = models.ForeignKey(
        "campaigns.CampaignVersion", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("running version"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-created_at", "code"]
        permissions = [
            ("publish_campaign", _("Can approve campaigns")),
            ("run_campaign", _("Can widen, pause and end campaigns")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(stage_percent__lte=100), name="campaign_stage_is_a_share"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["pilot", "live", "paused"]) | Q(running__isnull=False),
                name="campaign_running_says_what",
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False)
                | (~Q(state="ended") & Q(ended_at__isnull=True)),
                name="campaign_ended_has_instant",
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh

    @property
    def is_running(self) -> bool:
        """Tell whether it addresses members now."""
        return self.state in RUNNING

    @property
    def segment_code(self) -> str:
        """Return the code of the segment that holds the members it addresses."""
        return f"campaign-{self.code}"


class VersionState(models.TextChoices):
    """A draft may be edited; a published version never."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", pgettext_lazy("campaign", "Published")


class OverBudget(models.TextChoices):
    """What happens to an act that the budget does not hold any more."""

    REFUSE = "refuse", _("Give nothing")
    PARTIAL = "partial", _("Give what is left")


class LimitPeriod(models.TextChoices):
    """The period over which a limit counts."""

    DAY = "day", _("Day")
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")
    YEAR = "year", _("Year")
    LIFETIME = "lifetime", _("Whole campaign")


def _limit(label: Any) -> "models.PositiveBigIntegerField[int | None, int | None]":
    return models.PositiveBigIntegerField(label, null=True, blank=True)


def _money(label: Any) -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(label, max_digits=16, decimal_places=2, null=True, blank=True)


class CampaignVersion(models.Model):
    """What a campaign says: audience, trigger, effects, messages, limits, budget and terms.

    `audience` names segments, empty: every member; `excluded` names those that are never addressed.
    `trigger`, `effects` and `variants` are read by the modules of the same names in the domain.
    Units: points; money in the programme's currency; `holdout_percent` of the audience.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="versions", verbose_name=_("campaign")
    )
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(
        _("state"), max_length=9, choices=VersionState, default=VersionState.DRAFT
    )
    audience = models.JSONField(_("audience"), default=list, blank=True)
    excluded = models.JSONField(_("excluded segments"), default=list, blank=True)
    holdout_percent = models.PositiveSmallIntegerField(_("hold-out (per cent)"), default=10)
    trigger = models.JSONField(_("trigger"), default=dict)
    effects = models.JSONField(_("effects"), default=list, blank=True)
    messages = models.JSONField(_("messages"), default=list, blank=True)
    variants = models.JSONField(_("variants"), default=list, blank=True)
    limit_acts = _limit(_("at most per member (times)"))
    limit_period = models.CharField(
        _("per period"), max_length=8, choices=LimitPeriod, default=LimitPeriod.LIFETIME
    )
    budget_points = _limit(_("budget in points"))
    budget_money = _money(_("budget in money"))
    budget_acts = _limit(_("budget in times"))
    budget_period = models.CharField(
        _("budget per period"), max_length=8, choices=LimitPeriod, default=LimitPeriod.LIFETIME
    )
    over_budget = models.CharField(
        _("over budget"), max_length=7, choices=OverBudget, default=OverBudget.REFUSE
    )
    returns_to_budget = models.BooleanField(
        _("what is taken back can be given again"), default=True
    )
    group = models.CharField(_("stacking group"), max_length=40, blank=True)
    priority = models.IntegerField(
        _("priority"), default=0, help_text=_("In its group the smallest goes first.")
    )
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    terms_version = models.CharField(_("version of the terms"), max_length=40, blank=True)
    terms_zh = models.TextField(_("Chinese terms"), blank=True)
    terms_en = models.TextField(_("English terms"), blank=True)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    class Meta:
        verbose_name = _("campaign version")
        verbose_name_plural = _("campaign versions")
        ordering = ["campaign", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="campaign_version_unique"),
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(state="draft"), name="campaign_has_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True)
                | Q(starts_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
                name="campaign_version_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(holdout_percent__lte=90), name="campaign_holdout_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(state="published", published_at__isnull=False)
                | (Q(state="draft") & Q(published_at__isnull=True)),
                name="campaign_version_published_has_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.number}"


class Arm(models.TextChoices):
    """What a campaign does with a member of its audience."""

    TREATED = "treated", _("Addressed")
    HOLDOUT = "holdout", _("Hold-out")
    WAITING = "waiting", pgettext_lazy("campaign", "Waits for the next stage")
    EXCLUDED = "excluded", pgettext_lazy("campaign", "Excluded")


class CampaignMember(models.Model):
    """One member of a campaign's audience, and the arm that they are in.

    `position` in [0, 1) orders the members of a stratum, `variant` is the one drawn for them;
    `left_at` tells that they are no longer in the audience. Who was treated stays so.
    `reason` says why somebody is excluded: by a segment, or by the global hold-out.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="members", verbose_name=_("campaign"),
        db_index=False,
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="campaigns", verbose_name=_("member")
    )
    arm = models.CharField(_("arm"), max_length=8, choices=Arm)
    variant = models.CharField(_("variant"), max_length=20, blank=True)
    stratum = models.CharField(_("stratum"), max_length=40, blank=True)
    position = models.FloatField(_("position"))
    entered_at = models.DateTimeField(_("entered at"))
    treated_at = models.DateTimeField(_("addressed since"), null=True, blank=True)
    left_at = models.DateTimeField(_("left at"), null=True, blank=True)
    reason = models.CharField(_("why excluded"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("member of a campaign")
        verbose_name_plural = _("members of campaigns")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "member"], name="campaign_member_once"),
            models.CheckConstraint(
                condition=Q(position__gte=0) & Q(position__lt=1),
                name="campaign_position_in_range",
            ),
            models.CheckConstraint(
                condition=Q(arm="treated", treated_at__isnull=False)
                | (~Q(arm="treated") & Q(treated_at__isnull=True)),
                name="campaign_treated_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "arm", "stratum", "position"], name="campaign_arm_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.member_id} {self.arm}"


class CampaignBudget(models.Model):
    """What a campaign may give in a period and has given; the whole campaign has period ''.

    `multiplied_points` were given by multipliers, on top of `spent_points`: they may go beyond the
    budget, as rules end some minutes after it is used. `settled_points` of them are those of the
    ledger's entries up to `settled_entry`, which need not be counted again.
    Units: points; money in the programme's currency; acts.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="budgets", verbose_name=_("campaign"),
        db_index=False,
    )  # fmt: skip
    period = models.CharField(_("period"), max_length=10, blank=True)
    limit_points = _limit(_("budget in points"))
    limit_money = _money(_("budget in money"))
    limit_acts = _limit(_("budget in times"))
    spent_points = models.PositiveBigIntegerField(_("points given"), default=0)
    spent_money = models.DecimalField(_("money given"), max_digits=16, decimal_places=2, default=0)
    spent_acts = models.PositiveBigIntegerField(_("times"), default=0)
    multiplied_points = models.PositiveBigIntegerField(
        _("points given by multipliers"), default=0, db_default=0
    )
    settled_points = models.BigIntegerField(_("settled points"), default=0, db_default=0)
    settled_entry = models.BigIntegerField(_("settled up to entry"), default=0, db_default=0)
    is_used_by_multipliers = models.BooleanField(
        _("multipliers have ended with it"), default=False, db_default=False
    )

    class Meta:
        verbose_name = _("campaign budget")
        verbose_name_plural = _("campaign budgets")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "period"], name="campaign_budget_once"),
            models.CheckConstraint(
                condition=(Q(limit_points__isnull=True) | Q(spent_points__lte=F("limit_points")))
                & (Q(limit_money__isnull=True) | Q(spent_money__lte=F("limit_money")))
                & (Q(limit_acts__isnull=True) | Q(spent_acts__lte=F("limit_acts"))),
                name="campaign_budget_never_exceeded",
            ),
            models.CheckConstraint(condition=Q(spent_money__gte=0), name="campaign_money_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.period}"


class CampaignAct(models.Model):
    """A campaign met a member once for one occurrence: what they were given, or why nothing.

    `skipped` is empty where something was given. `effects` say what, with the ids that lead to it;
    `why` says how the variant was chosen. `undone_at`: what was given has been taken back.
    Units: points; money in the programme's currency.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="acts", verbose_name=_("campaign"), db_index=False
    )
    version = models.ForeignKey(
        CampaignVersion, models.PROTECT, related_name="acts", verbose_name=_("version"),
        db_index=False,
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="campaign_acts", verbose_name=_("member")
    )
    key = models.CharField(_("occurrence"), max_length=120)
    occurred_at = models.DateTimeField(_("occurred at"))
    at = models.DateTimeField(_("at"))
    variant = models.CharField(_("variant"), max_length=20, blank=True)
    why = models.JSONField(_("why this variant"), default=dict, blank=True)
    effects = models.JSONField(_("effects"), default=list, blank=True)
    points = models.PositiveBigIntegerField(_("points"), default=0)
    money = models.DecimalField(_("cost in money"), max_digits=16, decimal_places=2, default=0)
    period = models.CharField(_("budget period"), max_length=10, blank=True)
    skipped = models.CharField(_("why not"), max_length=40, blank=True)
    caused_by = models.CharField(_("caused by"), max_length=80, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    class Meta:
        verbose_name = _("act of a campaign")
        verbose_name_plural = _("acts of campaigns")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "member", "key"], name="campaign_act_once"),
            models.CheckConstraint(
                condition=Q(skipped="") | (Q(points=0) & Q(money=0)),
                name="campaign_skipped_gives_nothing",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "-at"], name="campaign_acts_in_order")]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.member_id} {self.key}"


class GlobalHoldout(models.Model):
    """The share of members that no campaign addresses, so that all of them can be measured.

    One row; who it is follows from the salt, the same members for every campaign.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    percent = models.DecimalField(
        _("global hold-out (per cent)"), max_digits=4, decimal_places=1, default=0
    )
    salt = models.CharField(_("salt"), max_length=40)
    reason = models.CharField(_("reason"), max_length=200)
    set_by = models.CharField(_("set by"), max_length=80)
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        verbose_name = _("global hold-out")
        verbose_name_plural = _("global hold-out")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="global_holdout_single"),
            models.CheckConstraint(
                condition=Q(percent__gte=0) & Q(percent__lte=50), name="global_holdout_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} %"
