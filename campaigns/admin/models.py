"""Lists of goals, reports, their mails and kept figures."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.kpis import registry
from campaigns.models import (
    Goal,
    MetricValue,
    Report,
    ReportDelivery,
    ReportRecipient,
    UnitCost,
)
from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin


@admin.register(Goal)
class GoalAdmin(ReadOnlyAdmin):
    """Goals as they were set; how they stand is shown on the page of goals."""

    list_display = ("name", "metric", "baseline", "target", "starts_on", "ends_on", "owner")
    list_select_related = ("owner",)


@admin.register(MetricValue)
class MetricValueAdmin(ReadOnlyAdmin):
    """Figures by day, as measured for trends."""

    list_display = ("metric_title", "day", "numerator", "denominator", "measured_at")
    ordering = ("-day",)

    @admin.display(description=_("metric"))
    def metric_title(self, row: MetricValue) -> str:
        """Return the metric's name."""
        metric = registry.METRICS.get(row.metric)
        return str(metric.title) if metric else row.metric


@admin.register(UnitCost)
class UnitCostAdmin(ReadOnlyAdmin):
    """What a point is reckoned to cost, from day to day."""

    list_display = ("effective_on", "amount", "reason", "set_by", "set_at")
    ordering = ("-effective_on",)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """Weekly and monthly reports; each opens as a page with its PDF."""

    list_display = ("period", "kind", "generated_at", "links")
    list_filter = ("kind",)
    ordering = ("-ends_on",)
    concealed = ("figures",)
    shown_last = ("links",)

    @admin.display(description=_("period"), ordering="ends_on")
    def period(self, report: Report) -> str:
        """Return the days that the report is about."""
        return f"{report.starts_on} – {report.ends_on}"

    @admin.display(description=_("open"))
    def links(self, report: Report) -> SafeString:
        """Return the ways to the page and the PDF."""
        return format_html(
            '<a class="lc-link" href="{}">{}</a> · <a class="lc-link" href="{}">PDF</a>',
            reverse("admin:report", args=[report.pk]), gettext("Page"),
            reverse("admin:report_pdf", args=[report.pk]),
        )  # fmt: skip


@admin.register(ReportRecipient)
class ReportRecipientAdmin(ConsoleAdmin):
    """Who is sent which report."""

    list_display = ("user", "kind", "language", "has_address")
    list_select_related = ("user",)
    list_filter = ("kind",)

    @admin.display(description=_("e-mail address"), boolean=True)
    def has_address(self, recipient: ReportRecipient) -> bool:
        """Tell whether the person has an address to be written to."""
        return bool(recipient.user.email)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportRecipient]:
        """Read recipients with their log-ins."""
        rows: QuerySet[ReportRecipient] = super().get_queryset(request)
        return rows.select_related("user")


@admin.register(ReportDelivery)
class ReportDeliveryAdmin(ReadOnlyAdmin):
    """Mails of reports, and what became of them."""

    list_display = ("report", "user", "state_label", "tries", "due_at", "sent_at", "error_code")
    list_select_related = ("report", "user")
    list_filter = ("state",)

    @labelled(
        _("state"),
        {"waiting": "info", "sending": "info", "sent": "success", "failed": "danger",
         "unclear": "warning"},
    )  # fmt: skip
    def state_label(self, delivery: ReportDelivery) -> tuple[str, Any]:
        """Return where the mail stands, with its colour."""
        return delivery.state, delivery.get_state_display()
