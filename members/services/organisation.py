"""Units of the organisation and the stores in them."""

from typing import Final

from django.db import connection

# One row for each store; one without a store where the unit has none.
_STORES: Final = """
WITH RECURSIVE below (id) AS (
    SELECT org_unit_id FROM members_staffauthority
    WHERE user_id = %s AND org_unit_id IS NOT NULL
    UNION
    SELECT u.id FROM members_orgunit u JOIN below ON u.parent_id = below.id
)
SELECT s.id FROM below LEFT JOIN members_store s ON s.org_unit_id = below.id
"""


def stores_of_staff(user_id: int) -> frozenset[int] | None:
    """Return the stores in the unit of a member of staff and below it; None without a unit.

    Source: ORG-07.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STORES, [user_id])
        rows = cursor.fetchall()
    return frozenset(row[0] for row in rows if row[0] is not None) if rows else None
