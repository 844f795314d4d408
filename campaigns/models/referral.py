"""Members who bring friends (推荐有礼): on which terms, by which code, and what became of it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class RewardKind(models.TextChoices):
    """What the referrer is given; cash is paid out by people and is never points."""

    POINTS = "points", _("Points")
    COUPON = "coupon", _("A coupon")
    CASH = "cash", _("Cash")


class ClawBack(models.TextChoices):
    """What happens when the friend's order is given up after the reward."""

    TAKE_BACK = "take_back", _("Take the reward back")
    CASE = "case", _("Open a case")


class ReferralProgramme(models.Model):
    """One version of the terms; the newest that has begun holds for friends who enrol from then on.

    Units: money in the programme's currency; limits of 0 mean none.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    from_at = models.DateTimeField(_("in force from"))
    is_active = models.BooleanField(_("switched on"), default=True)
    reward = models.CharField(_("reward of the referrer"), max_length=8, choices=RewardKind)
    points = models.PositiveBigIntegerField(_("points"), null=True, blank=True)
    coupon_template = models.ForeignKey(
        "rewards.CouponTemplate", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("coupon template"),
    )  # fmt: skip
    amount = models.DecimalField(
        _("cash amount"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    friend_template = models.ForeignKey(
        "rewards.CouponTemplate", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("friend's coupon for the first order"),
    )  # fmt: skip
    min_amount = models.DecimalField(
        _("first order is worth at least"), max_digits=12, decimal_places=2, default=0
    )
    return_window_days = models.PositiveSmallIntegerField(_("return window (days)"), default=7)
    valid_days = models.PositiveSmallIntegerField(_("friend buys within (days)"), default=90)
    max_per_month = models.PositiveIntegerField(_("rewards per month at most"), default=0)
    max_per_year = models.PositiveIntegerField(_("rewards per year at most"), default=0)
    friends_per_day = models.PositiveIntegerField(_("friends per day before a check"), default=10)
    claw_back = models.CharField(
        _("order given up later"), max_length=9, choices=ClawBack, default=ClawBack.TAKE_BACK
    )
    claw_back_days = models.PositiveSmallIntegerField(_("watched for (days)"), default=90)
    link = models.CharField(_("link"), max_length=200, blank=True)
    created_by = models.CharField(_("made by"), max_length=80)
    created_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("referral programme")
        verbose_name_plural = _("referral programmes")
        permissions = [("approve_referralprogramme", _("Can approve referral programmes"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    reward="points", points__gt=0, coupon_template__isnull=True, amount__isnull=True
                )
                | Q(
                    reward="coupon", points__isnull=True, coupon_template__isnull=False,
                    amount__isnull=True,
                )
                | Q(
                    reward="cash", points__isnull=True, coupon_template__isnull=True, amount__gt=0
                ),
                name="referral_programme_says_what",
            ),
            models.CheckConstraint(
                condition=Q(claw_back__in=ClawBack.values), name="referral_claw_back_known"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.number}"


class ReferralCode(models.Model):
    """What a member hands on; one at a time."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="referral_codes", verbose_name=_("member")
    )
    code = models.CharField(_("code"), max_length=16, unique=True)
    from_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("referral code")
        verbose_name_plural = _("referral codes")
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(ended_at__isnull=True), name="referral_code_one"
            )
        ]

    def __str__(self) -> str:
        return self.code


class ReferralState(models.TextChoices):
    """Where a referral stands."""

    REGISTERED = "registered", _("Friend has joined")
    WAITING = "waiting", _("Return window runs")
    REWARDED = "rewarded", _("Rewarded")
    HELD = "held", _("Held for a check")
    REFUSED = "refused", pgettext_lazy("referral", "Refused")
    LAPSED = "lapsed", pgettext_lazy("referral", "Lapsed")
    TAKEN_BACK = "taken_back", pgettext_lazy("referral", "Taken back")


class Referral(models.Model):
    """One member brought one friend. The terms are those under which the friend joined.

    `reasons` are the codes of what was found; `cleared` those that somebody has looked at and let
    pass. `kept_amount` is what the order was worth when it was rewarded. `note` is what was said
    at the last decision, sealed under the referrer's key.
    """

    referrer = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="referrals", verbose_name=_("referrer")
    )
    friend = models.OneToOneField(
        "members.Member", models.PROTECT, related_name="referral", verbose_name=_("friend")
    )
    code = models.ForeignKey(
        ReferralCode, models.PROTECT, related_name="+", db_index=False, verbose_name=_("code")
    )
    programme = models.ForeignKey(
        ReferralProgramme, models.PROTECT, related_name="+", db_index=False,
        verbose_name=_("referral programme"),
    )  # fmt: skip
    state = models.CharField(
        _("state"), max_length=10, choices=ReferralState, default=ReferralState.REGISTERED
    )
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    cleared = models.JSONField(_("let pass"), default=list, blank=True)
    registered_at = models.DateTimeField(_("joined at"))
    lapses_at = models.DateTimeField(_("lapses at"))
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        verbose_name=_("order"),
    )  # fmt: skip
    kept_from = models.DateTimeField(_("return window ends"), null=True, blank=True)
    kept_amount = models.DecimalField(
        _("kept amount"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    friend_coupon = models.OneToOneField(
        "rewards.Coupon", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("friend's coupon"),
    )  # fmt: skip
    rewarded_at = models.DateTimeField(_("rewarded at"), null=True, blank=True)
    fact = models.OneToOneField(
        "members.ReceivedFact", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("interaction"),
    )  # fmt: skip
    entry = models.OneToOneField(
        "rewards.Entry", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("entry"),
    )  # fmt: skip
    coupon = models.OneToOneField(
        "rewards.Coupon", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("coupon"),
    )  # fmt: skip
    taken_back_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        permissions = [("moderate_referral", _("Can decide held referrals"))]
        constraints = [
            models.CheckConstraint(condition=~Q(referrer=F("friend")), name="referral_of_another"),
            models.CheckConstraint(
                condition=Q(state__in=ReferralState.values), name="referral_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(order__isnull=False, kept_from__isnull=False),
                name="referral_waits_for_order",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["rewarded", "taken_back"], rewarded_at__gte=F("kept_from"),
                            order__isnull=False, kept_amount__gt=0, fact__isnull=False)
                | Q(~Q(state__in=["rewarded", "taken_back"]), rewarded_at__isnull=True,
                    fact__isnull=True, entry__isnull=True, coupon__isnull=True),
                name="referral_rewarded_for_order",
            ),
            models.CheckConstraint(
                condition=Q(entry__isnull=True) | Q(coupon__isnull=True),
                name="referral_one_reward",
            ),
            models.CheckConstraint(
                condition=Q(state="taken_back", taken_back_at__isnull=False)
                | Q(~Q(state="taken_back"), taken_back_at__isnull=True),
                name="referral_taken_back_at",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["referrer", "rewarded_at"], name="referral_of_referrer"),
            models.Index(
                fields=["state", "kept_from"],
                condition=Q(state__in=["registered", "waiting", "held"]),
                name="referral_open",
            ),
            models.Index(
                fields=["rewarded_at"], condition=Q(state="rewarded"), name="referral_rewarded"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
