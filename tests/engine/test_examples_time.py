"""Worked examples: what time alone does, and tiers over the years."""

from datetime import timedelta

import pytest

from rewards.domain.holds import HoldClosedError
from rewards.domain.lot_book import InsufficientPointsError
from rewards.models import Entry
from rewards.services import reservation
from tests.engine.shop import Shop, day

pytestmark = pytest.mark.django_db


@pytest.mark.req("PTS-11")
def test_web_points_wait_seven_full_days_after_the_order(web_shop: Shop) -> None:
    ann = web_shop.join("ann")
    web_shop.buy(ann, "A", 100, on=1)  # 3 March; the full days are 4 to 10 March
    web_shop.pass_time(8.4)  # 10 March, 21:36
    assert web_shop.balance(ann) == (100, 0, 0, 0)
    web_shop.pass_time(8.5)  # 11 March, 00:00
    assert web_shop.balance(ann) == (0, 100, 0, 0)
    assert Entry.objects.get(source="pending").occurred_at == day(8.5)


@pytest.mark.req("PTS-11")
def test_a_late_web_order_is_available_from_when_it_should_have_been(web_shop: Shop) -> None:
    ann = web_shop.join("ann")
    web_shop.buy(ann, "A", 100, on=1, at=20)
    assert web_shop.balance(ann) == (0, 100, 0, 0)
    assert [e.occurred_at for e in Entry.objects.order_by("seq")] == [day(1), day(8.5)]


@pytest.mark.req("PTS-07")
def test_points_end_with_their_last_day_whenever_the_job_runs(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    shop.pass_time(394.49)  # 31 March 2027, 23:45
    assert shop.balance(ann) == (0, 100, 0, 0)
    shop.pass_time(500)
    assert shop.counters(ann) == {"earned": 100, "expired": 100}
    assert Entry.objects.get(target="expired").occurred_at == day(394.5)


@pytest.mark.req("PTS-07")
def test_points_posted_to_a_lot_that_is_over_expire_at_once_and_pay_no_debt(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=390)
    shop.adjust(ann, -100, on=391)
    shop.give_back("A", "r1", on=392)
    shop.now = day(500)
    shop.touchpoint = None
    from_past = shop.buy(ann, "OLD", 70, on=1, at=500)
    assert from_past.data["points"]["earned"] == 70
    assert shop.balance(ann) == (0, 0, 0, 100)
    assert shop.counters(ann) == {
        "earned": 170, "expired": 70, "reversed": 100, "adjusted": 100,
    }  # fmt: skip


def test_a_hold_is_over_at_its_instant(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    held = shop.hold(ann, 60, on=2, days=1)
    assert shop.balance(ann) == (0, 40, 60, 0)
    with pytest.raises(HoldClosedError) as refused:
        reservation.capture(reservation=held.public_id, at=day(3), actor="till")
    assert refused.value.code == "reservation_lapsed"
    shop.pass_time(3)
    assert shop.balance(ann) == (0, 100, 0, 0)


def test_a_verb_again_is_the_same_answer_and_the_other_one_is_refused(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    held = shop.hold(ann, 60, on=2)
    for _again in range(2):
        done = reservation.capture(reservation=held.public_id, points=50, at=day(2), actor="till")
        assert (done.status, done.captured_points) == ("captured", 50)
    with pytest.raises(HoldClosedError) as refused:
        reservation.release(reservation=held.public_id, at=day(2), actor="till")
    assert refused.value.code == "reservation_closed"
    assert (shop.balance(ann), shop.counters(ann)["redeemed"]) == ((0, 50, 0, 0), 50)


@pytest.mark.req("PTS-07")
def test_a_lot_that_ends_while_held_can_still_be_captured(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    held = shop.hold(ann, 60, on=390, days=30)
    shop.pass_time(400)
    assert (shop.balance(ann), shop.counters(ann)["expired"]) == ((0, 0, 60, 0), 40)
    reservation.capture(reservation=held.public_id, points=50, at=day(401), actor="till")
    assert shop.counters(ann) == {"earned": 100, "redeemed": 50, "expired": 50}


@pytest.mark.req("PTS-15")
def test_adjustments_are_available_at_once_and_end_like_points_of_that_day(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.adjust(ann, 50, on=1)
    shop.adjust(ann, -20, on=2)
    assert shop.lots(ann) == [("2027-03-31", 30)]
    assert shop.counters(ann) == {"adjusted": -30}
    with pytest.raises(InsufficientPointsError):
        shop.adjust(ann, -31, on=3)
    assert shop.balance(ann) == (0, 30, 0, 0)


@pytest.mark.req("TIR-05")
def test_an_upgrade_goes_straight_to_the_highest_and_lasts_365_days(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 6500, on=1)
    assert shop.standings(ann)[1] == ("diamond", "2026-03-03", "qualified")
    assert shop.kept_until(ann) == "2027-03-03"


@pytest.mark.req("TIR-08")
def test_the_review_lowers_one_level_a_year(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 6500, on=1)
    shop.pass_time(366.49)
    assert shop.tier(ann) == "diamond"
    shop.pass_time(1200)
    assert shop.standings(ann)[2:] == [
        ("gold", "2027-03-04", "review_downgrade"), ("silver", "2028-03-03", "review_downgrade"),
        ("basic", "2029-03-03", "review_downgrade"),
    ]  # fmt: skip


@pytest.mark.req("TIR-08")
def test_reaching_the_threshold_again_renews(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.buy(ann, "B", 1, on=300)  # the window still holds A
    assert shop.kept_until(ann) == (day(300) + timedelta(days=365)).date().isoformat()
    shop.buy(ann, "C", 1, on=366)  # A has left it
    assert shop.kept_until(ann) == (day(300) + timedelta(days=365)).date().isoformat()
    shop.pass_time(700)
    assert shop.standings(ann)[2] == (
        "basic",
        "2026-12-28".replace("2026", "2027"),
        "review_downgrade",
    )


@pytest.mark.req("TIR-08")
def test_retention_may_be_easier_than_entry(web_shop: Shop) -> None:
    ann = web_shop.join("ann")
    web_shop.buy(ann, "A", 1000, on=1)
    web_shop.buy(ann, "B", 790, on=367)  # below 800: not kept, and the review came on day 367
    assert web_shop.tier(ann) == "basic"
    bob = web_shop.join("bob", at=367)
    web_shop.buy(bob, "C", 1000, on=367)
    web_shop.buy(bob, "D", 800, on=732)
    assert web_shop.kept_until(bob) == (day(732) + timedelta(days=365)).date().isoformat()


@pytest.mark.req("TIR-09")
@pytest.mark.parametrize(("on", "tier"), [(31, "basic"), (32, "silver")])
def test_a_refund_withdraws_an_upgrade_of_the_last_thirty_days(
    shop: Shop, on: int, tier: str
) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.give_back("A", "r1", on=on, amount="0.01")
    assert shop.tier(ann) == tier


@pytest.mark.req("TIR-09")
def test_withdrawal_stops_at_what_is_still_earned(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 1500, on=1)
    shop.buy(ann, "B", 5000, on=2)
    shop.give_back("B", "r1", on=3, amount=3000)
    assert shop.standings(ann)[1:] == [
        ("silver", "2026-03-03", "qualified"), ("diamond", "2026-03-04", "qualified"),
        ("gold", "2026-03-05", "qualification_withdrawn"),
    ]  # fmt: skip
    assert shop.kept_until(ann) == "2027-03-04"
    shop.give_back("B", "r2", on=4)
    assert (shop.tier(ann), shop.kept_until(ann)) == ("silver", "2027-03-04")


@pytest.mark.req("TIR-05")
def test_a_first_payment_of_nothing_is_an_evaluation(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.buy(ann, "B", 0, on=200)
    assert shop.kept_until(ann) == (day(200) + timedelta(days=365)).date().isoformat()
    assert shop.progress(ann) == {"spend": "1000.00", "orders": "1.00"}
