"""Messages that shops send by themselves: where they arrive, and what has become of each."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class InboundScheme(models.TextChoices):
    """How messages are signed."""

    SHOPIFY = "shopify", "Shopify"
    YOUZAN = "youzan", _("Youzan")
    STANDARD = "standard", "Standard Webhooks"


class InboundHook(models.Model):
    """A shop's own webhook that ends here: who it speaks for, and how it is read.

    Its code is the source of the facts that come of it, and part of the address.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(_("code"), max_length=40, unique=True)
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, related_name="inbound_hooks",
        verbose_name=_("touchpoint"),
    )  # fmt: skip
    scheme = models.CharField(_("scheme"), max_length=10, choices=InboundScheme)
    secret = models.BinaryField(_("secret"))
    mapping = models.JSONField(_("mapping"))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("shop connection")
        verbose_name_plural = _("shop connections")

    def __str__(self) -> str:
        return self.code


class InboundState(models.TextChoices):
    """What has become of a message; a parked one waits for somebody to replay it."""

    DONE = "done", _("Done")
    IGNORED = "ignored", _("Of no interest")
    PARKED = "parked", pgettext_lazy("message", "Parked")


class InboundDelivery(models.Model):
    """One message by the provider's own id; the same one again is answered and not done again.

    Only a parked message keeps its body, sealed, and only for a time: it names a person.
    """

    public_id = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    hook = models.ForeignKey(
        InboundHook, models.PROTECT, related_name="deliveries", db_index=False,
        verbose_name=_("shop connection"),
    )  # fmt: skip
    provider_id = models.CharField(_("provider's id"), max_length=128)
    topic = models.CharField(_("topic"), max_length=80)
    digest = models.BinaryField(_("digest"), max_length=32)
    state = models.CharField(_("state"), max_length=8, choices=InboundState)
    reason = models.CharField(_("reason"), max_length=80, blank=True)
    result = models.JSONField(_("result"), default=list)
    body = models.BinaryField(_("body"), null=True, blank=True)
    case = models.ForeignKey(
        "members.Case", models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("case"),
    )  # fmt: skip
    received_at = models.DateTimeField(_("received at"))
    replayed_at = models.DateTimeField(_("replayed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("message from a shop")
        verbose_name_plural = _("messages from shops")
        constraints = [
            models.UniqueConstraint(fields=["hook", "provider_id"], name="inbound_delivery_once"),
            models.CheckConstraint(
                condition=Q(state="parked") | Q(body__isnull=True),
                name="inbound_only_parked_keeps_body",
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(body__isnull=False), name="inbound_with_body"
            ),
            models.Index(fields=["hook", "-id"], name="inbound_delivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.provider_id}"
