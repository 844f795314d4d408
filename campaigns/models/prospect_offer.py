"""Offers to prospects (潜客激励): whom they address, what joining gives, and what became of it."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from campaigns.models.message import MessageTemplate, TemplateVersion, Via


class OfferKind(models.TextChoices):
    """Why a prospect should join now: a product to try, a time that ends, or a friend's word."""

    NEW_PRODUCT = "new_product", pgettext_lazy("offer", "New product")
    LIMITED_TIME = "limited_time", pgettext_lazy("offer", "Limited time")
    RECOMMENDATION = "recommendation", pgettext_lazy("offer", "Recommendation")


class OfferState(models.TextChoices):
    """Where an offer stands; what it says changes in a draft only."""

    DRAFT = "draft", pgettext_lazy("offer", "Draft")
    ASKED = "asked", pgettext_lazy("offer", "Waits for approval")
    RUNNING = "running", pgettext_lazy("offer", "Running")
    ENDED = "ended", pgettext_lazy("offer", "Ended")


class ProspectOffer(models.Model):
    """One offer: each prospect of its audience is written to once, and given once for joining.

    The audience is prospects by `sources` (empty: any), by interest, and by the days since they
    were entered. `given` never exceeds `most_given`.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=14, choices=OfferKind)
    state = models.CharField(_("state"), max_length=7, choices=OfferState, default=OfferState.DRAFT)
    product = models.CharField(_("product"), max_length=64, blank=True)
    sources = models.JSONField(_("sources"), default=list, blank=True)
    interest_kind = models.CharField(_("kind of interest"), max_length=8, blank=True)
    interest = models.CharField(_("interest"), max_length=64, blank=True)
    min_days = models.PositiveSmallIntegerField(_("at least so many days"), default=0)
    max_days = models.PositiveSmallIntegerField(_("at most so many days"), null=True, blank=True)
    template = models.ForeignKey(
        MessageTemplate, models.PROTECT, related_name="+", db_index=False,
        verbose_name=_("message template"),
    )  # fmt: skip
    points = models.PositiveIntegerField(_("points"), null=True, blank=True)
    coupon_template = models.ForeignKey(
        "rewards.CouponTemplate", models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("coupon template"),
    )  # fmt: skip
    valid_days = models.PositiveSmallIntegerField(_("days to join"), default=30)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    holdout_percent = models.PositiveSmallIntegerField(_("hold-out in per cent"), default=10)
    most_given = models.PositiveIntegerField(_("given at most"))
    given = models.PositiveIntegerField(_("given"), default=0)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("offer to prospects")
        verbose_name_plural = _("offers to prospects")
        permissions = [
            ("approve_prospectoffer", _("Can approve offers to prospects")),
            ("run_prospectoffer", _("Can end offers to prospects")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=OfferKind.values), name="prospect_offer_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="new_product") | ~Q(product=""),
                name="prospect_offer_names_product",
            ),
            models.CheckConstraint(
                condition=~Q(kind="limited_time") | Q(ends_at__isnull=False),
                name="prospect_offer_limited_ends",
            ),
            models.CheckConstraint(
                condition=Q(points__isnull=False, points__gt=0, coupon_template__isnull=True)
                | Q(points__isnull=True, coupon_template__isnull=False),
                name="prospect_offer_gives_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="prospect_offer_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(holdout_percent__lte=50), name="prospect_offer_holdout_bounded"
            ),
            models.CheckConstraint(
                condition=Q(given__lte=F("most_given")), name="prospect_offer_within_budget"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "asked"], started_at__isnull=True,
                            ended_at__isnull=True)
                | Q(state="running", started_at__isnull=False, ended_at__isnull=True)
                | Q(state="ended", ended_at__isnull=False),
                name="prospect_offer_state_has_instants",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name_en or self.name_zh if get_language() == "en" else self.name_zh


class AddressState(models.TextChoices):
    """What became of the one message to a prospect. `sending` and `unknown` may have arrived."""

    HELD_OUT = "held_out", pgettext_lazy("prospect", "Held out")
    QUEUED = "queued", pgettext_lazy("message", "Queued")
    SENDING = "sending", pgettext_lazy("message", "Sending")
    SENT = "sent", pgettext_lazy("message", "Sent")
    SKIPPED = "skipped", pgettext_lazy("message", "Not sent")
    FAILED = "failed", pgettext_lazy("message", "Failed")
    UNKNOWN = "unknown", pgettext_lazy("message", "Unknown")


TOLD = (AddressState.SENDING, AddressState.SENT, AddressState.UNKNOWN)


class ProspectAddress(models.Model):
    """One prospect in the audience of one offer: held out or written to, and what joining gave.

    `good_until` is up to when joining counts. No text is kept, nor where it went.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    offer = models.ForeignKey(
        ProspectOffer, models.PROTECT, related_name="addresses", db_index=False,
        verbose_name=_("offer"),
    )  # fmt: skip
    prospect = models.ForeignKey(
        "members.Prospect", models.PROTECT, related_name="+", verbose_name=_("prospect")
    )
    state = models.CharField(_("state"), max_length=8, choices=AddressState)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    channel = models.CharField(_("channel"), max_length=8, choices=Via, blank=True)
    version = models.ForeignKey(
        TemplateVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        verbose_name=_("template version"),
    )  # fmt: skip
    provider_id = models.CharField(_("provider's id"), max_length=80, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    taken_at = models.DateTimeField(_("taken into the audience at"))
    due_at = models.DateTimeField(_("due at"))
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    good_until = models.DateTimeField(_("good until"), null=True, blank=True)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("member"),
    )  # fmt: skip
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)
    entry = models.OneToOneField(
        "rewards.Entry", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("entry"),
    )  # fmt: skip
    coupon = models.OneToOneField(
        "rewards.Coupon", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("coupon"),
    )  # fmt: skip
    not_given = models.CharField(_("not given because"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("prospect of an offer")
        verbose_name_plural = _("prospects of offers")
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "prospect"], name="prospect_address_once_per_offer"
            ),
            models.UniqueConstraint(
                fields=["offer", "member"], condition=Q(given_at__isnull=False),
                name="prospect_address_given_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=AddressState.values), name="prospect_address_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
                name="prospect_address_leased",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "sent", "unknown"])
                | (Q(sent_at__isnull=False, good_until__isnull=False) & ~Q(channel="")),
                name="prospect_address_sent_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["skipped", "failed", "unknown"]) | ~Q(reason=""),
                name="prospect_address_not_sent_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(given_at__isnull=True, entry__isnull=True, coupon__isnull=True)
                | Q(
                    ~Q(state="held_out"), given_at__isnull=False, member__isnull=False,
                    entry__isnull=False, coupon__isnull=True,
                )
                | Q(
                    ~Q(state="held_out"), given_at__isnull=False, member__isnull=False,
                    entry__isnull=True, coupon__isnull=False,
                ),
                name="prospect_address_given_whole",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["due_at", "id"], condition=Q(state="queued"), name="prospect_address_due"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state="sending"),
                name="prospect_address_leases",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.pk}"
