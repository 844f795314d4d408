"""What time alone brings about: holds lapse, points activate and expire, tiers are reviewed.

The same settling that every fact and command does first, for the members that no fact reached.
Source: design §5.2.
"""

import logging
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from members.models import Member
from rewards.domain.programme import ProgrammeBook
from rewards.services import expiry
from rewards.services.batch import Batch
from rewards.services.programme import current_book
from tiers.models import LadderRollout, LadderVersion
from tiers.services.ladders import TIMELESS_METRICS

# Small enough that nobody waits long for a member's lock, large enough to be set-based.
SLICE: Final = 500

logger = logging.getLogger(__name__)


class SettlingFailedError(Exception):
    """Some members could not be settled; the log says why for each."""

    def __init__(self, members: Collection[int]) -> None:
        super().__init__(f"{len(members)} members could not be settled: {sorted(members)[:20]}")
        self.members = tuple(members)


_DUE = """
SELECT member_id FROM (
    SELECT member_id FROM rewards_pointsaccount
    WHERE next_due_at <= %(at)s AND member_id > %(after)s
    UNION
    SELECT member_id FROM rewards_foldsnapshot
    WHERE review_due_at <= %(at)s AND member_id > %(after)s
) due
ORDER BY member_id LIMIT %(limit)s
"""

_COUNT = """
SELECT count(*) FROM (
    SELECT member_id FROM rewards_pointsaccount WHERE next_due_at <= %(at)s
    UNION
    SELECT member_id FROM rewards_foldsnapshot WHERE review_due_at <= %(at)s
) due
"""


def settle_due(
    *, at: datetime, recorded_at: datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """Settle every member that has something due up to an instant; returns how many had.

    Each slice is a transaction of its own, so that a run that is cut off goes on where it was.
    A member that cannot be settled keeps nobody else from it.
    Raises: SettlingFailedError, after all others are settled.
    """
    done, failed = _roll_out(at, recorded_at)
    total = done + count_due(at) if progress is not None else 0
    for settled in expiry.expire_lots(at=at, recorded_at=recorded_at):
        done += settled
        if progress is not None:
            progress(done, max(total, done))
    for members in _slices(at):
        failed += _settle_slice(members, at, recorded_at)
        done += len(members)
        if progress is not None:
            progress(done, max(total, done))
    if failed:
        raise SettlingFailedError(failed)
    return done


def _settle_slice(members: Collection[int], at: datetime, recorded_at: datetime) -> list[int]:
    """Settle a slice, member by member if it fails as a whole; returns those that failed."""
    try:
        settle_members(members=members, at=at, recorded_at=recorded_at)
    except Exception:
        if len(members) == 1:
            logger.exception("member %s could not be settled", *members)
            return list(members)
    else:
        return []
    return [each for member in members for each in _settle_slice([member], at, recorded_at)]


def settle_members(
    *, members: Collection[int], at: datetime, recorded_at: datetime
) -> ProgrammeBook:
    """Settle these members up to an instant; returns the programme that says what is due."""
    with transaction.atomic():
        book = current_book()
        batch = Batch([], touchpoint=None, at=recorded_at, settle_to=at, actor="system")
        batch.settle(sorted(members), book)
        return book


def count_due(at: datetime) -> int:
    """Return how many members have something due up to an instant."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"at": at})
        (count,) = cursor.fetchone()
    return int(count)


def _slices(at: datetime) -> Iterator[list[int]]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, {"at": at, "after": after, "limit": SLICE})
            members = [row[0] for row in cursor.fetchall()]
        if not members:
            return
        yield members
        after = members[-1]


def _roll_out(at: datetime, recorded_at: datetime) -> tuple[int, list[int]]:
    """Let every member meet the newest version of the ladder that is new to them.

    When something is due is stored with the member, as the versions then known said; a version
    that came later says otherwise for all. Returns how many members there were, and who failed:
    the next run begins with them.
    """
    begun = LadderVersion.objects.filter(Q(effective_from=None) | Q(effective_from__lte=at))
    asks = Q(rules__metric__in=TIMELESS_METRICS) | Q(effective_from__isnull=False)
    open_ones = begun.filter(asks, rollout__done_at=None).distinct()
    versions = sorted(open_ones, key=lambda version: version.number)
    if not versions:
        return 0, []
    newest = LadderRollout.objects.get_or_create(ladder=versions[-1])[0]
    count, failed = 0, list[int]()
    while members := _roll_on(newest.pk, at, recorded_at, failed):
        count += members
    if failed:
        LadderRollout.objects.filter(pk=newest.pk).update(last_member_id=min(failed) - 1)
        return count, failed
    for version in versions:
        LadderRollout.objects.update_or_create(ladder=version, defaults={"done_at": recorded_at})
    return count, []


def _roll_on(rollout: int, at: datetime, recorded_at: datetime, failed: list[int]) -> int:
    """Settle the next slice of members, whoever runs beside us; returns how many there were."""
    with transaction.atomic():
        row = LadderRollout.objects.select_for_update(no_key=True).get(pk=rollout)
        following = Member.objects.filter(pk__gt=row.last_member_id).order_by("pk")
        members = list(following.values_list("pk", flat=True)[:SLICE])
        if members:
            failed += _settle_slice(members, at, recorded_at)
            row.last_member_id = members[-1]
            row.save(update_fields=["last_member_id"])
        return len(members)
