"""Many processes give out of one budget at one moment: never more than there is.

Taken away what keeps it (the campaign's row is read without its lock, and the budget's own
constraint is dropped), the same crowd gives too much: the test sees the race.

A version that is published meanwhile is the one that acts: what happens then is not lost.
"""

import time
from typing import Any

import pytest
from django.db import connection, transaction

from campaigns.models import CampaignAct, CampaignBudget
from campaigns.services import budgets, firing
from campaigns.services.firing import Occurrence
from config.base import audit, pg
from config.wiring import audits
from members.models import Member
from rewards.models import PointsAccount
from tests.engine.shop import Shop, day
from tests.factories import campaigns
from tests.faults.crowd import at_once, gate, results

MEMBERS = 8
BUDGET = 250


def stampede(processes: int, *, unlocked: bool = False) -> int:
    """Let two processes each fire for one occurrence, or one unlocked; returns the points given."""
    shop = Shop()
    people = [shop.join(f"m{number}") for number in range(MEMBERS)]
    points = {"kind": "points", "points": 100}
    campaign = campaigns.running(at=day(1), effects=[points], budget_points=BUDGET)
    meeting = gate(processes) if unlocked else None
    share = 1 if unlocked else 2

    def work(number: int) -> int:
        if meeting is not None:
            _unlock(meeting)
        each = number // share
        occurrence = Occurrence(people[each % MEMBERS].pk, f"{each}", day(2))
        with transaction.atomic():
            return firing.fire(
                campaign=campaign, occurrences=[occurrence], recorded_at=day(2)
            ).acted

    results(at_once(work, processes))
    return sum(PointsAccount.objects.values_list("available", flat=True))


def _unlock(meeting: Any) -> None:
    """Read the budget without waiting for anybody, all at one moment."""
    firing._Firing._hold = lambda self: True  # type: ignore[method-assign]

    def read(*arguments: Any) -> CampaignBudget:
        found = CampaignBudget.objects.get(campaign=arguments[0])
        meeting.wait()
        return found

    budgets.of_period = read  # type: ignore[assignment]


@pytest.mark.req("CMP-15", "CMP-01")
def test_a_budget_is_never_exceeded_by_a_crowd(own_database: str) -> None:
    given = stampede(8)

    assert given == 200
    assert CampaignAct.objects.filter(skipped="budget_points").count() == 4 - 2
    audits.install()
    assert [each for result in audit.run(audit.registered()) for each in result.violations] == []


def test_without_the_lock_the_crowd_gives_too_much(own_database: str) -> None:
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE campaigns_campaignbudget DROP CONSTRAINT campaign_budget_never_exceeded"
        )

    assert stampede(4, unlocked=True) > BUDGET
    assert Member.objects.count() == MEMBERS
    assert connection.is_usable()


@pytest.mark.req("CMP-14")
def test_what_happens_while_the_next_version_is_published_is_not_lost(own_database: str) -> None:
    who = Shop().join("m")
    first = campaigns.running(at=day(1), effects=[{"kind": "points", "points": 100}])
    published = gate(2)

    def work(number: int) -> int:
        with transaction.atomic():
            if number == 0:
                more = [{"kind": "points", "points": 70}]
                campaigns.follow_up(first, at=day(2), effects=more)
                published.wait()
                _wait_for_waiting()
                return 0
            published.wait()
            occurrence = Occurrence(who.pk, "k", day(3))
            fired = firing.fire(campaign=first, occurrences=[occurrence], recorded_at=day(3))
            return fired.acted

    assert results(at_once(work, 2)) == [0, 1]
    assert PointsAccount.objects.get(member=who).available == 70


_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
)


def _wait_for_waiting() -> None:
    """Go on once somebody waits for a lock that we hold."""
    with connection.cursor() as cursor:
        for _attempt in range(600):
            cursor.execute(_WAITING)
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.05)
    raise AssertionError("nobody waits")


@pytest.mark.prove
@pytest.mark.req("CMP-15")
def test_a_budget_is_never_exceeded_by_32_processes(own_database: str) -> None:
    assert stampede(32) == 200
    budget = CampaignBudget.objects.get()
    assert (budget.spent_points, budget.spent_acts) == (200, 2)
