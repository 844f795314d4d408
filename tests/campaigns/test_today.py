"""The start page and the dashboards: figures with trend, to-dos, what runs, and the self-audit."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext_lazy
from pytest_django import DjangoAssertNumQueries

from campaigns.kpis import reading, registry
from campaigns.models import Goal, MetricValue
from campaigns.services import measuring
from config.base import clock, job_runs, panels
from config.base.admin import charts
from config.models import JobRun
from config.wiring import self_audit
from members.models import Order, RoleAuthority, StaffAuthority
from members.models.staff import Approval
from members.services import approvals
from rewards.domain.buckets import Bucket
from rewards.models import RuleVersion, StaffBudget
from tests.factories import console, members, staff

EN = {"accept-language": "en"}
TODAY_QUERIES = 30
DASHBOARD_QUERIES = 20
GROUPS = ("members", "tiers", "points", "commerce", "rewards")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


@pytest.fixture
def visitor(client: Client, db: None) -> Client:
    console.programme()
    client.force_login(console.staff())
    return client


@pytest.mark.req("KPI-13")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_start_page_says_what_today_is_about(
    visitor: Client, language: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    at = clock.now()
    ann = console.member()
    week_ago = clock.local_day(at) - timedelta(days=7)
    for back in range(8):
        day = week_ago + timedelta(days=back)
        MetricValue.objects.create(
            metric="points_outstanding", day=day, numerator=600, measured_at=at
        )
    console.order(ann, "40.00", at=at - timedelta(milliseconds=1), points=40)
    console.movement(ann, Bucket.AVAILABLE, Bucket.REDEEMED, 15, at=at - timedelta(milliseconds=1))
    RuleVersion.objects.update(valid_until=at + timedelta(days=3))
    with django_assert_max_num_queries(TODAY_QUERIES):
        text = visitor.get(reverse("admin:index"), headers={"accept-language": language}).text
    assert "1,225" in text  # eight orders of 150 points, and today's
    assert "+104.2 %" in text  # against 600 a week ago
    if clock.local_day(at - timedelta(seconds=1)) == clock.local_day(at):
        assert ">40</a>" in text
        assert ">15</a>" in text
    if language == "en":
        for words in ("Base points", "Running", "It has not run yet", "Open cases"):
            assert words in text


@pytest.mark.req("KPI-13")
def test_the_start_page_shows_what_was_measured_lately(visitor: Client) -> None:
    at = clock.now()
    console.order(console.member(), "40.00", at=at - timedelta(seconds=1), points=40)
    outstanding = registry.on_start_page(at=at)["points_outstanding"].numerator
    measuring.measure_start_page(at=at)
    assert MetricValue.objects.get(metric="points_outstanding").numerator == outstanding
    MetricValue.objects.filter(metric="points_outstanding").update(numerator=777)
    cache.clear()
    assert registry.on_start_page(at=at)["points_outstanding"].numerator == 777
    cache.clear()
    too_late = at + registry.FRESH
    assert registry.on_start_page(at=too_late)["points_outstanding"].numerator == outstanding


def test_the_start_page_of_an_empty_programme_has_nothing_to_do(visitor: Client) -> None:
    text = visitor.get(reverse("admin:index"), headers=EN).text
    assert "Nothing waits for you." in text
    assert "No promotion runs" in text


def test_only_requests_that_the_visitor_may_decide_are_to_do(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.programme()
    ann = members.member()
    monkeypatch.setitem(
        approvals._kinds, "odd",
        approvals.Kind(
            gettext_lazy("Odd"), lambda *_: None, lambda _: "", permission="members.no_one"
        ),
    )  # fmt: skip
    for kind, who in (("odd", "staff:b"), ("points_adjustment", "staff:b"),
                      ("points_adjustment", "staff:lead")):  # fmt: skip
        Approval.objects.create(
            kind=kind, member=ann, payload={}, reason="x", requested_by=who,
            requested_at=clock.now(),
        )  # fmt: skip
    lead = console.staff("lead", is_superuser=False)
    console.allow(lead, "members.view_approval", "rewards.approve_adjustment")
    client.force_login(lead)
    page = client.get(reverse("admin:index"), headers=EN)
    assert [(todo.code, count) for todo, count, _url in page.context["todos"]] == [("approvals", 1)]
    assert page.context["todos"][0][2] == reverse("admin:approvals_inbox")


def test_troubles_are_to_do(visitor: Client) -> None:
    now = clock.now()
    for name, state, error, hours in (
        ("old", "failed", "x", 9), ("old", "finished", "", 1), ("new", "failed", "x", 1),
    ):  # fmt: skip
        at = now - timedelta(hours=hours)
        JobRun.objects.create(
            name=name, period=f"{at}", state=state, error_code=error, started_at=at,
            heartbeat_at=at, finished_at=at,
        )  # fmt: skip
    ann = members.member()
    order = console.order(ann, "9.00", at=now - timedelta(days=350), points=9)
    order.lots.update(expires_at=now + timedelta(days=29))
    ann.accounts.update(next_due_at=now + timedelta(days=29))
    page = visitor.get(reverse("admin:index"), headers=EN)
    counted = {todo.code: count for todo, count, _url in page.context["todos"]}
    assert counted == {"jobs": 1, "expiring": 9}


@pytest.mark.req("STF-02")
@pytest.mark.parametrize(("own", "used", "count"), [(None, 90, 1), (None, 89, 0), (200, 90, 0)])
def test_staff_who_have_nearly_used_up_their_day(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, own: int | None, used: int, count: int
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    agent = staff.person("agent", "service_agent")
    RoleAuthority.objects.update(adjustment_daily_limit_points=100)
    StaffAuthority.objects.create(user=agent, adjustment_daily_limit_points=own)
    today = clock.local_day(clock.now())
    for day, member in (
        (today, None),
        (today - timedelta(days=1), None),
        (today, members.member()),
    ):
        StaffBudget.objects.create(user=agent, period=day.isoformat(), member=member, points=used)
    page = visitor.get(reverse("admin:index"), headers=EN)
    counted = {todo.code: n for todo, n, _url in page.context["todos"]}
    assert counted == ({"budgets": count} if count else {})


def test_the_search_box_leads_to_members_and_only_for_those_who_may(
    client: Client, db: None
) -> None:
    client.force_login(console.staff("reader", is_superuser=False))
    assert 'role="search"' not in client.get(reverse("admin:index")).text
    client.force_login(console.staff())
    page = client.get(reverse("admin:index"))
    assert f'action="{reverse("admin:desk")}" role="search"' in page.text


def test_goals_stand_on_the_start_page(visitor: Client) -> None:
    today = clock.local_day(clock.now())
    Goal.objects.create(
        name="Grow", metric="members", baseline=0, target=4, starts_on=today - timedelta(days=2),
        ends_on=today + timedelta(days=2), owner=console.staff("owner"), created_by="staff:x",
        created_at=clock.now(),
    )  # fmt: skip
    page = visitor.get(reverse("admin:index"), headers=EN)
    assert "At risk" in page.text
    assert {todo.code: count for todo, count, _ in page.context["todos"]} == {"goals": 1}


@pytest.mark.req("ORG-06")
def test_the_audit_runs_by_itself_once_a_day_and_says_how_it_ended(
    own_database: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A long proof: whoever notes signs of life would do so at every step.
    monkeypatch.setattr(job_runs, "PULSE_SECONDS", 0.0)
    console.programme()
    client.force_login(console.staff())
    assert self_audit.run_scheduled().ending == "finished"
    assert self_audit.run_scheduled().ending == "done_before"
    text = client.get(reverse("admin:index"), headers=EN).text
    assert "All invariants hold" in text
    ann = members.member()
    console.order(ann, "9.00", at=clock.now(), points=9)
    Order.objects.update(net_amount=Decimal(1))
    JobRun.objects.update(period="yesterday")
    report = self_audit.run_scheduled()
    assert report.ending == "failed"
    assert report.error_code.startswith("broken: ")
    page = client.get(reverse("admin:index"), headers=EN)
    assert "Broken" in page.text
    assert "order_amounts" in JobRun.objects.order_by("-finished_at")[0].error_code
    assert {todo.code for todo, _count, _url in page.context["todos"]} >= {"jobs"}


@pytest.mark.req("KPI-05", "KPI-06", "KPI-13", "TIR-06")
@pytest.mark.parametrize("group", GROUPS)
def test_a_dashboard_opens_with_definitions_and_few_queries(
    visitor: Client, group: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    console.member()
    address = reverse("admin:dashboard", args=[group])
    with django_assert_max_num_queries(DASHBOARD_QUERIES):
        page = visitor.get(address, headers=EN)
    assert page.status_code == 200
    for figure in page.context["figures"]:
        assert str(figure.metric.definition).split(".")[0] in page.text.replace("&#x27;", "'")
    assert visitor.get(address, headers={"accept-language": "zh-hans"}).status_code == 200


@pytest.mark.req("KPI-13")
def test_a_dashboard_shows_an_earlier_day_as_it_was(visitor: Client) -> None:
    ann = members.member(at=clock.day_start(date(2026, 1, 1)))
    console.order(ann, "10.00", at=clock.day_start(date(2026, 2, 1)), points=10)
    console.order(ann, "30.00", at=clock.day_start(date(2026, 2, 2)), points=30)
    address = reverse("admin:dashboard", args=["commerce"])

    def net_sales(on: str) -> str:
        figures = visitor.get(address, {"on": on}).context["figures"]
        return next(str(each.shown) for each in figures if each.metric.code == "net_sales")

    assert [net_sales("2026-02-01"), net_sales("2026-02-02")] == ["¥10.00", "¥40.00"]
    for odd in ("x", "9999-01-01", "0001-01-01"):
        assert visitor.get(address, {"on": odd}).status_code == 200
    assert reading.day_end(date(2026, 2, 1)) == clock.day_start(date(2026, 2, 2))


def test_dashboards_are_guarded_and_know_their_groups(client: Client, db: None) -> None:
    reader = console.staff("reader", is_superuser=False)
    client.force_login(reader)
    assert client.get(reverse("admin:dashboard", args=["members"])).status_code == 403
    console.allow(reader, "campaigns.view_metricvalue")
    assert client.get(reverse("admin:dashboard", args=["members"])).status_code == 200
    assert client.get(reverse("admin:dashboard", args=["secrets"])).status_code == 404


def test_a_small_line_spans_its_box() -> None:
    assert charts.sparkline([1]) == ""
    assert charts.sparkline([0, 5, 10]) == "1.0,26.0 60.0,14.0 119.0,2.0"
    assert charts.sparkline([3, 3]) == "1.0,14.0 119.0,14.0"


def test_a_second_todo_of_one_code_replaces_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_todos", {})
    for icon in ("a", "b"):
        panels.register(panels.Todo("x", gettext_lazy("x"), icon, lambda _: 1, lambda _: "/"))
    assert [todo.icon for todo in panels._todos.values()] == ["b"]
