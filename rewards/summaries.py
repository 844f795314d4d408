"""All that a till or a desk asks about a member, in one call and a fixed number of statements.

Source: SVC-01, ENG-25, design §6 (summary).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from members.models import Member, MemberStatus
from rewards import balances, queries
from rewards.balances import Balance, Points
from rewards.models import PointsAccount
from rewards.queries import TierReading, TierState
from rewards.services.programme import STAMP, book_for
from tiers import queries as tier_queries
from tiers.queries import BenefitLeft

EVENTS: Final = 5
COUPONS: Final = 20

_MEMBER: Final = [field.attname for field in Member._meta.concrete_fields]
_ACCOUNT: Final = [field.attname for field in PointsAccount._meta.concrete_fields]

# One round trip for what belongs to no other reading. A merged member is its survivor.
_READ: Final = """
WITH RECURSIVE line (id, merged_into_id) AS (
    SELECT id, merged_into_id FROM members_member WHERE public_id = %(public_id)s
    UNION
    SELECT m.id, m.merged_into_id FROM line JOIN members_member m ON m.id = line.merged_into_id
)
SELECT {stamp}, coalesce(p.name_mask, ''),
    coalesce((SELECT i.tail4 FROM members_identifier i
              WHERE i.member_id = m.id AND i.kind = 'phone' AND i.ended_at IS NULL
              ORDER BY i.id LIMIT 1), ''),
    f.state::text,
    (SELECT json_agg(json_build_array(u.from_at, u.ended_at) ORDER BY u.from_at)
       FROM members_suspension u WHERE u.member_id = m.id)::text,
    coalesce((SELECT bool_or(c.granted) FROM (
        SELECT DISTINCT ON (channel) granted FROM members_consent
        WHERE member_id = m.id AND purpose = 'marketing'
        ORDER BY channel, given_at DESC, id DESC) c), false),
    (SELECT count(*) FROM members_case c WHERE c.member_id = m.id
       AND c.state IN ('open', 'in_progress', 'waiting_member')),
    (SELECT json_agg(json_build_object('kind', e.kind, 'at', e.occurred_at)
                     ORDER BY e.occurred_at DESC, e.id DESC)
       FROM (SELECT * FROM members_memberevent WHERE member_id = m.id
             ORDER BY occurred_at DESC, id DESC LIMIT %(events)s) e)::text,
    (SELECT json_agg(json_build_object(
                'code', c.code, 'template', t.code, 'name_zh', t.name_zh, 'name_en', t.name_en,
                'kind', t.kind, 'expires_at', c.expires_at) ORDER BY c.expires_at, c.id)
       FROM (SELECT * FROM rewards_coupon
             WHERE member_id = m.id AND revoked_at IS NULL AND held + used < max_uses
               AND (valid_from IS NULL OR valid_from <= %(at)s)
               AND (expires_at IS NULL OR expires_at > %(at)s)
             ORDER BY expires_at, id LIMIT %(coupons)s) c
       JOIN rewards_coupontemplate t ON t.id = c.template_id)::text,
    coalesce(nullif(trim(u.last_name || u.first_name), ''), u.username),
    {member}, {account}
FROM members_member m
LEFT JOIN auth_user u ON u.id = m.account_manager_id
LEFT JOIN members_memberprofile p ON p.member_id = m.id
LEFT JOIN rewards_foldsnapshot f ON f.member_id = m.id
LEFT JOIN rewards_pointsaccount a ON a.member_id = m.id AND a.kind = 'points'
WHERE m.id = (SELECT id FROM line WHERE merged_into_id IS NULL) AND m.status <> 'erased'
""".format(  # noqa: S608 - column names and the stamp
    stamp=STAMP,
    member=", ".join(f'm."{field.column}"' for field in Member._meta.concrete_fields),
    account=", ".join(f'a."{field.column}"' for field in PointsAccount._meta.concrete_fields),
)
_OWN_COLUMNS: Final = 10


@dataclass(frozen=True, slots=True)
class UsableCoupon:
    """A coupon that could be used now, as far as its owner and its time go."""

    code: str
    template: str
    name_zh: str
    name_en: str
    kind: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A member as a till or a desk needs to see one; nothing in it is sealed."""

    member: Member
    name_mask: str
    phone_tail: str
    tier: TierReading | None
    points: Points
    benefits: Sequence[BenefitLeft]
    coupons: Sequence[UsableCoupon]
    open_cases: int
    account_manager: str | None
    events: Sequence[tuple[str, datetime]]
    allows_marketing: bool

    @property
    def warnings(self) -> list[str]:
        """Return codes of what somebody who serves the member should know first."""
        status = self.member.status
        found = {
            "member_frozen": status == MemberStatus.FROZEN,
            "member_closed": status == MemberStatus.CLOSED,
            "points_debt": self.points.balance.debt > 0,
            "open_case": self.open_cases > 0,
            "no_marketing": not self.allows_marketing,
        }
        return [code for code, is_so in found.items() if is_so]


def summary_of(public_id: UUID, *, at: datetime) -> Summary | None:
    """Return the summary of a member, None for nobody; what is due is subtracted, not written."""
    with connection.cursor() as cursor:
        cursor.execute(
            _READ, {"public_id": public_id, "at": at, "events": EVENTS, "coupons": COUPONS}
        )
        row = cursor.fetchone()
    if row is None:
        return None
    stamp, name_mask, tail, state, suspensions, marketing, cases, events, coupons, agent = row[
        :_OWN_COLUMNS
    ]
    values = row[_OWN_COLUMNS:]
    member = Member.from_db(connection.alias, _MEMBER, values[: len(_MEMBER)])
    known = TierState(_json(state), queries.read_suspensions(suspensions), book_for(stamp))
    tier = queries.read_tier(member, known, at=at)
    held = {} if tier is None else {member.pk: tier.current.tier.pk}
    return Summary(
        member=member,
        name_mask=name_mask,
        phone_tail=tail,
        tier=tier,
        points=_points(values[len(_MEMBER) :], at),
        benefits=tier_queries.benefits_left([member.pk], at, held)[member.pk],
        coupons=[_coupon(each) for each in _json(coupons) or ()],
        open_cases=cases,
        account_manager=agent,
        events=[(e["kind"], datetime.fromisoformat(e["at"])) for e in _json(events) or ()],
        allows_marketing=marketing,
    )


def _points(values: Sequence[Any], at: datetime) -> Points:
    if values[0] is None:
        return Points(Balance(), ())
    return balances.read(PointsAccount.from_db(connection.alias, _ACCOUNT, values), at)


def _coupon(each: dict[str, Any]) -> UsableCoupon:
    ends = each["expires_at"]
    return UsableCoupon(**{**each, "expires_at": ends and datetime.fromisoformat(ends)})


def _json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
