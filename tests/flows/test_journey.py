"""A retailer's year under the preset `classic`: published figures, and a second computation."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from campaigns.kpis import campaign_results
from campaigns.models import Campaign
from config.base import clock
from rewards.domain.cart import RefundLine
from rewards.domain.submission import OrderFact, RefundFact, Submission
from rewards.models import ImportJob
from rewards.presets import PRESETS
from rewards.services import due, importing, intake, journey_import, presets
from rewards.services.complete_journey import Journey
from tests import databases
from tests.flows import journey_reference as reference

HOUSEHOLDS = 60
OVERLAID = 12
RANKS = {"basic": 0, "silver": 1, "gold": 2, "diamond": 3}
NEW_YEAR = datetime.fromisoformat("2018-01-02T00:00:00")
FEBRUARY = datetime.fromisoformat("2018-02-01T00:00:00")
# The instants at which balances and tiers are compared; in between points expire, tiers lapse.
COMPARED = (
    NEW_YEAR,
    FEBRUARY,
    datetime.fromisoformat("2018-07-15T12:00:00"),
    datetime.fromisoformat("2019-01-10T00:00:00"),
    datetime.fromisoformat("2020-03-01T00:00:00"),
)


def instant(digits: datetime) -> datetime:
    return digits.replace(tzinfo=clock.zone())


def rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def settle(digits: datetime) -> None:
    due.settle_due(at=instant(digits), recorded_at=clock.now())


def balances() -> dict[str, int]:
    """Return available points by household, as its orders name it."""
    return dict(
        rows(
            "SELECT DISTINCT o.member_id, a.available FROM members_order o"
            " JOIN rewards_pointsaccount a ON a.member_id = o.member_id"
        )
    )


def tiers() -> Counter[str]:
    return Counter(
        code
        for (code,) in rows(
            "SELECT t.code FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id"
            " WHERE s.ended_at IS NULL"
        )
    )


def tier_changes() -> int:
    return int(rows("SELECT count(*) FROM members_memberevent WHERE kind = 'tier.changed'")[0][0])


def points_by_rule() -> dict[str, int]:
    return {
        code: int(points)
        for code, points in rows(
            "SELECT r.code, sum(CASE WHEN e.source = 'issuance' THEN e.points ELSE -e.points END)"
            " FROM rewards_entry e JOIN rewards_ruleversion v ON v.id = e.rule_id"
            " JOIN rewards_rule r ON r.id = v.rule_id"
            " WHERE e.source = 'issuance' OR e.target = 'reversed' GROUP BY r.code"
        )
    }


def points_by_order() -> dict[tuple[str, str], int]:
    return {
        (order_no, code): int(points)
        for order_no, code, points in rows(
            "SELECT o.order_no, r.code,"
            " sum(CASE WHEN e.source = 'issuance' THEN e.points ELSE -e.points END)"
            " FROM rewards_entry e JOIN members_order o ON o.id = e.order_id"
            " JOIN rewards_ruleversion v ON v.id = e.rule_id"
            " JOIN rewards_rule r ON r.id = v.rule_id"
            " WHERE e.source = 'issuance' OR e.target = 'reversed' GROUP BY 1, 2"
        )
        if points
    }


def campaign_figures(code: str) -> tuple[int, int, int]:
    """Return how many were addressed, how many of them bought, and how many coupons they used."""
    campaign = Campaign.objects.get(code=code)
    treated = campaign_results.assess(campaign, at=clock.now()).overall.treated
    return treated.members, treated.buyers, campaign_results.coupons(campaign, until=clock.now())[1]


@pytest.fixture
def classic() -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())


@pytest.mark.journey
@pytest.mark.req("INT-10", "TIR-02", "PTS-01", "PTS-07")
def test_the_year_comes_to_its_published_figures(own_database: str) -> None:
    call_command("preset", "classic", stdout=StringIO())
    call_command("import_complete_journey", stdout=StringIO())
    call_command("import_journey_campaigns", stdout=StringIO())

    call_command("run_due", "--at", "2018-01-02T00:00:00+08:00", stdout=StringIO())

    assert rows("SELECT count(*) FROM members_member") == [(2_469,)]
    assert rows("SELECT count(*), sum(net_amount)::text FROM members_order") == [
        (155_848, "4596039.5800")
    ]
    assert points_by_rule() == {"base": 4_519_934, "tier": 443_799}
    assert rows("SELECT sum(available) FROM rewards_pointsaccount") == [(4_963_733,)]
    at_new_year = {"diamond": 105, "gold": 388, "silver": 885, "basic": 1_091}
    assert tiers() == at_new_year
    assert tier_changes() == 1_976

    call_command("run_due", "--at", "2018-02-01T00:00:00+08:00", stdout=StringIO())

    assert rows("SELECT sum(available) FROM rewards_pointsaccount") == [(4_598_844,)]
    assert tiers() == at_new_year
    assert campaign_figures("cj-18") == reference.campaign_figures(18)
    call_command("loyalty_audit", stdout=StringIO())


@pytest.mark.django_db
@pytest.mark.usefixtures("classic")
@pytest.mark.req("TIR-02", "TIR-05", "PTS-01", "PTS-07")
def test_a_second_computation_agrees_at_every_date() -> None:
    baskets = reference.baskets_of(HOUSEHOLDS)
    journey_import.load(journey=Journey(households=HOUSEHOLDS), at=clock.now())
    household_of = {
        member: next(h for h, each in baskets.items() if each[0].number == order_no)
        for member, order_no in rows(
            "SELECT DISTINCT ON (member_id) member_id, order_no FROM members_order"
            " ORDER BY member_id, placed_at, order_no"
        )
    }

    for at in COMPARED:
        settle(at)
        expected = {h: reference.run(each, at) for h, each in baskets.items()}
        available = {household_of[member]: points for member, points in balances().items()}
        assert available == {h: each.available(at) for h, each in expected.items()}, at
        assert standings(household_of) == {h: each.standings for h, each in expected.items()}, at

    points = {
        (number, rule): each
        for household in expected.values()
        for number, both in household.points.items()
        for rule, each in zip(("base", "tier"), both, strict=True)
        if each
    }
    assert points_by_order() == points
    assert rows("SELECT sum(available) FROM rewards_pointsaccount") == [(0,)]


def standings(household_of: dict[int, int]) -> dict[int, list[tuple[int, datetime]]]:
    found: dict[int, list[tuple[int, datetime]]] = {}
    for member, code, from_at in rows(
        "SELECT s.member_id, t.code, s.from_at FROM tiers_standing s"
        " JOIN tiers_tier t ON t.id = s.tier_id ORDER BY s.member_id, s.from_at, s.id"
    ):
        digits = clock.local(from_at).replace(tzinfo=None)
        found.setdefault(household_of[member], []).append((RANKS[code], digits))
    return found


@pytest.mark.django_db
@pytest.mark.usefixtures("classic")
def test_the_same_year_again_changes_nothing() -> None:
    journey = Journey(households=5)
    journey_import.load(journey=journey, at=clock.now())
    before = points_by_order(), rows("SELECT count(*) FROM members_receivedfact")

    again = journey_import.load(journey=journey, at=clock.now())
    ImportJob.objects.all().delete()
    once_more = journey_import.load(journey=journey, at=clock.now())

    assert "loaded_before" in again
    assert once_more["unchanged"] == once_more["orders"]
    assert (points_by_order(), rows("SELECT count(*) FROM members_receivedfact")) == before


@pytest.mark.django_db
@pytest.mark.usefixtures("classic")
def test_the_year_moves_by_whole_days() -> None:
    last_day = clock.local_day(clock.now()) - timedelta(days=1)

    journey_import.load(journey=Journey(shift_to=last_day, households=3), at=clock.now())

    shift = last_day - date(2018, 1, 1)
    expected = sorted(
        instant(basket.at + shift) for each in reference.baskets_of(3).values() for basket in each
    )
    assert [at for (at,) in rows("SELECT placed_at FROM members_order ORDER BY 1")] == expected


def overlaid(orders: Sequence[OrderFact]) -> list[Submission]:
    """Return the orders with returns and cancellations of some of them."""
    facts: list[Submission] = list(orders)
    for order in orders:
        if int(order.order_no) % 41 == 0:
            dearest = max(order.lines, key=lambda line: (line.amount, -line.line_no))
            facts.append(
                RefundFact(
                    order.source, order.order_no, "R1", order.placed_at + timedelta(days=5),
                    (RefundLine(dearest.line_no, dearest.quantity, dearest.amount),),
                )
            )  # fmt: skip
        if int(order.order_no) % 97 == 0:
            facts.append(
                OrderFact(
                    order.source, order.order_no, 2, order.placed_at + timedelta(days=2),
                    order.member, "cancelled", order.placed_at, order.currency, order.lines,
                    store=order.store,
                )
            )  # fmt: skip
    return facts


def business_instant(fact: Submission) -> datetime:
    if isinstance(fact, OrderFact):
        return fact.changed_at or fact.placed_at
    assert isinstance(fact, RefundFact)
    return fact.refunded_at


def send(facts: Sequence[Submission], size: int) -> None:
    for start in range(0, len(facts), size):
        outcomes = intake.receive(
            facts[start : start + size], touchpoint=None, at=clock.now(), history=True,
            actor=importing.ACTOR,
        )  # fmt: skip
        assert all(outcome.code is None for outcome in outcomes)


def copied(name: str) -> str:
    """Return a copy of the database in use."""
    databases.use(name)
    return databases.clone(name)


def final_state() -> dict[str, Any]:
    settle(NEW_YEAR)
    return {
        "points": points_by_order(),
        "orders": rows(
            "SELECT order_no, status, net_amount, qualifying_amount FROM members_order ORDER BY 1"
        ),
        "balances": rows(
            "SELECT i.tail4, a.available, a.pending, a.debt, a.expired FROM rewards_pointsaccount a"
            " JOIN members_member m ON m.id = a.member_id"
            " JOIN members_identifier i ON i.member_id = m.id AND i.kind = 'external'"
            " ORDER BY m.joined_at, m.id"
        ),
        "standings": rows(
            "SELECT t.code, s.from_at, s.ended_at, s.kept_until_on, s.reason"
            " FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id"
            " JOIN members_member m ON m.id = s.member_id ORDER BY m.joined_at, m.id, s.from_at"
        ),
        "progress": rows(
            "SELECT m.joined_at, p.metric, date(p.at), sum(p.amount) FROM tiers_progressentry p"
            " JOIN members_member m ON m.id = p.member_id"
            " GROUP BY 1, 2, 3 HAVING sum(p.amount) <> 0 ORDER BY 1, 2, 3"
        ),
    }


@pytest.mark.req("INT-10", "PTS-12")
def test_returns_and_cancellations_come_out_the_same_in_any_order(
    own_database: str, request: pytest.FixtureRequest
) -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())
    journey = Journey(households=OVERLAID)
    requests = [journey_import.bare_request(*each) for each in journey.first_baskets()]
    importing.enrol_unknown(requests, at=clock.now())
    facts = overlaid([order for batch in journey.batches() for order in batch.items])
    copy = copied(own_database)
    request.addfinalizer(lambda: databases.drop(copy))

    send(sorted(facts, key=business_instant), size=100)
    in_order = final_state()
    databases.use(copy)
    shuffler = random.Random(41)
    several = [fact for fact in facts for _ in range(shuffler.randint(1, 3))]
    shuffler.shuffle(several)
    send(several, size=250)

    assert final_state() == in_order
