"""`run_due` killed at any instant, or run by two at once: finished by the next, nothing doubled."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection, transaction

from config.base import audit
from config.models import JobRun
from config.wiring import audits, due
from members.models import Member
from rewards.models import Entry
from rewards.services.due import settle_due
from tests import databases
from tests.engine.shop import Shop, day, order

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = 60
LATER = day(800)
WAIT_SECONDS = 60
# The command as it is, in slices so small that there is time to kill it between two.
PROGRAM = """
import django
django.setup()
from django.core.management import call_command
from rewards.services import due, expiry
due.SLICE = expiry.SLICE = 2
call_command("run_due", at={at!r})
"""


@pytest.fixture
def shop(own_database: str) -> Shop:
    """Return a shop whose members all have points to lose and tiers to be reviewed."""
    with transaction.atomic():
        shop = Shop()
        members = [shop.join(f"m{number}") for number in range(MEMBERS)]
        for on in (1, 40):
            shop.send(*[order(m, f"{on}-{m.pk}", 900, on=on) for m in members], at=on)
    return shop


def run_due() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(at=LATER.isoformat())],
        cwd=ROOT,
        env=databases.environment(databases.current())
        | {"DJANGO_SETTINGS_MODULE": "config.base.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def expired() -> int:
    return Entry.objects.filter(target="expired").count()


def wait_for_some(more_than: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while expired() <= more_than:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def finish(*children: "subprocess.Popen[bytes]") -> None:
    for child in children:
        _out, errors = child.communicate(timeout=WAIT_SECONDS)
        assert child.returncode == 0, errors.decode()


def assert_exact() -> None:
    """Both lots of each member expired once, its standing was lowered once; all invariants hold."""
    assert expired() == 2 * MEMBERS
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT member_id) FROM members_memberevent"
            " WHERE kind = 'tier.changed' AND payload ->> 'reason' = 'review_downgrade'"
        )
        assert cursor.fetchone() == (MEMBERS, MEMBERS)
    audits.install()
    broken = [each.check.code for each in audit.run(audit.registered()) if each.count]
    assert broken == []


@pytest.mark.req("ORG-06")
def test_run_due_that_was_killed_is_finished_by_the_next(shop: Shop) -> None:
    kills = 0
    for _attempt in range(3):
        child = run_due()
        wait_for_some(more_than=expired())
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        kills += expired() < 2 * MEMBERS
    assert kills == 3, "each was killed before it was done"
    assert JobRun.objects.get().state == "running"

    finish(run_due())

    assert_exact()
    run = JobRun.objects.get(name=due.SETTLE)
    assert (run.state, run.error_code) == ("finished", "")


def test_two_run_due_at_once_are_exact(shop: Shop) -> None:
    finish(run_due(), run_due())
    assert_exact()


def test_run_due_beside_the_tills_is_exact(shop: Shop) -> None:
    buyers = list(Member.objects.order_by("-pk")[:40])
    child = run_due()
    wait_for_some(more_than=0)
    for member in buyers:
        shop.buy(member, f"late-{member.pk}", 10, on=801)
    finish(child)
    assert_exact()
    assert {shop.balance(member) for member in buyers} == {(0, 10, 0, 0)}


def test_two_that_settle_without_the_job_lock_are_exact(shop: Shop) -> None:
    child = run_due()
    wait_for_some(more_than=0)
    settle_due(at=LATER, recorded_at=LATER)
    finish(child)
    assert_exact()
