"""What a member allowed or refused, as a history."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.append_only import AppendOnly


class Consent(AppendOnly):
    """One decision of a member for one purpose and channel; the latest one counts."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="consents", verbose_name=_("member")
    )
    purpose = models.CharField(_("purpose"), max_length=32)
    channel = models.CharField(_("channel"), max_length=16, blank=True)
    granted = models.BooleanField(_("granted"))
    text_version = models.CharField(_("text version"), max_length=32, blank=True)
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, null=True, blank=True, verbose_name=_("touchpoint")
    )
    source = models.CharField(_("source"), max_length=64, blank=True)
    sealed_evidence = models.BinaryField(_("sealed evidence"), null=True, blank=True)
    given_at = models.DateTimeField(pgettext_lazy("consent", "given at"))
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta(AppendOnly.Meta):
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [
            models.Index(
                fields=["member", "purpose", "channel", "-given_at", "-id"], name="consent_latest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose}/{self.channel}"
