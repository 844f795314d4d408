"""The state of one member's fold: what is kept between facts, and its snapshot."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import IntEnum
from typing import Any, Self

from config.base import clock
from tiers.domain.changes import Reason, StandingChange
from tiers.domain.figures import MemberProgress
from tiers.domain.ladder import Ladder, LadderBook
from tiers.domain.progress import SLACK_DAYS, DayBook, StaleSnapshotError
from tiers.domain.windows import NEVER, Anchors

Suspension = tuple[datetime, datetime | None]
"""When the member was frozen, and when that ended."""


class Due(IntEnum):
    """What time alone does; at one instant in this order."""

    LADDER = 0
    REVIEW = 1
    REQUALIFY = 2
    TENURE = 3


class FoldState:
    """Progress, standing and recent upgrades of one member.

    ``changes`` collects what has happened, oldest first; whoever writes it down empties it.
    ``upgrades`` holds (local day, rank before) of those that a refund may still take back.
    ``acted_at`` is the instant of the last fact or due act. Days are ordinals.
    """

    __slots__ = (
        "_book",
        "_seen",
        "_wakes_on",
        "acted_at",
        "changes",
        "joined_at",
        "kept_until",
        "progress",
        "rank",
        "requalify_on",
        "since_at",
        "tenure_seen",
        "upgrades",
        "version",
    )

    def __init__(self, joined_at: datetime, since_at: datetime, progress: MemberProgress) -> None:
        """Hold a member at the lowest rank; ``enrol`` and ``from_json`` are the ways in."""
        self.joined_at = joined_at
        self.since_at = since_at
        self.acted_at = since_at
        self.progress = progress
        self.rank = 0
        self.kept_until: int | None = None
        self.requalify_on: int | None = None
        self.tenure_seen = progress.anchors.standing
        self.upgrades: list[tuple[int, int]] = []
        self.version: int | None = None
        self.changes: list[StandingChange] = []
        self._book: LadderBook | None = None
        # 0 where the day is not known; what moves anything that is due resets it.
        self._wakes_on = 0
        self._seen: tuple[datetime, int] | None = None

    @classmethod
    def enrol(
        cls,
        joined_at: datetime,
        *,
        standing_from: datetime | None = None,
        suspensions: Iterable[Suspension] = (),
    ) -> Self:
        """Begin at the lowest rank; a standing may begin before enrolment (claimed orders)."""
        since_at = standing_from or joined_at
        joined, since = (clock.local_day(at).toordinal() for at in (joined_at, since_at))
        anchors = Anchors(joined, since, suspended_days(suspensions))
        fold = cls(joined_at, since_at, MemberProgress(DayBook(), anchors))
        fold.changes.append(StandingChange(since_at, 0, None, None, Reason.ENROLLED, {}))
        return fold

    @property
    def kept_until_on(self) -> date | None:
        """Return the last local day that the standing is kept for; None for the lowest rank."""
        return None if self.kept_until is None else date.fromordinal(self.kept_until)

    def _stand(
        self, at: datetime, rank: int, kept: int | None, why: tuple[Reason, dict[str, Any]]
    ) -> None:
        before, self.rank = self.rank, rank
        self.kept_until = kept if rank else None
        self._wakes_on = 0
        if rank != before:
            self.since_at = at
            self.requalify_on = None
            self.progress.anchors.standing = clock.local_day(at).toordinal()
        self.changes.append(StandingChange(at, rank, before, self.kept_until_on, *why))

    def _local_day(self, at: datetime) -> int:
        """Return the local day of an instant; one fact asks for the same one several times."""
        seen = self._seen
        if seen is None or seen[0] != at:
            seen = self._seen = (at, clock.local_day(at).toordinal())
        return seen[1]

    def ladder(self, book: LadderBook) -> Ladder:
        """Return the version that the member is under."""
        return book.at(self.acted_at) if self.version is None else book.version(self.version)

    def _bind(self, book: LadderBook) -> None:
        """Make sure, once per book, that what is kept of the past suffices for its windows."""
        if book is self._book:
            return
        days = self.progress.days
        if not book.tracks_largest:
            days.largest = None
        elif days.largest is None:
            if any(days.totals):
                raise StaleSnapshotError("orders_not_listed")
            days.largest = {}
        if self.version is None:
            self.version = book.at(self.acted_at).version
        elif not book.knows(self.version):
            raise StaleSnapshotError("unknown_version", self.version)
        if days.kept_from:
            horizon = self._horizon(book, clock.local_day(self.acted_at).toordinal())
            if horizon < days.kept_from:
                raise StaleSnapshotError("days_summed_up", horizon, days.kept_from)
        days.running.clear()
        self._book = book
        self._wakes_on = 0

    def _horizon(self, book: LadderBook, day: int) -> int:
        """Return the first day that any window of the book can still ask for."""
        if book.keeps_all_days:
            return 0
        first_day = self.progress.anchors.first_day
        return min((first_day(window, day) for window in book.windows), default=day)

    def _forget(self, day: int) -> None:
        """Sum up the days that no window can ask for any more, many at a time."""
        book, days = self._book, self.progress.days
        if book is not None and days.days and days.days[0] < day - book.reach_days - SLACK_DAYS:
            days.forget_before(self._horizon(book, day))

    def copy(self) -> Self:
        """Return a fold that goes on independently; reads settle a copy, never the original."""
        copied = self.from_json(self.to_json())
        copied.progress.anchors.suspended = self.progress.anchors.suspended
        return copied

    def to_json(self) -> dict[str, Any]:
        """Return the member's snapshot: compact, and exact when read back."""
        data: dict[str, Any] = {
            "joined": self.joined_at.isoformat(),
            "since": self.since_at.isoformat(),
            "acted": self.acted_at.isoformat(),
            "anchors": [self.progress.anchors.joined, self.progress.anchors.standing],
            "tenure": self.tenure_seen,
            "days": self.progress.days.to_json(),
        }
        if self.rank:
            data |= {"rank": self.rank, "kept": self.kept_until}
        if self.version is not None:
            data["ladder"] = self.version
        if self.requalify_on is not None:
            data["requalify"] = self.requalify_on
        if self.upgrades:
            data["upgrades"] = [list(entry) for entry in self.upgrades]
        if self.progress.attributes:
            data["attributes"] = dict(self.progress.attributes)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], suspensions: Iterable[Suspension] = ()) -> Self:
        """Read a snapshot back; changes that were not written down are not part of it.

        Suspensions are not either: those that began or ended since count all the same.
        """
        joined, standing = data["anchors"]
        progress = MemberProgress(
            DayBook.from_json(data["days"]),
            Anchors(joined, standing, suspended_days(suspensions)),
            dict(data.get("attributes", {})),
        )
        fold = cls(
            datetime.fromisoformat(data["joined"]), datetime.fromisoformat(data["since"]), progress
        )
        fold.acted_at = datetime.fromisoformat(data["acted"])
        fold.tenure_seen = data["tenure"]
        fold.rank = data.get("rank", 0)
        fold.kept_until = data.get("kept")
        fold.version = data.get("ladder")
        fold.requalify_on = data.get("requalify")
        fold.upgrades = [(on, rank) for on, rank in data.get("upgrades", ())]
        return fold


def suspended_days(suspensions: Iterable[Suspension]) -> tuple[tuple[int, int], ...]:
    """Return the local days of suspensions: the day of the freeze counts, that of its end not."""
    return tuple(
        (
            clock.local_day(from_at).toordinal(),
            NEVER if ended_at is None else clock.local_day(ended_at).toordinal(),
        )
        for from_at, ended_at in sorted(suspensions, key=lambda each: each[0])
    )
