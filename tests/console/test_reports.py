"""Totals, the enrolment report and the monthly statement: figures that a person can check."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from config.base.admin import paginator
from members.admin import reports
from members.models import Channel, Member
from rewards.domain.buckets import Bucket
from tests.factories import console, members

pytestmark = pytest.mark.django_db

DASHBOARD_QUERIES = 30
CHARTS_QUERIES = 6


@pytest.fixture(autouse=True)
def _fresh_figures() -> None:
    cache.clear()


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    return client


@pytest.mark.parametrize(("language", "text"), [("zh-hans", "入会渠道统计"), ("en", "Enrolment")])
def test_the_start_page_opens_with_few_queries(
    visitor: Client, language: str, text: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    console.programme()
    console.member()
    with django_assert_max_num_queries(DASHBOARD_QUERIES):
        response = visitor.get(reverse("admin:index"), headers={"accept-language": language})
    assert response.status_code == 200
    assert text in response.text


@pytest.mark.req("KPI-13")
def test_the_charts_of_the_start_page_come_after_it(
    visitor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    console.programme()
    console.order(console.member(), "40.00", at=clock.now(), points=40)
    page = visitor.get(reverse("admin:index"), headers={"accept-language": "en"}).text
    assert f'hx-get="{reverse("admin:today_charts")}"' in page
    assert page.count("lc-to-come") == 2
    assert "Points per month" not in page
    with django_assert_max_num_queries(CHARTS_QUERIES):
        text = visitor.get(reverse("admin:today_charts"), headers={"accept-language": "en"}).text
    assert text.index("Points per month") < text.index("Members by tier")
    assert text.count("<canvas") == 2


def test_a_chart_is_only_for_those_who_may_see_it(client: Client) -> None:
    reader = console.staff("reader", is_superuser=False)
    client.force_login(reader)
    charts = reverse("admin:today_charts")
    assert charts not in client.get(reverse("admin:index")).text
    assert client.get(charts).status_code == 403
    console.allow(reader, "tiers.view_standing")
    assert client.get(reverse("admin:index")).text.count("lc-to-come") == 1
    text = client.get(charts, headers={"accept-language": "en"}).text
    assert "Members by tier" in text
    assert "Points per month" not in text


def test_the_start_page_of_an_empty_programme_opens(visitor: Client) -> None:
    assert visitor.get(reverse("admin:index")).status_code == 200
    assert "<canvas" not in visitor.get(reverse("admin:today_charts")).text


def test_the_start_page_shows_nothing_that_may_not_be_seen(client: Client) -> None:
    client.force_login(console.staff(is_superuser=False))
    text = client.get(reverse("admin:index"), headers={"accept-language": "en"}).text
    assert "Points outstanding" not in text
    assert "Find a member" not in text


@pytest.mark.req("ORG-06")
def test_enrolment_adds_up_both_ways_by_local_month() -> None:
    # 2026-01-31T16:00Z is midnight of 1 February in Shanghai.
    instants = {
        datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC): Channel.POS,
        datetime(2026, 1, 31, 16, 0, tzinfo=UTC): Channel.POS,
        datetime(2026, 2, 10, 4, 0, tzinfo=UTC): Channel.MINIAPP,
    }
    for at, channel in instants.items():
        members.member(at=at, channel=channel)
    found = reports.enrolment(date(2026, 1, 1), date(2026, 3, 15))
    assert [(f"{month:%m}", numbers, total) for month, numbers, total in found.rows()] == [
        ("01", [0, 1], 1),
        ("02", [1, 1], 2),
        ("03", [0, 0], 0),
    ]
    assert found.channels == ["miniapp", "pos"]
    assert found.sums() == [1, 2]
    assert found.total == Member.objects.count() == 3


def test_the_enrolment_page_opens_and_is_guarded(client: Client) -> None:
    address = reverse("admin:report_enrolment")
    client.force_login(console.staff("reader", is_superuser=False))
    assert client.get(address).status_code == 403
    client.force_login(console.staff())
    members.member()
    for span in ("year", "all"):
        assert client.get(address, {"span": span}).status_code == 200


@pytest.mark.req("PTS-14")
def test_the_statement_leads_from_opening_to_closing(visitor: Client) -> None:
    console.programme()
    shown = members.member(at=datetime(2026, 1, 1, tzinfo=UTC))
    january, february = (datetime(2026, month, 10, tzinfo=UTC) for month in (1, 2))
    console.order(shown, "100.00", at=january, points=100)
    console.order(shown, "40.00", at=february, points=40)
    for source, target, points in (
        (Bucket.AVAILABLE, Bucket.REDEEMED, 30),
        (Bucket.AVAILABLE, Bucket.EXPIRED, 20),
        (Bucket.ADJUSTMENT, Bucket.AVAILABLE, 7),
    ):
        console.movement(shown, source, target, points, at=february)
    address = reverse("admin:points_statement", args=[shown.pk])
    response = visitor.get(address, {"month": "2026-02"}, headers={"accept-language": "en"})
    statement = response.context["statement"]
    assert (statement.opening, statement.earned, statement.spent) == (100, 40, 30)
    assert (statement.expired, statement.adjusted, statement.closing) == (20, 7, 97)
    assert sum(row["change"] for row in response.context["rows"]) == 97 - 100


@pytest.mark.parametrize("month", ["", "2026-13", "x", "0000-01", "2026-02-01"])
def test_a_month_that_is_none_shows_this_month(visitor: Client, month: str) -> None:
    shown = members.member()
    address = reverse("admin:points_statement", args=[shown.pk])
    response = visitor.get(address, {"month": month})
    assert response.status_code == 200
    assert response.context["month"] == clock.local_day(clock.now()).replace(day=1)


def test_a_filtered_list_is_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    members.member()
    members.member()
    rows = Member.objects.filter(status="active").order_by("pk")
    assert paginator.EstimatedPaginator(rows, 50).count == 2
    assert paginator.capped_count(rows, 1) == 1
    assert paginator.estimated_count(Member) == 2


def test_tenure_counts_whole_months(visitor: Client) -> None:
    joined = clock.now() - timedelta(days=800)
    shown = members.member(at=joined)
    text = visitor.get(
        reverse("admin:members_member_change", args=[shown.pk]), headers={"accept-language": "en"}
    ).text
    assert "2 years" in text
