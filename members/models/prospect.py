"""People who have shown interest and are no members (潜客).

They are kept as members are: what leads to the person is ciphertext under the person's own key, and
is gone for ever when the key is. The bare row stays, so that what was sent can still be counted.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class InterestKind(models.TextChoices):
    """What a prospect has shown interest in."""

    CATEGORY = "category", pgettext_lazy("interest", "Category")
    PRODUCT = "product", pgettext_lazy("interest", "Product")
    CAMPAIGN = "campaign", pgettext_lazy("interest", "Campaign")


class ForgottenBecause(models.TextChoices):
    """Why nothing personal of a prospect is left."""

    EXPIRED = "expired", pgettext_lazy("prospect", "Not joined in time")
    ASKED = "asked", pgettext_lazy("prospect", "Asked to be forgotten")
    MEMBER_ERASED = "member_erased", pgettext_lazy("prospect", "Erased as a member")


class ProspectQuerySet(models.QuerySet["Prospect"]):
    """The vocabulary of prospects."""

    def known(self) -> "ProspectQuerySet":
        """Return prospects that can still be reached."""
        return self.filter(forgotten_at__isnull=True)

    def addressable(self) -> "ProspectQuerySet":
        """Return prospects who agreed to marketing, have not opted out since, and have not joined.

        Of two words of one instant the refusal counts.
        """
        agreed = Q(consented_at__isnull=False) & (
            Q(opted_out_at__isnull=True) | Q(consented_at__gt=F("opted_out_at"))
        )
        return self.known().filter(agreed, converted_at__isnull=True)


class Prospect(models.Model):
    """One person who is no member yet, what they agreed to, and whether they have joined.

    `wrapped` is the data key under the installation's key; without it the person is forgotten.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    source = models.CharField(_("source"), max_length=64)
    interest_kind = models.CharField(
        _("kind of interest"), max_length=8, choices=InterestKind, blank=True
    )
    interest = models.CharField(_("interest"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True)
    referred_by = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("referrer"),
    )  # fmt: skip
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("touchpoint"),
    )  # fmt: skip
    entered_by = models.CharField(_("entered by"), max_length=80)
    created_at = models.DateTimeField(_("entered at"))
    expires_at = models.DateTimeField(_("kept until"))
    wrapped = models.BinaryField(_("wrapped key"), null=True, blank=True)
    master_version = models.PositiveSmallIntegerField(_("master key version"))
    consented_at = models.DateTimeField(_("agreed at"), null=True, blank=True)
    consent_version = models.CharField(_("text version"), max_length=32, blank=True)
    consent_source = models.CharField(_("source of the consent"), max_length=64, blank=True)
    sealed_evidence = models.BinaryField(_("sealed evidence"), null=True, blank=True)
    opted_out_at = models.DateTimeField(_("opted out at"), null=True, blank=True)
    converted_to = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("joined as"),
    )  # fmt: skip
    converted_at = models.DateTimeField(_("joined at"), null=True, blank=True)
    forgotten_at = models.DateTimeField(_("forgotten at"), null=True, blank=True)
    forgotten_because = models.CharField(
        _("forgotten because"), max_length=13, choices=ForgottenBecause, blank=True
    )

    objects = ProspectQuerySet.as_manager()

    class Meta:
        verbose_name = _("prospect")
        verbose_name_plural = _("prospects")
        permissions = [
            ("reveal_prospect", _("Can look at a prospect's phone and e-mail in clear")),
            ("erase_prospect", _("Can forget prospects, and note that they opted out")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(interest_kind="", interest="")
                | (Q(interest_kind__in=InterestKind.values) & ~Q(interest="")),
                name="prospect_interest_whole",
            ),
            models.CheckConstraint(
                condition=Q(converted_to__isnull=True, converted_at__isnull=True)
                | Q(converted_to__isnull=False, converted_at__isnull=False),
                name="prospect_converted_whole",
            ),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True, wrapped__isnull=False, forgotten_because="")
                | Q(
                    forgotten_at__isnull=False, wrapped__isnull=True, sealed_evidence__isnull=True,
                    referred_by__isnull=True, forgotten_because__in=ForgottenBecause.values,
                ),
                name="prospect_forgotten_has_no_key",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(forgotten_at__isnull=True),
                name="prospect_expiring",
            ),
            models.Index(fields=["created_at"], name="prospect_entered"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def may_be_addressed(self) -> bool:
        """Tell whether marketing may be sent; as `ProspectQuerySet.addressable` finds it."""
        is_over = self.forgotten_at is not None or self.converted_at is not None
        if is_over or self.consented_at is None:
            return False
        return self.opted_out_at is None or self.consented_at > self.opted_out_at


class ContactKind(models.TextChoices):
    """How a prospect can be reached; the same kinds that identify members."""

    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")


class ProspectContact(models.Model):
    """One phone or mailbox of a prospect, sealed; found by its look-up hash. Deleted to forget."""

    prospect = models.ForeignKey(
        Prospect, models.PROTECT, related_name="contacts", verbose_name=_("prospect")
    )
    kind = models.CharField(_("kind"), max_length=5, choices=ContactKind)
    sealed = models.BinaryField(_("sealed value"))
    value_hash = models.BinaryField(_("value hash"))
    hash_version = models.PositiveSmallIntegerField(_("hash key version"))
    tail4 = models.CharField(_("tail"), max_length=4, blank=True)

    class Meta:
        verbose_name = _("prospect's contact")
        verbose_name_plural = _("prospects' contacts")
        constraints = [
            models.UniqueConstraint(fields=["value_hash", "kind"], name="prospect_contact_of_one"),
            models.UniqueConstraint(
                fields=["prospect", "kind"], name="prospect_contact_one_of_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ContactKind.values), name="prospect_contact_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["tail4"], name="prospect_contact_tail")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} …{self.tail4}"
