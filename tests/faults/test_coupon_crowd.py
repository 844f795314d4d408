"""Many at once claim codes, and use the same coupon: as many as there are, each once.

Each proof has its negative control: with the lock taken away in the workers the race must show.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from django.conf import settings

from config.base.errors import DomainError
from members.models import Member
from rewards.models import Coupon, CouponTemplate, CouponUse
from rewards.services import coupon_issue, coupon_misses, coupon_redemption, coupons_in_hand
from rewards.services.coupon_misses import Asker
from rewards.services.coupon_redemption import Redeeming
from tests.engine.shop import Shop, day
from tests.factories import coupons
from tests.faults.crowd import PROCESSES, Report, at_once, failures, results
from tests.faults.test_hammer import broken

CLAIMED = "done"


def people_of(shop: Shop, count: int) -> list[Member]:
    return [shop.join(f"m-{number}") for number in range(count)]


def _answer(work: Callable[[], object]) -> str:
    try:
        work()
    except DomainError as refused:
        return refused.code
    return CLAIMED


def claim_all(
    codes: int, members: int, claims: int, before: Callable[[], None] = lambda: None
) -> list[Report]:
    """Let every member claim `claims` times, spread over the processes; more than there are."""
    shop = Shop()
    of = coupons.pool(at=day(0), count=codes, claims_per_member=claims)
    people = people_of(shop, members)
    asking = [who.pk for who in people for _turn in range(claims)]
    random.Random(7).shuffle(asking)

    def one(member: int) -> None:
        coupon_redemption.claim(member=member, template=of.code, at=day(1), actor="app")

    def claim(process: int) -> Counter[str]:
        before()
        return Counter(_answer(partial(one, member)) for member in asking[process::PROCESSES])

    return at_once(claim, PROCESSES)


def told(reports: Sequence[Report]) -> Counter[str]:
    return sum(results(list(reports)), Counter[str]())


def proven(codes: int, members: int, claims: int) -> None:
    answers = told(claim_all(codes, members, claims))

    of = CouponTemplate.objects.get(is_claimable=True, is_active=True)
    given = Coupon.objects.filter(template=of, member__isnull=False)
    assert answers == {
        CLAIMED: codes, "coupon_template_exhausted": members * claims - codes,
    }  # fmt: skip
    assert given.count() == of.issued == codes
    assert given.values("code").distinct().count() == codes
    per_member = Counter(given.values_list("member_id", flat=True))
    assert max(per_member.values()) <= claims
    assert broken() == []


@pytest.mark.req("RWD-01")
def test_600_claims_of_100_codes_give_100_different_ones(own_database: str) -> None:
    proven(codes=100, members=200, claims=3)


@pytest.mark.prove
@pytest.mark.req("RWD-01")
def test_10_000_claims_of_1_000_codes_give_1_000_different_ones(own_database: str) -> None:
    proven(codes=1_000, members=2_000, claims=5)


@pytest.mark.chance
def test_without_locks_one_code_goes_to_several(own_database: str) -> None:
    def trust() -> None:
        # Nobody waits for the template, and whoever saw a free code takes it.
        coupon_issue._COUNT = (
            "SELECT true FROM (SELECT %(count)s, %(at)s::timestamptz) x,"
            " rewards_coupontemplate t WHERE t.id = %(template)s"
        )
        coupon_issue._TAKE = coupon_issue._TAKE.replace("FOR NO KEY UPDATE SKIP LOCKED", "")

    answers = told(claim_all(100, 200, 3, trust))

    taken = Coupon.objects.filter(member__isnull=False).count()
    assert answers[CLAIMED] > taken


def use_one(before: Callable[[], None] = lambda: None) -> list[Report]:
    """Let every process use one code of 20 uses ten times, each for a member of its own."""
    shop = Shop()
    (coupon,) = coupons.bearer(at=day(0), uses_per_code=20)
    people = people_of(shop, PROCESSES)

    def use(process: int) -> Counter[str]:
        before()
        wanted = Redeeming(coupon.code)
        return Counter(
            _answer(
                lambda: coupon_redemption.redeem(
                    member=people[process].pk, wanted=wanted, touchpoint=None, at=day(1),
                    actor="till",
                )
            )
            for _turn in range(10)
        )  # fmt: skip

    return at_once(use, PROCESSES)


@pytest.mark.req("RWD-01")
def test_code_is_used_as_often_as_it_may_under_a_rush(own_database: str) -> None:
    answers = told(use_one())

    assert answers == {CLAIMED: 20, "coupon_not_usable": PROCESSES * 10 - 20}
    assert Coupon.objects.get().used == CouponUse.objects.count() == 20
    assert broken() == []


@pytest.mark.chance
def test_without_the_coupons_lock_uses_are_lost(own_database: str) -> None:
    def trust() -> None:
        coupons_in_hand._locked = lambda rows: rows

    reports = use_one(trust)

    assert failures(reports) or Coupon.objects.get().used != CouponUse.objects.count()


@pytest.mark.req("RWD-01")
def test_coupon_of_one_order_is_used_once_by_orders_at_one_moment(own_database: str) -> None:
    shop = Shop()
    people = people_of(shop, PROCESSES)
    (coupon,) = coupons.bearer(at=day(0))

    def buy(process: int) -> bool:
        outcome = shop.buy(people[process], f"O{process}", 100, on=1, coupons=(coupon.code,))
        return not outcome.data["issues"]

    assert sum(results(at_once(buy))) == 1
    assert Coupon.objects.get().used == CouponUse.objects.filter(status="redeemed").count() == 1
    assert broken() == []


@pytest.mark.req("RWD-01")
def test_member_limit_holds_for_orders_at_one_moment(own_database: str) -> None:
    shop = Shop()
    ann = shop.join("ann")
    of = coupons.template(uses_per_member=3)
    held = [coupons.coupon(ann, of, at=day(0)) for _number in range(PROCESSES)]

    def buy(process: int) -> bool:
        code = held[process].code
        outcome = shop.buy(ann, f"O{process}", 100, on=1, coupons=(code,))
        return not outcome.data["issues"]

    assert sum(results(at_once(buy))) == 3
    assert broken() == []


def test_no_more_unknown_codes_are_told_than_may_be(own_database: str) -> None:
    shop = Shop()
    assert shop.touchpoint is not None
    asker = Asker(shop.touchpoint.pk)

    def guess(_process: int) -> Counter[str]:
        return Counter(_answer(lambda: coupon_misses.count(asker, 1, day(1))) for _turn in range(5))

    answers = told(at_once(guess))

    assert answers == {
        CLAIMED: settings.LOYALTY_UNKNOWN_COUPONS_PER_HOUR,
        "too_many_unknown_codes": PROCESSES * 5 - settings.LOYALTY_UNKNOWN_COUPONS_PER_HOUR,
    }
