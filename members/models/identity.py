"""Members and the identifiers that lead to them.

Personal values are stored only as ciphertext under the member's own data key, so that destroying
the key erases them wherever they were copied (crypto-erasure).
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class MemberStatus(models.TextChoices):
    """What a member may do; only `active` members spend."""

    ACTIVE = "active", _("Active")
    FROZEN = "frozen", _("Frozen")
    CLOSED = "closed", _("Closed")
    ERASED = "erased", _("Erased")
    MERGED = "merged", _("Merged")


class MemberQuerySet(models.QuerySet["Member"]):
    """The vocabulary of member look-ups."""

    def living(self) -> "MemberQuerySet":
        """Return members that still stand for a person: neither erased nor merged away."""
        return self.exclude(status__in=[MemberStatus.ERASED, MemberStatus.MERGED])


class Member(models.Model):
    """One enrolled customer."""

    public_id = models.UUIDField(_("member id"), unique=True, editable=False)
    card_number = models.CharField(_("card number"), max_length=20, unique=True)
    status = models.CharField(
        _("status"), max_length=10, choices=MemberStatus, default=MemberStatus.ACTIVE
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("merged into")
    )
    joined_at = models.DateTimeField(_("joined at"))
    channel = models.CharField(_("enrolment channel"), max_length=16)
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, verbose_name=_("touchpoint")
    )
    home_store = models.ForeignKey(
        "members.Store", models.PROTECT, null=True, blank=True, verbose_name=_("home store")
    )
    enrolled_by = models.CharField(_("enrolled by"), max_length=64, blank=True)
    service_level = models.PositiveSmallIntegerField(_("service level"), default=0)
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("dedicated agent"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("recorded at"))

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [
            ("erase_member", _("Can agree to erase members")),
            ("assign_account_manager", _("Can give members a dedicated agent")),
            ("reveal_member", _("Can look at a member's personal data in clear")),
            ("change_contact_member", _("Can change a member's phone and card")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False)
                | (~Q(status="merged") & Q(merged_into__isnull=True)),
                name="member_merged_has_survivor",
            ),
            models.CheckConstraint(
                condition=Q(status__in=MemberStatus.values), name="member_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "joined_at"], name="member_channel_joined"),
            models.Index(fields=["joined_at", "id"], name="member_joined_in_order"),
            models.Index(fields=["status", "id"], name="member_status"),
            models.Index(
                fields=["account_manager"],
                condition=Q(account_manager__isnull=False),
                name="member_account_manager",
            ),
        ]

    def __str__(self) -> str:
        return self.card_number


class MemberKey(models.Model):
    """The member's data key, wrapped under a master key. Deleting the row erases the person."""

    member = models.OneToOneField(Member, models.PROTECT, primary_key=True, related_name="key")
    wrapped = models.BinaryField(_("wrapped key"))
    master_version = models.PositiveSmallIntegerField(_("master key version"))

    class Meta:
        verbose_name = _("member key")
        verbose_name_plural = _("member keys")

    def __str__(self) -> str:
        return f"{self.member_id}"


class MemberProfile(models.Model):
    """What is known of the person, sealed; and what may be counted without reading it."""

    member = models.OneToOneField(Member, models.PROTECT, primary_key=True, related_name="profile")
    sealed = models.BinaryField(_("sealed values"), null=True, blank=True)
    name_hash = models.BinaryField(_("name hash"), null=True, blank=True)
    name_mask = models.CharField(_("masked name"), max_length=64, blank=True)
    birth_month = models.PositiveSmallIntegerField(_("birth month"), null=True, blank=True)
    birth_day = models.PositiveSmallIntegerField(_("birth day"), null=True, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    first_purchase_on = models.DateField(_("first purchase on"), null=True, blank=True)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        indexes = [
            models.Index(fields=["name_hash"], name="profile_name_hash"),
            models.Index(fields=["first_purchase_on"], name="profile_first_purchase"),
            models.Index(fields=["birth_month", "birth_day"], name="profile_birthday"),
        ]

    def __str__(self) -> str:
        return self.name_mask or f"{self.member_id}"


class IdentifierKind(models.TextChoices):
    """The kinds of identifier that lead to one member."""

    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")
    CARD = "card", _("Card")
    WECHAT_UNIONID = "wechat_unionid", _("WeChat unionid")
    WECHAT_OPENID = "wechat_openid", _("WeChat openid")
    WECOM_EXTERNAL_USERID = "wecom_external_userid", _("WeCom external user id")
    ALIPAY_USER_ID = "alipay_user_id", _("Alipay user id")
    MARKETPLACE_BUYER = "marketplace_buyer", _("Marketplace buyer")
    EXTERNAL = "external", _("External id")


class Identifier(models.Model):
    """One way to recognise a member, from when it was attached until it ended."""

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="identifiers", verbose_name=_("member")
    )
    kind = models.CharField(_("kind"), max_length=24, choices=IdentifierKind)
    app = models.CharField(_("app or shop"), max_length=64, blank=True)
    sealed = models.BinaryField(_("sealed value"), null=True, blank=True)
    value_hash = models.BinaryField(_("value hash"))
    hash_version = models.PositiveSmallIntegerField(_("hash key version"))
    tail4 = models.CharField(_("tail"), max_length=4, blank=True)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    from_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        constraints = [
            models.UniqueConstraint(
                fields=["value_hash", "kind", "app"],
                condition=Q(ended_at__isnull=True),
                name="identifier_unique_while_active",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=IdentifierKind.values), name="identifier_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["tail4", "kind"], name="identifier_tail")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} …{self.tail4}"
