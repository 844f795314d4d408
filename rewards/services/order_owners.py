"""Orders that a batch touches, and whose they are when sent for another member.

Source: MEM-04, SVC-01.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rewards.domain.receipt import Receipt
from rewards.domain.subjects import ORDER
from rewards.services import loading, viewers
from rewards.services.loading import Locked

APPLIED: Final = "applied"


@dataclass(slots=True)
class OrderPlay:
    """An order that the batch touches: what is stored of it and what is new."""

    id: int
    stored_member: int | None
    members: frozenset[int] = frozenset()
    stored: list[Receipt] = field(default_factory=list)
    new: list[Receipt] = field(default_factory=list)

    def versions(self) -> list[Receipt]:
        """Return the order's versions that count, stored and new."""
        both = [*self.stored, *self.new]
        return [each for each in both if each.kind == ORDER and each.state == APPLIED]

    def apply(self, receipt: Receipt) -> None:
        """Let a fact that waited fold with the new ones."""
        receipt.state, receipt.order = APPLIED, self.id
        if receipt in self.stored:
            self.stored.remove(receipt)
            self.new.append(receipt)

    def names_coupons(self) -> bool:
        """Say whether any version names coupons, or a reservation that may hold some."""
        return any("coupons" in e.body or "reservation" in e.body for e in self.versions())

    def highest(self) -> Receipt:
        """Return the version that counts in the end."""
        return max(self.versions(), key=lambda each: each.version)


Sent = tuple[Receipt, int, int | None]
"""A version of an order on its way, the order, and the member whose it is so far."""


def follow_moves(sent: Sequence[Sent]) -> None:
    """Let what is sent for the former member of an order that staff moved be its owner's.

    No statement where every order is sent for the member whose it is.
    """
    others = [each for each in sent if each[2] not in (None, each[0].member)]
    if not others:
        return
    moved = loading.moved_from([order for _receipt, order, _owner in others])
    for receipt, order, owner in others:
        if (order, receipt.member) in moved:
            receipt.member = owner


def keep_with_merged(sent: Sequence[Sent], locked: Mapping[int, Locked]) -> None:
    """Leave an order with the member that placed it when only that one was merged since.

    Its points were earned there, and are corrected there; what follows from that is passed on.
    """
    for receipt, _order, owner in sent:
        if owner and receipt.member in viewers.line_of(locked, owner):
            receipt.member = owner
