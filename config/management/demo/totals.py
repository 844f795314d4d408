"""What the programme adds up to, for people who want to compare."""

from decimal import Decimal
from typing import Final

from django.db import connection
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from config.base import money

_FIGURES: Final = """
SELECT 'members', count(*) FROM members_member
UNION ALL SELECT 'orders', count(*) FROM members_order
UNION ALL SELECT 'spend', coalesce(sum(qualifying_amount), 0) FROM members_order
UNION ALL SELECT 'available', coalesce(sum(available), 0) FROM rewards_pointsaccount
UNION ALL SELECT 'expired', coalesce(sum(expired), 0) FROM rewards_pointsaccount
UNION ALL SELECT 'entries', count(*) FROM rewards_entry
UNION ALL SELECT 'tier_changes', count(*) FROM members_memberevent WHERE kind = 'tier.changed'
"""
_RULES: Final = """
SELECT r.{name}, sum(CASE WHEN e.source = 'issuance' THEN e.points ELSE -e.points END)
FROM rewards_entry e
JOIN rewards_ruleversion v ON v.id = e.rule_id
JOIN rewards_rule r ON r.id = v.rule_id
WHERE e.source = 'issuance' OR e.target = 'reversed'
GROUP BY r.id ORDER BY min(v.priority), r.code
"""
_TIERS: Final = """
SELECT t.{name}, count(s.id)
FROM tiers_tier t LEFT JOIN tiers_standing s ON s.tier_id = t.id AND s.ended_at IS NULL
GROUP BY t.id ORDER BY t.rank
"""


def totals() -> list[tuple[str, str]]:
    """Return figures by name: counts, points by rule, members by tier."""
    names = {
        "members": _("members"),
        "orders": _("orders"),
        "spend": _("net spend"),
        "available": _("available points"),
        "expired": _("expired points"),
        "entries": _("ledger entries"),
        "tier_changes": _("tier changes"),
    }
    return [
        *((names[code], _figure(code, value)) for code, value in _rows(_FIGURES)),
        *((_("points: %s") % name, f"{points:,}") for name, points in _rows(_named(_RULES))),
        *((_("members: %s") % name, f"{count:,}") for name, count in _rows(_named(_TIERS))),
    ]


def _figure(code: str, value: Decimal) -> str:
    return f"{value:,.{money.exponent()}f}" if code == "spend" else f"{value:,.0f}"


def _named(statement: str) -> str:
    language = get_language() or ""
    return statement.replace("{name}", "name_zh" if language.startswith("zh") else "name_en")


def _rows(statement: str) -> list[tuple[str, Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[str, Decimal]] = cursor.fetchall()
    return rows
