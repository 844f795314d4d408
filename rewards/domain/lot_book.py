"""The lots and holds of one account: how points move through them, one transfer at a time.

The steps that the operations of the account are made of. Each keeps lots and counters together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from rewards.domain import buckets, validity
from rewards.domain.buckets import Bucket, Flow
from rewards.domain.holds import Hold, HoldClosedError, HoldState
from rewards.domain.journal import AccountBrokenError, Journal
from rewards.domain.lots import Lot, debit_order, last_taken, take, total
from rewards.domain.transfers import Grounds, Use

LotTerms = tuple[datetime | None, datetime | None, datetime | None]
"""When a lot becomes available, expires, and was earned; None: at once, never, as it occurs."""


class Reason(StrEnum):
    """Why the engine itself posts an entry; all other reasons come from the caller."""

    ACTIVATED = "activated"
    EXPIRED = "expired"
    DEBT_SETTLED = "debt_settled"
    HOLD_LAPSED = "hold_lapsed"
    HOLD_RELEASED = "hold_released"


class LotsNeededError(Exception):
    """The operation cannot be decided without lots or holds that are not loaded.

    The operation has done nothing yet: load them, `attach` them and call again. `lots` and `holds`
    name what is needed beyond the open ones; both empty means the open ones.
    """

    def __init__(
        self, lots: frozenset[int] = frozenset(), holds: frozenset[int] = frozenset()
    ) -> None:
        super().__init__(sorted(lots), sorted(holds))
        self.lots = lots
        self.holds = holds


class PointsDebtError(DomainError):
    """The member owes points and may not spend."""

    def __init__(self, debt: int) -> None:
        super().__init__("points_debt", _("Points are owed; none can be spent."), 409, debt=debt)


class InsufficientPointsError(DomainError):
    """Fewer points are available than the command needs."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            "insufficient_points", _("Not enough points."), 409, needed=needed, available=available
        )


@dataclass(slots=True)
class LotBook(Journal):
    """A journal with the lots and holds behind its balances.

    With `lots_loaded`, `lots` holds every lot with something left, pending or not, every lot of the
    subjects about to fall, and the lots that points are about to be given back to; `holds` every
    hold that is held. Without, only what is made in this run. `due_at` is never later than the
    first instant at which time alone changes the account. `scheduled` are the subjects whose
    pending points got another instant to become available at.
    """

    lots_loaded: bool = False
    lots: dict[int, Lot] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    due_at: datetime | None = None
    new_lots: list[Lot] = field(default_factory=list)
    touched_lots: set[int] = field(default_factory=set)
    touched_holds: set[int] = field(default_factory=set)
    closed_holds: set[int] = field(default_factory=set)
    scheduled: list[tuple[str, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.lots_loaded:
            self.due_at = self._first_due()

    def attach(self, lots: Iterable[Lot], holds: Iterable[Hold] = ()) -> None:
        """Add loaded lots and holds; what this run has already made or changed stays."""
        for lot in lots:
            self.lots.setdefault(lot.key, lot)
        for hold in holds:
            self.holds.setdefault(hold.key, hold)
        self.lots_loaded = True
        self.due_at = self._first_due()

    def next_due_at(self) -> datetime | None:
        """Return the earliest instant at which time alone changes the account.

        Exact when the lots are loaded, else never later than that instant.
        """
        return self._first_due() if self.lots_loaded else self.due_at

    def check(self) -> None:
        """Refuse counters that do not add up or, with lots loaded, differ from the lots.

        Raises: AccountBrokenError.
        """
        self.check_counters()
        if not self.lots_loaded:
            return
        usable = pending = 0
        for lot in self.lots.values():
            if lot.pending:
                pending += lot.remaining
            else:
                usable += lot.remaining
        if (usable, pending) != (self.available, self.pending):
            raise AccountBrokenError(f"account {self.key}: lots differ from the balance")

    # What must be loaded

    def _require_lots(self) -> None:
        if not self.lots_loaded:
            raise LotsNeededError

    def _require_lots_of(self, uses: Iterable[Use]) -> None:
        missing = frozenset(key for key, _points in uses if key not in self.lots)
        if missing:
            raise LotsNeededError(lots=missing)

    def _known_hold(self, key: int) -> Hold:
        if key not in self.holds:
            raise LotsNeededError(holds=frozenset({key}))
        return self.holds[key]

    def _held(self, key: int) -> Hold:
        hold = self._known_hold(key)
        if hold.state is not HoldState.HELD:
            raise HoldClosedError(hold.state)
        return hold

    # What is due

    def _first_due(self) -> datetime | None:
        due = [at for lot in self.lots.values() if (at := lot.due_at()) is not None]
        due += [hold.expires_at for hold in self.holds.values() if hold.state is HoldState.HELD]
        return min(due, default=None)

    def _note_due(self, at: datetime | None) -> None:
        if at is not None and (self.due_at is None or at < self.due_at):
            self.due_at = at

    def _settle_instant(self, at: datetime, grounds: Grounds) -> None:
        self.settled_at = max(self.settled_at, at)
        held = [hold for hold in self.holds.values() if hold.state is HoldState.HELD]
        for hold in sorted(held, key=lambda hold: (hold.expires_at, hold.key)):
            if hold.expires_at <= at:
                self._lapse(hold, at, grounds)
        due = [lot for lot in self.lots.values() if (when := lot.due_at()) and when <= at]
        self._activate([lot for lot in due if lot.pending], at, grounds)
        self._expire(self.lots.values(), at, grounds)

    def _lapse(self, hold: Hold, at: datetime, grounds: Grounds) -> None:
        self._close(hold, HoldState.LAPSED)
        lapsed = Grounds(hold.subject, None, Reason.HOLD_LAPSED, grounds.cause, hold.key)
        if hold.points:
            self._credit(buckets.RELEASE, last_taken(hold.uses, hold.points), at, lapsed)

    def _close(self, hold: Hold, state: HoldState) -> None:
        hold.state = state
        self.touched_holds.add(hold.key)
        self.closed_holds.add(hold.key)

    # Steps

    def _issue(
        self, flow: Flow, grounds: Grounds, points: int, at: datetime, terms: LotTerms
    ) -> Lot:
        available_at, expires_at, earned_at = terms
        pending = flow[1] is Bucket.PENDING
        key = -1 - len(self.new_lots)
        rule, fact = grounds.rule, grounds.cause.fact
        lot = Lot(
            key, grounds.subject, None if rule is None else rule.key, points, points, 0, pending,
            available_at if pending and available_at is not None else at, expires_at,
            earned_at or at, self.seq + 1, None if fact is None else fact.key,
        )  # fmt: skip
        self.post(flow, points, at, grounds, (), key)
        self.lots[key] = lot
        self.new_lots.append(lot)
        return lot

    def _spend(self, flow: Flow, points: int, at: datetime, grounds: Grounds) -> tuple[Use, ...]:
        return self._debit(flow, self._open_lots(), points, at, grounds)[1]

    def _debit(
        self, flow: Flow, lots: Iterable[Lot], points: int, at: datetime, grounds: Grounds
    ) -> tuple[int, tuple[Use, ...]]:
        """Move up to that many points out of lots; return what is still missing, and the uses."""
        uses = take(lots, points)
        taken = total(uses)
        if taken:
            self.post(flow, taken, at, grounds, uses)
            self.touched_lots.update(key for key, _points in uses)
        return points - taken, uses

    def _take_expired(
        self, flow: Flow, lots: Iterable[Lot], points: int, at: datetime, grounds: Grounds
    ) -> int:
        taken = 0
        for lot in lots:
            part = min(lot.expired, points - taken)
            if part:
                lot.expired -= part
                taken += part
                self.touched_lots.add(lot.key)
        if taken:
            self.post(flow, taken, at, grounds)
        return points - taken

    def _credit(self, flow: Flow, back: Sequence[Use], at: datetime, grounds: Grounds) -> None:
        """Put points back into lots and let debt take what it is owed; nothing expires yet."""
        parts: dict[int, int] = {}
        for key, points in back:
            parts[key] = parts.get(key, 0) - points
        for key, points in parts.items():
            self.lots[key].remaining -= points
        self.touched_lots.update(parts)
        self.post(flow, total(back), at, grounds, tuple(parts.items()))
        lots = [self.lots[key] for key in parts]
        self._pay_debt(lots, at, grounds)
        for lot in lots:
            self._note_due(lot.due_at())

    def _activate(self, lots: Sequence[Lot], at: datetime, grounds: Grounds) -> None:
        if not lots:
            return
        for lot in lots:
            lot.pending = False
            self.touched_lots.add(lot.key)
        points = sum(lot.remaining for lot in lots)
        self.post(buckets.ACTIVATE, points, at, grounds.because(Reason.ACTIVATED))
        self._pay_debt(lots, at, grounds)

    def _pay_debt(self, lots: Sequence[Lot], at: datetime, grounds: Grounds) -> None:
        """Settle debt from lots that have just got points: beside debt no others have any."""
        if self.debt:
            usable = [lot for lot in lots if not lot.is_over(self.settled_at)]
            settled = grounds.because(Reason.DEBT_SETTLED)
            usable.sort(key=debit_order)
            self._debit(buckets.PAY_DEBT, usable, self.debt, at, settled)

    def _expire(self, lots: Iterable[Lot], at: datetime, grounds: Grounds) -> None:
        """Expire what is left in lots that are over: at their end, or now if that has passed."""
        instants: dict[datetime, list[Lot]] = {}
        for lot in lots:
            end = lot.expires_at
            if lot.remaining and not lot.pending and end is not None and end <= self.settled_at:
                instants.setdefault(max(end, at), []).append(lot)
        for instant in sorted(instants):
            ending = sorted(instants[instant], key=debit_order)
            for lot in ending:
                lot.expired += lot.remaining
            points = sum(lot.remaining for lot in ending)
            self._debit(buckets.EXPIRE, ending, points, instant, grounds.because(Reason.EXPIRED))

    def _extend_over(self, back: Iterable[Use], at: datetime, days: int) -> None:
        """Keep lots that are over, and are about to get points back, for some more days."""
        end = validity.end_of_day_after(at, days)
        for key, _points in back:
            lot = self.lots[key]
            if lot.is_over(at) and lot.is_over(end):
                lot.expires_at = end

    # Which lots

    def _open_lots(self) -> list[Lot]:
        usable = [lot for lot in self.lots.values() if lot.remaining and not lot.pending]
        return sorted(usable, key=debit_order)

    def _own_lots(self, grounds: Grounds) -> list[Lot]:
        """Return the lots of the subject, those of the same rule first."""
        if grounds.subject is None:
            return []
        rule = None if grounds.rule is None else grounds.rule.key
        own = [lot for lot in self.lots.values() if lot.subject == grounds.subject]
        return sorted(own, key=lambda lot: (lot.rule != rule, debit_order(lot)))
