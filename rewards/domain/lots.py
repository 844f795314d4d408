"""Lots of points: one issue each, with one expiry, spent in a fixed order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rewards.domain.transfers import Use

_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Lot:
    """Points of one issue and what is left of them.

    `key` is the database id, or a negative number for a lot made in this run. `seq` is the number
    of the entry that issued it. `subject` says whose points they are (`order:123`), `rule` is the
    key of the rule version, `fact` that of the fact of origin. `expired` are points that stand in
    the bucket expired and could still be reversed.
    """

    key: int
    subject: str | None
    rule: int | None
    points: int
    remaining: int
    expired: int
    pending: bool
    available_at: datetime
    expires_at: datetime | None
    earned_at: datetime
    seq: int
    fact: int | None = None

    def is_over(self, at: datetime) -> bool:
        """Say whether the lot can no longer be used: it is usable while at < expires_at."""
        return self.expires_at is not None and self.expires_at <= at

    def due_at(self) -> datetime | None:
        """Return when time alone moves what is left of the lot; None if never."""
        if not self.remaining:
            return None
        return self.available_at if self.pending else self.expires_at


def debit_order(lot: Lot) -> tuple[datetime, datetime, int]:
    """Return the sort key of spending: earliest expiry (never last), then earned, then issued."""
    return (lot.expires_at or _FOREVER, lot.earned_at, lot.seq)


def take(lots: Iterable[Lot], points: int) -> tuple[Use, ...]:
    """Take up to that many points from lots, in the order given, and say what came from which."""
    uses: list[Use] = []
    for lot in lots:
        if points <= 0:
            break
        taken = min(lot.remaining, points)
        if taken:
            lot.remaining -= taken
            points -= taken
            uses.append((lot.key, taken))
    return tuple(uses)


def total(uses: Iterable[Use]) -> int:
    """Return how many points uses took."""
    return sum(points for _, points in uses)


def first_taken(uses: Iterable[Use], points: int) -> tuple[Use, ...]:
    """Return the part of uses that took the first points.

    Raises: ValueError when the uses took fewer, or for a negative number.
    """
    part: list[Use] = []
    left = points
    for key, taken in uses:
        if left <= 0:
            break
        part.append((key, min(taken, left)))
        left -= part[-1][1]
    if left != 0:
        raise ValueError("not a part of what was taken")
    return tuple(part)


def last_taken(uses: Sequence[Use], points: int) -> tuple[Use, ...]:
    """Return the part of uses that took the last points, last first: the order of giving back.

    Raises: ValueError when the uses took fewer, or for a negative number.
    """
    return first_taken(reversed(uses), points)


def without_last(uses: Sequence[Use], points: int) -> tuple[Use, ...]:
    """Return uses in the order taken, without the last points (which were given back before).

    Raises: ValueError when the uses took fewer, or for a negative number.
    """
    return first_taken(uses, total(uses) - points)
