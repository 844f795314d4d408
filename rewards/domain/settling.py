"""An account that is settled before anything else is done to it: what every operation begins with.

Pure, as the account whose operations these are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rewards.domain.buckets import Flow
from rewards.domain.lot_book import InsufficientPointsError, LotBook, PointsDebtError, Reason
from rewards.domain.lots import Lot
from rewards.domain.transfers import Cause, Grounds, Use


@dataclass(slots=True)
class SettlingBook(LotBook):
    """Lots and holds that time has acted on up to an instant."""

    def settle(self, upto: datetime, cause: Cause) -> None:
        """Post all that is due up to and including an instant, in time order.

        At one instant holds lapse, then lots become available, then lots expire.
        Raises: LotsNeededError.
        Source: design §5.2.
        """
        if self.due_at is not None and self.due_at <= upto:
            self._require_lots()
            grounds = Grounds(None, None, Reason.EXPIRED, cause)
            due = self._first_due()
            while due is not None and due <= upto:
                self._settle_instant(due, grounds)
                due = self._first_due()
            self.due_at = due
            self.check()
        self.settled_at = max(self.settled_at, upto)

    # How every operation begins and ends

    def _advance(self, at: datetime, cause: Cause) -> None:
        if at > self.settled_at:
            self.settle(at, cause.of_time())

    def _begin(self, points: int, at: datetime, grounds: Grounds) -> None:
        if points <= 0:
            raise ValueError("points must be positive")
        self._advance(at, grounds.cause)

    def _begin_spending(self, grounds: Grounds, points: int, at: datetime) -> None:
        self._begin(points, at, grounds)
        if self.debt:
            raise PointsDebtError(self.debt)
        self._require_available(points)

    def _require_available(self, points: int) -> None:
        if points > self.available:
            raise InsufficientPointsError(points, self.available)
        self._require_lots()

    def _landed(self, lots: Sequence[Lot], at: datetime, grounds: Grounds) -> None:
        self._pay_debt(lots, at, grounds)
        self._expire(lots, at, grounds)

    def _return(self, flow: Flow, back: Sequence[Use], at: datetime, grounds: Grounds) -> None:
        self._credit(flow, back, at, grounds)
        self._expire([self.lots[key] for key, _points in dict(back).items()], at, grounds)
