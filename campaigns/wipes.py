"""What this app empties when a member is erased; every process registers it."""

from collections.abc import Sequence
from typing import Final

from django.db import connection

from members import wipes

# That a member answered is not personal; what they answered is.
_FEEDBACK: Final = """
UPDATE campaigns_feedbackanswer SET counted = '{}', sealed = ''
WHERE member_id = ANY(%s::bigint[]) AND fact_id IS NOT NULL
"""


def install() -> None:
    """Register it; doing it again changes nothing."""
    wipes.register("campaigns.feedback", _feedback)


def _feedback(members: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FEEDBACK, [list(members)])
