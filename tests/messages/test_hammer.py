"""Many messages, senders that are killed, members who opt out meanwhile: nobody gets one twice.

The provider is a real HTTP receiver, senders are processes of their own.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection, transaction

from campaigns.domain.delivery import Policy
from campaigns.models import Message
from campaigns.services import message_policy, message_rows, messages, sending
from campaigns.services.messages import Wanted
from members.services import consents
from members.services.consents import ConsentDecision
from tests import databases
from tests.factories import members
from tests.messages.world import NOON, owe, reader, template
from tests.webhooks.receiver import Receiver, listening

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WAIT_SECONDS = 300
PROGRAM = """
import django
django.setup()
from datetime import datetime
from campaigns.services import sending
sending.BATCH = 40
while sending.send_due(at=datetime.fromisoformat({at!r})):
    pass
"""


def sender(receiver: Receiver) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(at=NOON.isoformat())],
        cwd=ROOT,
        env=databases.environment(databases.current())
        | {
            "DJANGO_SETTINGS_MODULE": "config.base.settings",
            "LOYALTY_SMS_PROVIDER": "signed",
            "LOYALTY_SMS_URL": receiver.url,
            "LOYALTY_SMS_SECRET": SECRET,
            "LOYALTY_WEBHOOK_ALLOW_PRIVATE": "true",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def crowd(people: int, each: int) -> list[int]:
    """Enrol members, most of whom agree to text messages, and owe each some offers."""
    members.basic_tier()
    policy = Policy(marketing_per_day=None, marketing_per_week=None)
    message_policy.change(policy=policy, reason="test", actor="test", at=NOON)
    template(contents={"zh": {"sms": {"body": "{{ member.name }}，您好"}}})
    ids = []
    for start in range(0, people, 200):
        wanted = [
            members.request(name="张三") for _number in range(start, min(start + 200, people))
        ]
        ids += [each.member_id for each in members.enrol(*wanted) if each.member_id]
    yes = ConsentDecision("marketing", granted=True, channel="sms")
    agreed = {member: [yes] for number, member in enumerate(ids) if number % 10}
    consents.record(agreed, touchpoint=None, at=NOON - timedelta(days=1))
    for number in range(each):
        batch = [Wanted(member, "hello", "campaign:x", str(number), NOON) for member in ids]
        messages.enqueue(batch, at=NOON, recorded_at=NOON)
    return ids


def opt_out(member: int) -> datetime:
    """Let a member opt out; return an instant at which that is done."""
    no = ConsentDecision("marketing", granted=False, channel="sms")
    consents.record({member: [no]}, touchpoint=None, at=datetime.now(UTC))
    return datetime.now(UTC)


def wait_for(receiver: Receiver, count: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while len(receiver.requests) < count:
        assert time.monotonic() < deadline, f"{len(receiver.requests)} of {count} came in"
        time.sleep(0.01)


@pytest.mark.req("CMP-04", "MEM-11")
@pytest.mark.parametrize(
    ("people", "each", "kills"),
    [
        pytest.param(100, 20, 2, id="2,000"),
        pytest.param(2_000, 50, 10, id="100,000", marks=pytest.mark.prove),
    ],
)
def test_killed_senders_and_opt_outs_leave_no_duplicate_and_an_exact_sum(
    own_database: str, people: int, each: int, kills: int
) -> None:
    with transaction.atomic():
        ids = crowd(people, each)
    total = people * each
    gone: dict[int, datetime] = {}
    with listening(Receiver()) as receiver:
        steady = sender(receiver)
        for kill in range(1, kills + 1):
            victim = sender(receiver)
            wait_for(receiver, total * kill // (kills + 3))
            os.kill(victim.pid, signal.SIGKILL)
            victim.communicate()
            for member in ids[kill :: kills * 4]:
                gone[member] = opt_out(member)
        _out, errors = steady.communicate(timeout=WAIT_SECONDS)
        assert steady.returncode == 0, errors.decode()
        # What the dead still hold is let go once their leases are over.
        Message.objects.filter(state="sending").update(lease_until=NOON)
        sending.send_due(at=NOON)
        got = Counter(
            UUID(hex=number.removeprefix("msg_").replace("-", "")) for number in receiver.ids()
        )
    assert max(got.values()) == 1
    assert sum(messages.counts_of("campaign:x").values()) == total
    rows = Message.objects.values_list("public_id", "state", "member_id", "claimed_at", "reason")
    by_state: dict[str, set[UUID]] = {}
    for public_id, state, member, claimed_at, _reason in rows:
        by_state.setdefault(state, set()).add(public_id)
        if public_id in got and member in gone:
            assert claimed_at
            assert claimed_at < gone[member], "sent after the member had opted out"
    assert set(by_state) <= {"sent", "suppressed", "unknown"}
    assert by_state["sent"] <= set(got)
    assert set(got) <= by_state["sent"] | by_state.get("unknown", set())
    never = set(ids[::10])
    assert not {m for p, _s, m, _c, _r in rows if p in got and m in never}


def claim_in(found: list[int], begun: threading.Event, go_on: threading.Event) -> None:
    try:
        with transaction.atomic():
            rows = message_rows.claim(message_rows.MARKETING_LINE, at=NOON, limit=10)
            found.append(len(rows))
            begun.set()
            go_on.wait(WAIT_SECONDS)
    finally:
        connection.close()


def is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(("lock", "claims"), [(None, [1, 0]), ("", [1, 1])], ids=["on", "off"])
def test_a_message_is_claimed_by_one_sender_and_without_the_lock_by_two(
    own_database: str, monkeypatch: pytest.MonkeyPatch, lock: str | None, claims: list[int]
) -> None:
    template()
    owe(reader(""))
    if lock is not None:
        monkeypatch.setattr(message_rows, "_LOCK", lock)
    found: list[int] = []
    first_has, let_first, second_has, let_second = (threading.Event() for _number in range(4))
    let_second.set()
    first = threading.Thread(target=claim_in, args=(found, first_has, let_first))
    second = threading.Thread(target=claim_in, args=(found, second_has, let_second))
    first.start()
    assert first_has.wait(WAIT_SECONDS)
    second.start()
    deadline = time.monotonic() + WAIT_SECONDS
    while not second_has.is_set() and not is_waiting():
        assert second.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    let_first.set()
    first.join()
    second.join()
    assert found == claims
