"""What the fold knows of members besides their facts, read in one piece with whatever else is read.

`COLUMNS` belong into a statement that has the member as `m` and the profile as `p`. Of segments
the fold knows the audiences of campaigns only: those begin and end where no purchase has been
decided yet, so that a late fact meets what its till has met.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from rewards.domain.subjects import AttributeChange, MemberFacts, Override, Stay
from tiers.domain.state import Suspension

COLUMNS: Final = """m.joined_at, p.birth_month,
       (SELECT json_agg(json_build_array(v.from_at, least(v.until_at, v.revoked_at), vt.code,
                                         v.is_floor) ORDER BY v.id DESC)
          FROM tiers_standingoverride v JOIN tiers_tier vt ON vt.id = v.tier_id
         WHERE v.member_id = m.id)::text,
       (SELECT json_agg(json_build_array(u.from_at, u.ended_at) ORDER BY u.from_at)
          FROM members_suspension u WHERE u.member_id = m.id)::text,
       (SELECT json_agg(json_build_array(c.id, c.at, c.name, c.value) ORDER BY c.at, c.id)
          FROM members_attributechange c WHERE c.member_id = m.id)::text,
       (SELECT json_agg(json_build_array(g.from_at, g.to_at, h.code) ORDER BY g.from_at, g.id)
          FROM members_segmentmembership g JOIN members_segment h ON h.id = g.segment_id
         WHERE g.member_id = m.id
           AND g.segment_id = ANY (ARRAY(SELECT k.id FROM members_segment k
                                         WHERE k.kind = 'campaign')))::text"""
WIDTH: Final = 6


def read(columns: Sequence[Any]) -> MemberFacts:
    """Return the facts that the columns hold."""
    joined_at, birth_month, overrides, suspensions, changes, stays = columns
    return MemberFacts(
        joined_at,
        birth_month,
        overrides=tuple(
            Override(datetime.fromisoformat(from_at), datetime.fromisoformat(until_at), code, floor)
            for from_at, until_at, code, floor in orjson.loads(overrides or "[]")
        ),
        suspensions=read_suspensions(suspensions),
        changes=tuple(
            AttributeChange(number, datetime.fromisoformat(at), name, value)
            for number, at, name, value in orjson.loads(changes or "[]")
        ),
        stays=tuple(
            Stay(datetime.fromisoformat(from_at), to_at and datetime.fromisoformat(to_at), code)
            for from_at, to_at, code in orjson.loads(stays or "[]")
        ),
    )


def read_suspensions(text: str | None) -> tuple[Suspension, ...]:
    """Return the suspensions that a JSON text of pairs holds."""
    return tuple(
        (datetime.fromisoformat(from_at), ended_at and datetime.fromisoformat(ended_at))
        for from_at, ended_at in orjson.loads(text or "[]")
    )
