"""Worked examples: what comes back, what is taken back, and what was paid in points."""

import pytest

from rewards.domain.lot_book import PointsDebtError
from rewards.models import Entry, Reservation
from rewards.services import reservation
from tests.engine.shop import Shop, back, counts, line

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-12")]


def test_lines_that_come_back_take_their_points_along(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, "49.90", on=1)
    refund = shop.give_back("A", "r1", on=2, lines=(back(2, "49.90"),))
    assert counts(refund) == (200, 100, -49)  # 149 before
    assert shop.progress(ann)["spend"] == "100.00"


def test_an_amount_is_spread_by_largest_remainder(shop: Shop) -> None:
    """1.00 over 1.00, 1.00 and 1.00 of goods, goods and shipping: 0.34, 0.33, 0.33."""
    ann = shop.join("ann")
    lines = (line(1, 100), line(2, 100), line(3, 100, "shipping"))
    shop.buy(ann, "A", on=1, lines=lines)
    shop.give_back("A", "r1", on=2, amount="1.00")
    assert shop.progress(ann)["spend"] == "199.33"
    assert shop.points(ann) == {"A base": 199}


@pytest.mark.parametrize("parts", [["100"], ["33.33", "33.33", "33.34"], ["0.01", "99.99"]])
def test_the_split_of_an_amount_never_matters(shop: Shop, parts: list[str]) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", "77.77", "88.88", "99.99", on=1)
    for number, part in enumerate(parts):
        shop.give_back("A", f"r{number}", on=2 + number, amount=part)
    assert shop.points(ann) == {"A base": 166}
    assert shop.progress(ann)["spend"] == "166.64"


def test_nothing_said_means_all_that_is_left(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    shop.give_back("A", "r1", on=2, amount=30)
    assert counts(shop.give_back("A", "r2", on=3)) == (200, 0, -70)
    assert (shop.points(ann), shop.progress(ann)) == ({}, {})


def test_more_than_was_bought_is_clamped_and_reported(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    refund = shop.give_back("A", "r1", on=2, amount=130)
    assert counts(refund) == (200, 0, -100)
    assert refund.data["issues"] == [{"code": "over_refunded"}]
    assert shop.cases() == ["over_refunded"]


def test_a_line_raised_later_is_net_of_all_its_refunds(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    shop.give_back("A", "r1", on=2, lines=(back(1, 130),))
    assert shop.points(ann) == {}
    shop.buy(ann, "A", 150, on=1, version=2, changed=3)
    assert shop.points(ann) == {"A base": 20}


def test_points_that_were_spent_become_debt_and_earning_settles_it(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 500, on=1)
    held = shop.hold(ann, 400, on=2)
    reservation.capture(reservation=held.public_id, at=shop.now, actor="till")
    shop.give_back("A", "r1", on=3)
    assert shop.balance(ann) == (0, 0, 0, 400)
    with pytest.raises(PointsDebtError):
        shop.hold(ann, 1, on=3)
    outcome = shop.buy(ann, "B", 450, on=4)
    assert outcome.data["balance"] == {"pending": 0, "available": 50, "reserved": 0, "debt": 0}
    assert shop.counters(ann) == {"earned": 950, "redeemed": 400, "reversed": 500}


def test_held_points_count_as_spent_and_pay_the_debt_when_released(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 500, on=1)
    held = shop.hold(ann, 200, on=2)
    shop.give_back("A", "r1", on=2.1)
    assert shop.balance(ann) == (0, 0, 200, 200)
    reservation.release(reservation=held.public_id, at=shop.now, actor="till")
    assert shop.balance(ann) == (0, 0, 0, 0)


def test_other_orders_pay_before_there_is_debt(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    shop.buy(ann, "B", 300, on=2)
    shop.adjust(ann, -90, on=3)  # from A, that ends first
    shop.give_back("A", "r1", on=4)
    assert shop.balance(ann) == (0, 210, 0, 0)
    assert shop.counters(ann) == {"earned": 400, "reversed": 100, "adjusted": 90}


@pytest.mark.req("PTS-11")
def test_pending_points_of_the_order_go_first_and_those_of_others_stay(web_shop: Shop) -> None:
    ann = web_shop.join("ann")
    web_shop.buy(ann, "A", 100, on=1)
    web_shop.buy(ann, "B", 60, on=2)
    assert web_shop.balance(ann) == (160, 0, 0, 0)
    web_shop.give_back("A", "r1", on=3, amount=40)
    assert web_shop.balance(ann) == (120, 0, 0, 0)
    web_shop.pass_time(9)  # A was available at midnight after day 8
    assert web_shop.balance(ann) == (60, 60, 0, 0)


def test_expired_points_are_reversed_from_where_they_are(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    shop.pass_time(420)
    assert shop.counters(ann) == {"earned": 100, "expired": 100}
    shop.give_back("A", "r1", on=421, amount=30)
    assert shop.counters(ann) == {"earned": 100, "expired": 70, "reversed": 30}
    assert shop.balance(ann) == (0, 0, 0, 0)


@pytest.mark.req("PTS-02")
def test_an_order_captures_what_it_is_paid_with_and_earns_on_the_rest(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    held = shop.hold(ann, 600, on=2)
    outcome = shop.buy(ann, "B", 20, on=2, in_points=6, held=held)
    assert outcome.data["points"]["base"] == 14
    assert outcome.data["balance"] == {"pending": 0, "available": 415, "reserved": 0, "debt": 0}
    assert Reservation.objects.get().status == "captured"
    assert shop.counters(ann) == {"earned": 1015, "redeemed": 600}


@pytest.mark.req("PTS-02")
def test_fewer_points_than_held_are_captured_if_the_order_says_so(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 600, on=2)
    shop.buy(ann, "B", 20, on=2, in_points=5, held=held, reservation_points=500)
    assert shop.counters(ann) == {"earned": 915, "redeemed": 500}


@pytest.mark.req("PTS-02")
def test_points_paid_come_back_in_proportion_and_all_at_the_end(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 501, on=2)
    shop.buy(ann, "B", 30, on=2, in_points=5, held=held)
    assert shop.balance(ann) == (0, 399 + 25, 0, 0)
    shop.give_back("B", "r1", on=3, amount=10)  # floor(501 / 3) back, floor(20 × 5/6) = 16 earned
    assert shop.counters(ann) == {"earned": 925, "redeemed": 334, "reversed": 9}
    shop.give_back("B", "r2", on=4, amount=10)  # floor(501 × 2/3) in all
    assert shop.counters(ann)["redeemed"] == 167
    shop.give_back("B", "r3", on=5)
    assert shop.counters(ann) == {"earned": 925, "reversed": 25}
    assert shop.balance(ann) == (0, 900, 0, 0)


@pytest.mark.req("PTS-02")
def test_a_refund_may_name_the_points_that_come_back(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 500, on=2)
    shop.buy(ann, "B", 30, on=2, in_points=5, held=held)
    shop.give_back("B", "r1", on=3, amount=10, points=100)
    assert shop.counters(ann)["redeemed"] == 400


@pytest.mark.req("PTS-02")
def test_points_paid_come_back_also_after_a_late_fact_changed_the_order(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=2)
    held = shop.hold(ann, 500, on=3)
    shop.buy(ann, "B", 30, on=3, in_points=5, held=held)
    shop.buy(ann, "L", 1000, on=1, at=4)  # silver before A: tier points for A and B
    assert shop.points(ann)["B tier"] == 2
    shop.give_back("B", "r1", on=5)
    assert shop.counters(ann) == {"earned": 2017, "reversed": 27}


@pytest.mark.req("PTS-02")
def test_a_cancelled_order_gives_its_points_back_once(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 500, on=2)
    shop.buy(ann, "B", 30, on=2, in_points=5, held=held)
    shop.buy(ann, "B", 30, on=2, version=2, changed=3, status="cancelled")
    assert shop.balance(ann) == (0, 900, 0, 0)
    # Points once given back stay given back; the tender no longer named lowers no base.
    shop.buy(ann, "B", 30, on=2, version=3, changed=4)
    assert shop.balance(ann) == (0, 930, 0, 0)


@pytest.mark.req("PTS-02")
def test_a_lapsed_reservation_is_reported_once_and_still_lowers_the_base(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 500, on=2, days=0.5)
    outcome = shop.buy(ann, "B", 30, on=3, in_points=5, held=held)
    assert outcome.data["issues"] == [{"code": "reservation_lapsed"}]
    assert (shop.points(ann)["B base"], shop.balance(ann)) == (25, (0, 925, 0, 0))
    shop.give_back("B", "r1", on=4, amount=10)
    assert shop.cases() == ["reservation_lapsed"]


@pytest.mark.req("PTS-02")
def test_an_order_that_moves_gives_back_what_it_was_paid_with(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 500, on=2)
    shop.buy(ann, "B", 30, on=2, in_points=5, held=held)
    shop.buy(bob, "B", 30, on=2, version=2, changed=3, in_points=5)
    assert (shop.balance(ann), shop.balance(bob)) == ((0, 900, 0, 0), (0, 25, 0, 0))


@pytest.mark.req("PTS-07")
def test_points_given_back_to_a_lot_that_is_over_expire_at_once(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 500, on=390)
    shop.buy(ann, "B", 30, on=390, in_points=5, held=held)
    shop.pass_time(400)
    assert shop.counters(ann) == {"earned": 925, "redeemed": 500, "expired": 400}
    shop.give_back("B", "r1", on=401)
    assert shop.counters(ann) == {"earned": 925, "expired": 900, "reversed": 25}
    assert Entry.objects.filter(source="redeemed").get().points == 500


@pytest.mark.req("PTS-02")
def test_a_reservation_pays_one_order_only(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1)
    held = shop.hold(ann, 500, on=2)
    reservation.capture(reservation=held.public_id, at=shop.now, actor="till")
    first = shop.buy(ann, "B", 30, on=2, in_points=5, held=held)
    second = shop.buy(ann, "C", 30, on=2, in_points=5, held=held)
    assert (first.data["issues"], second.data["issues"]) == ([], [{"code": "reservation_closed"}])
    shop.give_back("C", "r1", on=3)
    assert shop.counters(ann)["redeemed"] == 500
    shop.give_back("B", "r1", on=4)
    assert shop.balance(ann) == (0, 900, 0, 0)
