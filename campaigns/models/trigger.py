"""Festivals, how far the calendar of campaigns has been gone through, and what waits."""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _


class Festival(models.Model):
    """A day of every year that campaigns can be about; `rule` is read by the domain's module."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=60, blank=True)
    rule = models.JSONField(_("rule"))
    is_enabled = models.BooleanField(_("used"), default=True)

    class Meta:
        verbose_name = _("festival")
        verbose_name_plural = _("festivals")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name_en or self.name_zh if get_language() == "en" else self.name_zh


class TriggerMark(models.Model):
    """Up to which instant the calendar of a campaign has been gone through."""

    campaign = models.OneToOneField(
        "campaigns.Campaign", models.PROTECT, primary_key=True, related_name="trigger_mark",
        verbose_name=_("campaign"),
    )  # fmt: skip
    done_until = models.DateTimeField(_("done until"))

    class Meta:
        verbose_name = _("mark of a trigger")
        verbose_name_plural = _("marks of triggers")

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.done_until}"


class OccurrenceState(models.TextChoices):
    """What has become of an occurrence that did not act at once."""

    WAITING = "waiting", pgettext_lazy("occurrence", "Waiting")
    DONE = "done", pgettext_lazy("occurrence", "Acted on")
    STOPPED = "stopped", pgettext_lazy("occurrence", "Stopped")
    STALE = "stale", pgettext_lazy("occurrence", "Too late")


class TriggerOccurrence(models.Model):
    """One occurrence of a campaign's trigger that waits for its instant, or never acted.

    What acts at once leaves its act and no row here.
    """

    campaign = models.ForeignKey(
        "campaigns.Campaign", models.PROTECT, related_name="occurrences", db_index=False,
        verbose_name=_("campaign"),
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    key = models.CharField(_("occurrence"), max_length=120)
    started_at = models.DateTimeField(_("started at"))
    acts_at = models.DateTimeField(_("acts at"))
    caused_by = models.CharField(_("caused by"), max_length=80, blank=True)
    context = models.JSONField(_("context"), default=dict, blank=True)
    state = models.CharField(
        _("state"), max_length=7, choices=OccurrenceState, default=OccurrenceState.WAITING
    )
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    ended_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("occurrence of a trigger")
        verbose_name_plural = _("occurrences of triggers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "member", "key"], name="trigger_occurrence_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at__isnull=True)
                | (~Q(state="waiting") & Q(ended_at__isnull=False)),
                name="trigger_occurrence_ended_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["acts_at", "id"], condition=Q(state="waiting"), name="occurrence_waiting"
            ),
            models.Index(fields=["member"], name="occurrence_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.member_id} {self.key}"
