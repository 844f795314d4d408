"""The month-end page: exactly from opening to closing, and as it was known at any time."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.admin import csv_files
from campaigns.domain.month_end import SIGNS, Column, columns_of
from campaigns.kpis import month_end
from campaigns.models import UnitCost
from campaigns.services import unit_costs
from config.base import clock
from rewards.domain.buckets import ALLOWED
from rewards.models import PointsAccount
from tests.engine.shop import Shop, back, day
from tests.factories import console, members

pytestmark = pytest.mark.django_db

MONTHS = [date(2026, 3, 1) if n == 0 else clock.add_months(date(2026, 3, 1), n) for n in range(15)]
PAGE_QUERIES = 15


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


@pytest.fixture
def shop() -> Shop:
    """Return a shop with every kind of movement: earned, used, expired, owed, adjusted, held."""
    shop = Shop()
    ann, bob, eve = shop.join("ann"), shop.join("bob"), shop.join("eve")
    shop.buy(ann, "A1", 900, on=1)
    shop.buy(bob, "B1", 500, on=2)
    shop.adjust(bob, 70, on=3)
    shop.adjust(bob, -20, on=4)
    held = shop.hold(ann, 600, on=10)
    shop.buy(ann, "A2", 300, on=10.1, held=held, in_points=6)
    shop.give_back("A1", "R1", on=40, lines=(back(1, 900),))  # spent already: debt
    shop.buy(eve, "E1", 1200, on=45)
    shop.give_back("E1", "R2", on=50, lines=(back(1, 200),))
    shop.buy(ann, "A3", 100, on=70)  # pays a part of the debt
    shop.pass_time(400)  # March's points are over
    shop.buy(eve, "E2", 400, on=401)
    shop.hold(eve, 100, on=402, days=20)
    return shop


def totals() -> dict[str, int]:
    names = ("pending", "available", "reserved", "debt")
    found = PointsAccount.objects.aggregate(**{name: Sum(name) for name in names})
    return {name: found[name] for name in names}


@pytest.mark.req("KPI-11", "KPI-13")
def test_every_month_leads_exactly_from_opening_to_closing(shop: Shop) -> None:
    until = shop.now + timedelta(seconds=1)
    months = month_end.month_ends(MONTHS, until=until, known_at=until)
    columns = {column: sum(month.columns[column] for month in months) for column in Column}
    assert [month.opening for month in months[1:]] == [month.closing for month in months[:-1]]
    assert all(columns[column] for column in Column if column is not Column.TRANSFERRED), columns
    stored = totals()
    assert months[-1].closing == stored["pending"] + stored["available"] + stored["reserved"]
    assert months[-1].closing_debt == stored["debt"] > 0
    assert months[-1].reserved == stored["reserved"] == 100
    lots = month_end.expiring(until=until, known_at=until)
    assert sum(each.points for each in lots) + months[-1].reserved == months[-1].closing
    for month in months:
        assert month.closing == independent_closing(month.month)


def independent_closing(month: date) -> int:
    """Sum what each account's entries left in the three buckets by the month's last local day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(sum(b.points), 0) FROM (
                SELECT e.points FROM rewards_entry e
                WHERE e.target IN ('pending', 'available', 'reserved')
                  AND to_char(e.occurred_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') <= %(month)s
                UNION ALL
                SELECT -e.points FROM rewards_entry e
                WHERE e.source IN ('pending', 'available', 'reserved')
                  AND to_char(e.occurred_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') <= %(month)s
            ) b""",
            {"month": f"{month:%Y-%m}"},
        )
        return int(cursor.fetchone()[0])


def test_every_allowed_transfer_changes_what_its_columns_say() -> None:
    outstanding = {"pending", "available", "reserved"}
    for source, target in ALLOWED:
        change = (target in outstanding) - (source in outstanding)
        columns = columns_of(source, target)
        assert sum(SIGNS[column] * points for column, points in columns.items()) == change
        debt = (source == "debt") - (target == "debt")
        assert columns.get(Column.DEBT_INCURRED, 0) - columns.get(Column.DEBT_SETTLED, 0) == debt


@pytest.mark.req("KPI-11")
def test_a_closed_month_stays_as_it_was_known() -> None:
    shop = Shop()
    ann = shop.join("ann")
    shop.buy(ann, "A1", 100, on=5)
    shop.buy(ann, "A2", 50, on=20, at=45)  # March's order, told in April
    until = clock.day_start(date(2026, 5, 1))
    march = [date(2026, 3, 1)]
    known = clock.day_start(date(2026, 4, 1))
    (then,) = month_end.month_ends(march, until=until, known_at=known)
    (now,) = month_end.month_ends(march, until=until, known_at=until)
    assert (then.closing, then.late) == (100, 0)
    assert (now.closing, now.late) == (150, 50)


@pytest.mark.req("KPI-11")
def test_debt_is_as_old_as_what_was_incurred_last_and_is_not_paid() -> None:
    shop = Shop()
    ann = shop.join("ann")
    for number, on in (("A1", 1), ("A2", 2), ("A3", 3)):
        shop.buy(ann, number, 100, on=on)
    held = shop.hold(ann, 300, on=4)
    shop.buy(ann, "A4", 3, on=4.1, held=held, in_points=3)
    shop.give_back("A1", "R1", on=5)
    shop.give_back("A2", "R2", on=60)
    shop.buy(ann, "A5", 130, on=61)  # settles the first 100 and 30 of the second
    until = day(100)
    ages = {row.age: row.points for row in month_end.debts(until=until, known_at=until)}
    assert {age: points for age, points in ages.items() if points} == {"31–90": 70}
    assert sum(ages.values()) == PointsAccount.objects.get(member=ann).debt


def test_a_point_costs_what_finance_says_from_a_day_on() -> None:
    console.programme()
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert month_end.unit_cost(date(2026, 3, 31)) == Decimal("0.01")
    values: dict[str, Any] = {"reason": "estimate of the year", "actor": "staff:fin", "at": at}
    for on, amount in ((date(2026, 4, 1), "0.008"), (date(2026, 6, 1), "0.007")):
        unit_costs.set_unit_cost(effective_on=on, amount=Decimal(amount), **values)
    costs = [month_end.unit_cost(date(2026, month, 28)) for month in (3, 4, 5, 6)]
    assert costs == [Decimal(text) for text in ("0.01", "0.008", "0.008", "0.007")]
    with pytest.raises(unit_costs.UnitCostError, match="unit_cost_set"):
        unit_costs.set_unit_cost(effective_on=date(2026, 4, 1), amount=Decimal(1), **values)
    wrongs: list[dict[str, Any]] = [{"amount": Decimal(-1)}, {"reason": " "}]
    for wrong in wrongs:
        with pytest.raises(unit_costs.UnitCostError):
            unit_costs.set_unit_cost(
                **{"effective_on": date(2027, 1, 1), "amount": Decimal(1), **values, **wrong}
            )
    assert UnitCost.objects.count() == 2


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    return client


def body_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.req("KPI-11")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_shows_the_sum_and_leads_to_the_entries(
    visitor: Client, language: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    console.programme()
    shown = members.member()
    this = clock.local_day(clock.now()).replace(day=1)
    console.order(shown, "40.00", at=clock.now(), points=40)
    address = reverse("admin:month_end")
    with django_assert_max_num_queries(PAGE_QUERIES):
        response = visitor.get(address, headers={"accept-language": language})
    assert response.status_code == 200
    assert response.context["shown"].closing == 40
    drill = reverse("admin:month_end_entries", args=[f"{this:%Y-%m}", "issued"])
    assert drill in response.text
    rows = visitor.get(drill, headers={"accept-language": language}).context["rows"]
    assert [(row["counted"], row["card"]) for row in rows] == [(40, shown.card_number)]
    assert visitor.get(address, {"month": "x", "known": "2026-99-01"}).status_code == 200
    missing = reverse("admin:month_end_entries", args=[f"{this:%Y-%m}", "stolen"])
    assert visitor.get(missing).status_code == 404
    past = visitor.get(
        drill, {"known": "2001-01-01", "page": "²"}, headers={"accept-language": "en"}
    )
    assert past.context["rows"] == []


def test_the_file_adds_up_and_holds_no_formula(visitor: Client) -> None:
    console.programme()
    shown = members.member()
    console.order(shown, "40.00", at=clock.now(), points=40)
    lines = rows_of(body_of(visitor.get(reverse("admin:month_end"), {"format": "csv"})))
    head, last = lines[0], lines[13]
    month = dict(zip(head, last, strict=True))
    assert (month["opening"], month["issued"], month["closing"]) == ("0", "40", "40")
    assert Decimal(month["closing_value"]) == Decimal("0.40")
    assert csv_files._safe(["=cmd()", -5, "@x", "a"]) == ["'=cmd()", -5, "'@x", "a"]
    drill = reverse("admin:month_end_entries", args=[month["month"], "issued"])
    entries = rows_of(body_of(visitor.get(drill, {"format": "csv"})))
    assert [row[-1] for row in entries] == ["counted", "40"]


def test_the_pages_are_for_those_who_may(client: Client) -> None:
    reader = console.staff("reader", is_superuser=False)
    client.force_login(reader)
    drill = reverse("admin:month_end_entries", args=["2026-03", "used"])
    addresses = [reverse("admin:month_end"), drill, reverse("admin:unit_cost")]
    assert [client.get(address).status_code for address in addresses] == [403, 403, 403]
    console.allow(reader, "campaigns.view_monthend")
    assert client.get(addresses[0]).status_code == 200
    assert client.get(addresses[0], {"format": "csv"}).status_code == 403


def test_a_cost_is_set_by_form_with_a_reason(visitor: Client) -> None:
    values = {"effective_on": "2026-04-01", "amount": "0.008", "reason": "new estimate"}
    address = reverse("admin:unit_cost")
    assert visitor.post(address, values | {"reason": ""}).status_code == 200
    assert visitor.post(address, values).status_code == 302
    again = visitor.post(address, values, headers={"accept-language": "en"})
    assert "A cost is set for this day already." in again.text
    row = UnitCost.objects.get()
    assert (row.amount, row.reason, row.set_by) == (
        Decimal("0.008"), "new estimate", "staff:li.na",
    )  # fmt: skip
