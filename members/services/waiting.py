"""Cases for facts that have waited too long for what they miss.

They go on waiting, and fold when it comes; but somebody should know. One case is opened for each
unknown shopper and each unknown order, once, however much waits for them.

Source: design §5.1 (5), (6).
"""

from datetime import datetime
from typing import Final

from django.db import connection

UNCLAIMED: Final = "order_unclaimed"
ORDER_MISSING: Final = "refund_without_order"

# An order that named nobody is an anonymous purchase, not a matter for anybody.
_UNCLAIMED = """
INSERT INTO members_case (member_id, code, fact_id, state, details, opened_at)
SELECT NULL, %(code)s, id, 'open',
       jsonb_build_object('source', source, 'order_no', order_no, 'identifier_kind', awaits_kind),
       %(opened_at)s
FROM (
    SELECT DISTINCT ON (f.awaits_kind, f.awaits_hash) f.*
    FROM members_receivedfact f
    WHERE f.state = 'awaiting_member' AND f.kind = 'order' AND f.received_at <= %(before)s
      AND f.awaits_hash IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM members_receivedfact o JOIN members_case c ON c.fact_id = o.id
          WHERE o.state = 'awaiting_member' AND o.awaits_hash = f.awaits_hash
            AND o.awaits_kind = f.awaits_kind AND c.code = %(code)s)
    ORDER BY f.awaits_kind, f.awaits_hash, f.id
) oldest
ORDER BY id
"""

_ORDER_MISSING = """
INSERT INTO members_case (member_id, code, fact_id, state, details, opened_at)
SELECT NULL, %(code)s, id, 'open', jsonb_build_object('source', source, 'order_no', order_no),
       %(opened_at)s
FROM (
    SELECT DISTINCT ON (f.source, f.order_no) f.*
    FROM members_receivedfact f
    WHERE f.state = 'parked' AND f.received_at <= %(before)s
      AND NOT EXISTS (
          SELECT FROM members_receivedfact o
          LEFT JOIN members_case c ON c.fact_id = o.id AND c.code = %(code)s
          WHERE o.order_no = f.order_no AND o.source = f.source
            AND (o.kind = 'order' OR c.id IS NOT NULL))
    ORDER BY f.source, f.order_no, f.id
) oldest
ORDER BY id
"""


def open_unclaimed(*, received_before: datetime, at: datetime) -> int:
    """Open a case for each shopper who was named but never enrolled; return how many."""
    return _open(_UNCLAIMED, UNCLAIMED, received_before, at)


def open_order_missing(*, received_before: datetime, at: datetime) -> int:
    """Open a case for each order that was refunded but never reported; return how many."""
    return _open(_ORDER_MISSING, ORDER_MISSING, received_before, at)


def _open(statement: str, code: str, before: datetime, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"code": code, "before": before, "opened_at": at})
        count: int = cursor.rowcount
    return count
