"""200 clients want the last item, the last use of a benefit and an exact balance at one moment.

Each proof has its negative control: with the lock taken away in the workers the race must show.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from config.base.errors import DomainError
from members.models import Member
from rewards.models import Coupon, PointsAccount, Redemption, Reservation
from rewards.services import loading, redeeming, reservation
from rewards.services.reservation import Asking, RewardWish, Wish, reserve
from tests.engine.shop import Shop, day
from tests.factories import catalogue
from tests.factories.benefits import benefit
from tests.faults.crowd import Report, at_once, failures, results
from tests.faults.test_hammer import broken
from tiers.models import EntitlementPeriod
from tiers.services import entitlements

PROCESSES = 40
EACH = 5
ACCEPTED = "accepted"


def answer(work: Callable[[], object]) -> str:
    """Return how a client was answered."""
    try:
        work()
    except DomainError as refused:
        return refused.code
    return ACCEPTED


def clients(work: Callable[[int], object], before: Callable[[], None]) -> list[Report]:
    """Let 200 clients ask at one moment, each process for five of them."""

    def ask(process: int) -> list[str]:
        before()
        return [answer(lambda: work(process * EACH + turn)) for turn in range(EACH)]  # noqa: B023

    return at_once(ask, PROCESSES)


def answers(reports: list[Report]) -> Counter[str]:
    """Return how often each answer was given; nobody may have failed."""
    return Counter(each for result in results(reports) for each in result)


def want_last_item(before: Callable[[], None] = lambda: None) -> list[Report]:
    shop = Shop()
    catalogue.reward("last", 10, pieces=1)
    people = [shop.join(f"m-{number}") for number in range(20)]
    for number, who in enumerate(people):
        shop.buy(who, f"O{number}", 500, on=1)
    return clients(
        lambda number: catalogue.redeem(people[number % len(people)], "last", at=day(2)), before
    )


@pytest.mark.req("RWD-03")
def test_one_of_200_gets_the_last_item(own_database: str) -> None:
    assert answers(want_last_item()) == {ACCEPTED: 1, "out_of_stock": PROCESSES * EACH - 1}

    assert Redemption.objects.count() == Reservation.objects.count() == 1
    assert sum(PointsAccount.objects.values_list("redeemed", flat=True)) == 10
    assert broken() == []


@pytest.mark.chance
def test_without_looking_again_the_last_item_is_sold_twice(own_database: str) -> None:
    def trust() -> None:
        # What was read before waiting is believed; the constraint is all that is left.
        patched = redeeming._CLAIM.replace("FOR NO KEY UPDATE OF s", "")
        vars(redeeming)["_CLAIM"] = patched

    assert any("on_hand" in failure for failure in failures(want_last_item(trust)))


def _everything(shop: Shop) -> tuple[Member, Wish]:
    """Return a member who can afford one reservation of everything, and that."""
    ann = shop.join("ann")
    shop.buy(ann, "O1", 100, on=1)
    catalogue.reward("mug", 40, pieces=1)
    entitlements.grant(
        member=ann.pk, benefit=benefit("delivery"), quota=1, period="term", from_at=day(1),
        until_at=None, source="staff", source_ref="sorry",
    )  # fmt: skip
    return ann, Wish(60, (RewardWish("mug"),), benefits=(("delivery", 1),))


def want_everything(
    before: Callable[[], None] = lambda: None, instead: Wish | None = None
) -> list[Report]:
    ann, wish = _everything(Shop())
    wish = instead or wish
    asking = Asking(day(2), timedelta(hours=1), "till")
    return clients(lambda _number: reserve(member=ann.pk, wish=wish, asking=asking), before)


@pytest.mark.req("PTS-02", "RWD-03", "BEN-15")
def test_one_of_200_gets_the_exact_balance_the_item_and_the_use(own_database: str) -> None:
    found = answers(want_everything())

    assert found == {ACCEPTED: 1, "insufficient_points": PROCESSES * EACH - 1}
    account = PointsAccount.objects.get()
    assert (account.available, account.reserved, account.debt) == (0, 100, 0)
    assert EntitlementPeriod.objects.get().held == 1
    assert Reservation.objects.count() == 2
    assert broken() == []
    assert not Coupon.objects.exists()

    held = Reservation.objects.get(parent=None)
    ends = answers(
        clients(
            lambda number: (reservation.capture if number % 2 else reservation.release)(
                reservation=held.public_id, at=day(2), actor="till"
            ),
            lambda: None,
        )
    )
    assert ends == {ACCEPTED: PROCESSES * EACH / 2, "reservation_closed": PROCESSES * EACH / 2}
    assert broken() == []


@pytest.mark.chance
def test_without_the_lock_the_balance_is_held_twice(own_database: str) -> None:
    def unlock() -> None:
        loading._LOCK = loading._LOCK.replace("FOR NO KEY UPDATE OF a", "")

    # Nothing but the account's lock guards its balance; the numbers of its entries tell. A hundred
    # clients can have a point each, so that there is somebody to collide with for long enough.
    assert any("entry" in each for each in failures(want_everything(unlock, Wish(1))))
