"""The points account engine: what earning, spending, giving back and time do to one account.

Pure: lots and counters in, transfers and changed lots out. Every operation first posts what is due
up to its own instant, refuses before it changes anything, and checks the invariants at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rewards.domain import buckets
from rewards.domain.buckets import Bucket, Flow
from rewards.domain.holds import Hold, HoldState
from rewards.domain.lot_book import InsufficientPointsError, Reason
from rewards.domain.lots import Lot, last_taken
from rewards.domain.settling import SettlingBook
from rewards.domain.transfers import Cause, Grounds, Use

_DOWN: Final[dict[Flow, Flow]] = {
    buckets.ADJUST_UP: buckets.ADJUST_DOWN,
    buckets.TRANSFER_IN: buckets.TRANSFER_OUT,
}


@dataclass(slots=True)
class Account(SettlingBook):
    """One points account in memory and everything that may happen to it.

    The caller loads what `LotBook` says, calls operations, and writes `transfers`, `new_lots`,
    `touched_lots` and `touched_holds`.
    """

    # Earning

    def rise(
        self,
        grounds: Grounds,
        points: int,
        occurred_at: datetime,
        *,
        available_at: datetime | None = None,
        expires_at: datetime | None = None,
        earned_at: datetime | None = None,
    ) -> Lot:
        """Issue points as a new lot, pending until `available_at` where that is still to come.

        Debt is settled first. A lot that is already over expires at once and pays no debt.
        Needs no lots: beside debt no points are available, so only the new lot can pay it.
        Source: design §5.3 (3), (4), (5).
        """
        self._begin(points, occurred_at, grounds)
        pending = available_at is not None and available_at > occurred_at
        lot = self._issue(
            buckets.EARN_PENDING if pending else buckets.EARN, grounds, points, occurred_at,
            (available_at, expires_at, earned_at),
        )  # fmt: skip
        if available_at is None or not pending:
            self._landed((lot,), occurred_at, grounds)
        elif available_at <= self.settled_at:
            self._activate((lot,), available_at, grounds)
            self._expire((lot,), available_at, grounds)
        self._note_due(lot.due_at())
        self.check_counters()
        return lot

    def fall(
        self,
        grounds: Grounds,
        points: int,
        occurred_at: datetime,
        *,
        into: Bucket = Bucket.REVERSED,
    ) -> None:
        """Take points of a subject back, or transfer them where another account owes them.

        Taken in this order: the subject's pending points, what remains of its lots (of the same
        rule first, each time), what of them has expired, the member's other available points in
        debit order; the rest becomes debt. Held points count as spent.
        Raises: LotsNeededError.
        Source: design §5.3 (3).
        """
        self._require_lots()
        self._begin(points, occurred_at, grounds)
        own = self._own_lots(grounds)
        pending = [lot for lot in own if lot.pending]
        usable = [lot for lot in own if not lot.pending]
        available: Flow = (Bucket.AVAILABLE, into)
        left, _ = self._debit((Bucket.PENDING, into), pending, points, occurred_at, grounds)
        left, _ = self._debit(available, usable, left, occurred_at, grounds)
        left = self._take_expired((Bucket.EXPIRED, into), usable, left, occurred_at, grounds)
        if left:
            left, _ = self._debit(available, self._open_lots(), left, occurred_at, grounds)
        if left:
            self.post((Bucket.DEBT, into), left, occurred_at, grounds)
        self.check()

    # Spending

    def redeem(self, grounds: Grounds, points: int, at: datetime) -> tuple[Use, ...]:
        """Spend available points and return the lots they came from, in the order taken.

        Raises: PointsDebtError, InsufficientPointsError, LotsNeededError.
        """
        self._begin_spending(grounds, points, at)
        uses = self._spend(buckets.REDEEM, points, at, grounds)
        self.check()
        return uses

    def spend(self, grounds: Grounds, key: int, points: int, at: datetime) -> Hold:
        """Spend available points under a key of their own: held and captured in one entry.

        What is given back later goes through `give_back_captured`, as with any captured hold.
        Raises: PointsDebtError, InsufficientPointsError, LotsNeededError.
        """
        if key in self.holds:
            raise ValueError("points are spent under a key of their own")
        self._begin_spending(grounds, points, at)
        uses = self._spend(buckets.REDEEM, points, at, grounds.of_hold(key))
        hold = self.holds[key] = Hold(key, points, uses, at, grounds.subject)
        hold.state, hold.captured = HoldState.CAPTURED, points
        self.touched_holds.add(key)
        self.check()
        return hold

    def hold(  # noqa: PLR0913 - what a hold says
        self,
        grounds: Grounds,
        key: int,
        points: int,
        at: datetime,
        expires_at: datetime,
        *,
        parent: int | None = None,
        min_rank: int | None = None,
    ) -> Hold:
        """Set available points aside until an instant; at that instant the hold is over.

        None at all may be held: then it is only an instant at which other things are over. With a
        parent it is a part of that hold, captured whole and released with it.
        Raises: PointsDebtError, InsufficientPointsError, LotsNeededError.
        """
        if expires_at <= at or key in self.holds or points < 0:
            raise ValueError("a hold needs a key of its own, some time, and no less than nothing")
        uses: tuple[Use, ...] = ()
        if points:
            self._begin_spending(grounds, points, at)
            uses = self._spend(buckets.HOLD, points, at, grounds.of_hold(key))
        else:
            self._require_lots()
            self._advance(at, grounds.cause)
        hold = Hold(key, points, uses, expires_at, grounds.subject, parent, min_rank)
        self.holds[key] = hold
        self.touched_holds.add(key)
        self._note_due(expires_at)
        self.check()
        return hold

    def capture(
        self,
        grounds: Grounds,
        key: int,
        points: int | None,
        at: datetime,
        *,
        rank: int | None = None,
    ) -> tuple[Use, ...]:
        """Make held points final, all of them or fewer, release the rest and return the uses.

        A lot that has expired while held is captured like any other. Parts are captured whole; one
        that is for a higher rank than the member now has is released instead.
        Raises: HoldClosedError, InsufficientPointsError (more than held), LotsNeededError.
        """
        parts = self._held_parts(key)
        uses = self._capture(grounds.of_hold(key), key, points, at)
        of_no_order = Grounds(None, None, grounds.reason, grounds.cause)
        for part in parts:
            if rank is not None and part.min_rank is not None and rank < part.min_rank:
                self._release(of_no_order.of_hold(part.key).because(Reason.HOLD_RELEASED), part, at)
            else:
                self._capture(of_no_order.of_hold(part.key), part.key, None, at)
        return uses

    def _capture(
        self, grounds: Grounds, key: int, points: int | None, at: datetime
    ) -> tuple[Use, ...]:
        hold = self._open_hold(key, at, grounds)
        captured = hold.points if points is None else points
        if captured < 0:
            raise ValueError("captured points must not be negative")
        if captured > hold.points:
            raise InsufficientPointsError(captured, hold.points)
        rest = last_taken(hold.uses, hold.points - captured)
        self._require_lots_of(rest)
        if captured:
            self.post(buckets.CAPTURE, captured, at, grounds)
        hold.captured = captured
        self._close(hold, HoldState.CAPTURED)
        if rest:
            self._return(buckets.RELEASE, rest, at, grounds.because(Reason.HOLD_RELEASED))
        self.check()
        return hold.captured_uses

    def release(self, grounds: Grounds, key: int, at: datetime) -> None:
        """Give all points of a hold, and of its parts, back to their lots.

        Raises: HoldClosedError, LotsNeededError.
        """
        parts = self._held_parts(key)
        grounds = grounds.of_hold(key)
        self._release(grounds, self._open_hold(key, at, grounds), at)
        for part in parts:
            self._release(grounds.of_hold(part.key), part, at)

    def _release(self, grounds: Grounds, hold: Hold, at: datetime) -> None:
        back = last_taken(hold.uses, hold.points)
        self._require_lots_of(back)
        self._close(hold, HoldState.RELEASED)
        if back:
            self._return(buckets.RELEASE, back, at, grounds)
        self.check()

    def _held_parts(self, key: int) -> list[Hold]:
        """Return the parts of a hold that are held, in the order of their keys.

        Raises: LotsNeededError where their lots are not loaded: nothing has been done yet.
        """
        self._require_lots()
        parts = [hold for hold in self.holds.values() if hold.parent == key]
        held = [part for part in parts if part.state is HoldState.HELD]
        for part in held:
            self._require_lots_of(part.uses)
        return sorted(held, key=lambda part: part.key)

    # Giving back

    def give_back(
        self,
        grounds: Grounds,
        uses: Sequence[Use],
        points: int,
        occurred_at: datetime,
        *,
        give_back_min_days: int = 0,
    ) -> None:
        """Give redeemed points back to the lots of `uses` (in the order taken), last taken first.

        A lot that is over by then is extended to the end of the n-th local day after, if the
        minimum is set; otherwise its points expire at once. Debt is settled when all lots have
        their points.
        Raises: LotsNeededError; ValueError for more points than the uses took.
        Source: design §5.3 (6), §5.6.
        """
        back = last_taken(uses, points)
        self._require_lots_of(back)
        self._begin(points, occurred_at, grounds)
        if give_back_min_days > 0:
            self._extend_over(back, occurred_at, give_back_min_days)
        self._return(buckets.GIVE_BACK, back, occurred_at, grounds)
        self.check()

    def give_back_captured(
        self,
        grounds: Grounds,
        key: int,
        points: int,
        occurred_at: datetime,
        *,
        give_back_min_days: int = 0,
    ) -> None:
        """Give captured points of a hold back; the next time goes on where this one ended.

        Raises: LotsNeededError; ValueError for more points than were captured and not given back.
        """
        hold = self._known_hold(key)
        self.give_back(
            grounds.of_hold(key),
            hold.spent_uses,
            points,
            occurred_at,
            give_back_min_days=give_back_min_days,
        )
        hold.given_back += points
        self.touched_holds.add(key)

    # Handing over to another account

    def hand_over(self, grounds: Grounds, lot: Lot, at: datetime) -> int:
        """Transfer what is left of a lot to another account; returns how many points.

        Raises: LotsNeededError.
        Source: MEM-04.
        """
        self._require_lots()
        points = lot.remaining
        self._begin(points, at, grounds)
        flow = buckets.TRANSFER_OUT_PENDING if lot.pending else buckets.TRANSFER_OUT
        self._debit(flow, (lot,), points, at, grounds)
        self.check()
        return points

    def take_over(self, grounds: Grounds, points: int, lot: Lot, at: datetime) -> Lot:
        """Take points of another account's lot in: a lot of our own with its dates and subject.

        Debt is settled first, from points that are available.
        Raises: LotsNeededError.
        Source: MEM-04.
        """
        self._require_lots()
        self._begin(points, at, grounds)
        flow = buckets.TRANSFER_IN_PENDING if lot.pending else buckets.TRANSFER_IN
        terms = (lot.available_at, lot.expires_at, lot.earned_at)
        taken = self._issue(flow, grounds, points, at, terms)
        if not lot.pending:
            self._landed((taken,), at, grounds)
        self._note_due(taken.due_at())
        self.check()
        return taken

    # Corrections

    def adjust(
        self,
        grounds: Grounds,
        points: int,
        occurred_at: datetime,
        *,
        expires_at: datetime | None = None,
        earned_at: datetime | None = None,
        flow: Flow = buckets.ADJUST_UP,
    ) -> tuple[Use, ...]:
        """Add points as a new lot, or take available ones in debit order when negative.

        `flow` is ADJUST_UP or, for points that come from or go to another account, TRANSFER_IN.
        Raises: InsufficientPointsError, LotsNeededError.
        Source: design §5.3 (7).
        """
        self._begin(abs(points), occurred_at, grounds)
        uses: tuple[Use, ...] = ()
        if points > 0:
            lot = self._issue(flow, grounds, points, occurred_at, (None, expires_at, earned_at))
            self._landed((lot,), occurred_at, grounds)
            self._note_due(lot.due_at())
        else:
            self._require_available(-points)
            uses = self._spend(_DOWN[flow], -points, occurred_at, grounds)
        self.check()
        return uses

    def extend_lots(self, expires_at: datetime, at: datetime, cause: Cause) -> None:
        """Move the expiry of every open lot that would end earlier (sliding validity).

        Raises: LotsNeededError.
        """
        self._require_lots()
        self._advance(at, cause)
        for lot in self.lots.values():
            if lot.remaining and not lot.is_over(at) and lot.is_over(expires_at):
                lot.expires_at = expires_at
                self.touched_lots.add(lot.key)

    def schedule(self, subject: str, available_at: datetime, cause: Cause) -> None:
        """Set when the pending points of a subject become available.

        Raises: LotsNeededError.
        """
        self._require_lots()
        self.scheduled.append((subject, available_at))
        for lot in self.lots.values():
            if lot.pending and lot.subject == subject and lot.available_at != available_at:
                lot.available_at = available_at
                self.touched_lots.add(lot.key)
                self._note_due(available_at)
        self.settle(self.settled_at, cause)

    def _open_hold(self, key: int, at: datetime, grounds: Grounds) -> Hold:
        self._held(key)
        self._advance(at, grounds.cause)
        return self._held(key)
