"""Decide an order as intake would, and write nothing: no lock, no sequence, no row.

The batch itself does it, so what a quote says is what the order then does.
Source: design §3 (functional core), §6 (quotes).
"""

from datetime import datetime
from typing import Final

from members.models import MemberStatus, Touchpoint
from rewards.domain.account import Account
from rewards.domain.explanation import MemberTier
from rewards.domain.fold import HistoryNeededError
from rewards.domain.lot_book import LotsNeededError
from rewards.domain.posting import FactOutcome, MemberRun
from rewards.domain.receipt import Receipt
from rewards.domain.receipt import receive as receipt_of
from rewards.domain.submission import OrderFact
from rewards.domain.transfers import SYSTEM
from rewards.services import loading
from rewards.services.batch import Batch
from rewards.services.commands import MemberNotFoundError
from rewards.services.loading import Locked
from rewards.services.order_owners import APPLIED, OrderPlay
from rewards.services.programme import book_for
from tiers.domain.progress import StaleSnapshotError

# A key that no stored row has.
UNSTORED: Final = 1 << 62


class Rehearsal(Batch):
    """One member as read, with what is due done in memory, and one order that nobody stores."""

    def __init__(self, *, member: int, touchpoint: Touchpoint | None, at: datetime) -> None:
        """Read the member and settle in memory what is due.

        Raises: MemberNotFoundError, ProgrammeMissingError.
        """
        super().__init__([], touchpoint=touchpoint, at=at, settle_to=at, actor=SYSTEM)
        self.member = member
        self.locked, stamp = loading.read([member])
        if stamp is None:
            raise MemberNotFoundError
        self.book = book_for(stamp)
        self.fresh = {member: []}
        self._decide()

    @property
    def status(self) -> str:
        """Return the member's status."""
        return self.locked[self.member].status

    @property
    def account(self) -> Account:
        """Return the account with all that is due by now."""
        return self._run.account

    @property
    def tier(self) -> MemberTier:
        """Return the tier that counts now."""
        return self.book.tier_at(self.at, self._run.fold.effective_rank(self.at))

    @property
    def member_facts(self) -> dict[str, object]:
        """Return what conditions may ask of the member now."""
        return self._run.fold.facts_at(self.at)

    @property
    def _run(self) -> MemberRun:
        return self.runs[self.member]

    def outcome_of(self, order: OrderFact) -> FactOutcome:
        """Return what an order would do now. Once: the member has then had the order."""
        receipt = self._received(order)
        fact = self._fold_fact(receipt, self.member)
        try:
            (outcome,) = self._run.receive([fact], self.settle_to)
        except (HistoryNeededError, StaleSnapshotError, LotsNeededError):
            self.locked = self._read_again({self.member})
            self.fresh = {self.member: [receipt]}
            self._decide()
            _locked, outcome = self.outcomes[UNSTORED]
        return outcome

    def _received(self, order: OrderFact) -> Receipt:
        channel = "" if self.touchpoint is None else self.touchpoint.channel
        receipt = receipt_of(order, channel)
        receipt.id = receipt.order = UNSTORED
        receipt.member, receipt.state = self.member, APPLIED
        receipt.acts_at = receipt.own_instant
        if self.status == MemberStatus.CLOSED:
            receipt.body["closed"] = True
        play = OrderPlay(UNSTORED, None, new=[receipt])
        self.orders = {(order.source, order.order_no): play}
        return receipt

    def _read_again(self, members: set[int]) -> dict[int, Locked]:
        return loading.read(members)[0]
