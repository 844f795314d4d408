"""Changes that meet an erasure: whoever comes second finds the person gone."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from members.models import Identifier, Member, MemberProfile
from members.services import erasure, profile
from tests.factories import members as make
from tests.factories.members import AT

PHONE = ("phone", "13800138000", "")


def wait_until_somebody_waits_for_a_lock() -> None:
    """Wait until somebody waits for us: other tests of this server have locks of their own."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            # Of activity a transaction sees what it saw first; locks are read anew each time.
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def during_the_erasure_of(member: Member, change: Callable[[], object]) -> None:
    """Start a change that comes too late: the erasure is done but not yet committed."""

    def run() -> None:
        try:
            change()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        erasure.erase(member=member, at=AT, actor="staff:li", reason="request")
        thread.start()
        wait_until_somebody_waits_for_a_lock()
    thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.mark.req("MEM-12")
def test_a_profile_change_writes_nothing_onto_an_erased_member(own_database: str) -> None:
    member = make.member(PHONE, name="张三")
    during_the_erasure_of(
        member,
        lambda: profile.update(member_id=member.pk, at=AT, actor="t", values={"name": "李四"}),
    )
    row = MemberProfile.objects.get(member=member)
    assert (row.sealed, row.name_hash, row.name_mask) == (None, None, "")


@pytest.mark.req("MEM-12")
def test_an_identifier_comes_to_a_new_member_not_to_the_erased_one(own_database: str) -> None:
    member = make.member(PHONE)
    mail = ("email", "ann@example.com", "")
    during_the_erasure_of(member, lambda: make.enrol(make.request(PHONE, mail)))
    owners = set(Identifier.objects.filter(ended_at=None).values_list("member_id", flat=True))
    assert member.pk not in owners
    assert Member.objects.living().count() == 1
