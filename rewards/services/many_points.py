"""Points given to many members at once, in as many statements as to one."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from config.base import bulk
from config.base.bulk import Writes
from members.services import events
from members.services.events import NewEvent
from rewards.domain.transfers import Cause, Grounds
from rewards.services import ledger, loading, tables
from rewards.services.due import settle_members
from rewards.services.ledger import MemberWrite

_HOLD: Final = """
SELECT a.id FROM rewards_pointsaccount a
WHERE a.member_id = ANY(%s::bigint[]) AND a.kind = 'points' ORDER BY a.id FOR NO KEY UPDATE
"""


def hold_accounts(members: Collection[int]) -> None:
    """Lock the accounts of members in id order, for who takes other locks before giving."""
    bulk.fetch(_HOLD, [sorted(members)])


@transaction.atomic
def give(
    *,
    points: Mapping[int, int],
    ground: str,
    said: Mapping[str, Any],
    at: datetime,
    actor: str,
) -> None:
    """Give each member so many points, available at once, valid like points earned that day.

    What is due for them is settled first. `said` is told with the points in each event.
    """
    book = settle_members(members=points, at=at, recorded_at=at)
    locked = loading.lock(points)
    loading.attach_lots([each.account for each in locked.values()])
    cause = Cause(None, actor, at)
    grounds = Grounds(None, None, ground, cause)
    expires_at = book.policy_at(at).expires_at(at)
    for member, each in locked.items():
        each.account.adjust(grounds, points[member], at, expires_at=expires_at)
    writes = Writes()
    ledger.write_accounts(
        writes, [MemberWrite(each, None, each.account, []) for each in locked.values()]
    )
    events.append_with(
        writes,
        [
            NewEvent(member, "points.adjusted", at, at, {"points": points[member], **said}, actor)
            for member in locked
        ],
    )
    writes.flush(tables.COPY_ORDER)
