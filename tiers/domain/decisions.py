"""Decisions of the fold: upgrade, renewal, review, withdrawal, change of ladder.

Source: design §5.4, §5.6; TIR-05, TIR-08, TIR-09.
"""

from datetime import date, datetime

from config.base import clock
from tiers.domain.changes import Reading, Reason
from tiers.domain.figures import earned_at_review, earned_by_entry, first_met
from tiers.domain.ladder import (
    Check,
    Ladder,
    LadderBook,
    RefundPolicy,
    ReviewPolicy,
    successor_rank,
)
from tiers.domain.state import FoldState


class DecidingFold(FoldState):
    """A fold that can judge its own figures; facts and time tell it when to."""

    __slots__ = ()

    def taken_over(
        self, *, at: datetime, code: str, kept_until_on: date | None, book: LadderBook
    ) -> None:
        """Let a member hold a tier that another system gave, kept until the end of a day.

        What is due by then has been settled. A tier that is earned here already, or one that the
        ladder does not have, changes nothing; later reviews treat it like any other.
        Source: MEM-16.
        """
        self.acted_at = at
        ladder, day = self.ladder(book), self._local_day(at)
        rank = ladder.rank_of(code)
        kept = day + ladder.validity_days if kept_until_on is None else kept_until_on.toordinal()
        if rank and (rank, kept) > (self.rank, self.kept_until or 0):
            evidence = {"ladder": ladder.version, "tier": code}
            self._stand(at, rank, kept, (Reason.OPENING, evidence))

    def _hold_at_least(self, at: datetime, code: str, kept_until_on: date, ladder: Ladder) -> None:
        """Go on with the tier of a member that was merged in, where it is the better one."""
        rank, kept = ladder.rank_of(code), kept_until_on.toordinal()
        if rank and (rank, kept) > (self.rank, self.kept_until or 0):
            evidence = {"ladder": ladder.version, "tier": code}
            self._stand(at, rank, kept, (Reason.MERGED, evidence))

    def _go_back_to(
        self, at: datetime, code: str, kept_until_on: date | None, ladder: Ladder
    ) -> None:
        """Stand where one would without a merge that is undone."""
        rank = ladder.rank_of(code)
        kept = None if kept_until_on is None else kept_until_on.toordinal()
        if rank is None or (rank, kept) == (self.rank, self.kept_until):
            return
        self.upgrades = [entry for entry in self.upgrades if entry[1] < rank]
        evidence = {"ladder": ladder.version, "tier": code}
        self._stand(at, rank, kept, (Reason.MERGE_UNDONE, evidence))

    def _evaluate(self, at: datetime, day: int, ladder: Ladder, **cause: object) -> None:
        reading = Reading.of(ladder, self.progress, day)
        plan, rank, kept = ladder.plan, self.rank, day + ladder.validity_days
        check = first_met(plan.upgrades[rank], reading.values)
        if check is not None:
            self._remember_upgrade(day, ladder)
            evidence = reading.evidence((check,), **cause)
            self._stand(at, check.rank, kept, (Reason.QUALIFIED, evidence))
        elif rank and kept > (self.kept_until or 0):
            check = first_met(plan.retention[rank], reading.values)
            if check is not None:
                evidence = reading.evidence((check,), **cause)
                self._stand(at, rank, kept, (Reason.RENEWED, evidence))
        self._forget(day)

    def _remember_upgrade(self, day: int, ladder: Ladder) -> None:
        recent = [entry for entry in self.upgrades if day - entry[0] <= ladder.withdraw_days]
        self.upgrades = [*recent, (day, self.rank)]

    def _lowered(self, at: datetime, day: int, ladder: Ladder, **cause: object) -> None:
        policy = ladder.refund_policy
        if not self.rank or policy is RefundPolicy.KEEP:
            return
        if policy is RefundPolicy.WITHDRAW:
            self._withdraw(at, day, ladder, cause)
        elif policy is RefundPolicy.IMMEDIATE:
            self._requalify(at, day, ladder, **cause)
        elif self.requalify_on is None:
            values = Reading.of(ladder, self.progress, day).values
            if earned_at_review(ladder, self.rank, values)[0] < self.rank:
                self.requalify_on = day + 1 + ladder.grace_days
                self._wakes_on = 0

    def _withdraw(self, at: datetime, day: int, ladder: Ladder, cause: dict[str, object]) -> None:
        """Take back upgrades of the last days that the entry rules no longer earn.

        Source: design §5.4.3, §5.6.
        """
        recent = [entry for entry in self.upgrades if day - entry[0] <= ladder.withdraw_days]
        if not recent:
            return
        floor = min(rank for _, rank in recent)
        reading = Reading.of(ladder, self.progress, day)
        rank, check = earned_by_entry(ladder, floor, self.rank, reading.values)
        if rank >= self.rank:
            return
        checks = (*ladder.plan.entry[self.rank], *((check,) if check else ()))
        upgraded_on = date.fromordinal(recent[-1][0]).isoformat()
        evidence = reading.evidence(checks, **cause, floor=floor, upgraded_on=upgraded_on)
        self.upgrades = [entry for entry in recent if entry[1] < rank]
        self._stand(at, rank, self.kept_until, (Reason.QUALIFICATION_WITHDRAWN, evidence))

    def _requalify(self, at: datetime, day: int, ladder: Ladder, **cause: object) -> None:
        reading = Reading.of(ladder, self.progress, day)
        rank, check = earned_at_review(ladder, self.rank, reading.values)
        if rank >= self.rank:
            return
        policy = str(ladder.refund_policy)
        evidence = reading.evidence(
            _judged(ladder, self.rank, check), **cause, policy=policy, earned=rank
        )
        self.upgrades = [entry for entry in self.upgrades if entry[1] < rank]
        self._stand(at, rank, self.kept_until, (Reason.REFUND_REQUALIFIED, evidence))

    def _review(self, at: datetime, day: int, ladder: Ladder) -> None:
        reading = Reading.of(ladder, self.progress, day)
        earned, check = earned_at_review(ladder, self.rank, reading.values)
        lowest = self.rank - 1 if ladder.review is ReviewPolicy.ONE_LEVEL else 0
        rank = max(earned, lowest)
        reason = Reason.REVIEW_DOWNGRADE
        if rank == self.rank:
            reason = Reason.REVIEW_KEPT
        elif rank > self.rank:
            reason = Reason.REVIEW_UPGRADE
        evidence = reading.evidence(
            _judged(ladder, self.rank, check), policy=str(ladder.review), earned=earned
        )
        if rank > self.rank:
            self._remember_upgrade(day + 1, ladder)
        elif rank < self.rank:
            self.upgrades.clear()
        self._stand(at, rank, (self.kept_until or day) + ladder.validity_days, (reason, evidence))

    def _change_ladder(self, at: datetime, old: Ladder, book: LadderBook) -> None:
        """Go over to the next version; tiers keep their code, nothing is earned by it."""
        new = book.after(old.version)
        if new is None:
            return
        self.version = new.version
        day = clock.local_day(at).toordinal()
        self.tenure_seen = max(self.tenure_seen, day - 1)
        self.upgrades = [(on, successor_rank(old, new, rank)) for on, rank in self.upgrades]
        rank = successor_rank(old, new, self.rank)
        codes = (old.tiers[self.rank].code, new.tiers[rank].code)
        if rank == self.rank and codes[0] == codes[1]:
            return
        kept = self.kept_until or day + new.validity_days
        evidence = {
            "ladder": new.version,
            "ladder_before": old.version,
            "tier": codes[1],
            "tier_before": codes[0],
        }
        self._stand(at, rank, kept, (Reason.LADDER_CHANGED, evidence))


def _judged(ladder: Ladder, rank: int, earned_by: Check | None) -> tuple[Check, ...]:
    """Return the checks that decided: what would have kept the rank, and what was earned."""
    keeping = ladder.plan.retention[rank]
    return keeping if earned_by is None or earned_by in keeping else (*keeping, earned_by)
