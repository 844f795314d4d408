"""Tiers that ask for an attribute: reached with it, looked at again without it, late facts too.

Days count from 2 March 2026, the day of enrolment.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from members.models import AttributeChange, Member
from members.services import erasure, profile
from rewards.services import membership
from rewards.services.commands import MemberNotFoundError
from tests.engine.shop import Shop, day
from tests.factories import ladders
from tests.factories.ladders import attribute, way
from tests.flows.stories import join, proven_shop, silver_for

pytestmark = [pytest.mark.django_db, pytest.mark.req("TIR-03", "TIR-05")]


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from proven_shop()


def tell(shop: Shop, who: Member, *, on: float, **attributes: object) -> bool:
    """Change attributes on a day."""
    shop.now = max(shop.now, day(on))
    return membership.update_profile(
        member=who.pk, at=shop.now, actor="staff:li", attributes=attributes
    )


def test_an_attribute_gives_its_tier_in_the_same_transaction(shop: Shop) -> None:
    silver_for([attribute("employee", "true")])
    ann = join(shop, "ann")
    assert tell(shop, ann, on=3, employee=True, size="m")
    assert shop.standings(ann)[-1] == ("silver", "2026-03-05", "qualified")
    assert not tell(shop, ann, on=4, employee=True)
    shop.buy(ann, "A", 100, on=5)
    assert shop.points(ann) == {"A base": 100, "A tier": 10}


def test_who_enrols_with_the_attribute_has_the_tier_from_the_start(shop: Shop) -> None:
    silver_for([attribute("company", "acme")])
    ann, bob = join(shop, "ann", attributes={"company": "acme"}), join(shop, "bob")
    join(shop, "bob", 5, attributes={"company": "acme"})
    assert shop.standings(ann)[-1] == ("silver", "2026-03-02", "qualified")
    assert shop.standings(bob)[-1] == ("silver", "2026-03-07", "qualified")


@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        ("keep", []),
        ("withdraw", [("basic", "2026-03-12", "qualification_withdrawn")]),
        ("immediate", [("basic", "2026-03-12", "refund_requalified")]),
        ("grace", [("basic", "2026-03-20", "refund_requalified")]),
    ],
)
def test_losing_the_attribute_is_judged_like_a_refund(
    shop: Shop, policy: str, ends: list[tuple[str, str, str]]
) -> None:
    silver_for([attribute("employee", "true")], refund_policy=policy, grace_days=7)
    ann = join(shop, "ann")
    tell(shop, ann, on=2, employee=True)
    tell(shop, ann, on=10, employee=None)
    shop.pass_time(30)
    assert shop.standings(ann)[2:] == ends


def test_a_late_order_sees_the_attributes_of_its_time(shop: Shop) -> None:
    silver_for([attribute("employee", "true")], refund_policy="immediate")
    ann = join(shop, "ann")
    tell(shop, ann, on=4, employee=True)
    tell(shop, ann, on=8, employee=None)
    for number, on in enumerate((3, 5, 7, 9)):
        shop.buy(ann, f"A{number}", 100, on=on, at=10)
    assert shop.points(ann) == {
        "A0 base": 100, "A1 base": 100, "A1 tier": 10, "A2 base": 100, "A2 tier": 10,
        "A3 base": 100,
    }  # fmt: skip
    assert [row[:2] for row in shop.standings(ann)] == [
        ("basic", "2026-03-02"), ("silver", "2026-03-06"), ("basic", "2026-03-10"),
    ]  # fmt: skip


def test_a_change_that_nobody_settled_counts_with_the_next_fact(shop: Shop) -> None:
    silver_for([attribute("employee", "true")])
    ann = join(shop, "ann")
    shop.buy(ann, "A", 100, on=2)
    profile.update(member_id=ann.pk, at=day(3), actor="import", attributes={"employee": "true"})
    assert shop.tier(ann) == "basic"
    shop.buy(ann, "B", 100, on=4)
    assert shop.standings(ann)[-1] == ("silver", "2026-03-05", "qualified")
    assert shop.points(ann)["B tier"] == 10


def test_a_change_does_not_reach_back_before_a_fact_whose_clock_is_ahead(shop: Shop) -> None:
    silver_for([attribute("employee", "true")])
    ann = join(shop, "ann")
    ahead = 5 + 4 / 1440
    shop.buy(ann, "A", 100, on=ahead, at=5)
    tell(shop, ann, on=5, employee=True)
    shop.buy(ann, "L", 100, on=4, at=5)
    shop.buy(ann, "B", 100, on=6)
    assert AttributeChange.objects.get().at == day(ahead) + timedelta(microseconds=1)
    assert shop.points(ann) == {"A base": 100, "L base": 100, "B base": 100, "B tier": 10}


def test_a_change_that_came_too_late_is_taken_in_by_folding_again(shop: Shop) -> None:
    silver_for([attribute("employee", "true"), way("orders", 2)])
    ann = join(shop, "ann")
    tell(shop, ann, on=1, size="m")
    shop.buy(ann, "A", 100, on=5)
    profile.update(member_id=ann.pk, at=day(4), actor="import", attributes={"employee": "true"})
    shop.buy(ann, "B", 100, on=6)
    assert shop.standings(ann)[-1] == ("silver", "2026-03-08", "qualified")


def test_a_later_version_knows_the_attributes_that_no_version_asked_for(shop: Shop) -> None:
    ann, bob = join(shop, "ann", attributes={"vip": "yes"}), join(shop, "bob")
    for member in (ann, bob):
        shop.buy(member, f"{member.pk}", 100, on=1)
    version = ladders.add(number=2, effective_from=day(10))
    ladders.ask(version, "gold", [attribute("vip", "yes"), way("orders", 2)])
    shop.pass_time(11)
    assert shop.tier(ann) == "basic", "nothing is earned by a new ladder alone"
    for member in (ann, bob):
        shop.buy(member, f"{member.pk} again", 100, on=12)
    assert (shop.tier(ann), shop.tier(bob)) == ("gold", "basic")


@pytest.mark.req("MEM-12")
def test_erasure_forgets_the_attributes_and_leaves_the_tier(shop: Shop) -> None:
    silver_for([attribute("employee", "true")])
    ann = join(shop, "ann")
    tell(shop, ann, on=1, employee=True)
    shop.buy(ann, "A", 100, on=2)
    erasure.erase(member=ann, at=day(3), actor="staff:li", reason="request")
    assert not AttributeChange.objects.exists()
    shop.give_back("A", "r1", on=4, amount=50)
    assert (shop.tier(ann), shop.points(ann)) == ("silver", {"A base": 50, "A tier": 5})


def test_nobody_is_changed_who_is_not_there(shop: Shop) -> None:
    with pytest.raises(MemberNotFoundError):
        membership.update_profile(member=0, at=day(0), actor="staff:li", attributes={"a": "b"})
