"""Read what was decided before: the newest evaluation of an order, of a fact, of a history."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from config.base import bulk
from rewards.domain.receipt import Receipt
from rewards.domain.subjects import INTERACTION, ORDER, Subject

_LATEST = """
SELECT DISTINCT ON (e.order_id, e.member_id)
       e.order_id, e.member_id, e.awards::text, e.result::text
FROM rewards_evaluation e
WHERE e.order_id = ANY(%s::bigint[])
ORDER BY e.order_id, e.member_id, e.id DESC
"""

_POSTED = """
(SELECT DISTINCT ON (order_id, member_id)
        'order', order_id, NULL::bigint, member_id, awards::text
 FROM rewards_evaluation WHERE order_id = ANY(%s::bigint[])
 ORDER BY order_id, member_id, id DESC)
UNION ALL
(SELECT DISTINCT ON (interaction_id)
        'interaction', NULL, interaction_id, member_id, awards::text
 FROM rewards_evaluation WHERE interaction_id = ANY(%s::bigint[])
 ORDER BY interaction_id, id DESC)
"""

_OF_FACTS = """
SELECT DISTINCT ON (e.fact_id)
       e.fact_id, e.member_id, e.awards::text, e.delta, e.explanation::text, e.result::text
FROM rewards_evaluation e JOIN members_receivedfact f ON f.id = e.fact_id
LEFT JOIN members_order o ON o.id = f.order_id
WHERE e.fact_id = ANY(%s::bigint[])
  AND (e.order_id = f.order_id
       OR e.interaction_id = coalesce((f.body ->> 'withdraws')::bigint, f.id))
ORDER BY e.fact_id, (e.member_id = coalesce(f.member_id, o.member_id)) DESC, e.id DESC
"""


@dataclass(slots=True)
class Decision:
    """The newest stored evaluation of an order for one member."""

    awards: dict[int, int]
    result: dict[str, Any]


def latest_decisions(orders: Collection[int]) -> dict[tuple[int, int], Decision]:
    """Return the newest evaluation per (order, member)."""
    if not orders:
        return {}
    rows = bulk.fetch(_LATEST, [list(orders)])
    return {
        (order, member): Decision(dict(orjson.loads(awards)), orjson.loads(result))
        for order, member, awards, result in rows
    }


def posted_of(history: Iterable[Receipt]) -> dict[int, dict[Subject, dict[int, int]]]:
    """Return the awards last posted per member and subject of these facts."""
    orders = {fact.order for fact in history if fact.order is not None}
    interactions = {fact.id for fact in history if fact.kind == INTERACTION}
    posted: dict[int, dict[Subject, dict[int, int]]] = {}
    for kind, order, interaction, member, awards in bulk.fetch(
        _POSTED, [list(orders), list(interactions)]
    ):
        subject = (kind, order if kind == ORDER else interaction)
        posted.setdefault(member, {})[subject] = dict(orjson.loads(awards))
    return posted


@dataclass(slots=True)
class FactDecision:
    """What was decided for one fact's own subject, for answering it again."""

    member: int
    awards: dict[int, int]
    delta: int
    explanation: list[dict[str, Any]]
    result: dict[str, Any]


def decisions_of_facts(facts: Collection[int]) -> dict[int, FactDecision]:
    """Return what was decided for each fact's own order or interaction."""
    return {
        row[0]: FactDecision(
            row[1], dict(orjson.loads(row[2])), row[3], orjson.loads(row[4]), orjson.loads(row[5])
        )
        for row in bulk.fetch(_OF_FACTS, [list(facts)])
    }
