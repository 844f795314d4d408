"""Occurrences of triggers that wait for their instant: a series, a reminder, a follow-up.

What they wait with is looked at again when they act: a purchase since then may make them pointless,
an order that is no more does. Source: ENG-14, ENG-18, ENG-26.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.db.models import Q

from campaigns.domain.triggers import Kind, StopIf
from campaigns.models import CampaignState, OccurrenceState, TriggerOccurrence
from campaigns.services import firing, trigger_events, triggering
from campaigns.services.firing import Occurrence
from campaigns.services.triggering import Running

SLICE: Final = 200
PURCHASED: Final = "purchased"
ORDER_GONE: Final = "order_gone"
ENDED: Final = "campaign_ended"

Progress = Callable[[int, int], None]


def fire_waiting(*, at: datetime, recorded_at: datetime, progress: Progress | None = None) -> int:
    """Act on what has waited for its instant up to one; return on how many occurrences.

    Each slice is a transaction of its own.
    """
    done = 0
    while count := _fire_slice(at, recorded_at):
        done += count
        if progress is not None:
            progress(done, done)
    return done


@transaction.atomic
def _fire_slice(at: datetime, recorded_at: datetime) -> int:
    by_campaign = {each.campaign.pk: each for each in triggering.running()}
    over = Q(campaign__state=CampaignState.ENDED)
    rows = list(
        TriggerOccurrence.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(over | Q(campaign_id__in=by_campaign), state=OccurrenceState.WAITING)
        .filter(acts_at__lte=at)
        .order_by("acts_at", "pk")[:SLICE]
    )
    stops = _stops(rows, by_campaign)
    for row in rows:
        row.reason = stops.get(row.pk, "")
        row.state = OccurrenceState.STOPPED if row.reason else OccurrenceState.DONE
    going = [row for row in rows if not row.reason]
    firing.hold(
        members={row.member_id for row in going}, campaigns={row.campaign_id for row in going}
    )
    for pk, each in by_campaign.items():
        if own := [row for row in going if row.campaign_id == pk]:
            _act_on(each, own, recorded_at)
    _write(rows, recorded_at)
    return len(rows)


_WRITE: Final = """
UPDATE campaigns_triggeroccurrence o
SET state = w.state, reason = w.reason, ended_at = %(at)s
FROM json_to_recordset(%(rows)s::json) AS w (pk bigint, state text, reason text)
WHERE o.id = w.pk
"""


def _write(rows: Sequence[TriggerOccurrence], at: datetime) -> None:
    """Write what has become of occurrences, in one statement."""
    if not rows:
        return
    ended = [{"pk": row.pk, "state": row.state, "reason": row.reason} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {"at": at, "rows": orjson.dumps(ended).decode()})


def _act_on(each: Running, rows: Sequence[TriggerOccurrence], recorded_at: datetime) -> None:
    for row in rows:
        if each.is_stale(row.acts_at, recorded_at):
            row.state, row.reason = OccurrenceState.STALE, triggering.STALE
    triggering.act(
        each,
        [
            Occurrence(row.member_id, row.key, row.acts_at, row.caused_by, row.context)
            for row in rows
            if not row.reason
        ],
        at=recorded_at,
    )


def _stops(rows: Sequence[TriggerOccurrence], by_campaign: dict[int, Running]) -> dict[int, str]:
    """Return what has come about since that makes occurrences pointless."""
    stops = {}
    for row in rows:
        each = by_campaign.get(row.campaign_id)
        if each is None or not each.holds(row.acts_at):
            stops[row.pk] = ENDED
    gone = _orders_gone(rows, by_campaign)
    bought = _bought_since(
        [row for row in rows if row.pk not in stops and _stops_at_purchase(row, by_campaign)],
        by_campaign,
    )
    return {**dict.fromkeys(bought, PURCHASED), **dict.fromkeys(gone, ORDER_GONE), **stops}


def _stops_at_purchase(row: TriggerOccurrence, by_campaign: dict[int, Running]) -> bool:
    return by_campaign[row.campaign_id].trigger.stop_if is StopIf.PURCHASE


def _orders_gone(rows: Sequence[TriggerOccurrence], by_campaign: dict[int, Running]) -> set[int]:
    """Return occurrences of orders that count no more, or are somebody else's now."""
    named = {
        row.pk: (row.context["order"], row.member_id) for row in rows if "order" in row.context
    }
    orders = trigger_events.counting().filter(pk__in={order for order, _member in named.values()})
    counts = set(orders.values_list("pk", "member_id"))
    return {pk for pk, order in named.items() if order not in counts}


_BOUGHT: Final = """
SELECT w.pk FROM json_to_recordset(%s::json) AS w (pk bigint, member bigint, since timestamptz)
WHERE EXISTS (SELECT FROM members_order o
              WHERE o.member_id = w.member AND o.status <> 'cancelled' AND o.net_amount > 0
                AND (w.since IS NULL OR o.placed_at > w.since))
"""


def _bought_since(rows: Sequence[TriggerOccurrence], by_campaign: dict[int, Running]) -> set[int]:
    """Return occurrences after which their members have bought; of an enrolment, ever."""
    if not rows:
        return set()
    document: list[dict[str, Any]] = [
        {
            "pk": row.pk,
            "member": row.member_id,
            "since": None
            if by_campaign[row.campaign_id].trigger.kind is Kind.ENROLMENT
            else row.started_at,
        }
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.execute(_BOUGHT, [orjson.dumps(document).decode()])
        return {pk for (pk,) in cursor.fetchall()}
