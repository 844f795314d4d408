"""Codes, passwords and budgets when sixteen processes want them at one moment.

Each proof has its negative control: without the lock the race must show.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from config.base import clock
from config.wiring import panels
from members.models import Approval, OneTimePassword, SpendNeeds
from members.services import member_codes, one_time_passwords, presence
from members.services.presence import PresenceError, Proof
from rewards.models import AdjustmentBudget, Entry
from rewards.presets import PRESETS
from rewards.services import adjustment, presets
from rewards.services.adjustment import AdjustmentOverLimitError, Budgets
from tests.factories import members
from tests.faults.crowd import PROCESSES, at_once, results

DAILY, EACH, TURNS = 1_000, 20, 10


def nothing() -> None:
    """Take nothing away."""


def shown(before: Callable[[], None] = nothing) -> int:
    """Let all spend with one member code at one moment; return how many could."""
    member = members.member()
    till = members.touchpoint(spend_needs=SpendNeeds.MEMBER_CODE)
    code = member_codes.make(member=member, at=clock.now()).code

    def work(_number: int) -> bool:
        before()
        try:
            with transaction.atomic():
                presence.require(
                    touchpoint=till, member=member.pk, points=9, proof=Proof(code), at=clock.now()
                )
        except PresenceError:
            return False
        return True

    return sum(results(at_once(work)))


@pytest.mark.req("MEM-15")
def test_a_code_that_all_show_at_one_moment_holds_once(own_database: str) -> None:
    assert shown() == 1


@pytest.mark.chance
def test_without_the_row_lock_a_code_holds_more_than_once(own_database: str) -> None:
    def look_only() -> None:
        member_codes._CONSUME = """
            SELECT id FROM members_membercode, pg_sleep(0.2)
            WHERE code_hash = ANY(%(hashes)s::bytea[]) AND member_id = %(member)s
              AND used_at IS NULL AND expires_at > %(at)s
        """

    assert shown(look_only) > 1


def guessed(before: Callable[[], None] = nothing) -> tuple[int, int]:
    """Let all guess one password at one moment, all of them rightly; return tries and hits."""
    member, at = members.member(), clock.now()
    row = one_time_passwords._make(member.pk, "123456", at)
    OneTimePassword.objects.filter(pk=row.pk).update(tries=one_time_passwords.MOST_TRIES - 1)

    def work(_number: int) -> bool:
        before()
        now = clock.now()
        attempt = one_time_passwords.count_try("123456", public_id=member.public_id, at=now)
        with transaction.atomic():
            return one_time_passwords.consume(attempt, member=member.pk, at=now)

    hits = sum(results(at_once(work)))
    return OneTimePassword.objects.get().tries, hits


def test_every_guess_is_counted_and_few_can_be_right(own_database: str) -> None:
    tries, hits = guessed()
    assert hits <= 1
    assert one_time_passwords.MOST_TRIES <= tries <= one_time_passwords.MOST_TRIES + PROCESSES - 1


@pytest.mark.chance
def test_without_counting_first_guesses_are_for_free(own_database: str) -> None:
    def do_not_count() -> None:
        one_time_passwords._COUNT_TRY = "SELECT %(member)s, %(at)s"

    tries, _hits = guessed(do_not_count)
    assert tries < one_time_passwords.MOST_TRIES


def budget(before: Callable[[], None] = nothing) -> tuple[int, int]:
    """Let all adjust at one moment, for members of their own; return points and requests."""
    presets.load(preset=PRESETS["classic"], at=clock.now())
    panels.install()
    desk = members.touchpoint(adjustment_daily_limit_points=DAILY)
    mine = [members.member().pk for _number in range(PROCESSES)]

    def work(number: int) -> None:
        before()
        for _turn in range(TURNS):
            adjustment.adjust_or_ask(
                member=mine[number], points=EACH, reason="goodwill", at=clock.now(),
                actor="desk", touchpoint=desk,
            )  # fmt: skip

    results(at_once(work))
    return sum(Entry.objects.values_list("points", flat=True)), Approval.objects.count()


@pytest.mark.req("PTS-15")
def test_a_daily_budget_is_used_up_exactly(own_database: str) -> None:
    assert PROCESSES * TURNS * EACH > DAILY
    assert budget() == (DAILY, PROCESSES * TURNS - DAILY // EACH)
    assert AdjustmentBudget.objects.get(member=None).points == DAILY


@pytest.mark.chance
def test_without_the_conditional_update_a_budget_is_overdrawn(own_database: str) -> None:
    def look_first() -> None:
        def take(budgets: Budgets, member: int, points: int, at: Any) -> None:
            day = clock.local_day(at).isoformat()
            with connection.cursor() as cursor:
                cursor.execute("SELECT coalesce(sum(points), 0) FROM rewards_adjustmentbudget", [])
                (used,) = cursor.fetchone()
                if used + points > DAILY:
                    raise AdjustmentOverLimitError("day", DAILY)
                cursor.execute(
                    "INSERT INTO rewards_adjustmentbudget"
                    " (touchpoint_id, member_id, period, points) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT (touchpoint_id, period, member_id)"
                    " DO UPDATE SET points = rewards_adjustmentbudget.points + EXCLUDED.points",
                    [budgets.owner, member, day, points],
                )

        adjustment._take_budgets = take

    points, _asked = budget(look_first)
    assert points > DAILY
