"""The same call under the same key is done once, whatever happens in between."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from config.base import clock
from members.api import idempotency
from members.models import IdempotencyKey, Member
from members.services import api_keys
from rewards.models import Entry
from rewards.presets import PRESETS
from rewards.services import adjustment, presets
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.factories import members

PARALLEL = 8


def adjust(till: Caller, member: Member, key: str, points: int = 5) -> Answer:
    return till.post(
        f"/members/{member.public_id}/adjustments",
        {"points": points, "reason": "goodwill"},
        Idempotency_Key=key,
    )


@pytest.mark.django_db
def test_command_needs_a_key(till: Caller) -> None:
    answer = till.post(
        f"/members/{members.member().public_id}/adjustments", {"points": 5, "reason": "x"}
    )
    assert (answer.status, answer.code) == (400, "idempotency_key_required")
    assert Entry.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel"])
def test_key_that_cannot_be_one_is_refused(till: Caller, key: str) -> None:
    answer = adjust(till, members.member(), key)
    assert (answer.status, answer.code) == (400, "idempotency_key_invalid")
    assert IdempotencyKey.objects.count() == 0


@pytest.mark.django_db
def test_refusal_is_an_answer_too(till: Caller) -> None:
    member = members.member()
    first = adjust(till, member, "k", -5)
    adjust(till, member, "k2", 100)
    second = adjust(till, member, "k", -5)
    assert (first.status, first.code) == (409, "insufficient_points")
    assert (second.status, second.raw) == (409, first.raw)
    assert second.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_other_body_under_the_key_is_refused(till: Caller) -> None:
    member = members.member()
    adjust(till, member, "k", 5)
    for answer in (adjust(till, member, "k", 6), adjust(till, members.member(), "k", 5)):
        assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_order_of_keys_in_the_body_does_not_matter(till: Caller) -> None:
    path = f"/members/{members.member().public_id}/adjustments"
    one = till.post(path, b'{"points":5,"reason":"x"}', Idempotency_Key="k")
    two = till.post(path, b'{ "reason": "x", "points": 5 }', Idempotency_Key="k")
    assert (one.status, two.raw) == (201, one.raw)


@pytest.mark.django_db
def test_keys_are_the_touchpoints_own(caller: Callable[..., Caller]) -> None:
    member = members.member()
    one, two = adjust(caller(), member, "k"), adjust(caller(), member, "k")
    assert (one.status, two.status) == (201, 201)
    assert Entry.objects.count() == 2


@pytest.mark.django_db
def test_fact_without_a_key_stores_none(till: Caller) -> None:
    member = str(members.member().public_id)
    till.put(f"/orders/till/{bodies.number()}", bodies.order(member=member))
    assert IdempotencyKey.objects.count() == 0


@pytest.mark.django_db
def test_fact_with_a_key_gives_the_stored_answer(till: Caller) -> None:
    member = str(members.member().public_id)
    path, body = f"/orders/till/{bodies.number()}", bodies.order(member=member)
    first = till.put(path, body, Idempotency_Key="k")
    second = till.put(path, body, Idempotency_Key="k")
    assert second.raw == first.raw
    assert first.body["replayed"] is second.body["replayed"] is False


@pytest.mark.django_db
def test_enrolment_gives_the_stored_status(till: Caller) -> None:
    person = bodies.enrolment()
    first = till.post("/members", person, Idempotency_Key="k")
    second = till.post("/members", person, Idempotency_Key="k")
    assert (first.status, second.status) == (201, 201)


@pytest.mark.django_db
def test_what_is_stored_tells_nothing(till: Caller) -> None:
    phone = {"kind": "phone", "value": "13800138000"}
    person = bodies.enrolment(identifiers=[phone], name="欧阳娜娜")
    till.post("/members", person, Idempotency_Key="13800138000")
    row = IdempotencyKey.objects.get()
    stored = f"{row.key}{bytes(row.body or b'')!r}{bytes(row.digest)!r}"
    for canary in ("13800138000", "欧阳娜娜", "card_number"):
        assert canary not in stored
        assert canary.encode() not in bytes(row.body or b"")


@pytest.mark.django_db
def test_failure_of_the_server_is_not_stored(till: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    member = members.member()
    working = adjustment.adjust

    def failing(**values: Any) -> Any:
        working(**values)
        raise OperationalError("gone")

    monkeypatch.setattr(adjustment, "adjust", failing)
    failed = adjust(till, member, "k")
    monkeypatch.setattr(adjustment, "adjust", working)

    assert (failed.status, failed.code) == (503, "temporarily_unavailable")
    assert failed.headers["Retry-After"] == "1"
    assert (IdempotencyKey.objects.count(), Entry.objects.count()) == (0, 0)
    assert adjust(till, member, "k").status == 201


@pytest.mark.django_db
def test_key_is_forgotten_after_thirty_days(till: Caller) -> None:
    member = members.member()
    adjust(till, member, "k", 5)
    IdempotencyKey.objects.update(created_at=clock.now() - timedelta(days=30))
    assert adjust(till, member, "k", 6).status == 201
    assert IdempotencyKey.objects.get().created_at > clock.now() - timedelta(days=1)
    assert idempotency.forget_old(at=clock.now()) == 0
    assert idempotency.forget_old(at=clock.now() + timedelta(days=31)) == 1


@pytest.fixture
def committing(own_database: str) -> tuple[Caller, Member]:
    """Return a touchpoint and a member in a database that calls commit to."""
    presets.load(preset=PRESETS["classic"], at=clock.now())
    touchpoint = members.touchpoint()
    secret = api_keys.issue(touchpoint, ["adjustments:write"], at=clock.now())
    return Caller(touchpoint, secret), members.member()


def at_once(work: Callable[[int], Answer]) -> list[Answer]:
    """Run the work in parallel, each on a connection of its own, all starting together."""
    barrier = threading.Barrier(PARALLEL)

    def one(number: int) -> Answer:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(one, range(PARALLEL)))


def same_call(till: Caller, member: Member) -> Callable[[int], Answer]:
    return lambda _number: adjust(Caller(till.touchpoint, till.secret), member, "k")


def test_parallel_calls_under_one_key_act_once(committing: tuple[Caller, Member]) -> None:
    answers = at_once(same_call(*committing))
    assert Entry.objects.count() == 1
    assert {answer.status for answer in answers} <= {201, 409}
    assert 201 in {answer.status for answer in answers}
    assert {answer.code for answer in answers if answer.status == 409} <= {"idempotency_key_in_use"}


@pytest.mark.chance
def test_without_the_claim_the_race_shows(
    committing: tuple[Caller, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_claim", lambda _call, _at: True)
    at_once(same_call(*committing))
    assert Entry.objects.count() > 1


def test_second_call_is_told_that_the_first_still_runs(
    committing: tuple[Caller, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    till, member = committing
    working, inside, go_on = adjustment.adjust, threading.Event(), threading.Event()

    def slow(**values: Any) -> Any:
        inside.set()
        assert go_on.wait(timeout=30)
        return working(**values)

    monkeypatch.setattr(adjustment, "adjust", slow)

    def first() -> Answer:
        try:
            return adjust(till, member, "k")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first)
        assert inside.wait(timeout=30)
        second = adjust(Caller(till.touchpoint, till.secret), member, "k")
        go_on.set()
        done = running.result(timeout=30)

    assert (second.status, second.code) == (409, "idempotency_key_in_use")
    assert done.status == 201
    assert adjust(till, member, "k").raw == done.raw


def test_call_that_dies_leaves_the_key_free(
    committing: tuple[Caller, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    till, member = committing
    working = adjustment.adjust

    def dying(**values: Any) -> Any:
        working(**values)
        transaction.get_connection().close()
        raise SystemExit

    monkeypatch.setattr(adjustment, "adjust", dying)
    with pytest.raises(SystemExit):
        adjust(till, member, "k")
    monkeypatch.setattr(adjustment, "adjust", working)

    assert Entry.objects.count() == 0
    assert adjust(till, member, "k").status == 201
    assert Entry.objects.count() == 1
