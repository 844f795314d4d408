"""Every figure of the dashboards is what an independent statement makes of the same rows."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from campaigns.kpis import reading, registry, series
from config.base import clock
from members.models import Member, Order
from tests.campaigns import world
from tests.campaigns.world import DAY, UNTIL
from tests.factories import console, members

pytestmark = pytest.mark.django_db

# Other shapes on purpose: local dates instead of instants, sub-queries instead of filters.
NET = "o.status IN ('paid', 'completed') AND o.net_amount > 0"
LOCAL = "({} AT TIME ZONE 'Asia/Shanghai')::date"
DAYS = "BETWEEN DATE '2026-03-20' - {} AND DATE '2026-03-20'"


def within(column: str, days: int) -> str:
    return f"{LOCAL.format(column)} {DAYS.format(days - 1)}"


PLACED_365 = within("o.placed_at", 365)
BUYERS = f"SELECT DISTINCT o.member_id FROM members_order o WHERE {NET} AND {PLACED_365}"
LIVING = f"""SELECT m.id FROM members_member m
    WHERE m.status IN ('active', 'frozen') AND {LOCAL.format("m.joined_at")} <= DATE '2026-03-20'"""
UP_TO = f"{LOCAL.format('e.occurred_at')} <= DATE '2026-03-20'"


def moved(bucket: str, days: int) -> str:
    """Return the points into a bucket less those out of it."""
    span = within("e.occurred_at", days)
    return f"""(SELECT coalesce(sum(e.points), 0) FROM rewards_entry e
            WHERE e.target = '{bucket}' AND {span})
        - (SELECT coalesce(sum(e.points), 0) FROM rewards_entry e
            WHERE e.source = '{bucket}' AND {span})"""


def issued(days: int) -> str:
    return f"""(SELECT coalesce(sum(e.points), 0) FROM rewards_entry e
        WHERE e.source = 'issuance' AND {within("e.occurred_at", days)})"""


def bought(days_ago: int, until_days_ago: int) -> str:
    """Return who bought between two days ago, the older one counted."""
    return f"""SELECT o.member_id FROM members_order o WHERE {NET}
        AND {LOCAL.format("o.placed_at")} > DATE '2026-03-20' - {days_ago}
        AND {LOCAL.format("o.placed_at")} <= DATE '2026-03-20' - {until_days_ago}"""


STRANGERS = f"""
    SELECT max(f.version) AS version, f.ref FROM members_receivedfact f
    WHERE f.kind = 'order' AND f.state = 'awaiting_member'
      AND {within("(f.body->>'placed_at')::timestamptz", 365)}
    GROUP BY f.ref"""
STRANGER_NETS = f"""
    SELECT (SELECT sum((l->>6)::int) FROM jsonb_array_elements(f.body->'lines') l)
        - coalesce((SELECT CASE WHEN r.body->>'amount' IS NOT NULL THEN (r.body->>'amount')::int
                    WHEN jsonb_array_length(r.body->'lines') = 0 THEN 999999999
                    ELSE (r.body->'lines'->0->>2)::int END
                    FROM members_receivedfact r
                    WHERE r.kind = 'refund' AND r.order_no = f.ref
                      AND r.acts_at < '2026-03-20T16:00:00Z'), 0) AS net
    FROM members_receivedfact f JOIN ({STRANGERS}) s ON s.ref = f.ref AND s.version = f.version
    WHERE f.kind = 'order' AND f.body->>'status' = 'paid'"""

# The last score of each member by a window function; a moderator's word by joins.
LET_PASS = """members_interaction i LEFT JOIN members_moderation w ON w.fact_id = i.fact_id
    WHERE i.source NOT IN ('moderation') AND coalesce(w.state, 'approved') = 'approved'"""
SCORE = "CASE WHEN i.data ? 'nps' THEN i.data->>'nps' ELSE i.data->>'score' END"
SCORES = f"""SELECT x.member_id, x.score::int AS score FROM (
        SELECT i.member_id, {SCORE} AS score, row_number() OVER (
            PARTITION BY i.member_id ORDER BY i.occurred_at DESC, i.fact_id DESC) AS place
        FROM {LET_PASS} AND i.kind = 'survey' AND {within("i.occurred_at", 365)}
          AND {SCORE} IN ('0','1','2','3','4','5','6','7','8','9','10')) x
    WHERE x.place = 1"""
PUBLISHED = f"""SELECT i.member_id FROM {LET_PASS} AND {within("i.occurred_at", 365)}
    AND i.kind IN ('review', 'photo')"""
BROUGHT = f"""SELECT r.referrer_id, (r.state = 'rewarded')::int AS bought
    FROM campaigns_referral r WHERE {within("r.registered_at", 365)}"""

INDEPENDENT = {
    "advocacy_rate": f"""SELECT avg((m.id IN ({PUBLISHED})
            OR m.id IN (SELECT s.member_id FROM ({SCORES}) s WHERE s.score IN (9, 10))
            OR m.id IN (SELECT b.referrer_id FROM ({BROUGHT}) b WHERE b.bought = 1))::int)
        FROM ({LIVING}) m""",
    "friends_joined": f"SELECT count(*) FROM ({BROUGHT}) b",
    "referral_conversion": f"SELECT avg(b.bought) FROM ({BROUGHT}) b",
    "net_promoter_score": f"""SELECT avg((s.score > 8)::int - (s.score < 7)::int)
        FROM ({SCORES}) s""",
    "scores_given": f"SELECT count(*) FROM ({SCORES}) s",
    "published": f"SELECT count(*) FROM ({PUBLISHED}) p",
    "members": f"SELECT count(*) FROM ({LIVING}) m",
    "new_members": f"""SELECT count(*) FROM members_member m
        WHERE m.id IN ({LIVING}) AND {within("m.joined_at", 30)}""",
    "active_members": f"SELECT count(*) FROM ({BUYERS}) b",
    "participation_rate": f"""SELECT (SELECT count(DISTINCT e.member_id) FROM rewards_entry e
        WHERE 'redeemed/issuance' LIKE '%%' || CASE WHEN e.target = 'redeemed' THEN e.target
            ELSE e.source END || '%%' AND (e.source = 'issuance' OR e.target = 'redeemed')
          AND {within("e.occurred_at", 90)})::numeric / (SELECT count(*) FROM ({LIVING}) m)""",
    "referral_rate": f"""SELECT (SELECT count(*) FROM members_member m WHERE EXISTS (
            SELECT FROM members_interaction i WHERE i.member_id = m.id AND i.kind = 'referral'
              AND {within("i.occurred_at", 365)}))::numeric
        / (SELECT count(*) FROM ({BUYERS}) b)""",
    "tier_members": """SELECT (SELECT count(*) FROM tiers_standing s
            JOIN members_member m ON m.id = s.member_id AND m.status IN ('active', 'frozen')
            WHERE s.tier_id IN (SELECT id FROM tiers_tier WHERE rank >= 1)
              AND tstzrange(s.from_at, s.ended_at, '[]')
                  @> '2026-03-20T15:59:59.999999Z'::timestamptz)
        ::numeric / (SELECT count(*) FROM tiers_standing s
            JOIN members_member m ON m.id = s.member_id AND m.status IN ('active', 'frozen')
            WHERE tstzrange(s.from_at, s.ended_at, '[]')
                  @> '2026-03-20T15:59:59.999999Z'::timestamptz)""",
    "tier_revenue_share": f"""SELECT sum(o.net_amount) FILTER (WHERE EXISTS (
            SELECT FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id
            WHERE s.member_id = o.member_id AND t.rank > 0
              AND tstzrange(s.from_at, s.ended_at, '(]') @> o.placed_at)) / sum(o.net_amount)
        FROM members_order o WHERE {NET} AND {PLACED_365}""",
    "points_outstanding": f"""SELECT (SELECT coalesce(sum(e.points), 0) FROM rewards_entry e
            WHERE e.target IN ('pending', 'available', 'reserved') AND {UP_TO})
        - (SELECT coalesce(sum(e.points), 0) FROM rewards_entry e
            WHERE e.source IN ('pending', 'available', 'reserved') AND {UP_TO})""",
    "points_debt": f"SELECT -({moved('debt', 9999)})",
    "issued_today": f"SELECT {issued(1)}",
    "used_today": f"SELECT {moved('redeemed', 1)}",
    "points_issued": f"SELECT {issued(30)}",
    "points_used": f"SELECT {moved('redeemed', 30)}",
    "points_expired": f"SELECT {moved('expired', 30)}",
    "use_rate": f"SELECT ({moved('redeemed', 365)})::numeric / {issued(365)}",
    "breakage_rate": f"""SELECT ({moved('expired', 365)})::numeric
        / (({moved('expired', 365)}) + ({moved('redeemed', 365)}))""",
    "repurchase_rate": f"""SELECT avg((orders >= 2)::int) FROM (
        SELECT count(*) AS orders FROM members_order o
        WHERE {NET} AND {PLACED_365} GROUP BY o.member_id) b""",
    "frequency": f"""SELECT avg(orders) FROM (SELECT count(*) AS orders FROM members_order o
        WHERE {NET} AND {PLACED_365} GROUP BY o.member_id) b""",
    "spend_per_buyer": f"""SELECT avg(net) FROM (SELECT sum(o.net_amount) AS net
        FROM members_order o WHERE {NET} AND {PLACED_365} GROUP BY o.member_id) b""",
    "order_value": f"SELECT avg(o.net_amount) FROM members_order o WHERE {NET} AND {PLACED_365}",
    "stranger_order_value": f"SELECT avg(net) / 100 FROM ({STRANGER_NETS}) s WHERE net > 0",
    "net_sales": f"""SELECT sum(o.net_amount) FROM members_order o
        WHERE {NET} AND {within("o.placed_at", 30)}""",
    "orders": f"""SELECT count(*) FROM members_order o
        WHERE {NET} AND {within("o.placed_at", 30)}""",
    "retention_rate": f"""SELECT avg((b.member_id IN ({bought(365, 0)}))::int)
        FROM (SELECT DISTINCT member_id FROM ({bought(730, 365)}) b) b""",
    "churn_rate": f"""SELECT avg((b.member_id NOT IN ({bought(180, 0)}))::int)
        FROM (SELECT DISTINCT member_id FROM ({bought(545, 180)}) b) b""",
}  # fmt: skip


def independently(statement: str) -> Decimal:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%%", "%"))
        (number,) = cursor.fetchone()
    return Decimal(number)


@pytest.mark.req(
    "KPI-01", "KPI-02", "KPI-03", "KPI-04", "KPI-05", "KPI-06", "KPI-08", "KPI-09", "KPI-11",
    "KPI-13",
)  # fmt: skip
def test_every_figure_is_what_an_independent_statement_finds(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    world.build()
    with django_assert_num_queries(1):
        found = registry.read(list(registry.METRICS), until=UNTIL)
    assert found.keys() == INDEPENDENT.keys()
    numbers = {code: value.number for code, value in found.items()}
    expected = {code: independently(statement) for code, statement in INDEPENDENT.items()}
    wrong = {
        code: (number, expected[code])
        for code, number in numbers.items()
        if number is None or abs(number - expected[code]) > Decimal("1e-9")
    }
    assert wrong == {}
    # A world in which a figure is 0 or 1 would prove little of it.
    assert not [code for code, number in numbers.items() if number in {0, 1}]


def test_a_quotient_of_nothing_is_no_figure() -> None:
    found = registry.read(list(registry.METRICS), until=UNTIL)
    assert found["repurchase_rate"].number is None
    assert found["points_outstanding"].number == 0


def test_a_metric_that_does_not_exist_is_refused() -> None:
    with pytest.raises(registry.MetricUnknownError):
        registry.read(["members", "happiness"], until=UNTIL)


@pytest.mark.req("KPI-13")
def test_a_figure_is_never_older_than_a_minute() -> None:
    cache.clear()
    console.programme()
    shown = members.member()
    at = clock.now()
    with time_machine.travel(at, tick=False) as now:
        assert registry.current(["orders"], at=at)["orders"].number == 0
        console.order(shown, "10.00", at=at - timedelta(minutes=1), points=10)
        assert registry.current(["orders"], at=at)["orders"].number == 0
        now.shift(60.1)
        assert registry.current(["orders"], at=at)["orders"].number == 1


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_metric_says_what_it_counts(language: str) -> None:
    with translation.override(language):
        for metric in registry.METRICS.values():
            assert str(metric.title)
            assert len(str(metric.definition)) > 15


@pytest.mark.req("KPI-05")
def test_cohorts_follow_members_from_their_first_purchase() -> None:
    console.programme()
    ann, bob = members.member(), members.member()
    for who, text in (
        (ann, "2026-01-31T15:59:59+00:00"),  # the last second of January in Shanghai
        (ann, "2026-03-01T00:00:00+08:00"),
        (bob, "2026-01-10T04:00:00+00:00"),
        (bob, "2026-02-10T04:00:00+00:00"),
        (bob, "2026-02-11T04:00:00+00:00"),
    ):
        console.order(who, "10.00", at=datetime.fromisoformat(text), points=1)
    found = series.cohorts(UNTIL, months=3)
    assert [(each.month, each.size, list(each.counts)) for each in found] == [
        (date(2026, 1, 1), 2, [2, 1, 1])
    ]
    assert found[0].shares() == [100, 50, 50]


@pytest.mark.req("KPI-06", "TIR-06")
def test_series_add_up_to_the_figures_beside_them() -> None:
    world.build()
    year = clock.day_start(DAY - timedelta(days=364))
    values = registry.read(["active_members", "spend_per_buyer", "order_value"], until=UNTIL)
    tiers = series.tier_shares(UNTIL, year)
    assert sum(series.frequencies(UNTIL, year)) == values["active_members"].number
    assert sum((tier.net for tier in tiers), Decimal()) == values["order_value"].numerator
    assert sum(tier.orders for tier in tiers) == values["order_value"].denominator
    held = series.tier_mix(UNTIL, months=2)[DAY.replace(day=1)]
    assert held == {tier.rank: tier.members for tier in tiers if tier.members}
    month = series.sales(UNTIL, months=1)[0]
    rows = Order.objects.filter(
        placed_at__gte=clock.day_start(DAY.replace(day=1)), placed_at__lt=UNTIL, net_amount__gt=0
    ).exclude(status="cancelled")
    assert month.orders == rows.count()
    assert month.buyers == rows.values("member").distinct().count()
    assert month.spend_per_buyer == month.net / month.buyers
    assert month.order_value == month.net / month.orders


def test_tier_moves_count_ups_and_downs_but_not_what_was_passed_through() -> None:
    console.programme()
    ann = members.member(at=clock.day_start(date(2026, 1, 5)))
    at = clock.day_start(date(2026, 2, 3))
    console.stand(ann, "silver", at=at)
    console.stand(ann, "gold", at=at)  # silver has no length
    console.stand(ann, "basic", at=clock.day_start(date(2026, 3, 3)))
    moves = series.tier_moves(UNTIL, months=3)
    assert list(moves.values()) == [(0, 0), (1, 0), (0, 1)]


def test_months_end_at_local_midnight() -> None:
    assert reading.last_day(UNTIL) == DAY
    assert reading.months_back(clock.day_start(date(2026, 3, 1)), 2) == [
        date(2026, 1, 1), date(2026, 2, 1),
    ]  # fmt: skip
    assert Member.objects.count() == 0
