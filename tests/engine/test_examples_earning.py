"""Worked examples: what orders and interactions earn, in order and late."""

import pytest

from members.models import MemberStatus
from rewards.models import Entry
from rewards.services import intake
from tests.engine.shop import Shop, counts, day, interaction, line, order

pytestmark = pytest.mark.django_db


@pytest.mark.req("PTS-01", "PTS-17")
def test_a_first_order_earns_one_point_per_whole_unit(shop: Shop) -> None:
    ann = shop.join("ann")
    outcome = shop.buy(ann, "A", "99.99", on=1)
    assert counts(outcome) == (200, 99, 99)
    assert shop.points(ann) == {"A base": 99}
    assert shop.balance(ann) == (0, 99, 0, 0)
    assert outcome.data["tier"] == {"before": "basic", "after": "basic", "changed": False}


@pytest.mark.req("PTS-01", "TIR-05")
def test_the_tier_before_an_order_decides_its_bonus(shop: Shop) -> None:
    ann = shop.join("ann")
    first = shop.buy(ann, "A", 1200, on=1)
    assert first.data["tier"] == {"before": "basic", "after": "silver", "changed": True}
    second = shop.buy(ann, "B", 1999, on=2)
    assert counts(second) == (200, 1999 + 199, 2198)
    assert second.data["points"]["bonus"] == [{"rule": "tier", "points": 199}]
    assert shop.tier(ann) == "gold"
    assert shop.points(ann) == {"A base": 1200, "B base": 1999, "B tier": 199}


def test_every_rule_is_floored_once_on_the_sum_of_the_lines(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.buy(ann, "B", "10.40", "10.40", "10.40", on=2)
    assert shop.points(ann) == {"A base": 1000, "B base": 31, "B tier": 3}


@pytest.mark.req("PTS-16", "PTS-17")
def test_what_earns_nothing_still_counts_as_spend_if_it_is_goods(shop: Shop) -> None:
    ann = shop.join("ann")
    lines = (
        line(1, 600), line(2, 500, earns=False), line(3, 100, "shipping"),
        line(4, 300, "gift_card"), line(5, 50, "service"),
    )  # fmt: skip
    shop.buy(ann, "A", on=1, lines=lines)
    assert shop.points(ann) == {"A base": 650}
    assert shop.progress(ann) == {"spend": "1150.00", "orders": "1.00"}
    assert shop.tier(ann) == "silver"


def test_points_are_valid_to_the_end_of_the_month_a_year_later(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 10, on=0)
    shop.buy(ann, "B", 20, on=29.49)  # 31 March, 23:45
    shop.buy(ann, "C", 40, on=29.51)  # 1 April, 00:14
    assert shop.lots(ann) == [("2027-03-31", 10), ("2027-03-31", 20), ("2027-04-30", 40)]


@pytest.mark.req("PTS-09", "TIR-05")
def test_a_late_fact_gives_later_orders_the_tier_they_should_have_had(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "X", 500, on=2)
    outcome = shop.buy(ann, "L", 1500, on=1, at=3)
    assert counts(outcome) == (200, 1500, 1500)
    assert shop.points(ann) == {"L base": 1500, "X base": 500, "X tier": 50}
    late = Entry.objects.get(reason="late_fact")
    assert (late.points, late.occurred_at) == (50, day(2))
    assert shop.standings(ann) == [
        ("basic", "2026-03-02", "enrolled"), ("silver", "2026-03-03", "qualified"),
    ]  # fmt: skip


def test_a_late_fact_before_enrolment_moves_the_first_standing(shop: Shop) -> None:
    ann = shop.join("ann", at=10)
    shop.buy(ann, "A", 100, on=3, at=11)
    assert shop.standings(ann) == [("basic", "2026-03-05", "enrolled")]
    shop.buy(ann, "B", 100, on=2, at=12)
    assert shop.standings(ann) == [("basic", "2026-03-04", "enrolled")]


def test_a_fact_exactly_as_old_as_allowed_folds_at_its_own_instant(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "X", 500, on=2, at=2)
    shop.buy(ann, "L", 1500, on=1, at=36)
    assert shop.points(ann)["X tier"] == 50
    assert shop.standings(ann)[1] == ("silver", "2026-03-03", "qualified")


def test_an_older_fact_is_decided_alone_with_the_standing_of_its_instant(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "X", 1500, on=2)
    shop.buy(ann, "Y", 100, on=3)
    outcome = shop.buy(ann, "L", 2000, on=1, at=36.001)
    assert counts(outcome) == (200, 2000, 2000)  # basic on day 1: no bonus
    assert shop.points(ann) == {"L base": 2000, "X base": 1500, "Y base": 100, "Y tier": 10}
    assert outcome.data["tier"] == {"before": "silver", "after": "gold", "changed": True}
    assert shop.standings(ann)[2] == ("gold", "2026-04-07", "qualified")
    # Its progress is of day 1: after 365 days from then it no longer counts.
    assert shop.progress(ann) == {"spend": "3600.00", "orders": "3.00"}


def test_history_has_no_limit(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "X", 500, on=2)
    shop.send(order(ann, "L", 1500, on=1), at=300, history=True)
    assert shop.points(ann) == {"L base": 1500, "X base": 500, "X tier": 50}


@pytest.mark.req("TIR-02")
def test_interactions_count_towards_tiers_and_some_kinds_do_not(shop: Shop) -> None:
    ann = shop.join("ann")
    for number in range(11):
        shop.do(ann, f"s{number}", "survey", on=number)
    for number in range(5):
        shop.do(ann, f"c{number}", "check_in", on=11)
    assert shop.tier(ann) == "basic"
    shop.do(ann, "s11", "referral", on=12)
    assert shop.tier(ann) == "silver"
    assert shop.progress(ann) == {"interactions": "12.00", "referrals": "1.00"}


def test_a_cap_holds_per_member_and_period_in_business_order(web_shop: Shop) -> None:
    ann, bob = web_shop.join("ann"), web_shop.join("bob")
    for number in range(5):
        web_shop.do(ann, f"s{number}", "survey", on=number)  # 50 each, 200 a month
    web_shop.do(bob, "b1", "survey", on=4)
    web_shop.do(ann, "april", "survey", on=31)
    assert sorted(web_shop.points(ann).values()) == [50, 50, 50, 50, 50]
    assert web_shop.balance(bob) == (0, 50, 0, 0)


def test_a_late_interaction_takes_the_room_of_a_later_one(web_shop: Shop) -> None:
    ann = web_shop.join("ann")
    for number in range(1, 6):
        web_shop.do(ann, f"s{number}", "survey", on=number)
    (late,) = web_shop.send(interaction(ann, "s0", "survey", on=0.5), at=6)
    assert counts(late) == (200, 50, 50)
    assert sum(web_shop.points(ann).values()) == 200
    taken = Entry.objects.get(target="reversed")
    assert (taken.points, taken.reason, taken.occurred_at) == (50, "late_fact", day(4))


def test_facts_of_a_frozen_member_earn(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.set_status(ann, MemberStatus.FROZEN)
    assert counts(shop.buy(ann, "A", 70, on=1)) == (200, 70, 70)


def test_facts_of_a_closed_member_are_kept_and_earn_nothing(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    shop.set_status(ann, MemberStatus.CLOSED)
    assert counts(shop.buy(ann, "B", 5000, on=2)) == (200, 0, 0)
    assert shop.points(ann) == {"A base": 70}
    assert (shop.tier(ann), shop.facts_in("applied")) == ("basic", 2)


def test_what_is_placed_in_the_future_is_refused(shop: Shop) -> None:
    ann = shop.join("ann")
    minutes = 1 / 24 / 60
    assert shop.buy(ann, "A", 70, on=1, at=1 - 5 * minutes).status == 200
    refused = shop.buy(ann, "B", 70, on=2, at=2 - 6 * minutes)
    assert (refused.status, refused.code) == (422, "placed_in_future")
    assert shop.points(ann) == {"A base": 70}


def test_an_unknown_member_id_is_refused_and_does_not_keep_others_out(shop: Shop) -> None:
    ann = shop.join("ann")
    gone = shop.join("gone")
    gone.public_id = type(gone.public_id)(int=1)
    one, two = shop.send(order(gone, "X", 10, on=0), order(ann, "A", 10, on=0))
    assert (one.status, one.code, two.status) == (404, "member_not_found", 200)


def test_a_batch_of_nothing_is_nothing(shop: Shop) -> None:
    assert intake.receive([], touchpoint=shop.touchpoint, at=shop.now) == []
