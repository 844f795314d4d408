"""Weekly and monthly reports: figures frozen when the period is over, and who was sent them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ReportKind(models.TextChoices):
    """How long the period of a report is."""

    WEEKLY = "weekly", _("Weekly")
    MONTHLY = "monthly", _("Monthly")


class Report(models.Model):
    """The report of one week or month. Page and PDF show these figures and read nothing else."""

    kind = models.CharField(_("kind"), max_length=8, choices=ReportKind)
    starts_on = models.DateField(_("from day"))
    ends_on = models.DateField(_("to day"))
    figures = models.JSONField(_("figures"))
    generated_at = models.DateTimeField(_("generated at"))

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-ends_on", "kind"]
        permissions = [
            ("send_report", _("Can send a report again")),
            ("view_monthend", _("Can view the month-end page")),
            ("export_monthend", _("Can export the month-end page")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind", "starts_on"], name="report_once_per_period"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="report_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_on} – {self.ends_on}"


class ReportRecipient(models.Model):
    """Somebody who is sent every report of a kind, in a language."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("staff")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=ReportKind)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)

    class Meta:
        verbose_name = _("report recipient")
        verbose_name_plural = _("report recipients")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="report_recipient_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} – {self.get_kind_display()}"


class DeliveryState(models.TextChoices):
    """Where the mail of a report stands.

    `sending` is written before the server is spoken to: a process that dies then leaves a mail that
    may have gone out. It is `unclear` and only a person sends it again.
    """

    WAITING = "waiting", pgettext_lazy("mail", "Waiting")
    SENDING = "sending", pgettext_lazy("mail", "Sending")
    SENT = "sent", pgettext_lazy("mail", "Sent")
    FAILED = "failed", pgettext_lazy("mail", "Failed")
    UNCLEAR = "unclear", pgettext_lazy("mail", "Unclear")


class ReportDelivery(models.Model):
    """One report, e-mailed to one person once. Instants are the wall's."""

    report = models.ForeignKey(
        Report, models.PROTECT, related_name="deliveries", verbose_name=_("report")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("staff")
    )
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    state = models.CharField(
        _("state"), max_length=8, choices=DeliveryState, default=DeliveryState.WAITING
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("report delivery")
        verbose_name_plural = _("report deliveries")
        constraints = [
            models.UniqueConstraint(fields=["report", "user"], name="report_sent_once_to_each"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="report_delivery_sent_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending"], due_at__isnull=False)
                | (~Q(state__in=["waiting", "sending"]) & Q(due_at__isnull=True)),
                name="report_delivery_due_while_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="report_delivery_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id}: {self.user}"
