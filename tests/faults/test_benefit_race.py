"""Sixteen processes want the last use of a benefit at one moment: one has it."""

import pytest
from django.db import connection

from config.base import pg
from tests.engine.shop import Shop, day
from tests.factories.benefits import gives, only
from tests.faults.crowd import PROCESSES, at_once, results
from tests.faults.test_hammer import broken
from tiers.models import EntitlementPeriod
from tiers.services import entitlements, following
from tiers.services.entitlements import BenefitExhaustedError


def use_last(quota: int) -> list[str]:
    """Let every process use a benefit that has been used up but for one use."""
    shop = Shop()
    only(("basic", "delivery", quota))
    ann = shop.join("ann")
    for _ in range(quota - 1):
        entitlements.use(member=ann.pk, code="delivery", uses=1, at=day(1), actor="till")

    def work(number: int) -> str:
        try:
            entitlements.use(
                member=ann.pk, code="delivery", uses=1, at=day(2), actor=f"till-{number}"
            )
        except BenefitExhaustedError as refused:
            return refused.code
        return "used"

    return results(at_once(work))


@pytest.mark.req("BEN-08")
@pytest.mark.parametrize("quota", [1, 2])
def test_the_last_use_has_one_winner(own_database: str, quota: int) -> None:
    found = use_last(quota)
    assert sorted(found) == ["benefit_exhausted"] * (PROCESSES - 1) + ["used"]
    period = EntitlementPeriod.objects.get()
    assert (period.held, period.used) == (0, quota)
    assert broken() == []


@pytest.mark.chance
def test_without_the_condition_and_its_check_there_are_several(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE tiers_entitlementperiod DROP CONSTRAINT entitlement_period_within_quota"
        )
    condition = entitlements._TAKE[entitlements._TAKE.index("    WHERE p.quota IS NULL") :]
    condition = condition[: condition.index("    RETURNING")]
    monkeypatch.setattr(entitlements, "_TAKE", entitlements._TAKE.replace(condition, ""))
    assert use_last(1).count("used") > 1


def follow_at_once() -> int:
    """Let every process follow the tier of one member who has nothing yet; count the claims."""
    shop = Shop()
    only()
    ann = shop.join("ann")
    for number in range(3):
        gives("basic", f"b{number}")

    def work(_number: int) -> None:
        following.follow_tiers(members=[ann.pk], at=day(1), actor="system")

    results(at_once(work))
    return ann.entitlements.count()


@pytest.mark.req("BEN-17")
def test_a_tier_gives_its_benefits_once_whoever_follows_it(own_database: str) -> None:
    assert follow_at_once() == 3


@pytest.mark.chance
def test_without_the_members_lock_following_collides(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LOCK", following._LOCK.replace("FOR NO KEY UPDATE", ""))
    with pytest.raises(AssertionError, match="entitlement_of_tier_once"):
        follow_at_once()
