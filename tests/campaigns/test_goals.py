"""Goals: where each stands against the straight line, and how they are set."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.domain.goals import Path, Status, status
from campaigns.kpis import goals
from campaigns.models import Goal, MetricValue
from campaigns.services import goals as service
from campaigns.services import measuring
from campaigns.services.goals import GoalError, GoalTerms
from config.base import clock
from tests.factories import console, members

UP = Path(Decimal(20), Decimal(30), date(2026, 3, 1), date(2026, 3, 10))
DOWN = Path(Decimal(8), Decimal(4), date(2026, 3, 1), date(2026, 3, 10))
PAGE_QUERIES = 14


@pytest.mark.req("KPI-12")
@pytest.mark.parametrize(
    ("path", "on", "value", "expected"),
    [
        (UP, date(2026, 2, 28), "25", Status.PLANNED),
        (UP, date(2026, 3, 1), "21", Status.ON_TRACK),  # one of ten days, one of ten points
        (UP, date(2026, 3, 1), "20.99", Status.AT_RISK),
        (UP, date(2026, 3, 5), "25", Status.ON_TRACK),
        (UP, date(2026, 3, 5), "24.99", Status.AT_RISK),
        (UP, date(2026, 3, 5), "30", Status.MET),
        (UP, date(2026, 3, 10), "29.99", Status.AT_RISK),
        (UP, date(2026, 3, 11), "29.99", Status.MISSED),
        (UP, date(2026, 3, 11), "30", Status.MET),
        (UP, date(2026, 3, 5), None, Status.AT_RISK),
        (UP, date(2026, 3, 11), None, Status.MISSED),
        (DOWN, date(2026, 3, 5), "6", Status.ON_TRACK),
        (DOWN, date(2026, 3, 5), "6.01", Status.AT_RISK),
        (DOWN, date(2026, 3, 5), "4", Status.MET),
        (DOWN, date(2026, 3, 5), "9", Status.AT_RISK),
    ],
)
def test_a_goal_stands_where_its_straight_line_says(
    path: Path, on: date, value: str | None, expected: Status
) -> None:
    assert status(path, None if value is None else Decimal(value), on=on) is expected


def test_the_days_of_a_path_begin_and_end_with_its_term() -> None:
    assert UP.days(4) == [date(2026, 3, day) for day in (1, 4, 7, 10)]
    short = Path(Decimal(1), Decimal(2), date(2026, 3, 1), date(2026, 3, 2))
    assert short.days(13) == [date(2026, 3, 1), date(2026, 3, 2)]


@pytest.fixture
def today() -> date:
    cache.clear()
    console.programme()
    return clock.local_day(clock.now())


def terms(today: date, **values: object) -> GoalTerms:
    owner = values.pop("owner_id", None) or console.staff(f"owner{values}"[:30]).pk
    return GoalTerms(**{
        "name": "More members", "metric": "members", "baseline": Decimal(0), "target": Decimal(4),
        "starts_on": today - timedelta(days=1), "ends_on": today + timedelta(days=2),
        "owner_id": owner, **values,
    })  # type: ignore[arg-type]  # fmt: skip


def put(values: GoalTerms, goal_id: int | None = None) -> Goal:
    return service.set_goal(terms=values, goal_id=goal_id, actor="staff:x", at=clock.now())


@pytest.mark.req("KPI-12")
@pytest.mark.django_db
def test_a_goal_follows_its_figure(today: date) -> None:
    goal = put(terms(today))
    members.member(at=clock.now() - timedelta(days=3))
    (standing,) = goals.current(at=clock.now())
    assert (standing.value, standing.expected) == (Decimal(1), Decimal(2))
    assert standing.status is Status.AT_RISK
    assert standing.progress_percent == 25
    members.member(at=clock.now() - timedelta(minutes=1))
    cache.clear()
    assert goals.standing_of(goal, at=clock.now()).status is Status.ON_TRACK
    share = put(terms(today, metric="repurchase_rate", baseline=Decimal(10), target=Decimal(60)))
    ann = members.member(at=clock.now() - timedelta(days=30))
    for _ in range(2):
        console.order(ann, "5.00", at=clock.now() - timedelta(days=2), points=1)
    assert goals.standing_of(share, at=clock.now()).value == 100  # in per cent, as it was set


@pytest.mark.django_db
def test_a_goal_that_is_over_stands_where_its_last_day_left_it(today: date) -> None:
    goal = put(terms(today, starts_on=today - timedelta(days=9), ends_on=today - timedelta(days=2)))
    members.member(at=clock.now() - timedelta(days=5))
    members.member(at=clock.now() - timedelta(days=1))  # too late
    standing = goals.standing_of(goal, at=clock.now())
    assert standing.value == Decimal(1)
    assert standing.status is Status.MISSED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"metric": "happiness"}, "metric_unknown"),
        ({"target": Decimal(0)}, "goal_moves_nothing"),
        ({"ends_on": date(2001, 1, 1)}, "goal_ends_before_start"),
    ],
)
def test_a_goal_that_cannot_be_is_refused(today: date, wrong: dict[str, object], code: str) -> None:
    with pytest.raises(GoalError, match=code):
        put(terms(today, **wrong))
    assert not Goal.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"ends_on": date(2001, 1, 1)}, "goal_ends_after_start"),
        ({"target": Decimal(0)}, "goal_moves_something"),
    ],
)
def test_the_database_keeps_goals_possible(
    today: date, values: dict[str, object], constraint: str
) -> None:
    goal = put(terms(today))
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Goal.objects.filter(pk=goal.pk).update(**values)


@pytest.mark.req("KPI-12")
@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_goals_are_set_changed_and_given_up_on_their_page(
    client: Client, today: date, language: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    visitor = console.staff()
    client.force_login(visitor)
    empty = client.get(reverse("admin:goals"))
    assert empty.status_code == 200
    values = {
        "name": "<b>Grow</b>", "metric": "members", "baseline": "0", "target": "4",
        "starts_on": f"{today}", "ends_on": f"{today + timedelta(days=9)}", "owner": visitor.pk,
    }  # fmt: skip
    refused = client.post(reverse("admin:goal_add"), values | {"target": "0"})
    assert refused.status_code == 200
    assert client.post(reverse("admin:goal_add"), values).status_code == 302
    goal = Goal.objects.get()
    MetricValue.objects.create(metric="members", day=today, numerator=1, measured_at=clock.now())
    with django_assert_max_num_queries(PAGE_QUERIES):
        text = client.get(reverse("admin:goals"), headers={"accept-language": language}).text
    assert "&lt;b&gt;Grow" in text
    assert "<b>Grow" not in text
    change = reverse("admin:goal_change", args=[goal.pk])
    assert f'value="{today}"' in client.get(change).text
    assert client.post(change, values | {"target": "5"}).status_code == 302
    assert client.get(reverse("admin:goal_give_up", args=[goal.pk])).status_code == 405
    for _ in range(2):
        client.post(reverse("admin:goal_give_up", args=[goal.pk]))
    goal.refresh_from_db()
    assert goal.target == 5
    assert goal.closed_at is not None
    with pytest.raises(GoalError, match="goal_given_up"):
        put(terms(today), goal.pk)


@pytest.mark.django_db
def test_goals_are_for_those_who_may(client: Client, today: date) -> None:
    goal = put(terms(today))
    reader = console.staff("reader", is_superuser=False)
    console.allow(reader, "campaigns.view_goal")
    client.force_login(reader)
    assert client.get(reverse("admin:goals")).status_code == 200
    assert client.get(reverse("admin:goal_add")).status_code == 403
    assert client.get(reverse("admin:goal_change", args=[goal.pk])).status_code == 403
    assert client.post(reverse("admin:goal_give_up", args=[goal.pk])).status_code == 403


@pytest.mark.django_db
def test_the_last_days_are_measured_once_a_day_some_a_run(today: date) -> None:
    at = clock.now()
    members.member(at=at - timedelta(days=8))
    runs = [measuring.measure_days(at=at, recorded_at=at) for _ in range(3)]
    assert runs == [5, 3, 0]
    rows = MetricValue.objects.filter(metric="members").order_by("day")
    assert [row.numerator for row in rows] == [1] * 8
    assert rows.last().day == today - timedelta(days=1)  # type: ignore[union-attr]
    # The next day the past is measured again: what came late counts.
    members.member(at=at - timedelta(days=8))
    tomorrow = at + timedelta(days=1)
    assert measuring.measure_days(at=tomorrow, recorded_at=tomorrow) == 5
    assert rows.get(day=today - timedelta(days=1)).numerator == 2


@pytest.mark.django_db
def test_an_empty_programme_is_not_measured() -> None:
    assert measuring.measure_days(at=clock.now(), recorded_at=clock.now()) == 0
