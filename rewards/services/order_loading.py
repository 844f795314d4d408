"""Hand imported orders to the intake and count what became of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rewards.domain.submission import OrderFact
from rewards.services import importing, intake
from rewards.services.answers import Outcome
from rewards.services.rejects import Reject, RejectsFile


def _without_rows(fact: OrderFact, code: str) -> list[Reject]:
    return [Reject(0, code, "order_no", fact.order_no)]


@dataclass(frozen=True, slots=True)
class OrderTaker:
    """Takes batches of orders in; `rows_of` lists the rows of an order that is refused."""

    at: datetime
    is_history: bool
    rejects: RejectsFile
    rows_of: Callable[[OrderFact, str], list[Reject]] = _without_rows

    def take(self, facts: Sequence[OrderFact]) -> Counter[str]:
        """Receive the facts; in the caller's transaction."""
        outcomes = intake.receive(
            facts,
            touchpoint=None,
            at=self.at,
            history=self.is_history,
            actor=importing.ACTOR,
        )
        counts = Counter(orders=len(facts), lines=sum(len(fact.lines) for fact in facts))
        for fact, outcome in zip(facts, outcomes, strict=True):
            if outcome.code is None:
                counts[_fate(outcome)] += 1
            else:
                rows = self.rows_of(fact, outcome.code)
                counts["rejected"] += len(rows)
                self.rejects.add(rows)
        return counts


def _fate(outcome: Outcome) -> str:
    if outcome.data.get("replayed"):
        return "unchanged"
    return "awaiting" if outcome.status == 202 else "applied"
