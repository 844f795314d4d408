"""Worked examples: versions of an order, repeated facts, whose an order is."""

import uuid

import pytest

from members.models import OnUnknown, Order, OrderLine, ReceivedFact, Refund
from rewards.services import intake
from rewards.services.intake import ClaimError
from tests.engine.shop import Shop, counts, day, interaction, order, refund, unknown

pytestmark = pytest.mark.django_db


def test_the_same_again_is_answered_again_and_changes_nothing(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    shop.buy(ann, "B", 30, on=2)
    again = shop.buy(ann, "A", 70, on=1, at=3)
    assert counts(again) == (200, 70, 70)
    assert again.data["replayed"] is True
    assert again.data["balance"]["available"] == 100
    assert shop.balance(ann) == (0, 100, 0, 0)


def test_the_same_again_within_one_batch_counts_once(shop: Shop) -> None:
    ann = shop.join("ann")
    one, two = shop.send(order(ann, "A", 70, on=0), order(ann, "A", 70, on=0))
    assert (one.data["replayed"], two.data["replayed"]) == (False, True)
    assert shop.points(ann) == {"A base": 70}


def test_other_content_under_the_same_version_is_a_conflict(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "A", 70, on=1)
    for other in (order(ann, "A", 71, on=1), order(bob, "A", 70, on=1)):
        (refused,) = shop.send(other, at=2)
        assert (refused.status, refused.code) == (409, "fact_conflict")
    assert shop.points(ann) == {"A base": 70}


def test_placed_at_and_currency_stay_what_they_were(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    refused = shop.buy(ann, "A", 70, on=1.5, version=2, changed=2)
    assert (refused.status, refused.code) == (409, "order_identity_changed")
    assert ReceivedFact.objects.count() == 1


def test_a_higher_version_posts_the_difference(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    assert counts(shop.buy(ann, "A", 90, on=1, version=2, changed=2)) == (200, 90, 20)
    assert counts(shop.buy(ann, "A", 50, on=1, version=3, changed=3)) == (200, 50, -40)
    assert shop.balance(ann) == (0, 50, 0, 0)
    assert shop.progress(ann) == {"spend": "50.00", "orders": "1.00"}


def test_a_lower_version_that_comes_later_is_superseded(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 90, on=1, version=2, changed=2)
    late = shop.buy(ann, "A", 70, on=1, at=3)
    assert counts(late) == (200, 90, 0)
    assert late.data["order"]["superseded"] is True
    assert shop.points(ann) == {"A base": 90}
    assert shop.progress(ann) == {"spend": "90.00", "orders": "1.00"}


def test_a_lower_version_of_a_later_instant_changes_nothing(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    shop.buy(ann, "A", 90, on=1, version=3, changed=2)
    late = shop.buy(ann, "A", 5000, on=1, version=2, changed=3)
    assert (late.status, late.data["order"]["superseded"]) == (200, True)
    assert late.data["order"]["net_amount"] == "90.00"
    assert shop.points(ann) == {"A base": 90}
    assert (shop.tier(ann), Order.objects.get().version) == ("basic", 3)


def test_a_version_that_counted_for_a_time_leaves_its_upgrade(shop: Shop) -> None:
    """Until the second version the first one counts, also when it arrives after it."""
    ann = shop.join("ann")
    shop.buy(ann, "A", 900, on=1, version=2, changed=40)
    shop.buy(ann, "A", 1500, on=1, at=33 + 8)
    assert shop.tier(ann) == "basic"
    assert shop.standings(ann) == [("basic", "2026-03-02", "enrolled")]
    shop.buy(ann, "B", 1500, on=41, version=2, changed=43)
    shop.buy(ann, "B", 1600, on=41, at=44)
    assert shop.standings(ann)[1] == ("silver", "2026-04-12", "qualified")


def test_a_later_version_without_an_instant_acts_when_it_is_received(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1)
    shop.buy(ann, "A", 1070, on=1, version=2, at=5)
    assert shop.standings(ann)[1] == ("silver", "2026-03-07", "qualified")


def test_versions_without_numbers_go_by_their_instants(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 70, on=1, version=None, changed=3)
    shop.buy(ann, "A", 60, on=1, version=None, changed=2, at=4)
    assert shop.points(ann) == {"A base": 70}
    shop.buy(ann, "A", 50, on=1, version=None, changed=5)
    assert shop.points(ann) == {"A base": 50}


def test_a_cancelled_order_is_undone_and_a_reopened_one_done_again(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 1200, on=1)
    assert counts(shop.buy(ann, "A", 1200, on=1, version=2, changed=2, status="cancelled")) == (
        200, 0, -1200,
    )  # fmt: skip
    assert (shop.balance(ann), shop.tier(ann), shop.progress(ann)) == ((0, 0, 0, 0), "basic", {})
    assert counts(shop.buy(ann, "A", 1200, on=1, version=3, changed=3)) == (200, 1200, 1200)
    assert shop.tier(ann) == "silver"
    assert [tier for tier, _on, _why in shop.standings(ann)] == [
        "basic", "silver", "basic", "silver",
    ]  # fmt: skip


@pytest.mark.req("PTS-09")
def test_an_order_that_moves_takes_points_progress_and_standing_along(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "A", 1200, on=1)
    moved = shop.buy(bob, "A", 1200, on=1, version=2, changed=3)
    assert counts(moved) == (200, 1200, 1200)
    assert moved.data["member"] == str(bob.public_id)
    assert (shop.points(ann), shop.points(bob)) == ({}, {"A base": 1200})
    assert (shop.progress(ann), shop.progress(bob)["spend"]) == ({}, "1200.00")
    assert (shop.tier(ann), shop.tier(bob)) == ("basic", "silver")
    assert shop.standings(ann)[2] == ("basic", "2026-03-05", "qualification_withdrawn")
    assert shop.standings(bob)[1] == ("silver", "2026-03-05", "qualified")
    assert Order.objects.get().member == bob


def test_refunds_go_along_with_an_order_that_moves(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "A", 100, on=1)
    shop.give_back("A", "r1", on=2, amount=30)
    shop.buy(bob, "A", 100, on=1, version=2, changed=3)
    assert (shop.points(ann), shop.points(bob)) == ({}, {"A base": 70})
    assert OrderLine.objects.get().member == Refund.objects.get().member == bob
    answer = shop.give_back("A", "r2", on=4, amount=30)
    assert answer.data["member"] == str(bob.public_id)
    assert (shop.points(ann), shop.points(bob)) == ({}, {"A base": 40})
    shop.buy(ann, "A", 100, on=1, version=3, changed=5)
    answer = shop.give_back("A", "r3", on=6, amount=30)
    assert answer.data["member"] == str(ann.public_id)
    assert (shop.points(ann), shop.points(bob)) == ({"A base": 10}, {})
    assert counts(shop.give_back("A", "r3", on=6, amount=30)) == counts(answer)


def test_an_order_that_names_nobody_later_stays_where_it_is(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    assert counts(shop.buy(None, "A", 120, on=1, version=2, changed=2)) == (200, 120, 20)
    assert shop.points(ann) == {"A base": 120}


@pytest.mark.req("MEM-02")
def test_an_order_that_waits_is_attached_by_enrolment(shop: Shop) -> None:
    waiting = shop.buy(unknown("ann"), "A", 1200, on=1)
    assert (waiting.status, waiting.data["status"]) == (202, "awaiting_member")
    assert not Order.objects.exists()
    parked = shop.give_back("A", "r1", on=2, amount=100)
    assert (parked.status, parked.data["status"]) == (202, "parked")
    shop.do(unknown("ann"), "i1", "survey", on=2)
    shop.now = day(4)
    ann = shop.join("ann", at=4)
    assert shop.points(ann) == {"A base": 1100}
    assert shop.progress(ann) == {"spend": "1100.00", "orders": "1.00", "interactions": "1.00"}
    assert shop.standings(ann) == [
        ("basic", "2026-03-03", "enrolled"), ("silver", "2026-03-03", "qualified"),
    ]  # fmt: skip


def test_an_order_that_waits_is_attached_by_a_later_version(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(unknown("nobody"), "A", 100, on=1)
    assert counts(shop.buy(ann, "A", 110, on=1, version=2, changed=2)) == (200, 110, 10)
    assert shop.points(ann) == {"A base": 110}
    assert shop.facts_in("awaiting_member") == 0


def test_a_version_for_somebody_unknown_waits_whatever_else_arrives(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=1)
    assert shop.buy(unknown("bob"), "A", 150, on=1, version=2, changed=2).status == 202
    shop.buy(ann, "A", 100, on=1, at=3)
    shop.give_back("A", "r1", on=3, amount=10)
    assert (shop.points(ann), shop.facts_in("awaiting_member")) == ({"A base": 90}, 1)
    shop.now = day(5)
    bob = shop.join("bob", at=5)
    assert (shop.points(ann), shop.points(bob)) == ({}, {"A base": 140})


def test_an_order_that_waits_can_be_claimed_in_time(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(None, "A", 100, on=1)
    claimed = intake.claim(
        source="shop", order_no="A", member=ann.pk, at=day(31), actor="staff:eve"
    )
    assert counts(claimed) == (200, 100, 100)
    assert shop.points(ann) == {"A base": 100}
    with pytest.raises(ClaimError, match="order_already_claimed"):
        intake.claim(source="shop", order_no="A", member=ann.pk, at=day(31), actor="staff:eve")
    shop.buy(None, "B", 100, on=31, at=31)
    with pytest.raises(ClaimError, match="claim_too_late"):
        intake.claim(source="shop", order_no="B", member=ann.pk, at=day(61.1), actor="staff:eve")


def test_a_touchpoint_may_refuse_the_unknown(shop: Shop) -> None:
    assert shop.touchpoint is not None
    shop.touchpoint.on_unknown = OnUnknown.REJECT
    facts = [order(unknown("x"), "A", 10, on=0), interaction(unknown("x"), "i", "survey", on=0)]
    outcomes = shop.send(*facts, *facts)
    assert [outcome.code for outcome in outcomes] == ["identifier_unknown"] * 4
    assert not ReceivedFact.objects.exists()


def test_a_repeated_interaction_is_answered_when_its_member_is_no_longer_found(shop: Shop) -> None:
    ann = shop.join("ann")
    fact = interaction(unknown("ann"), "i1", "survey", on=0)
    shop.send(fact)
    ann.identifiers.update(ended_at=day(1))
    (again,) = shop.send(fact, at=2)
    assert (again.status, again.data["replayed"]) == (200, True)


def test_a_refund_before_its_order_waits_for_it(shop: Shop) -> None:
    ann = shop.join("ann")
    for _again in range(2):
        parked = shop.give_back("A", "r1", on=1, amount=30)
        assert (parked.status, parked.data["status"]) == (202, "parked")
    assert counts(shop.buy(ann, "A", 100, on=0, at=2)) == (200, 100, 100)
    assert shop.points(ann) == {"A base": 70}
    again = shop.give_back("A", "r1", on=1, at=3, amount=30)
    assert counts(again) == (200, 70, -30)
    assert (again.data["replayed"], shop.facts_in("parked")) == (True, 0)


def test_an_order_that_names_an_unknown_reservation_says_so(shop: Shop) -> None:
    ann = shop.join("ann")
    outcome = shop.buy(ann, "A", 100, on=1, reservation=uuid.UUID(int=7), in_points=20)
    assert outcome.data["issues"] == [{"code": "reservation_unknown"}]
    assert (shop.points(ann), shop.cases()) == ({"A base": 80}, ["reservation_unknown"])


def test_facts_of_a_batch_go_in_business_order(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.send(
        refund("A", "r1", on=3, amount=200), order(ann, "B", 100, on=2),
        order(ann, "A", 1500, on=1), order(ann, "A", 1400, on=1, version=2, changed=4), at=5,
    )  # fmt: skip
    assert shop.points(ann) == {"A base": 1200, "B base": 100, "B tier": 10}
