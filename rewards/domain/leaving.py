"""One member's run in which an order leaves: as if it had never been this member's.

Source: design §5.1 (3), (6); SVC-01.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from rewards.domain.differences import (
    LATE_FACT,
    Difference,
    progress_made,
    stands_otherwise,
    subjects_of,
)
from rewards.domain.posting import FactOutcome, MemberRun
from rewards.domain.subjects import INTERACTION, ORDER, FoldFact, Step

MOVED: Final = "order_moved"


class LeavingRun(MemberRun):
    """A run over a member's whole history, the order that leaves among it."""

    def leave(self, order: int, at: datetime) -> FactOutcome:
        """Take back what the order has earned, and all that went by it, from now on.

        What it leaves behind is the fold of the other facts alone: a recomputation that no longer
        sees the order comes to the same.
        """
        self._settle_account(at)
        fact = self._newest_of(order)
        old, rank_before = self.fold, self.fold.effective_rank(at)
        own = self._without_owner(order)
        self.facts = [each for each in self.facts if not _is_of(each, order)]
        self.fold, self.is_refolded = self._fold_history(self.facts), True
        differences = [Difference(own.subject, own.state, self.posted.get(own.subject, {}), MOVED)]
        for subject, state in subjects_of(self.fold):
            wanted = self.posted.get(subject, {})
            if state.awards != wanted or stands_otherwise(old, state):
                differences.append(Difference(subject, state, wanted, LATE_FACT))
        self._post(fact, at, differences)
        progress = self._progress(own, progress_made(old, own), differences)
        self.settle(max(at, self.account.settled_at))
        return FactOutcome(
            fact,
            [self._decide(fact, difference) for difference in differences],
            is_superseded=False,
            progress=progress,
            rank_before=rank_before,
            rank_after=self.fold.effective_rank(at),
            balance=self.balance(),
            issues=[],
        )

    def _newest_of(self, order: int) -> FoldFact:
        versions = [each for each in self.facts if each.kind == ORDER and _is_of(each, order)]
        return replace(max(versions, key=lambda each: each.version), is_mine=False)

    def _without_owner(self, order: int) -> Step:
        """Return how the order stands for a member whose it never was."""
        facts = [
            replace(each, is_mine=False) if each.kind == ORDER and _is_of(each, order) else each
            for each in self.facts
        ]
        state = self._fold_history(facts).orders[order]
        return Step((ORDER, order), state, {}, ())


def _is_of(fact: FoldFact, order: int) -> bool:
    return fact.kind != INTERACTION and fact.subject == order
