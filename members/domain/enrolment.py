"""Whom enrolment requests mean: members that exist, members to be made, or nobody for sure.

Requests are taken one by one in their order, as if each had been sent alone, so that a batch gives
what its parts give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Key = tuple[str, str, str]
"""An identifier: kind, app, normal value."""


@dataclass(slots=True)
class Seat:
    """One member in the plan: known by its id, or new (None).

    `requests` are the places of the requests that mean this member, `brought` the keys that come to
    it with the place of the request that brings them.
    """

    member_id: int | None
    requests: list[int] = field(default_factory=list)
    brought: dict[Key, int] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Tell whether the member is to be made."""
        return self.member_id is None


@dataclass(frozen=True, slots=True)
class Plan:
    """A seat for each request, in order; None where its identifiers belong to two members.

    Requests given as None were refused before and have no seat either.
    """

    seats: tuple[Seat | None, ...]

    @property
    def new(self) -> list[Seat]:
        """Return the members to be made, in the order of their first requests."""
        return [seat for seat in self.members if seat.is_new]

    @property
    def joined(self) -> list[Seat]:
        """Return the known members that get further identifiers."""
        return [seat for seat in self.members if not seat.is_new and seat.brought]

    @property
    def members(self) -> list[Seat]:
        """Return each seat once."""
        return list({id(seat): seat for seat in self.seats if seat is not None}.values())


def plan(requests: Sequence[Sequence[Key] | None], known: Mapping[Key, int]) -> Plan:
    """Return whom each request means.

    Two identifiers of two members are a conflict, never a merge.
    Source: MEM-02, MEM-03, design §5.1(7).
    """
    by_member: dict[int, Seat] = {}
    by_key = {
        key: by_member.setdefault(member_id, Seat(member_id)) for key, member_id in known.items()
    }
    return Plan(
        tuple(
            None if keys is None else _take_seat(place, keys, by_key)
            for place, keys in enumerate(requests)
        )
    )


def _take_seat(place: int, keys: Sequence[Key], by_key: dict[Key, Seat]) -> Seat | None:
    owners = {id(by_key[key]): by_key[key] for key in keys if key in by_key}
    if len(owners) > 1:
        return None
    seat = next(iter(owners.values())) if owners else Seat(None)
    seat.requests.append(place)
    for key in keys:
        if key not in by_key:
            by_key[key] = seat
            seat.brought[key] = place
    return seat
