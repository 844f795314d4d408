"""The journal of one account: its counters and hash chain, changed only by appending transfers."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from rewards.domain import chain
from rewards.domain.buckets import ALLOWED, Bucket, Flow
from rewards.domain.transfers import Grounds, Transfer, Use

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

_LEAVING: Final[dict[Bucket, tuple[str, int]]] = {
    Bucket.ISSUANCE: ("earned", 1),
    Bucket.PENDING: ("pending", -1),
    Bucket.AVAILABLE: ("available", -1),
    Bucket.RESERVED: ("reserved", -1),
    Bucket.REDEEMED: ("redeemed", -1),
    Bucket.EXPIRED: ("expired", -1),
    Bucket.REVERSED: ("reversed", -1),
    Bucket.DEBT: ("debt", 1),
    Bucket.ADJUSTMENT: ("adjusted", -1),
    Bucket.TRANSFER: ("adjusted", -1),
}
"""The counter that a bucket shows in and how points that leave it change it: issuance and debt
count what is missing in their bucket, so they grow."""

_EFFECTS: Final[dict[Flow, tuple[str, int, str, int]]] = {
    (source, target): (*_LEAVING[source], _LEAVING[target][0], -_LEAVING[target][1])
    for source, target in ALLOWED
}


class AccountBrokenError(Exception):
    """An invariant of the account does not hold: nothing of this run may be stored."""


@dataclass(slots=True)
class Journal:
    """Balances and lifetime counters of an account and the transfers appended in this run.

    `adjusted` is net of adjustment and transfer and may be negative; nothing else may.
    `settled_at` is the instant up to which everything due has been posted.
    """

    key: int
    member: str
    kind: str = "points"
    pending: int = 0
    available: int = 0
    reserved: int = 0
    debt: int = 0
    earned: int = 0
    redeemed: int = 0
    expired: int = 0
    reversed: int = 0
    adjusted: int = 0
    seq: int = 0
    head_hash: bytes = chain.GENESIS
    settled_at: datetime = BEGINNING
    transfers: list[Transfer] = field(default_factory=list)

    def post(
        self,
        flow: Flow,
        points: int,
        at: datetime,
        grounds: Grounds,
        uses: tuple[Use, ...] = (),
        lot: int | None = None,
    ) -> Transfer:
        """Append one transfer and move its points between the counters.

        Raises: AccountBrokenError for a flow that is not allowed or points that are not positive.
        """
        effect = _EFFECTS.get(flow)
        if effect is None or not 0 < points <= chain.MAX_INTEGER:
            raise AccountBrokenError(f"{flow[0]} to {flow[1]} of {points} points")
        self.seq += 1
        transfer = Transfer(
            self.seq, flow[0], flow[1], points, grounds.cause, grounds.subject, grounds.rule,
            grounds.reason, at, uses, lot, self.head_hash, hold=grounds.hold,
        )  # fmt: skip
        transfer.hash = self.head_hash = chain.entry_hash(self.member, self.kind, transfer)
        source, out, target, into = effect
        setattr(self, source, getattr(self, source) + out * points)
        setattr(self, target, getattr(self, target) + into * points)
        self.transfers.append(transfer)
        return transfer

    def check_counters(self) -> None:
        """Refuse counters that do not add up, are negative, or leave debt beside points.

        Raises: AccountBrokenError.
        """
        kept = self.pending + self.available + self.reserved - self.debt
        gone = self.redeemed + self.expired + self.reversed + self.adjusted
        if kept + gone != self.earned:
            raise AccountBrokenError(f"account {self.key}: buckets do not sum to what was earned")
        if min(
            self.pending, self.available, self.reserved, self.debt,
            self.earned, self.redeemed, self.expired, self.reversed,
        ) < 0:  # fmt: skip
            raise AccountBrokenError(f"account {self.key}: a bucket is negative")
        if self.debt and self.available:
            raise AccountBrokenError(f"account {self.key}: debt beside available points")
