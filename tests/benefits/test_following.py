"""Benefits follow tiers: granted once on entering, ended or run out on leaving, versions kept.

Days count from 2 March 2026; local noon of a day is 04:00 UTC.
"""

from collections.abc import Iterator

import pytest

from members.models import Member, MemberEvent
from tests.engine.shop import Shop, day, order
from tests.factories import benefits
from tests.factories.benefits import gives, left, only
from tests.flows.stories import proven_shop
from tiers.models import BenefitRollout, Entitlement, StandingOverride, Tier
from tiers.services import entitlements, rollout, standing
from tiers.services.standing import OverrideTerms

pytestmark = [pytest.mark.django_db, pytest.mark.req("BEN-17")]


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from proven_shop()


def override(shop: Shop, who: Member, code: str, *, on: float, until: float) -> StandingOverride:
    shop.now = max(shop.now, day(on))
    terms = OverrideTerms(who.pk, Tier.objects.get(code=code).pk, day(until), "sorry")
    return standing.set_override(terms=terms, actor="staff:a", approver="staff:b", at=shop.now)


def pass_time(shop: Shop, to: float) -> None:
    shop.pass_time(to)
    rollout.follow_overrides(at=shop.now, recorded_at=shop.now)


def rows(who: Member) -> list[tuple[str, str]]:
    """Return benefit and end reason of every entitlement, in order."""
    found = Entitlement.objects.filter(member=who).order_by("id")
    return list(found.values_list("benefit__code", "end_reason"))


def test_who_enrols_gets_what_the_lowest_tier_gives(shop: Shop) -> None:
    only(("basic", "advice"), ("silver", "delivery", 2))
    ann = shop.join("ann")
    assert left(ann, day(0)) == {"advice": None}
    event = MemberEvent.objects.get(member=ann, kind="entitlement.granted")
    assert event.payload["benefits"] == ["advice"]


def test_entering_a_tier_gives_its_benefits_once_whatever_is_sent_again(shop: Shop) -> None:
    only(("basic", "advice"), ("silver", "advice"), ("silver", "delivery", 2))
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    assert left(ann, day(1)) == {"advice": None, "delivery": 2}
    before = rows(ann)
    shop.buy(ann, "A", 1000, on=1)
    shop.buy(ann, "B", 1000, on=2)
    entitlements.follow_tiers(members=[ann.pk], at=day(3), actor="system")
    assert rows(ann) == before == [("advice", "tier_left"), ("advice", ""), ("delivery", "")]


def test_several_members_follow_in_one_go(shop: Shop) -> None:
    only(("silver", "delivery", 2), ("gold", "delivery", 6))
    people = [shop.join(f"m{number}") for number in range(3)]
    shop.send(*[order(who, f"O{n}", 900 * n, on=1) for n, who in enumerate(people, 1)], at=1)
    assert [left(who, day(1)) for who in people] == [{}, {"delivery": 2}, {"delivery": 2}]


def test_leaving_ends_at_once_or_runs_out_with_the_period(shop: Shop) -> None:
    only(("silver", "delivery", 2), ("silver", "wrap", 12))
    gives("silver", "advice", 3, period="month", on_leave="run_out")
    gives("silver", "care", 3, period="year", on_leave="run_out")
    gives("silver", "room", 3, period="membership_year", on_leave="run_out")
    gives("silver", "term", 3, period="term", on_leave="run_out")
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    shop.give_back("A", "r1", on=5, amount=500)
    assert shop.tier(ann) == "basic"
    assert left(ann, day(5)) == {"advice": 3, "care": 3, "room": 3}
    pass_time(shop, 29.4)
    assert left(ann, shop.now) == {"advice": 3, "care": 3, "room": 3}
    pass_time(shop, 29.5)
    assert left(ann, shop.now) == {"care": 3, "room": 3}, "1 April"
    pass_time(shop, 305)
    assert left(ann, shop.now) == {"room": 3}, "1 January"
    pass_time(shop, 365)
    assert left(ann, shop.now) == {}, "2 March 2027"
    assert {reason for _code, reason in rows(ann)} == {"tier_left", "run_out"}


@pytest.mark.req("ENG-06")
def test_who_comes_back_within_the_period_goes_on_with_what_was_left(shop: Shop) -> None:
    only(("silver", "delivery", 2))
    gives("silver", "care", 3, period="year", on_leave="run_out")
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=1)
    for code in ("delivery", "care"):
        entitlements.use(member=ann.pk, code=code, uses=1, at=day(2), actor="till")
    shop.give_back("A", "r1", on=5, amount=500)
    assert left(ann, day(5)) == {"care": 2}
    shop.buy(ann, "B", 500, on=6)
    assert left(ann, day(6)) == {"care": 2, "delivery": 1}
    pass_time(shop, 305)
    assert left(ann, shop.now) == {"care": 3, "delivery": 2}, "a new year"
    assert Entitlement.objects.filter(member=ann).count() == 2


@pytest.mark.req("BEN-18")
def test_members_keep_the_version_that_they_were_granted(shop: Shop) -> None:
    (old,) = only(("silver", "delivery", 2))
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(ann, "A", 1000, on=1)
    old.effective_until = day(10)
    old.save()
    gives("silver", "delivery", 5, effective_from=day(10))
    shop.buy(bob, "B1", 1000, on=11)
    rollout.sync_all(at=day(12), recorded_at=day(12))
    assert (left(ann, day(12)), left(bob, day(12))) == ({"delivery": 2}, {"delivery": 5})
    shop.give_back("A", "r1", on=13, amount=500)
    shop.buy(ann, "A2", 500, on=14)
    assert left(ann, day(14)) == {"delivery": 5}, "the version in force when she comes back"


@pytest.mark.req("BEN-18")
def test_a_benefit_that_is_new_to_a_tier_reaches_those_who_hold_it_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "SLICE", 2)
    only()
    people = [shop.join(f"m{number}") for number in range(5)]
    rollout.sync_all(at=day(1), recorded_at=day(1))
    gives("basic", "advice", effective_from=day(3))
    seen: list[tuple[int, int]] = []
    assert rollout.sync_all(at=day(2), recorded_at=day(2)) == 0
    assert (
        rollout.sync_all(
            at=day(3), recorded_at=day(3), progress=lambda done, total: seen.append((done, total))
        )
        == 5
    )
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert rollout.sync_all(at=day(4), recorded_at=day(4)) == 0
    assert all(left(who, day(3)) == {"advice": None} for who in people)
    assert BenefitRollout.objects.filter(done_at=None).count() == 0


@pytest.mark.req("TIR-11")
def test_benefits_follow_a_tier_set_by_staff_and_its_end(shop: Shop) -> None:
    only(("basic", "advice"), ("gold", "delivery", 6))
    ann = shop.join("ann")
    override(shop, ann, "gold", on=1, until=10)
    assert left(ann, day(1)) == {"delivery": 6}
    pass_time(shop, 9)
    assert left(ann, shop.now) == {"delivery": 6}
    pass_time(shop, 10)
    assert left(ann, shop.now) == {"advice": None}
    second = override(shop, ann, "gold", on=11, until=20)
    standing.revoke_override(override_id=second.pk, actor="staff:b", at=day(12))
    assert left(ann, day(12)) == {"advice": None}
    assert not StandingOverride.objects.filter(follow_at__lte=day(100)).exists()


def test_a_use_after_the_end_of_an_override_does_not_wait_for_the_job(shop: Shop) -> None:
    only(("gold", "delivery", 6))
    ann = shop.join("ann")
    override(shop, ann, "gold", on=1, until=10)
    shop.now = day(10)
    with pytest.raises(entitlements.BenefitNotGrantedError):
        entitlements.use(member=ann.pk, code="delivery", uses=1, at=day(10), actor="till")


def test_a_floor_counts_where_it_ranks_higher_than_what_is_earned(shop: Shop) -> None:
    only(("silver", "delivery", 2), ("gold", "delivery", 6))
    ann = shop.join("ann")
    tier = Tier.objects.get(code="silver")
    StandingOverride.objects.create(
        member=ann, tier=tier, is_floor=True, from_at=day(1), until_at=day(300), reason="bought",
        set_by="till", approved_by="system", created_at=day(1), follow_at=day(1),
    )  # fmt: skip
    pass_time(shop, 1)
    assert left(ann, day(1)) == {"delivery": 2}
    shop.buy(ann, "A", 3000, on=2)
    assert left(ann, day(2)) == {"delivery": 6}
    assert sum(shop.points(ann).values()) == 3300, "silver counted for the order that earned gold"


def test_the_closed_are_given_nothing_more(shop: Shop) -> None:
    only()
    ann = shop.join("ann")
    Member.objects.filter(pk=ann.pk).update(status="closed")
    gives("basic", "advice")
    rollout.sync_all(at=day(1), recorded_at=day(1))
    assert rows(ann) == []


def test_nothing_is_said_where_nothing_changes(shop: Shop) -> None:
    benefits.only()
    ann = shop.join("ann")
    assert not MemberEvent.objects.filter(member=ann, kind__startswith="entitlement").exists()
