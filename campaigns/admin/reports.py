"""Reports as pages and PDFs, and their mails sent again.

Source: STF-09, KPI-14.
"""

from datetime import UTC, datetime
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from campaigns import report_pages, report_pdf
from campaigns.models import Report, ReportDelivery
from campaigns.services import reports
from config.base.admin import site
from config.base.errors import DomainError

VIEW, SEND = "campaigns.view_report", "campaigns.send_report"
COLOURS: Final = {
    "waiting": "info", "sending": "info", "sent": "success", "failed": "danger",
    "unclear": "warning",
}  # fmt: skip


def report_page(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show a report and what became of its mails."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    report = get_object_or_404(Report, pk=report_id)
    deliveries = report.deliveries.select_related("user").order_by("user__username")
    context = {
        **site.current().each_context(request),
        "title": report_pages.title_of(report),
        "report": report,
        "sections": report_pages.sections(report),
        "deliveries": [(row, COLOURS[row.state]) for row in deliveries],
        "may_send": request.user.has_perm(SEND),
    }
    return TemplateResponse(request, "admin/campaigns/report.html", context)


def report_pdf_page(request: HttpRequest, report_id: int) -> HttpResponse:
    """Give the PDF in the visitor's language."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    report = get_object_or_404(Report, pk=report_id)
    answer = HttpResponse(report_pdf.render(report), content_type="application/pdf")
    name = f"{report.kind}-{report.starts_on}.pdf"
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def send_again_page(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Owe one mail once more."""
    if not request.user.has_perm(SEND):
        raise PermissionDenied
    delivery = get_object_or_404(ReportDelivery, pk=delivery_id)
    try:
        reports.send_again(delivery_id=delivery.pk, at=datetime.now(UTC))
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, gettext("The mail goes out within a minute."))
    return redirect("admin:report", delivery.report_id)


@require_POST
def send_to_all_page(request: HttpRequest, report_id: int) -> HttpResponse:
    """Owe a report to recipients who were named after it was made."""
    if not request.user.has_perm(SEND):
        raise PermissionDenied
    report = get_object_or_404(Report, pk=report_id)
    count = reports.send_to_all(report_id=report.pk, at=datetime.now(UTC))
    messages.success(request, gettext("%(count)s more mails go out.") % {"count": count})
    return redirect("admin:report", report.pk)
