"""Two workers at one moment: a referral is rewarded once, a cap is not overrun.

Each guarantee has its negative control: without the lock the race must show.
"""

import copy

import pytest
from django.db.models import Sum

from campaigns.models import Referral
from campaigns.services import referral_checks, referrals
from config.base import audit
from config.wiring import audits
from members.models import Member
from rewards.models import Entry
from rewards.services.recompute import recompute
from tests.engine.shop import Shop, day
from tests.factories import referrals as people
from tests.factories.referrals import POINTS, programme, settle
from tests.staff.test_races import meanwhile

pytestmark = pytest.mark.req("ENG-04")


def two_bought(**terms: int) -> list[int]:
    """Return the referrals of two friends of one member who have kept their orders."""
    shop = Shop()
    people.subscribe()
    programme(**terms)
    code = people.code(shop.join("ann"))
    friends = [people.join(code), people.join(code)]
    for number, friend in enumerate(friends):
        shop.buy(friend, f"B{number}", 100, on=1)
    return [people.of(friend).pk for friend in friends]


def one(referral_id: int) -> bool:
    return referrals.settle(referral_id=referral_id, at=day(10), recorded_at=day(10))


def given() -> int:
    rows = Entry.objects.filter(reason="referral", source="issuance")
    return rows.aggregate(sum=Sum("points"))["sum"] or 0


def broken() -> list[str]:
    audits.install()
    found = [
        f"{result.check.code} {violation}"
        for result in audit.run(audit.registered())
        for violation in result.violations
    ]
    ids = list(Member.objects.values_list("pk", flat=True))
    return found + [str(each) for _count, each in recompute(members=ids) if each]


def test_two_workers_at_once_reward_one_referral_once(own_database: str) -> None:
    referral, _other = two_bought()
    assert meanwhile(lambda: one(referral), lambda: one(referral)) is False
    assert given() == POINTS
    settle(11)
    assert given() == 2 * POINTS
    assert broken() == []


@pytest.mark.chance
def test_without_reading_again_under_the_locks_it_is_rewarded_twice(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    referral, _other = two_bought()
    seen = Referral.objects.select_related("friend", "programme").get(pk=referral)
    monkeypatch.setattr(referrals, "locked", lambda _pk: copy.copy(seen))
    meanwhile(lambda: one(referral), lambda: one(referral))
    assert given() == 2 * POINTS
    assert any(each.startswith("referral_single_entry") for each in broken())


def test_a_cap_holds_for_two_friends_at_once(own_database: str) -> None:
    first, second = two_bought(max_per_month=1)
    assert meanwhile(lambda: one(first), lambda: one(second)) is True
    assert given() == POINTS
    assert sorted(Referral.objects.values_list("state", flat=True)) == ["refused", "rewarded"]


@pytest.mark.chance
def test_without_the_referrers_lock_a_cap_is_overrun(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_bought(max_per_month=1)
    found = referral_checks.at_reward
    early = {pk: found(_pair(pk), at=day(10)) for pk in (first, second)}
    monkeypatch.setattr(referral_checks, "at_reward", lambda pair, at: early[_id_of(pair)])
    meanwhile(lambda: one(first), lambda: one(second))
    assert given() == 2 * POINTS


def _pair(referral_id: int) -> referral_checks.Pair:
    row = Referral.objects.select_related("friend", "programme", "referrer").get(pk=referral_id)
    return referral_checks.pair_of(
        referrer=row.referrer, friend=row.friend, programme=row.programme,
        joined_at=row.registered_at,
    )  # fmt: skip


def _id_of(pair: referral_checks.Pair) -> int:
    return Referral.objects.get(friend=pair.friend).pk
