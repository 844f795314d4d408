"""Whom a batch of requests means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.domain.enrolment import Key, plan

A, B, C = (("phone", "", letter) for letter in "abc")
KEYS = st.sampled_from([("phone", "", letter) for letter in "abcdef"])
REQUESTS = st.lists(
    st.one_of(st.none(), st.lists(KEYS, min_size=1, max_size=3, unique=True)), max_size=12
)
KNOWN = st.dictionaries(KEYS, st.integers(1, 3), max_size=4)


def one_by_one(requests: list[list[Key] | None], known: dict[Key, int]) -> list[int | None]:
    """Return the member of each request when each is sent alone; new members count from 101."""
    owner = dict(known)
    members: list[int | None] = []
    made = 100
    for keys in requests:
        found = {owner[key] for key in keys or () if key in owner}
        if keys is None or len(found) > 1:
            members.append(None)
            continue
        if not found:
            made += 1
            found = {made}
        (member,) = found
        owner |= dict.fromkeys(keys, member)
        members.append(member)
    return members


@pytest.mark.req("MEM-13")
@given(REQUESTS, KNOWN)
def test_a_batch_means_what_its_requests_mean_alone(
    requests: list[list[Key] | None], known: dict[Key, int]
) -> None:
    planned = plan(requests, known)
    new = {id(seat): 101 + place for place, seat in enumerate(planned.new)}
    members = [seat and (seat.member_id or new[id(seat)]) for seat in planned.seats]
    assert members == one_by_one(requests, known)


@given(REQUESTS, KNOWN)
def test_no_identifier_comes_to_two_members(
    requests: list[list[Key] | None], known: dict[Key, int]
) -> None:
    brought = [key for seat in plan(requests, known).members for key in seat.brought]
    assert len(brought) == len(set(brought))
    assert not set(brought) & known.keys()


def test_a_chain_of_shared_identifiers_is_one_member() -> None:
    planned = plan([[A], [A, B], [B, C]], {})
    assert len(planned.new) == 1
    assert planned.new[0].brought == {A: 0, B: 1, C: 2}


def test_two_identifiers_of_two_members_are_a_conflict_and_attach_nothing() -> None:
    planned = plan([[A, B, C]], {A: 1, B: 2})
    assert planned.seats == (None,)
    assert planned.members == []
