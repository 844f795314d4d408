"""The connected systems, their keys, and the organisation they belong to."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """The kinds of touchpoint."""

    WEB = "web", _("Web shop")
    APP = "app", _("App")
    MINIAPP = "miniapp", _("Mini-program")
    POS = "pos", _("Till")
    CS = "cs", _("Customer service")
    IMPORT = "import", _("Import")
    REFERRAL = "referral", _("Referral")


class OnUnknown(models.TextChoices):
    """What a touchpoint wants done with a fact whose identifier leads to nobody."""

    AWAIT = "await", _("Keep until the member is known")
    ENROL = "enrol", _("Enrol")
    REJECT = "reject", _("Reject")


class SpendNeeds(models.TextChoices):
    """What shows that the member is there when points are spent."""

    NONE = "none", _("Nothing")
    MEMBER_CODE = "member_code", _("Member code")
    OTP = "otp", _("One-time password")


class OrgUnit(models.Model):
    """A node of the retailer's organisation."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=100)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children",
        verbose_name=_("parent"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("organisation unit")
        verbose_name_plural = _("organisation units")

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """A shop."""

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    org_unit = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, blank=True, verbose_name=_("organisation unit")
    )

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")

    def __str__(self) -> str:
        return self.name or self.code


class Touchpoint(models.Model):
    """A system that reports facts and gives commands: a till, a shop, an app."""

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, verbose_name=_("store"))
    on_unknown = models.CharField(
        _("unknown identifiers"), max_length=8, choices=OnUnknown, default=OnUnknown.AWAIT
    )
    adjustment_limit_points = models.PositiveBigIntegerField(
        _("adjustment limit (points per call)"), default=500
    )
    adjustment_daily_limit_points = models.PositiveBigIntegerField(
        _("adjustment limit (points per day)"), default=20_000, db_default=20_000
    )
    adjustment_member_month_limit_points = models.PositiveBigIntegerField(
        _("adjustment limit (points per member and month)"), default=2_000, db_default=2_000
    )
    spend_needs = models.CharField(
        _("spending points needs"), max_length=12, choices=SpendNeeds,
        default=SpendNeeds.NONE, db_default=SpendNeeds.NONE.value,
    )  # fmt: skip
    spend_free_points = models.PositiveBigIntegerField(
        _("points spent without that, per call"), default=0, db_default=0
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute and key"), default=60_000, db_default=60_000,
        help_text=_("0 = no limit"),
    )  # fmt: skip
    member_requests_per_minute = models.PositiveIntegerField(
        _("requests per minute of one member's tokens"), default=120, db_default=120,
        help_text=_("0 = no limit"),
    )  # fmt: skip
    unknown_lookups_per_minute = models.PositiveIntegerField(
        _("look-ups of unknown identifiers per minute and key"), default=30, db_default=30,
        help_text=_("0 = no limit"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="touchpoint_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(spend_needs__in=SpendNeeds.values), name="touchpoint_spend_needs_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """A name space of references; it belongs to the touchpoint that first used it."""

    code = models.CharField(_("code"), max_length=64, unique=True)
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, related_name="sources", verbose_name=_("touchpoint")
    )

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.code


class ApiKey(models.Model):
    """A touchpoint's secret; only its SHA-256 is kept, its prefix names it to people."""

    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, related_name="keys", verbose_name=_("touchpoint")
    )
    prefix = models.CharField(_("prefix"), max_length=16)
    secret_hash = models.BinaryField(_("secret hash"), unique=True, max_length=32)
    scopes = ArrayField(models.CharField(max_length=40), verbose_name=_("scopes"), default=list)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.prefix}…"


class IdempotencyKey(models.Model):
    """The stored answer to a call, kept so that a retry reads the same."""

    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, verbose_name=_("touchpoint"))
    key = models.CharField(_("key"), max_length=255)
    digest = models.BinaryField(_("digest"), max_length=32)
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    body = models.BinaryField(_("body"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [
            models.UniqueConstraint(fields=["touchpoint", "key"], name="idempotency_key_unique")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]

    def __str__(self) -> str:
        return self.key
