"""Forgetting what messages were made of, once nobody needs to read them any more."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection

_FORGET: Final = """
UPDATE campaigns_message SET context = NULL, sealed = NULL
WHERE id IN (
    SELECT id FROM campaigns_message
    WHERE context IS NOT NULL AND created_at < %(before)s AND state NOT IN ('queued', 'sending')
    ORDER BY created_at LIMIT %(limit)s)
"""


def forget_contexts(*, at: datetime, limit: int) -> int:
    """Wipe what old messages said and were made of, up to a limit; return how many.

    That they were sent, when and how, stays.
    """
    before = at - timedelta(days=settings.LOYALTY_MESSAGES_KEPT_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": before, "limit": limit})
        return int(cursor.rowcount)
