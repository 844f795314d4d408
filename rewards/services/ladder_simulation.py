"""Where members would stand under a draft of the ladder, and under the version in force.

A new version gives and takes nothing by itself: members rise with their next purchase and fall at
their next review. So both are asked the same: what the progress that each member has now is worth,
to one who is looked at today. Nothing is written.

Source: TIR-06, TIR-13.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import Max, Min

from config.base import clock
from members import queries
from members.models import Member, MemberStatus
from rewards.services.programme import current_book
from tiers.domain.figures import earned_at_review, read_figures
from tiers.domain.ladder import Ladder, LadderBook, Metric, ReviewPolicy, successor_rank
from tiers.domain.progress import StaleSnapshotError
from tiers.domain.qualification import TierFold

MOST_MEMBERS: Final = 20_000
BATCH: Final = 2_000

# Every n-th id, so that a sample costs what it holds, whatever there is.
_SNAPSHOTS: Final = """
SELECT m.id, m.joined_at, s.state -> 't'
FROM generate_series(%(first)s::bigint, %(last)s::bigint, %(step)s::bigint) AS g (id)
JOIN members_member m ON m.id = g.id AND m.status = %(active)s
LEFT JOIN rewards_foldsnapshot s ON s.member_id = m.id
ORDER BY m.id
"""


@dataclass(slots=True)
class Distribution:
    """Members by tier code: now, and once looked at under the version in force and the draft.

    `rises` and `falls` are against where members stand now; `better` and `worse` against the
    version in force. `looked_at` of `members` were looked at; of `unknown` more is known too little
    of the past, and they are in none of the figures.
    """

    members: int = 0
    looked_at: int = 0
    unknown: int = 0
    now: Counter[str] = field(default_factory=Counter)
    as_is: Counter[str] = field(default_factory=Counter)
    drafted: Counter[str] = field(default_factory=Counter)
    rises: int = 0
    falls: int = 0
    better: int = 0
    worse: int = 0

    @property
    def is_sample(self) -> bool:
        """Tell whether not all members were looked at."""
        return self.looked_at + self.unknown < self.members


Snapshot = tuple[int, datetime, Mapping[str, Any] | None]


def simulate(*, draft: Ladder, at: datetime) -> Distribution:
    """Look at all members, or at a sample of them where they are many.

    Tiers set by staff or bought are not looked at: they lie above what is earned.
    """
    book = current_book().ladders
    found = Distribution(members=Member.objects.filter(status=MemberStatus.ACTIVE).count())
    for batch in _batches(found.members):
        frozen = queries.suspensions_of([member for member, _joined, _state in batch])
        for member, joined_at, state in batch:
            fold = (
                TierFold.enrol(joined_at, suspensions=frozen[member])
                if state is None
                else TierFold.from_json(dict(state), frozen[member])
            )
            _count(found, fold, book, draft, at)
    return found


def _batches(members: int) -> Iterator[Sequence[Snapshot]]:
    ends = Member.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return
    step = max(1, -(-members // MOST_MEMBERS))
    parameters = {**ends, "step": step, "active": MemberStatus.ACTIVE.value}
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOTS, parameters)
        while rows := cursor.fetchmany(BATCH):
            yield [(member, joined, _read(state)) for member, joined, state in rows]


def _read(state: Any) -> Mapping[str, Any] | None:
    said: Mapping[str, Any] | None = orjson.loads(state) if isinstance(state, str) else state
    return said


def _count(
    found: Distribution, fold: TierFold, book: LadderBook, draft: Ladder, at: datetime
) -> None:
    day = max(clock.local_day(at), clock.local_day(fold.acted_at)).toordinal()
    known = fold.version is None or book.knows(fold.version)
    held = fold.ladder(book) if known else book.at(at)
    current = book.at(at)
    try:
        as_is = _next_rank(current, successor_rank(held, current, fold.rank), fold, day)
        drafted = _next_rank(draft, successor_rank(held, draft, fold.rank), fold, day)
    except StaleSnapshotError:
        found.unknown += 1
        return
    now = held.tiers[fold.rank].code
    then, other = draft.tiers[drafted].code, current.tiers[as_is].code
    found.looked_at += 1
    found.now[now] += 1
    found.as_is[other] += 1
    found.drafted[then] += 1
    stands = successor_rank(held, draft, fold.rank)
    found.rises += drafted > stands
    found.falls += drafted < stands
    compared = successor_rank(current, draft, as_is)
    found.better += drafted > compared
    found.worse += drafted < compared


def _next_rank(ladder: Ladder, rank: int, fold: TierFold, day: int) -> int:
    """Return the rank of a member at `rank` once an evaluation and a review have looked.

    Raises: StaleSnapshotError where the ladder asks for more of the past than is kept.
    """
    days = fold.progress.days
    if days.largest is None and _asks_for_largest(ladder):
        if any(days.totals):
            raise StaleSnapshotError("orders_not_listed")
        days.largest = {}
    values = read_figures(ladder, fold.progress, day)
    earned, _check = earned_at_review(ladder, rank, values)
    lowest = rank - 1 if ladder.review is ReviewPolicy.ONE_LEVEL else 0
    return max(earned, lowest, 0)


def _asks_for_largest(ladder: Ladder) -> bool:
    return any(figure.metric is Metric.LARGEST_ORDER for figure in ladder.plan.figures)
