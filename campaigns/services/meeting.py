"""What firing has to know of the members that a campaign meets, in one statement for all."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from campaigns.domain.assignment import Variant
from campaigns.domain.meeting import Met
from campaigns.models import Campaign, CampaignVersion
from campaigns.services import assigning

_MET: Final = """
SELECT m.id, m.status, c.arm, coalesce(c.variant, ''),
       c.left_at IS NULL AND a.member_id IS NOT NULL, coalesce(a.excluded, false),
       coalesce(c.arm = 'excluded' AND c.reason = %(held_out)s, false),
       %(group)s <> '' AND EXISTS (
           SELECT FROM campaigns_campaignmember o
           JOIN campaigns_campaign k ON k.id = o.campaign_id AND k.state IN ('pilot', 'live')
           JOIN campaigns_campaignversion v ON v.id = k.running_id AND v."group" = %(group)s
            AND (v.starts_at IS NULL OR v.starts_at <= %(at)s)
            AND (v.ends_at IS NULL OR v.ends_at > %(at)s)
           WHERE o.member_id = m.id AND o.arm = 'treated' AND o.left_at IS NULL
             AND (v.priority < %(priority)s OR (v.priority = %(priority)s AND k.code < %(code)s))),
       ARRAY(SELECT s.code FROM members_segmentmembership b
             JOIN members_segment s ON s.id = b.segment_id AND s.code = ANY(%(segments)s)
             WHERE b.member_id = m.id AND b.from_at <= %(at)s
               AND (b.to_at IS NULL OR b.to_at > %(at)s)),
       ARRAY(SELECT d.key FROM campaigns_campaignact d
             WHERE d.campaign_id = %(campaign)s AND d.member_id = m.id AND d.key = ANY(%(keys)s)),
       CASE WHEN %(counts)s THEN ARRAY(
           SELECT d.occurred_at FROM campaigns_campaignact d
           WHERE d.campaign_id = %(campaign)s AND d.member_id = m.id AND d.skipped = ''
             AND d.undone_at IS NULL) END
FROM members_member m
LEFT JOIN campaigns_campaignmember c ON c.member_id = m.id AND c.campaign_id = %(campaign)s
LEFT JOIN ({audience}) a ON a.member_id = m.id
WHERE m.id = ANY(%(only)s)
"""


def meet(
    *,
    campaign: Campaign,
    version: CampaignVersion,
    variants: Sequence[Variant],
    members: Collection[int],
    keys: Collection[str],
    at: datetime,
) -> dict[int, Met]:
    """Return what is known of each member; who is new in the audience is assigned first."""
    assigning.welcome(campaign=campaign, version=version, members=members, at=at)
    audience = assigning.audience_of(version, at, members)
    parameters = {
        **audience.parameters, "campaign": campaign.pk, "keys": list(keys),
        "group": version.group, "priority": version.priority, "code": campaign.code,
        "segments": [each.segment for each in variants if each.segment],
        "held_out": assigning.BY_GLOBAL_HOLDOUT,
        "counts": version.limit_acts is not None or bool(version.trigger.get("cooldown_days")),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_MET.format(audience=audience.statement), parameters)
        return {
            row[0]: Met(
                row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7],
                frozenset(row[8]), set(row[9]), list(row[10] or ()),
            )
            for row in cursor.fetchall()
        }  # fmt: skip
