"""Which members have to be looked at again as customers.

Those of whom something was reported, and those for whom time has moved something: on a quiet night
that is nobody.

The event log is read by a mark instead of a delivery per event: an order owes nothing more, and a
year that is loaded at once is looked at member by member. Events become visible out of order, so
those whose writers were still at work are read once more.

Source: SEG-01, SEG-09, SEG-15.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction

from config.base import clock
from members.models import InsightMark, InsightPolicy, MemberInsight, StageDay
from members.services import insight, insight_policy

SLICE: Final = 1_000
MARK: Final = 1
# What changes what is said of somebody as a customer.
KINDS: Final = (
    "member.enrolled", "member.merged", "member.unmerged", "member.erased", "order.recorded",
    "order.moved_away", "order.moved_in", "refund.recorded", "interaction.recorded",
)  # fmt: skip

_SEEN: Final = """
SELECT coalesce((SELECT max(id) FROM members_memberevent), 0),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""

# Somebody merged away changes the survivor.
_TOLD: Final = """
WITH RECURSIVE told AS (
    SELECT DISTINCT member_id AS id FROM members_memberevent
    WHERE id > %(after)s AND kind = ANY(%(kinds)s)
    UNION
    SELECT m.merged_into_id FROM told JOIN members_member m ON m.id = told.id
    WHERE m.merged_into_id IS NOT NULL
)
SELECT id FROM told ORDER BY id
"""

Progress = Callable[[int, int], None]


def refresh_due(*, at: datetime, recorded_at: datetime, progress: Progress) -> int:
    """Look again at every member for whom anything can have changed; return how many.

    After another policy that is everybody, slice by slice; a run that was cut off goes on there.
    Nobody is looked at as of a day that is over.
    Source: SEG-09.
    """
    mark = InsightMark.objects.get_or_create(pk=MARK)[0]
    mark.looked_at = max(at, mark.looked_at or at)
    run = _Run(mark.looked_at, recorded_at, insight_policy.in_force(), progress)
    if mark.basis != insight_policy.basis(run.policy):
        run.sweep(mark)
    else:
        run.refresh(_read_on(mark))
        mark.save()
    run.refresh_by_time()
    return run.done


def refresh_past(*, days: Sequence[date], progress: Progress) -> int:
    """Write scores of past days for all members, for a year that was loaded at once.

    Days that were lived through have theirs: where there are any, nothing is written.
    """
    written, done = 0, 0
    if StageDay.objects.filter(on__lte=max(days)).exists():
        return 0
    for ids in _everybody(0):
        written += insight.refresh_history(ids, days)
        done += len(ids)
        progress(done, done)
    return written


class _Run:
    """One run: what it has done so far."""

    def __init__(
        self, at: datetime, recorded_at: datetime, policy: InsightPolicy, progress: Progress
    ) -> None:
        self.at, self.recorded_at, self.policy = at, recorded_at, policy
        self.progress = progress
        self.done = 0

    def sweep(self, mark: InsightMark) -> None:
        """Look at everybody. The first time nobody has changed: they were not looked at before."""
        is_first = not mark.basis
        if mark.swept_to is None:
            # What has been told so far is looked at here anyway.
            mark.swept_to = 0
            _read_on(mark)
            mark.save()
        for ids in _everybody(mark.swept_to):
            self._slice(ids, tells_new=not is_first)
            mark.swept_to = ids[-1]
            mark.save(update_fields=["swept_to"])
        if is_first and MemberInsight.objects.exists():
            insight.count_stages(clock.local_day(self.at), insight.NO_MOVES, is_recount=True)
        mark.basis, mark.swept_to = insight_policy.basis(self.policy), None
        mark.save(update_fields=["basis", "swept_to"])

    def refresh(self, ids: Sequence[int]) -> None:
        """Look at these members, slice by slice."""
        for start in range(0, len(ids), SLICE):
            self._slice(ids[start : start + SLICE])

    def refresh_by_time(self) -> None:
        """Look at those whose day has come; looked at, they are no longer among them."""
        due = MemberInsight.objects.filter(review_on__lte=clock.local_day(self.at))
        while ids := list(due.order_by("review_on").values_list("member_id", flat=True)[:SLICE]):
            self._slice(sorted(ids))

    @transaction.atomic
    def _slice(self, ids: Sequence[int], *, tells_new: bool = True) -> None:
        moves = insight.refresh(
            ids, at=self.at, recorded_at=self.recorded_at, policy=self.policy, tells_new=tells_new
        )
        if moves.entered or moves.left:
            insight.count_stages(clock.local_day(self.at), moves)
        self.done += len(ids)
        self.progress(self.done, self.done)


def _read_on(mark: InsightMark) -> list[int]:
    """Return the members of whom anything was told, and move the mark; the caller saves it."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN)
        last, oldest_open, next_transaction = cursor.fetchone()
        if last == mark.safe_event:
            return []
        cursor.execute(_TOLD, {"after": mark.safe_event, "kinds": list(KINDS)})
        told = [member for (member,) in cursor.fetchall()]
    # In another cluster, after a restore, transactions count anew.
    is_over = mark.seen_transaction <= oldest_open or mark.seen_transaction > next_transaction
    if is_over:
        mark.safe_event, mark.seen_event = mark.seen_event, last
        mark.seen_transaction = next_transaction
    return told


def _everybody(after: int) -> Iterator[list[int]]:
    """Give the ids of members of all kinds after one, slice by slice."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id FROM members_member WHERE id > %s ORDER BY id LIMIT %s", [after, SLICE]
            )
            ids = [member for (member,) in cursor.fetchall()]
            if not ids:
                return
            yield ids
            after = ids[-1]
