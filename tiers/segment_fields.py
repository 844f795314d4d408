"""What segments can ask about tiers: the one that counts, as it has been written."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from config.base.conditions import Column, Field, FieldType, Source, fields, sources

# The tier set by staff, else the computed one; at least a floor that was bought (`effective`).
_TIER: Final = Source(
    "tier",
    """
SELECT s.member_id,
       CASE WHEN f.rank > coalesce(o.rank, t.rank) THEN f.code
            ELSE coalesce(o.code, t.code) END AS code,
       CASE WHEN f.rank > coalesce(o.rank, t.rank) THEN f.rank
            ELSE coalesce(o.rank, t.rank) END AS rank,
       CASE WHEN f.rank > coalesce(o.rank, t.rank) THEN f.from_at
            ELSE coalesce(o.from_at, s.from_at) END AS since_at,
       CASE WHEN f.rank > coalesce(o.rank, t.rank)
            THEN (f.until_at - interval '1 us') AT TIME ZONE %(zone)s
            WHEN o.rank IS NOT NULL THEN (o.until_at - interval '1 us') AT TIME ZONE %(zone)s
            ELSE s.kept_until_on END::date AS kept_until_on
FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id
LEFT JOIN (
    SELECT DISTINCT ON (v.member_id) v.member_id, v.from_at, v.until_at, w.code, w.rank
    FROM tiers_standingoverride v JOIN tiers_tier w ON w.id = v.tier_id
    WHERE NOT v.is_floor AND v.from_at <= %(at)s AND v.until_at > %(at)s
      AND (v.revoked_at IS NULL OR v.revoked_at > %(at)s)
    ORDER BY v.member_id, v.from_at DESC, v.id DESC
) o ON o.member_id = s.member_id
LEFT JOIN (
    SELECT DISTINCT ON (v.member_id) v.member_id, v.from_at, v.until_at, w.code, w.rank
    FROM tiers_standingoverride v JOIN tiers_tier w ON w.id = v.tier_id
    WHERE v.is_floor AND v.from_at <= %(at)s AND v.until_at > %(at)s
      AND (v.revoked_at IS NULL OR v.revoked_at > %(at)s)
    ORDER BY v.member_id, w.rank DESC, v.from_at DESC, v.id DESC
) f ON f.member_id = s.member_id
WHERE s.from_at <= %(at)s AND (s.ended_at IS NULL OR s.ended_at > %(at)s)
""",
)

_FIELDS: Final = (
    (Field("customer.tier", FieldType.STRING, _("Tier")), "code"),
    (Field("customer.rank", FieldType.INTEGER, _("Rank of the tier")), "rank"),
    (
        Field("customer.days_in_tier", FieldType.INTEGER, _("Days in the tier")),
        "(%(today)s - (since_at AT TIME ZONE %(zone)s)::date)",
    ),
    (
        Field("customer.tier_days_left", FieldType.INTEGER, _("Days until the tier ends")),
        "(kept_until_on - %(today)s)",
    ),
)


def install() -> None:
    """Register fields and sources; doing it again changes nothing."""
    sources.register(_TIER)
    for field, expression in _FIELDS:
        fields.register(field)
        sources.define(Column(field.name, _TIER.name, expression))
