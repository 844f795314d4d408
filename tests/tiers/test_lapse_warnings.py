"""Members hear in good time that their tier ends, once per term.

Days count from 2 March 2026: silver of day 1 is kept until 3 March 2027, day 366, and warned of
from the beginning of 1 February, day 336.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from members.models import EventDelivery, Member, MemberEvent, MemberStatus
from members.services import events
from tests.engine.shop import Shop, day, order
from tests.factories import ladders
from tests.flows.stories import SECOND, proven_shop, silver_for
from tiers.models import LadderVersion, LapseWarning, Standing, Tier
from tiers.services import lapse_warnings, standing
from tiers.services.standing import OverrideTerms

MIDNIGHT = -0.5
EARNED, WARNED, ENDS = 1, 336, 366
TERM = ("silver", "2027-03-03")

pytestmark = pytest.mark.req("TIR-08")


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from proven_shop()


def silver(shop: Shop, name: str) -> Member:
    member = shop.join(name)
    shop.buy(member, f"{name}-1", 1000, on=EARNED)
    return member


def warn_now(
    on: float = WARNED, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    return lapse_warnings.warn_of_lapses(at=day(on), recorded_at=day(on), progress=progress)


def warn(shop: Shop, on: float) -> int:
    """Do on a day what is due, in the order of the due list."""
    shop.pass_time(on)
    return warn_now(on)


def warnings(member: Member) -> list[tuple[str, str]]:
    told = MemberEvent.objects.filter(member=member, kind=lapse_warnings.KIND).order_by("id")
    return [(event.payload["tier"], event.payload["kept_until"]) for event in told]


def test_the_warning_comes_with_the_first_instant_of_its_day_and_once(shop: Shop) -> None:
    events.sync_subscriptions({"mailer": [lapse_warnings.KIND]})
    ann, basic = silver(shop, "ann"), shop.join("basic")
    assert warn(shop, WARNED + MIDNIGHT - SECOND) == 0
    assert warn(shop, WARNED + MIDNIGHT) == 1
    assert [warn(shop, on) for on in (WARNED + MIDNIGHT, WARNED + 1, ENDS, ENDS + 5)] == [0] * 4
    assert (warnings(ann), warnings(basic)) == ([TERM], [])
    event = MemberEvent.objects.get(kind=lapse_warnings.KIND)
    assert (event.payload["days_left"], event.occurred_at) == (30, day(WARNED + MIDNIGHT))
    assert list(EventDelivery.objects.values_list("event", "follower")) == [(event.pk, "mailer")]


def test_after_an_outage_the_warning_is_late_and_says_what_is_left(shop: Shop) -> None:
    ann = silver(shop, "ann")
    assert warn(shop, ENDS + 0.5 - SECOND) == 1, "the last day is a full one"
    assert warnings(ann) == [TERM]
    assert MemberEvent.objects.get(kind=lapse_warnings.KIND).payload["days_left"] == 0


def test_nobody_is_warned_of_a_review_that_is_over(shop: Shop) -> None:
    ann = silver(shop, "ann")
    assert warn(shop, ENDS + 0.5) == 0
    assert (warnings(ann), shop.tier(ann)) == ([], "basic")


def test_who_has_renewed_is_not_warned_and_the_next_term_is_another(shop: Shop) -> None:
    ann, bob = silver(shop, "ann"), silver(shop, "bob")
    shop.buy(ann, "ann-2", 1000, on=300)
    assert warn(shop, WARNED) == 1
    shop.buy(bob, "bob-2", 1000, on=WARNED + 1)
    assert warn(shop, 300 + 365 - 30) == 1
    assert warn(shop, WARNED + 1 + 365 - 30) == 1
    assert [kept for _tier, kept in warnings(ann)] == ["2027-12-27"]
    assert [kept for _tier, kept in warnings(bob)] == [TERM[1], "2028-02-02"]


def test_each_step_down_is_warned_of(shop: Shop) -> None:
    cyn = shop.join("cyn")
    shop.buy(cyn, "cyn-1", 3000, on=EARNED)
    told = [warn(shop, on) for on in (WARNED, ENDS, ENDS + 365 - 30, ENDS + 365, ENDS + 800)]
    assert told == [1, 0, 1, 0, 0]
    assert warnings(cyn) == [("gold", "2027-03-03"), ("silver", "2028-03-02")]


def test_a_late_fact_that_rewrites_the_standing_warns_nobody_again(shop: Shop) -> None:
    ann = silver(shop, "ann")
    (before,) = Standing.objects.filter(member=ann, ended_at=None)
    assert warn(shop, WARNED) == 1
    shop.send(order(ann, "early", 1000, on=0.5), history=True)
    (after,) = Standing.objects.filter(member=ann, ended_at=None)
    assert (after.pk, after.kept_until_on) != (before.pk, before.kept_until_on)
    assert after.kept_until_on == before.kept_until_on
    assert warn(shop, WARNED + 1) == 0


def test_the_grace_period_is_a_time_to_warn_too(shop: Shop) -> None:
    silver_for([ladders.way("spend", 1000)], grace_days=10)
    ann = silver(shop, "ann")
    assert warn(shop, ENDS + 10) == 1
    assert (warnings(ann), shop.tier(ann)) == ([TERM], "silver")
    assert (warn(shop, ENDS + 11), shop.tier(ann)) == (0, "basic")


@pytest.mark.parametrize(("days", "told"), [(0, [0, 0]), (31, [1, 0]), (29, [0, 0])])
def test_the_ladder_says_how_long_before(shop: Shop, days: int, told: list[int]) -> None:
    LadderVersion.objects.update(warning_days=days)
    silver(shop, "ann")
    assert [warn(shop, WARNED - 1), warn(shop, WARNED)] == told


def test_closed_members_are_not_told_and_frozen_ones_are(shop: Shop) -> None:
    gone, cold = silver(shop, "gone"), silver(shop, "cold")
    shop.set_status(gone, MemberStatus.CLOSED)
    shop.set_status(cold, MemberStatus.FROZEN)
    assert warn(shop, WARNED) == 1
    assert (warnings(gone), warnings(cold)) == ([], [TERM])


def test_while_a_tier_set_by_staff_runs_the_one_underneath_is_not_warned_of(shop: Shop) -> None:
    ann = silver(shop, "ann")
    terms = OverrideTerms(ann.pk, Tier.objects.get(code="gold").pk, day(WARNED + 5), "a friend")
    standing.set_override(terms=terms, actor="staff:a", approver="staff:b", at=day(300))
    assert [warn(shop, WARNED), warn(shop, WARNED + 4.9), warn(shop, WARNED + 5)] == [0, 0, 1]


def test_many_members_take_as_many_statements_as_one(shop: Shop) -> None:
    silver(shop, "one")
    shop.pass_time(WARNED)
    with CaptureQueriesContext(connection) as for_one:
        assert warn_now() == 1
    for number in range(4):
        shop.buy(shop.join(f"m{number}"), f"{number}", 1000, on=WARNED)
    shop.pass_time(WARNED + 335)
    with CaptureQueriesContext(connection) as for_four:
        assert warn_now(WARNED + 335) == 4
    assert len(for_one) == len(for_four)


def test_slices_go_on_where_the_one_before_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lapse_warnings, "SLICE", 2)
    for number in range(5):
        silver(shop, f"m{number}")
    done: list[int] = []
    shop.pass_time(WARNED)
    assert warn_now(progress=lambda so_far, total: done.append(so_far)) == 5
    assert done == [2, 4, 5]


def test_without_a_ladder_nobody_is_warned(db: None) -> None:
    assert warn_now() == 0


def test_a_term_is_told_of_once_whoever_tells(shop: Shop) -> None:
    ann = silver(shop, "ann")
    warn(shop, WARNED)
    told = LapseWarning.objects.get()
    assert (told.member_id, told.kept_until_on) == (ann.pk, date(2027, 3, 3))
    with (
        pytest.raises(IntegrityError, match="lapse_warning_unique"),
        transaction.atomic(),
    ):
        LapseWarning.objects.create(
            member=ann, tier=told.tier, kept_until_on=told.kept_until_on, warned_at=day(WARNED)
        )


def test_two_runs_at_one_moment_warn_once(own_database: str) -> None:
    shop = Shop()
    people = [silver(shop, f"m{number}") for number in range(8)]
    shop.pass_time(WARNED)

    def run(_number: int) -> int:
        try:
            return warn_now()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == len(people)
    assert MemberEvent.objects.filter(kind=lapse_warnings.KIND).count() == len(people)
