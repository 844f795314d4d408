"""Tell members in good time that their tier is about to end.

What is told is an event; who hears it, and how, is up to those who follow the log. The term of a
tier is told of once: a renewal makes another term, a late fact that rewrites the standing does not.
Source: TIR-08.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Min, Q

from config.base import clock
from members.models import MemberStatus
from members.services import events
from members.services.events import NewEvent
from tiers.models import LadderVersion

KIND: Final = "tier.lapse_warning"
SLICE: Final = 1_000
TOLD: Final = (MemberStatus.ACTIVE.value, MemberStatus.FROZEN.value)

# A renewal moves the day at once, so whoever has renewed is out of reach by it. While a tier set by
# staff runs, the member does not have what would end; what is left of the term is told afterwards.
# Open standings have no index by day: every standing would pay for one search an hour.
_WARN = """
WITH warned AS (
    INSERT INTO tiers_lapsewarning (member_id, tier_id, kept_until_on, warned_at)
    SELECT s.member_id, s.tier_id, s.kept_until_on, %(recorded_at)s
    FROM tiers_standing s
    JOIN tiers_tier t ON t.id = s.tier_id
    JOIN members_member m ON m.id = s.member_id
    WHERE s.ended_at IS NULL AND s.kept_until_on BETWEEN %(first)s AND %(last)s
      AND t.rank > %(lowest)s AND m.status = ANY(%(statuses)s)
      AND NOT EXISTS (
          SELECT FROM tiers_standingoverride o
          WHERE o.member_id = s.member_id AND o.revoked_at IS NULL
            AND o.from_at <= %(at)s AND o.until_at > %(at)s)
      AND NOT EXISTS (
          SELECT FROM tiers_lapsewarning w
          WHERE w.member_id = s.member_id AND w.tier_id = s.tier_id
            AND w.kept_until_on = s.kept_until_on)
    ORDER BY s.member_id LIMIT %(limit)s
    ON CONFLICT DO NOTHING
    RETURNING member_id, tier_id, kept_until_on
)
SELECT w.member_id, t.code, w.kept_until_on
FROM warned w JOIN tiers_tier t ON t.id = w.tier_id
ORDER BY w.member_id
"""


def warn_of_lapses(
    *, at: datetime, recorded_at: datetime, progress: Callable[[int, int], None]
) -> int:
    """Append a warning for every tier that ends within the ladder's days of warning.

    Settle what is due up to the instant before. A term that is over by then is not warned of any
    more. Each slice is a transaction of its own. Returns how many were warned.
    """
    ladder = _ladder_at(at)
    if ladder is None or not ladder.warning_days:
        return 0
    today, done = clock.local_day(at), 0
    values = {
        "at": at, "recorded_at": recorded_at, "limit": SLICE, "statuses": list(TOLD),
        "first": today - timedelta(days=ladder.grace_days),
        "last": today + timedelta(days=ladder.warning_days),
        "lowest": ladder.terms.aggregate(rank=Min("tier__rank"))["rank"],
    }  # fmt: skip
    while count := _warn(values, today):
        done += count
        progress(done, done)
    return done


def _ladder_at(at: datetime) -> LadderVersion | None:
    begun = LadderVersion.objects.filter(Q(effective_from=None) | Q(effective_from__lte=at))
    return begun.order_by(F("effective_from").desc(nulls_last=True)).first()


@transaction.atomic
def _warn(values: Mapping[str, Any], today: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WARN, values)
        warned = cursor.fetchall()
    events.append(
        [
            NewEvent(
                member_id=member,
                kind=KIND,
                occurred_at=values["at"],
                recorded_at=values["recorded_at"],
                payload={
                    "tier": tier,
                    "kept_until": kept_until_on.isoformat(),
                    "days_left": (kept_until_on - today).days,
                },
            )
            for member, tier, kept_until_on in warned
        ]
    )
    return len(warned)
