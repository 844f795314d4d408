"""Limits of requests: exact within a minute, told in headers, shared by processes."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.base import rate_limits
from config.base.rate_limits import SETS, WAYS, Counters
from tests.api.conftest import Caller
from tests.factories import members

NOON = 1_772_000_040.0
PROCESSES, THREADS, EACH, LIMIT = 6, 3, 200, 1_000


def test_so_many_pass_in_a_minute_and_the_next_minute_begins_anew(tmp_path: Path) -> None:
    counters = Counters(tmp_path / "limits")
    verdicts = [counters.take("a", 3, NOON) for _number in range(5)]
    assert [v.is_allowed for v in verdicts] == [True, True, True, False, False]
    assert [v.remaining for v in verdicts] == [2, 1, 0, 0, 0]
    assert counters.take("b", 3, NOON).is_allowed
    assert verdicts[0].reset_seconds == 60 - int(NOON) % 60
    assert counters.take("a", 3, NOON + 60).remaining == 2


def test_what_is_given_back_can_be_taken_again(tmp_path: Path) -> None:
    counters = Counters(tmp_path / "limits")
    assert counters.take("a", 1, NOON).is_allowed
    assert not counters.take("a", 1, NOON).is_allowed
    counters.give_back("a", 1, NOON)
    assert counters.take("a", 1, NOON).is_allowed


def test_a_clock_that_was_ahead_leaves_no_trace(tmp_path: Path) -> None:
    counters = Counters(tmp_path / "limits")
    counters.take("a", 1, NOON + 86_400)
    assert counters.take("a", 1, NOON).is_allowed


def test_a_full_table_forgets_the_name_longest_out_of_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "SETS", 1)
    counters = Counters(tmp_path / "limits")
    counters.take("old", 1, NOON)
    for number in range(WAYS - 1):
        counters.take(f"n{number}", 1, NOON + 60)
    assert not counters.take("n0", 1, NOON + 60).is_allowed
    assert counters.take("new", 1, NOON + 60).is_allowed
    assert not counters.take("n0", 1, NOON + 60).is_allowed
    assert SETS > 1


def test_where_the_file_cannot_be_used_the_process_counts_for_itself(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    counters = Counters(tmp_path / "taken" / "limits")
    assert counters.take("a", 1, NOON).is_allowed
    assert not counters.take("a", 1, NOON).is_allowed


def _passed(path: Path, unlocked: bool, answer: "multiprocessing.Queue[int]") -> None:
    counters = Counters(path)
    if unlocked:
        counters._file = None
        counters._threads = _Nothing()  # type: ignore[assignment]
        counters._find = _slow(counters._find)  # type: ignore[method-assign]
    allowed: list[bool] = []

    def work() -> None:
        allowed.extend(counters.take("k", LIMIT, NOON).is_allowed for _number in range(EACH))

    crowd = [threading.Thread(target=work) for _number in range(THREADS)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    answer.put(sum(allowed))


def _slow(find: Callable[..., tuple[int, int]]) -> Callable[..., tuple[int, int]]:
    """Let others in between reading and writing, which they do by chance without it."""

    def found(*place: int) -> tuple[int, int]:
        counted = find(*place)
        time.sleep(0.00001)
        return counted

    return found


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_error: object) -> None: ...


def _crowd(path: Path, *, unlocked: bool) -> int:
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[int] = context.Queue()
    crowd = [
        context.Process(target=_passed, args=(path, unlocked, answers))
        for _number in range(PROCESSES)
    ]
    for process in crowd:
        process.start()
    total = sum(answers.get(timeout=60) for _process in crowd)
    for process in crowd:
        process.join()
    return total


@pytest.mark.req("INT-05")
def test_processes_and_threads_share_one_limit_exactly(tmp_path: Path) -> None:
    assert PROCESSES * THREADS * EACH > LIMIT
    assert _crowd(tmp_path / "limits", unlocked=False) == LIMIT


@pytest.mark.chance
def test_without_the_locks_the_race_shows(tmp_path: Path) -> None:
    assert any(_crowd(tmp_path / f"limits{turn}", unlocked=True) != LIMIT for turn in range(20))


@pytest.mark.django_db
def test_headers_tell_what_is_left_and_a_refusal_when_to_come_back(
    caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)
    till, member = caller(requests_per_minute=2), members.member()
    path = f"/members/{member.public_id}/points"
    first, _second, third = (till.get(path) for _number in range(3))
    reset = str(60 - int(NOON) % 60)
    assert first.headers["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert first.headers["RateLimit"] == f'"requests";r=1;t={reset}'
    assert (third.status, third.code) == (429, "rate_limited")
    assert third.headers["Retry-After"] == reset
    assert third.headers["RateLimit"] == f'"requests";r=0;t={reset}'
    assert third.body["retry_after_seconds"] == int(reset)
    monkeypatch.setattr(time, "time", lambda: NOON + 60)
    assert till.get(path).status == 200


@pytest.mark.django_db
def test_a_members_tokens_share_a_limit_of_their_own(
    caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)
    till, member = caller(member_requests_per_minute=1), members.member()
    tokens = [
        Caller(till.touchpoint, till.post(f"/members/{each.public_id}/token", {}).body["token"])
        for each in (member, member, members.member())
    ]
    path = f"/members/{member.public_id}/points"
    assert tokens[0].get(path).status == 200
    assert tokens[1].get(path).status == 429
    assert tokens[2].get(path).code == "token_other_member"
    assert till.get(path).status == 200


@pytest.mark.django_db
def test_no_limit_is_no_header(caller: Callable[..., Caller]) -> None:
    till = caller(requests_per_minute=0)
    assert "RateLimit" not in till.get(f"/members/{members.member().public_id}/points").headers


@pytest.mark.django_db
def test_several_hosts_allow_their_share(caller: Callable[..., Caller], settings: object) -> None:
    settings.LOYALTY_WEB_HOSTS = 4  # type: ignore[attr-defined]
    till = caller(requests_per_minute=10)
    answer = till.get(f"/members/{members.member().public_id}/points")
    assert answer.headers["RateLimit-Policy"] == '"requests";q=3;w=60'


@pytest.mark.django_db
@pytest.mark.req("MEM-08")
def test_trying_identifiers_soon_finds_nobody(
    caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)
    till, member = caller(unknown_lookups_per_minute=3), members.member()
    known = {"kind": "card", "value": member.card_number}
    unknown = [{"kind": "phone", "value": members.phone()} for _number in range(4)]
    assert [till.post("/members/lookup", known).status for _number in range(5)] == [200] * 5
    assert [till.post("/members/lookup", body).status for body in unknown] == [404, 404, 404, 429]
    assert till.post("/members/lookup", known).code == "rate_limited"
    assert till.get(f"/members/{member.public_id}").status == 200
    monkeypatch.setattr(time, "time", lambda: NOON + 60)
    assert till.post("/members/lookup", known).status == 200
