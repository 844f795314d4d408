"""Matters that a person has to look at."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CaseState(models.TextChoices):
    """Where a case stands."""

    OPEN = "open", pgettext_lazy("case", "Open")
    CLOSED = "closed", pgettext_lazy("case", "Closed")


class Case(models.Model):
    """One open question about a member or an order, opened by the system or by staff."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="cases",
        verbose_name=_("member"),
    )  # fmt: skip
    code = models.CharField(_("code"), max_length=40)
    fact = models.ForeignKey(
        "members.ReceivedFact", models.PROTECT, null=True, blank=True, related_name="cases",
        verbose_name=_("fact"),
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=8, choices=CaseState, default=CaseState.OPEN)
    details = models.JSONField(_("details"), default=dict)
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        indexes = [models.Index(fields=["state", "opened_at"], name="case_open")]

    def __str__(self) -> str:
        return self.code
