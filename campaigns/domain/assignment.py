"""Who of an audience is addressed, waits, or is held out: by a stable hash, exact in each stratum.

A campaign grows by stages. Each stage takes the members of a stratum in the order of their hash, so
a later stage keeps all who were in an earlier one, and members who come later fill what is missing.
Pure. Source: CMP-09, RWD-14.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

WHOLE: Final = 100
_STEPS: Final = 2**53


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member who may be addressed, with their place in [0, 1) among the others."""

    member: int
    position: float

    @property
    def order(self) -> tuple[float, int]:
        """Return the place among others; the older member first where hashes agree."""
        return (self.position, self.member)


@dataclass(frozen=True, slots=True)
class Held:
    """How many members of one stratum are in which arm already."""

    treated: int = 0
    holdout: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many more members of one stratum are to be held out and addressed."""

    holdout: int
    treated: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """Which newcomers go where, and who of those waiting is addressed now."""

    treated: tuple[int, ...]
    holdout: tuple[int, ...]
    waiting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several forms of a campaign: drawn by weight, or for the members of a segment."""

    code: str
    weight: int = 1
    segment: str = ""


def position(salt: str, public_id: UUID | str) -> float:
    """Return a member's place in [0, 1), the same whenever and wherever it is asked for."""
    digest = hashlib.sha256(f"{salt}\0{public_id}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / _STEPS


def share(count: int, percent: int) -> int:
    """Return a share of a number of members, halves up. Units: per cent."""
    return (2 * count * percent + WHOLE) // (2 * WHOLE)


def wanted(held: Held, newcomers: int, *, holdout_percent: int, stage_percent: int) -> Wanted:
    """Return how many more are to be held out, of the newcomers, and to be addressed.

    The stage is a share of those that are not held out.
    """
    everybody = held.treated + held.holdout + held.waiting + newcomers
    holdout = min(newcomers, max(0, share(everybody, holdout_percent) - held.holdout))
    addressable = everybody - held.holdout - holdout
    treated = max(0, share(addressable, stage_percent) - held.treated)
    return Wanted(holdout, treated)


def assign(wants: Wanted, newcomers: Sequence[Candidate], waiting: Sequence[Candidate]) -> Assigned:
    """Choose: hold-outs from the end of the newcomers, the addressed from the start of all others.

    `waiting` are at least as many of those waiting, the first ones, as are to be addressed.
    """
    ordered = sorted(newcomers, key=lambda each: each.order)
    kept = len(ordered) - wants.holdout
    pool = sorted([*waiting, *ordered[:kept]], key=lambda each: each.order)
    treated = {each.member for each in pool[: wants.treated]}
    return Assigned(
        treated=tuple(sorted(treated)),
        holdout=tuple(each.member for each in ordered[kept:]),
        waiting=tuple(each.member for each in ordered[:kept] if each.member not in treated),
    )


def draw(variants: Sequence[Variant], place: float) -> str:
    """Return the variant that is drawn at a place in [0, 1): those of segments are not."""
    drawn = [each for each in variants if not each.segment]
    total = sum(each.weight for each in drawn)
    reached = place * total
    for each in drawn:
        if reached < each.weight:
            return each.code
        reached -= each.weight
    return ""


def choose(variants: Sequence[Variant], drawn: str, segments: Collection[str]) -> tuple[str, str]:
    """Return the variant that a member gets now and the segment that decided it, if one did.

    The first variant whose segment the member is in goes before what was drawn.
    """
    for each in variants:
        if each.segment and each.segment in segments:
            return each.code, each.segment
    return drawn, ""
