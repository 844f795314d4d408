"""What follows from a batch besides points and tiers, in the transaction of the batch.

The fold has decided and everything is written; now each consequence looks at what has happened and
does its part for the whole batch at once. One that finds nothing for it costs no statement, so a
plain order stays as cheap as it was.
"""

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from config.base import bulk
from members.models import Case
from rewards.services import benefits, redemption
from rewards.services.coupon_orders import follow_coupons
from rewards.services.grants import follow_grants
from rewards.services.happened import NO_FACT, Happened, Item
from rewards.services.own_tills import follow_own_tills
from rewards.services.quote_checks import follow_quotes
from rewards.services.tenders import follow_tenders

Consequence = Callable[[Happened], None]

# In this order: what a reservation holds is settled before coupons that were not in one, and a tier
# gives its benefits before its gifts.
CONSEQUENCES: Final[tuple[Consequence, ...]] = (
    redemption.follow_holds, follow_tenders, follow_coupons, benefits.follow_tiers, follow_grants,
    follow_quotes, follow_own_tills,
)  # fmt: skip

_REMEMBER = """
UPDATE rewards_evaluation e
SET result = e.result || jsonb_strip_nulls(jsonb_build_object(
        'issued', t.issued::jsonb,
        'issues', CASE WHEN t.issues IS NOT NULL
                       THEN coalesce(e.result->'issues', '[]'::jsonb) || t.issues::jsonb END))
FROM json_to_recordset(%s::json) AS t (fact bigint, issued text, issues text),
     members_receivedfact f
WHERE f.id = t.fact AND e.fact_id = t.fact
  AND (e.order_id = f.order_id
       OR e.interaction_id = coalesce((f.body ->> 'withdraws')::bigint, f.id))
"""


def follow(happened: Happened) -> None:
    """Let everything follow, and remember with the evaluations what the answers say of it."""
    if happened.is_nothing:
        return
    for consequence in CONSEQUENCES:
        consequence(happened)
    _remember(happened.issued, happened.issues)
    if happened.cases:
        Case.objects.bulk_create(happened.cases)


def _remember(issued: Mapping[int, list[Item]], issues: Mapping[int, list[Item]]) -> None:
    facts = (issued.keys() | issues.keys()) - {NO_FACT}
    if not facts:
        return
    rows = [
        {"fact": fact, "issued": _text(issued.get(fact)), "issues": _text(issues.get(fact))}
        for fact in sorted(facts)
    ]
    bulk.execute(_REMEMBER, [orjson.dumps(rows).decode()])


def _text(items: list[Item] | None) -> str | None:
    return None if not items else orjson.dumps(items).decode()
