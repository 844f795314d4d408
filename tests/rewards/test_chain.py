"""The hash chain: canonical JSON, one worked example, and every kind of tampering is found."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.domain import buckets, chain
from rewards.domain.journal import Journal
from rewards.domain.transfers import Cause, FactRef, Grounds, RuleRef, Transfer

MEMBER = "0190a5b2-0000-7000-8000-000000000001"
AT = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
INTEGERS = st.integers(-chain.MAX_INTEGER, chain.MAX_INTEGER)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
INSTANTS = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - Hypothesis adds the time zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-5))]),
)
FACTS = st.builds(FactRef, st.none(), TEXT, TEXT, TEXT, st.integers(1, chain.MAX_INTEGER))
RULES = st.builds(RuleRef, st.none(), TEXT, st.integers(1, chain.MAX_INTEGER))
CAUSES = st.builds(Cause, st.none() | FACTS, TEXT, INSTANTS)
GROUNDS = st.builds(Grounds, st.none() | TEXT, st.none() | RULES, TEXT, CAUSES)


def history(grounds: list[Grounds]) -> Journal:
    journal = Journal(key=1, member=MEMBER)
    for number, why in enumerate(grounds):
        journal.post(buckets.EARN, number + 1, AT + timedelta(minutes=number), why)
    return journal


@given(VALUES)
def test_canonical_equals_the_reference(value: object) -> None:
    assert chain.canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), 2**53, -(2**53), b"bytes", {1: "a"}, "\ud800", [{"a": object()}]]
)
def test_canonical_refuses_what_has_no_exact_form(value: object) -> None:
    with pytest.raises(chain.NotCanonicalError):
        chain.canonical(value)


def test_canonical_refuses_endless_nesting() -> None:
    nested: list[object] = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(chain.NotCanonicalError):
        chain.canonical(nested)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (AT, "2026-03-01T02:30:00.000000Z"),
        (AT.astimezone(timezone(timedelta(hours=8))), "2026-03-01T02:30:00.000000Z"),
        (AT.replace(microsecond=7), "2026-03-01T02:30:00.000007Z"),
    ],
)
def test_times_are_utc_with_six_digits(at: datetime, text: str) -> None:
    assert chain.rfc3339(at) == text


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        chain.rfc3339(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


def test_the_documented_entry_has_the_documented_hash() -> None:
    fact = FactRef(17, "pos", "order", "A-1", 1)
    grounds = Grounds("order:5", RuleRef(3, "base", 1), "order", Cause(fact, "touchpoint:pos", AT))
    entry = Journal(key=9, member=MEMBER).post(buckets.EARN, 12, AT, grounds)

    text = (
        '{"actor":"touchpoint:pos",'
        '"fact":{"kind":"order","ref":"A-1","source":"pos","version":1},'
        '"from":"issuance","kind":"points","member":"0190a5b2-0000-7000-8000-000000000001",'
        '"occurred_at":"2026-03-01T02:30:00.000000Z","points":12,"reason":"order",'
        '"recorded_at":"2026-03-01T02:30:00.000000Z","rule":{"code":"base","version":1},'
        '"seq":1,"to":"available"}'
    )
    assert entry.hash == sha256(bytes(32) + text.encode()).digest()


@given(GROUNDS, INSTANTS, st.sampled_from(sorted(buckets.ALLOWED)))
def test_the_fast_hash_equals_the_hash_of_the_content(
    grounds: Grounds, at: datetime, flow: buckets.Flow
) -> None:
    entry = Journal(key=1, member=MEMBER).post(flow, 5, at, grounds)
    content = chain.content(MEMBER, "points", entry)
    assert entry.hash == sha256(bytes(32) + rfc8785.dumps(content)).digest()  # type: ignore[arg-type]
    assert entry.hash == chain.content_hash(bytes(32), content)


@given(st.lists(GROUNDS, min_size=1, max_size=5))
def test_a_chain_verifies_from_any_entry_on(grounds: list[Grounds]) -> None:
    journal = history(grounds)
    entries = journal.transfers
    assert chain.first_break(MEMBER, "points", entries) is None
    later = entries[1:]
    assert chain.first_break(MEMBER, "points", later, entries[0].hash, after=1) is None
    assert journal.head_hash == entries[-1].hash


CAUSE = Cause(FactRef(1, "pos", "order", "A-1", 1), "touchpoint:pos", AT)
OTHER_FACTS = [
    None,
    FactRef(1, "web", "order", "A-1", 1),
    FactRef(1, "pos", "refund", "A-1", 1),
    FactRef(1, "pos", "order", "A-2", 1),
    FactRef(1, "pos", "order", "A-1", 2),
]
TAMPERINGS: list[dict[str, object]] = [
    {"seq": 7},
    {"source": buckets.Bucket.REDEEMED},
    {"target": buckets.Bucket.PENDING},
    {"points": 99},
    {"reason": "gift"},
    {"rule": None},
    {"rule": RuleRef(3, "base", 2)},
    {"rule": RuleRef(3, "tier", 1)},
    {"occurred_at": AT + timedelta(microseconds=1)},
    {"prev_hash": bytes(32)},
    {"hash": bytes(32)},
    {"cause": dataclasses.replace(CAUSE, actor="staff:1")},
    {"cause": dataclasses.replace(CAUSE, recorded_at=AT + timedelta(seconds=1))},
]
TAMPERINGS += [{"cause": dataclasses.replace(CAUSE, fact=fact)} for fact in OTHER_FACTS]


@pytest.mark.parametrize("change", TAMPERINGS, ids=str)
def test_an_altered_field_is_found(change: dict[str, object]) -> None:
    entries = history([Grounds("order:5", RuleRef(3, "base", 1), "order", CAUSE)] * 4).transfers
    entries[2] = dataclasses.replace(entries[2], **change)  # type: ignore[arg-type]
    assert chain.first_break(MEMBER, "points", entries) == 3


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (lambda entries: entries[1:], 1),
        (lambda entries: [entries[0], *entries[2:]], 2),
        (lambda entries: [entries[1], entries[0], *entries[2:]], 1),
        (lambda entries: [*entries, entries[-1]], 5),
    ],
    ids=["first missing", "one missing", "swapped", "repeated"],
)
def test_a_missing_swapped_or_repeated_entry_is_found(
    tamper: Callable[[list[Transfer]], list[Transfer]], found: int
) -> None:
    entries = history([Grounds("order:5", None, "order", CAUSE)] * 4).transfers
    assert chain.first_break(MEMBER, "points", tamper(entries)) == found


def test_another_member_or_kind_of_account_is_found() -> None:
    entries = history([Grounds(None, None, "order", CAUSE)]).transfers
    assert chain.first_break("somebody else", "points", entries) == 1
    assert chain.first_break(MEMBER, "growth", entries) == 1


@settings(max_examples=30)
@given(st.integers(max_value=0) | st.integers(min_value=chain.MAX_INTEGER + 1))
def test_points_must_be_positive_and_exact(points: int) -> None:
    journal = Journal(key=1, member=MEMBER)
    with pytest.raises(Exception, match="points"):
        journal.post(buckets.EARN, points, AT, Grounds(None, None, "order", CAUSE))
    assert journal.seq == 0


def test_a_movement_outside_the_list_is_refused() -> None:
    flow = (buckets.Bucket.PENDING, buckets.Bucket.EXPIRED)
    with pytest.raises(Exception, match="pending to expired"):
        Journal(key=1, member=MEMBER).post(flow, 1, AT, Grounds(None, None, "order", CAUSE))
