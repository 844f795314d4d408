"""Making the reports that are due, and owing them to whoever is to get them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain import periods
from campaigns.domain.periods import Period
from campaigns.kpis import report_figures
from campaigns.models import DeliveryState, Report, ReportDelivery, ReportKind, ReportRecipient
from config.base import clock
from config.base.errors import DomainError
from members.models import Member


class ReportError(DomainError):
    """A report cannot be sent like this."""


def make_due(*, at: datetime, recorded_at: datetime, sent_at: datetime) -> int:
    """Make the report of every week and month that is over and has none; return how many.

    Source: STF-09, KPI-14.
    """
    today = clock.local_day(at)
    made = 0
    for kind in ReportKind.values:
        newest = Report.objects.filter(kind=kind).order_by("-starts_on").first()
        start = None if newest is None else newest.starts_on
        for period in periods.missing(kind, newest_start=start, today=today):
            if Member.objects.filter(joined_at__lt=clock.day_start(today)).exists():
                made += _make(period, recorded_at, sent_at)
    return made


@transaction.atomic
def _make(period: Period, recorded_at: datetime, sent_at: datetime) -> bool:
    """Freeze the figures of a period unless somebody else has; owe it to its recipients."""
    made = Report.objects.bulk_create(
        [
            Report(
                kind=period.kind, starts_on=period.starts_on, ends_on=period.ends_on,
                figures=report_figures.figures(period), generated_at=recorded_at,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    report = Report.objects.get(kind=period.kind, starts_on=period.starts_on)
    owe(report, ReportRecipient.objects.filter(kind=period.kind), at=sent_at)
    return bool(made)


def owe(report: Report, recipients: Iterable[ReportRecipient], *, at: datetime) -> None:
    """Owe a report to recipients who can be written to; each is owed it once."""
    ReportDelivery.objects.bulk_create(
        [
            ReportDelivery(
                report=report, user_id=recipient.user_id, language=recipient.language, due_at=at
            )
            for recipient in recipients
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def send_again(*, delivery_id: int, at: datetime) -> ReportDelivery:
    """Owe a mail once more, because a person says so; whatever is on its way is left alone.

    Raises: ReportError.
    """
    delivery = ReportDelivery.objects.select_for_update(no_key=True).get(pk=delivery_id)
    if delivery.state in {DeliveryState.WAITING, DeliveryState.SENDING}:
        raise ReportError("report_on_its_way", _("This mail is on its way."), status=409)
    delivery.state = DeliveryState.WAITING
    delivery.tries = 0
    delivery.due_at = at
    delivery.sent_at = None
    delivery.error_code = ""
    delivery.save(update_fields=["state", "tries", "due_at", "sent_at", "error_code"])
    return delivery


@transaction.atomic
def send_to_all(*, report_id: int, at: datetime) -> int:
    """Owe a report to recipients who were named after it was made; return how many are new."""
    report = Report.objects.get(pk=report_id)
    before = report.deliveries.count()
    owe(report, ReportRecipient.objects.filter(kind=report.kind), at=at)
    return report.deliveries.count() - before
