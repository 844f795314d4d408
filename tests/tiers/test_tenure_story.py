"""Tenure by time alone: members without any order rise on their day, frozen ones later.

Days count from 2 March 2026, the day of enrolment; day 1,096 is 2 March 2029.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from config.base import clock
from members.domain.status import TRANSITIONS, Verb
from members.models import Member
from rewards import queries
from rewards.models import FoldSnapshot
from rewards.services import due, membership
from tests.engine.shop import Shop, day
from tests.factories import ladders
from tests.factories.ladders import tenure, way
from tests.flows.stories import SECOND, THREE_YEARS, buys, join, proven_shop, silver_for
from tiers.models import LadderRollout

pytestmark = [pytest.mark.django_db, pytest.mark.req("TIR-12")]


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from proven_shop()


def change(shop: Shop, who: Member, verb: Verb, *, on: float) -> None:
    """Freeze or unfreeze on a day."""
    shop.now = max(shop.now, day(on))
    reason = TRANSITIONS[verb].reasons[0]
    membership.change_status(
        verb=verb, member=who.pk, reason=reason, note="", actor="staff:li", at=shop.now
    )


def test_three_years_after_enrolment_the_tier_comes_by_itself(shop: Shop) -> None:
    silver_for([tenure(36)])
    ann = join(shop, "ann")
    shop.pass_time(THREE_YEARS - 0.5 - SECOND)
    assert shop.tier(ann) == "basic"
    shop.pass_time(THREE_YEARS - 0.5)
    assert shop.standings(ann)[-1] == ("silver", "2029-03-02", "qualified")
    assert shop.kept_until(ann) == "2030-03-02"


def test_the_day_does_not_depend_on_when_the_job_runs(shop: Shop) -> None:
    silver_for([tenure(36)])
    ann, bob = join(shop, "ann"), join(shop, "bob")
    buys((THREE_YEARS + 20, 100))(shop, bob)
    shop.pass_time(THREE_YEARS + 40)
    for member in (ann, bob):
        assert shop.standings(member)[-1] == ("silver", "2029-03-02", "qualified")
    assert sum(shop.points(bob).values()) == 110, "the tier was there before the order"


@pytest.mark.parametrize(
    ("rule", "reached_on"), [("before", "2027-02-28"), ("after", "2027-03-01")]
)
def test_who_joined_on_a_leap_day_has_an_anniversary_every_year(
    settings: Settings, shop: Shop, rule: str, reached_on: str
) -> None:
    settings.LOYALTY_LEAP_DAY = rule
    silver_for([tenure(36)])
    joined_at = datetime(2024, 2, 29, 4, tzinfo=UTC)
    ann = join(shop, "ann", joined_at=joined_at)
    reached = (clock.day_start(date.fromisoformat(reached_on)) - day(0)) / timedelta(days=1)
    shop.pass_time(reached - SECOND)
    assert shop.tier(ann) == "basic"
    shop.pass_time(reached)
    assert shop.standings(ann)[-1] == ("silver", reached_on, "qualified")


def test_who_has_been_a_member_for_long_enough_has_the_tier_at_once(shop: Shop) -> None:
    silver_for([tenure(400, "days")])
    ann = join(shop, "ann", joined_at=datetime(2024, 12, 31, 4, tzinfo=UTC))
    assert shop.standings(ann)[-1] == ("silver", "2026-02-04", "qualified")


def test_tenure_may_need_purchases_too(shop: Shop) -> None:
    silver_for([tenure(36), way("spend", 500)])
    ann, bob = join(shop, "ann"), join(shop, "bob")
    buys((THREE_YEARS - 100, 500))(shop, ann)
    buys((THREE_YEARS - 400, 500), (THREE_YEARS + 5, 499))(shop, bob)
    assert (shop.tier(ann), shop.tier(bob)) == ("basic", "basic")
    shop.pass_time(THREE_YEARS + 10)
    assert shop.standings(ann)[-1] == ("silver", "2029-03-02", "qualified")
    assert shop.tier(bob) == "basic"


@pytest.mark.parametrize(("frozen_counts", "reached_on"), [(True, 1096), (False, 1126)])
def test_frozen_days_put_the_day_off_where_they_do_not_count(
    shop: Shop, *, frozen_counts: bool, reached_on: int
) -> None:
    silver_for([tenure(36)], tenure_counts_suspension=frozen_counts)
    ann = join(shop, "ann")
    change(shop, ann, Verb.FREEZE, on=500)
    change(shop, ann, Verb.UNFREEZE, on=530)
    shop.pass_time(reached_on - 0.5 - SECOND)
    assert shop.tier(ann) == "basic"
    shop.pass_time(reached_on - 0.5)
    assert shop.standings(ann)[-1][0] == "silver"
    assert FoldSnapshot.objects.get(member=ann).review_due_at is not None


def test_a_freeze_over_the_day_puts_it_off_until_it_has_ended(shop: Shop) -> None:
    silver_for([tenure(36)], tenure_counts_suspension=False)
    ann, bob = join(shop, "ann"), join(shop, "bob")
    change(shop, ann, Verb.FREEZE, on=THREE_YEARS - 10)
    change(shop, bob, Verb.FREEZE, on=THREE_YEARS)
    shop.pass_time(THREE_YEARS + 100)
    assert (shop.tier(ann), shop.tier(bob)) == ("basic", "silver")
    change(shop, ann, Verb.UNFREEZE, on=THREE_YEARS + 100)
    shop.pass_time(THREE_YEARS + 109)
    assert shop.tier(ann) == "basic"
    reading = queries.tier_of(ann, at=day(THREE_YEARS + 109))
    assert reading is not None
    assert reading.outlook is not None
    (gap,) = reading.outlook.progress
    assert gap["needed"] == 1
    ahead = queries.tier_of(ann, at=day(THREE_YEARS + 110))
    assert ahead is not None
    assert ahead.current.tier.code == "silver", "a read does not wait for the job"
    shop.pass_time(THREE_YEARS + 110)
    assert shop.tier(ann) == "silver"


def test_a_late_order_finds_the_tenure_of_its_time(shop: Shop) -> None:
    silver_for([tenure(36)], tenure_counts_suspension=False)
    ann = join(shop, "ann")
    change(shop, ann, Verb.FREEZE, on=500)
    change(shop, ann, Verb.UNFREEZE, on=530)
    shop.pass_time(THREE_YEARS + 40)
    shop.buy(ann, "before", 100, on=THREE_YEARS + 29, at=THREE_YEARS + 41)
    shop.buy(ann, "after", 100, on=THREE_YEARS + 30, at=THREE_YEARS + 41)
    assert shop.points(ann) == {"before base": 100, "after base": 100, "after tier": 10}


def test_a_later_version_that_asks_for_tenure_meets_every_member_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "SLICE", 2)
    people = [shop.join(f"m{number}") for number in range(5)]
    assert not FoldSnapshot.objects.exists()
    version = ladders.add(number=2, effective_from=day(100))
    ladders.ask(version, "silver", [tenure(36)])
    shop.pass_time(99)
    assert not LadderRollout.objects.exists(), "not before it takes effect"
    shop.pass_time(101)
    rollout = LadderRollout.objects.get(ladder=version)
    assert (rollout.last_member_id, rollout.done_at) == (people[-1].pk, day(101))
    late = join(shop, "late", 102)
    shop.pass_time(THREE_YEARS)
    assert {shop.tier(member) for member in people} == {"silver"}
    assert shop.tier(late) == "basic"
    shop.pass_time(THREE_YEARS + 102)
    assert shop.tier(late) == "silver"


def test_a_member_that_cannot_be_settled_is_met_again_and_keeps_nobody_else(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [shop.join(f"m{number}") for number in range(3)]
    version = ladders.add(number=2, effective_from=day(10))
    ladders.ask(version, "silver", [tenure(36)])
    settle = due.settle_members

    def broken_for_the_second(*, members: Collection[int], **values: datetime) -> None:
        if people[1].pk in members:
            raise ArithmeticError
        settle(members=members, **values)

    with monkeypatch.context() as patched:
        patched.setattr(due, "settle_members", broken_for_the_second)
        with pytest.raises(due.SettlingFailedError) as failing:
            shop.pass_time(11)
    assert failing.value.members == (people[1].pk,)
    assert FoldSnapshot.objects.count() == 2
    shop.pass_time(12)
    assert FoldSnapshot.objects.count() == 3
    assert LadderRollout.objects.get().done_at == day(12)


def test_nobody_pays_for_a_ladder_that_does_not_ask_for_it(shop: Shop) -> None:
    join(shop, "ann")
    shop.pass_time(10)
    assert not FoldSnapshot.objects.exists()
    assert not LadderRollout.objects.exists()
