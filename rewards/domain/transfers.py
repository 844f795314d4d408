"""What one entry of the ledger says: the transfer, its cause and on what grounds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rewards.domain.buckets import Bucket

SYSTEM: Final = "system"
"""The actor of what time alone brings about."""

Use = tuple[int, int]
"""A lot's key and the points taken from it (negative: given back)."""


@dataclass(frozen=True, slots=True)
class FactRef:
    """The received fact that caused a posting; `key` is the database id and is not hashed."""

    key: int | None
    source: str
    kind: str
    ref: str
    version: int


@dataclass(frozen=True, slots=True)
class RuleRef:
    """A version of an earning rule; `key` is the database id and is not hashed."""

    key: int | None
    code: str
    version: int


@dataclass(frozen=True, slots=True)
class Cause:
    """What made an entry be written, by whom and when; `fact` is None for commands and time."""

    fact: FactRef | None
    actor: str
    recorded_at: datetime

    def of_time(self) -> "Cause":
        """Return the cause of what was merely due when this one was recorded."""
        if self.fact is None and self.actor == SYSTEM:
            return self
        return Cause(None, SYSTEM, self.recorded_at)


@dataclass(frozen=True, slots=True)
class Grounds:
    """On what grounds points move: whose they are, by which rule, for which reason and cause.

    `hold` is the key of the hold that the points belong to, where there is one.
    """

    subject: str | None
    rule: RuleRef | None
    reason: str
    cause: Cause
    hold: int | None = None

    def because(self, reason: str) -> "Grounds":
        """Return the same grounds with another reason code."""
        return Grounds(self.subject, self.rule, reason, self.cause, self.hold)

    def of_hold(self, hold: int) -> "Grounds":
        """Return the same grounds for the points of a hold."""
        return Grounds(self.subject, self.rule, self.reason, self.cause, hold)


@dataclass(slots=True)
class Transfer:
    """One entry: a positive number of points from one bucket to another, sealed by its hash.

    `uses` says which lots the points left or came back to; `lot` is the key of the lot that the
    entry made. The hash is set once, when the journal appends the entry.
    """

    seq: int
    source: Bucket
    target: Bucket
    points: int
    cause: Cause
    subject: str | None
    rule: RuleRef | None
    reason: str
    occurred_at: datetime
    uses: tuple[Use, ...]
    lot: int | None
    prev_hash: bytes
    hash: bytes = b""
    hold: int | None = None
