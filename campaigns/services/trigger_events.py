"""What an event of the log means to triggers: which occurrences it is, if any.

Each kind of trigger looks at what the event names as it now stands, so that an event which is
handed over twice or late finds the same. Source: CMP-01.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet, Sum

from campaigns.domain.triggers import CORRECTED, EVENTS, Kind, Trigger, Window
from config.base import clock
from members.models import Interaction, Moderation, Order, OrderStatus
from members.services.events import Delivery
from tiers.models import Tier

ORDERED: Final = EVENTS[Kind.ORDER]
SCORE: Final = "score"
SURVEY: Final = "survey"
COMPLAINT: Final = "complaint"

_EARLIER: Final = """
SELECT o.id, count(e.id)
FROM members_order o
LEFT JOIN members_order e ON e.member_id = o.member_id
    AND (e.placed_at, e.id) < (o.placed_at, o.id)
    AND e.status <> 'cancelled' AND e.net_amount > 0
WHERE o.id = ANY(%s)
GROUP BY o.id
"""


@dataclass(frozen=True, slots=True)
class Found:
    """One occurrence of a trigger for the event's member; `since` is what it is counted from."""

    key: str
    since: datetime
    context: Mapping[str, Any] = field(default_factory=dict)


class Known:
    """What events name, read once for all of them, and only where a trigger asks for it."""

    def __init__(self, events: Sequence[Delivery]) -> None:
        self._events = events

    def order(self, event: Delivery) -> Order | None:
        """Return the order that an event names, if it counts and is the member's."""
        return self._orders.get((event.payload["source"], event.payload["ref"], event.member_id))

    @cached_property
    def _orders(self) -> dict[tuple[str, str, int], Order]:
        named = [each.payload for each in self._events if each.kind == ORDERED]
        found = counting().filter(
            order_no__in={each["ref"] for each in named},
            source__in={each["source"] for each in named},
        )
        return {(each.source, each.order_no, each.member_id): each for each in found}

    def earlier(self, order: Order) -> int:
        """Return how many orders of the member counted before an order."""
        return self._earlier[order.pk]

    @cached_property
    def _earlier(self) -> dict[int, int]:
        with connection.cursor() as cursor:
            cursor.execute(_EARLIER, [[order.pk for order in self._orders.values()]])
            return dict(cursor.fetchall())

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Return the ranks of the tiers."""
        return dict(Tier.objects.values_list("code", "rank"))


def find(
    trigger: Trigger, event: Delivery, known: Known, *, running_since: datetime
) -> list[Found]:
    """Return the occurrences that an event is of a trigger; none from before the campaign ran."""
    if event.kind not in trigger.events:
        return []
    found = _FINDERS[trigger.kind](trigger, event, known, running_since)
    return [each for each in found if each.since >= running_since]


def counting() -> QuerySet[Order]:
    """Return the orders that count: paid, and worth something."""
    return Order.objects.exclude(status=OrderStatus.CANCELLED).filter(net_amount__gt=0)


def _order(trigger: Trigger, event: Delivery, known: Known, running_since: datetime) -> list[Found]:
    payload, wanted = event.payload, trigger.values
    order = known.order(event)
    if order is None or order.placed_at < running_since:
        return []
    context = {"order": order.pk, "order.points": payload.get("points", 0)}
    if "steps" in wanted:
        return _steps(trigger, order, running_since)
    if order.net_amount < wanted.get("min_amount", Decimal(0)):
        return []
    categories = wanted.get("categories")
    if categories and not order.lines.filter(category__in=categories, amount__gt=0).exists():
        return []
    if "nth" not in wanted:
        return [Found(f"order:{order.pk}", order.placed_at, context)]
    if known.earlier(order) != wanted["nth"] - 1:
        return []
    return [Found(f"nth:{wanted['nth']}", order.placed_at, context)]


def _steps(trigger: Trigger, order: Order, running_since: datetime) -> list[Found]:
    """Return the steps that the orders of the window have reached; acts know which are new."""
    window = trigger.values.get("window", Window.ORDER)
    day = clock.local_day(order.placed_at)
    orders = counting().filter(member_id=order.member_id)
    if window is Window.ORDER:
        name, orders = f"order:{order.pk}", orders.filter(pk=order.pk)
    elif window is Window.CAMPAIGN:
        name, orders = "campaign", orders.filter(placed_at__gte=running_since)
    else:
        name, first, end = _period(window, day)
        orders = orders.filter(placed_at__gte=first, placed_at__lt=end)
    spent = orders.aggregate(total=Sum("net_amount"))["total"] or Decimal(0)
    return [
        Found(f"{name}:{step.normalize():f}", order.placed_at, {"order": order.pk})
        for step in trigger.values["steps"]
        if step <= spent
    ]


def _period(window: Window, day: date) -> tuple[str, datetime, datetime]:
    first = day.replace(day=1) if window is Window.MONTH else day.replace(month=1, day=1)
    months = 1 if window is Window.MONTH else 12
    name = f"{first:%Y-%m}" if window is Window.MONTH else str(first.year)
    return name, clock.day_start(first), clock.day_start(clock.add_months(first, months))


def _said(event: Delivery) -> Interaction | None:
    """Return the interaction; none while it awaits a moderator, whose word is an event too."""
    payload = event.payload
    said = Interaction.objects.filter(
        ref=payload["ref"], source=payload["source"], member_id=event.member_id
    ).first()
    if said is None or Moderation.objects.filter(fact_id=said.pk).exists():
        return None
    return said


def _interaction(
    trigger: Trigger, event: Delivery, _known: Known, running_since: datetime
) -> list[Found]:
    said = _said(event)
    if said is None or said.kind not in trigger.values["interactions"]:
        return []
    key = f"first:{said.kind}" if trigger.values.get("first_only") else f"fact:{said.pk}"
    return [Found(key, said.occurred_at)]


def _survey(
    trigger: Trigger, event: Delivery, _known: Known, running_since: datetime
) -> list[Found]:
    said, wanted = _said(event), trigger.values
    if said is None or said.kind != wanted.get("survey", SURVEY):
        return []
    score = said.data.get(wanted.get("field", SCORE)) if isinstance(said.data, dict) else None
    if not isinstance(score, int | float) or isinstance(score, bool):
        return []
    if not wanted.get("min_score", score) <= score <= wanted.get("max_score", score):
        return []
    # One answer starts a campaign once, however often it is put right.
    since = event.occurred_at if event.kind == CORRECTED else said.occurred_at
    return [Found(f"fact:{said.pk}", since)]


def _enrolment(
    trigger: Trigger, event: Delivery, _known: Known, running_since: datetime
) -> list[Found]:
    channels = trigger.values.get("channels")
    if channels and event.payload.get("channel") not in channels:
        return []
    return [Found("enrolment", event.occurred_at)]


def _tier(trigger: Trigger, event: Delivery, known: Known, running_since: datetime) -> list[Found]:
    before, after = event.payload["from"], event.payload["to"]
    wanted = trigger.values.get("tiers")
    if wanted and after not in wanted:
        return []
    ranks = known.ranks
    if before not in ranks or after not in ranks:
        return []
    is_up = ranks[after] > ranks[before]
    is_down = ranks[after] < ranks[before]
    if not (is_up if trigger.kind is Kind.TIER_UP else is_down):
        return []
    on = clock.local_day(event.occurred_at).isoformat()
    return [Found(f"{after}:{on}", event.occurred_at, {"tier": after, "tier_before": before})]


def _lapsing(
    trigger: Trigger, event: Delivery, _known: Known, running_since: datetime
) -> list[Found]:
    tier, until = event.payload["tier"], event.payload["kept_until"]
    wanted = trigger.values.get("tiers")
    if wanted and tier not in wanted:
        return []
    return [Found(f"{tier}:{until}", event.occurred_at, {"tier": tier, "kept_until": until})]


def _segment(
    trigger: Trigger, event: Delivery, _known: Known, running_since: datetime
) -> list[Found]:
    if event.payload.get("segment") != trigger.values["segment"]:
        return []
    return [Found(f"event:{event.event_id}", event.occurred_at)]


def _lifecycle(
    trigger: Trigger, event: Delivery, _known: Known, running_since: datetime
) -> list[Found]:
    if event.payload.get("to") not in trigger.values["stages"]:
        return []
    return [Found(f"event:{event.event_id}", event.occurred_at, {"stage": event.payload["to"]})]


def _case(trigger: Trigger, event: Delivery, _known: Known, running_since: datetime) -> list[Found]:
    if event.payload.get("kind") not in trigger.values.get("kinds", (COMPLAINT,)):
        return []
    return [Found(f"case:{event.payload['case']}", event.occurred_at)]


_FINDERS: Final[Mapping[Kind, Callable[[Trigger, Delivery, Known, datetime], list[Found]]]] = {
    Kind.ORDER: _order,
    Kind.INTERACTION: _interaction,
    Kind.SURVEY: _survey,
    Kind.ENROLMENT: _enrolment,
    Kind.TIER_UP: _tier,
    Kind.TIER_LAPSING: _lapsing,
    Kind.TIER_LAPSED: _tier,
    Kind.SEGMENT_ENTERED: _segment,
    Kind.SEGMENT_LEFT: _segment,
    Kind.LIFECYCLE: _lifecycle,
    Kind.CASE_CLOSED: _case,
}
