"""Weekly and monthly reports: made once, frozen, shown, and mailed once to each."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from threading import Thread

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from campaigns import report_pages, report_pdf
from campaigns.domain import periods
from campaigns.models import DeliveryState, Report, ReportDelivery, ReportRecipient
from campaigns.services import report_mail, reports
from campaigns.services.reports import ReportError
from members.models import Order
from tests.factories import console
from tests.mailbox import DROP, Mailbox

# A Tuesday: the week before ended on the 15th, the month before on 28 February.
NOW = datetime(2026, 3, 17, 4, 0, tzinfo=UTC)
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def year(db: None) -> None:
    cache.clear()
    console.programme()
    console.member()


def make(at: datetime = NOW) -> int:
    return reports.make_due(at=at, recorded_at=at, sent_at=at)


def test_periods_are_whole_weeks_and_months() -> None:
    week = periods.containing("weekly", date(2026, 3, 17))
    assert (week.starts_on, week.ends_on) == (date(2026, 3, 16), date(2026, 3, 22))
    month = periods.containing("monthly", date(2026, 12, 31))
    assert month.following.ends_on == date(2027, 1, 31)
    last = periods.missing("weekly", newest_start=None, today=date(2026, 3, 16))
    assert [each.ends_on for each in last] == [date(2026, 3, 15)]
    late = periods.missing("monthly", newest_start=date(2025, 12, 1), today=date(2026, 3, 1))
    assert [each.starts_on.month for each in late] == [1, 2]
    long = periods.missing("weekly", newest_start=date(2024, 1, 1), today=date(2026, 3, 16))
    assert [each.starts_on for each in long] == [
        date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 9),
    ]  # fmt: skip
    assert not list(periods.missing("weekly", newest_start=week.starts_on, today=week.ends_on))


@pytest.mark.req("STF-09", "KPI-14")
def test_a_report_is_made_once_a_period_and_stays_as_it_was(year: None) -> None:
    assert make() == 2
    assert make(NOW + timedelta(hours=1)) == 0
    weekly = Report.objects.get(kind="weekly")
    assert (weekly.starts_on, weekly.ends_on) == (date(2026, 3, 9), date(2026, 3, 15))
    # Orders of 2026-03-17 and, 40 days apart, before: none in that week, one in February.
    monthly = Report.objects.get(kind="monthly")
    assert (weekly.figures["period"]["orders"], monthly.figures["period"]["orders"]) == (0, 1)
    before = dict(monthly.figures)
    shown = report_pages.sections(monthly)
    Order.objects.update(net_amount=1)
    assert make(NOW + timedelta(days=21)) == 4  # three weeks and a month later
    monthly.refresh_from_db()
    assert monthly.figures == before
    assert report_pages.sections(monthly) == shown


def test_an_empty_programme_has_no_reports(db: None) -> None:
    assert make() == 0


@pytest.mark.req("STF-09", "KPI-14")
@pytest.mark.parametrize(
    ("language", "texts"),
    [("en", ["Weekly report 2026-03-09 to 2026-03-15", "Definitions"]), ("zh-hans", ["银卡会员"])],
)
def test_a_report_opens_as_a_page_and_as_a_pdf(
    client: Client, year: None, language: str, texts: list[str]
) -> None:
    make()
    client.force_login(console.staff())
    report = Report.objects.get(kind="weekly")
    header = {"accept-language": language}
    page = client.get(reverse("admin:report", args=[report.pk]), headers=header)
    listed = client.get(reverse("admin:campaigns_report_changelist"), headers=header)
    answer = client.get(reverse("admin:report_pdf", args=[report.pk]), headers=header)
    pdf = PdfReader(io.BytesIO(answer.content))
    content = "".join(each.extract_text() for each in pdf.pages)
    assert page.status_code == listed.status_code == answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    with translation.override(language):
        sections = report_pages.sections(report)
        again = report_pdf.render(report)
    assert again == answer.content
    for text in [*texts, *(section.title for section in sections)]:
        assert text in content


def test_reports_are_for_those_who_may(client: Client, year: None) -> None:
    make()
    delivery = owed()
    client.force_login(console.staff("reader", is_superuser=False))
    report = Report.objects.get(kind="weekly").pk
    for name, number in (("report", report), ("report_pdf", report)):
        assert client.get(reverse(f"admin:{name}", args=[number])).status_code == 403
    for name, number in (("report_send", report), ("report_send_again", delivery.pk)):
        assert client.post(reverse(f"admin:{name}", args=[number])).status_code == 403


# Mails


def owed(language: str = "en", email: str = "fin@example.com") -> ReportDelivery:
    """Owe somebody the weekly report, from now on."""
    user = console.staff("fin")
    user.email = email
    user.save()
    ReportRecipient.objects.create(user=user, kind="weekly", language=language)
    reports.send_to_all(report_id=Report.objects.get(kind="weekly").pk, at=NOW)
    return ReportDelivery.objects.get()


@contextmanager
def mailbox(*answers: str) -> Iterator[Mailbox]:
    with (
        Mailbox(*answers) as box,
        override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST=box.host, EMAIL_PORT=box.port),
    ):
        yield box


def send(at: datetime = NOW) -> int:
    count = 0
    while report_mail.send_due(at=at):
        count += 1
    return count


@pytest.mark.req("KPI-14")
@pytest.mark.parametrize(("language", "word"), [("en", "Weekly report"), ("zh-hans", "2026-03-09")])
def test_a_report_is_mailed_once_with_its_pdf(year: None, language: str, word: str) -> None:
    make()
    delivery = owed(language)
    with mailbox() as box:
        assert send() == 1
        assert send(NOW + timedelta(days=9)) == 0
    (message,) = box.messages
    assert message.to == ["fin@example.com"]
    assert word in message.subject
    ((name, pdf),) = message.files.items()
    assert name == "weekly-2026-03-09.pdf"
    assert len(PdfReader(io.BytesIO(pdf)).pages) >= 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.sent_at, delivery.tries) == (DeliveryState.SENT, NOW, 1)


def test_recipients_get_what_is_made_after_they_were_named(year: None) -> None:
    user = console.staff("fin")
    for kind in ("weekly", "monthly"):
        ReportRecipient.objects.create(user=user, kind=kind, language="en")
    make()
    make()
    assert sorted(row.report.kind for row in ReportDelivery.objects.all()) == ["monthly", "weekly"]


@pytest.mark.req("KPI-14")
def test_a_mail_that_the_server_refuses_is_tried_again_and_sent_once(year: None) -> None:
    make()
    delivery = owed()
    with mailbox("451 later", "250 ok") as box:
        assert send() == 1
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error_code) == ("waiting", "SMTPDataError")
        assert delivery.due_at == NOW + report_mail.RETRY_AFTER
        assert send() == 0
        assert send(NOW + report_mail.RETRY_AFTER) == 1
    assert len(box.messages) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.error_code) == ("sent", 2, "")


def test_a_server_that_is_away_is_tried_until_the_tries_are_over(year: None) -> None:
    make()
    delivery = owed()
    at = NOW
    with override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        for _ in range(report_mail.MAX_TRIES):
            assert send(at) == 1
            at += report_mail.LONGEST_WAIT
    delivery.refresh_from_db()
    assert (delivery.state, delivery.due_at) == (DeliveryState.FAILED, None)
    assert delivery.error_code == "ConnectionRefusedError"


@pytest.mark.parametrize(
    ("host", "email", "state", "code"),
    [("", "fin@example.com", "waiting", "mail_not_configured"), ("x", "", "failed", "no_address")],
)
def test_a_mail_that_cannot_be_says_why(
    year: None, host: str, email: str, state: str, code: str
) -> None:
    make()
    delivery = owed(email=email)
    with override_settings(EMAIL_HOST=host):
        send()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_code) == (state, code)


@pytest.mark.req("KPI-14")
def test_a_mail_that_broke_off_is_unclear_and_never_sent_again_by_itself(
    client: Client, year: None
) -> None:
    make()
    delivery = owed()
    with mailbox(DROP) as box:
        send()
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error_code) == ("unclear", "broke_off")
        assert send(NOW + timedelta(days=9)) == 0
        assert box.messages == []
        client.force_login(console.staff())
        client.post(reverse("admin:report_send_again", args=[delivery.pk]))
        assert send(datetime.now(UTC) + timedelta(seconds=1)) == 1
        assert len(box.messages) == 1


def test_a_sender_that_died_leaves_an_unclear_mail(year: None) -> None:
    make()
    delivery = owed()
    assert report_mail._claim(NOW) is not None
    with mailbox() as box:
        assert send(NOW + report_mail.LEASE - timedelta(seconds=1)) == 0
        assert send(NOW + report_mail.LEASE) == 0
    delivery.refresh_from_db()
    assert delivery.state == "unclear"
    assert box.messages == []


def test_a_mail_on_its_way_is_not_sent_again_by_a_person(client: Client, year: None) -> None:
    make()
    delivery = owed()
    with pytest.raises(ReportError, match="report_on_its_way"):
        reports.send_again(delivery_id=delivery.pk, at=NOW)
    client.force_login(console.staff())
    address = reverse("admin:report_send_again", args=[delivery.pk])
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.state, delivery.due_at) == ("waiting", NOW)
    assert client.post(reverse("admin:report_send", args=[delivery.report_id])).status_code == 302
    assert ReportDelivery.objects.count() == 1


@pytest.mark.req("KPI-14")
@pytest.mark.parametrize("is_locked", [True, False])
def test_two_senders_never_take_one_mail(
    own_database: str, monkeypatch: pytest.MonkeyPatch, is_locked: bool
) -> None:
    console.programme()
    console.member()
    make()
    owed()
    if not is_locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_options: rows)
    seen: list[object] = []

    def claim() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        try:
            seen.append(report_mail._claim(NOW))
        except OperationalError:
            seen.append("the same mail")
        connection.close()

    with transaction.atomic():
        assert report_mail._claim(NOW) is not None
        other = Thread(target=claim)
        other.start()
        other.join()
    assert seen == [None if is_locked else "the same mail"]
