"""What is offered to members next: read for many at once, and decided by `domain.offers`.

Of who has declined nothing is read but what they can have: no orders, no redemptions of theirs, no
customer value. Refusing `personalisation` says so, or refusing `profiling`.

Source: CMP-07, RWD-14; PIPL, article 24.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from campaigns.domain import offers
from campaigns.domain.offers import Candidate, Choice, Profile
from members.models import Member, MemberInsight, MemberStatus
from members.services import consents
from rewards import balances
from rewards.models import CouponTemplate, Reward
from rewards.services import shelf

PURPOSES: Final = frozenset({"personalisation", "profiling"})
YEAR: Final = timedelta(days=365)
LATELY: Final = timedelta(days=90)
SOON: Final = timedelta(days=30)

# As many are enough to tell what is liked; however many there are, it takes no longer.
LATEST: Final = 5_000

_LATEST: Final = f"(SELECT * FROM rewards_redemption ORDER BY id DESC LIMIT {LATEST})"  # noqa: S608 - a number
_ROWS: Final = "d.grant_id IS NULL AND d.pack_id IS NULL AND d.status <> 'cancelled'"
_POPULAR: Final = f"""
SELECT r.code, count(DISTINCT d.member_id)
FROM {_LATEST} d JOIN rewards_reward r ON r.id = d.reward_id
WHERE r.code = ANY(%(codes)s) AND d.requested_at > %(lately)s AND {_ROWS} GROUP BY r.code
"""  # noqa: S608 - a condition above
# '' stands for any reward: how many of the class redeem at all.
_LIKES: Final = f"""
SELECT i.customer_class, CASE WHEN grouping(r.code) = 0 THEN r.code ELSE '' END,
       count(DISTINCT d.member_id)
FROM {_LATEST} d JOIN rewards_reward r ON r.id = d.reward_id
JOIN members_memberinsight i ON i.member_id = d.member_id
WHERE d.requested_at > %(lately)s AND i.customer_class = ANY(%(classes)s) AND {_ROWS}
GROUP BY GROUPING SETS ((i.customer_class, r.code), (i.customer_class))
"""  # noqa: S608 - a condition above
_HAD: Final = f"""
SELECT d.member_id, r.code, r.kind, d.requested_at
FROM rewards_redemption d JOIN rewards_reward r ON r.id = d.reward_id
WHERE d.member_id = ANY(%(ids)s) AND d.requested_at > %(year)s AND {_ROWS}
"""  # noqa: S608 - a condition above
_SPENT: Final = """
SELECT o.member_id, l.category, sum(l.amount)
FROM members_order o JOIN members_orderline l ON l.order_id = o.id
WHERE o.member_id = ANY(%(ids)s) AND o.placed_at > %(year)s
  AND o.status <> 'cancelled' AND o.net_amount > 0 AND l.amount > 0
GROUP BY o.member_id, l.category
"""
_ENDING: Final = """
SELECT member_id, sum(remaining), min(expires_at) FROM rewards_lot
WHERE member_id = ANY(%(ids)s) AND remaining > 0 AND NOT is_pending
  AND expires_at > %(at)s AND expires_at <= %(soon)s
GROUP BY member_id
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is offered to one member, and what it was decided from."""

    is_personal: bool
    offers: tuple[tuple[Reward, Choice], ...] = ()

    @property
    def best(self) -> tuple[Reward, Choice] | None:
        """Return the first of them; None where nothing can be had."""
        return self.offers[0] if self.offers else None


NOTHING: Final = Decision(is_personal=False)


def declined(member_ids: Collection[int]) -> set[int]:
    """Return who wants no personalised recommendations."""
    said = consents.current(member_ids)
    return {
        member
        for member, decisions in said.items()
        for (purpose, _channel), row in decisions.items()
        if purpose in PURPOSES and not row.granted
    }


def decide(member_ids: Collection[int], *, at: datetime) -> dict[int, Decision]:
    """Return what is offered to each active member; the statements do not grow with them."""
    rows = Member.objects.filter(pk__in=member_ids, status=MemberStatus.ACTIVE)
    reaches = shelf.to_be_had(list(rows.values_list("pk", flat=True)), at)
    known = {each.reward.code: each.reward for reach in reaches.values() for each in reach.offers}
    candidates = _candidates(known.values())
    without = declined(reaches)
    personal = {key: reach.available for key, reach in reaches.items() if key not in without}
    profiles = _profiles(personal, at) if known else {}
    popular = _popular(known, at) if without and known else {}
    decisions = {}
    for member, reach in reaches.items():
        row = [candidates[each.reward.code] for each in reach.offers]
        profile = profiles.get(member)
        chosen = offers.choose(row, profile) if profile else offers.neutral(row, popular)
        shown = tuple((known[each.code], each) for each in chosen)
        decisions[member] = Decision(member not in without, shown)
    return decisions


def _candidates(rewards: Collection[Reward]) -> dict[str, Candidate]:
    """Return rewards as they are compared; a coupon is for what its lines ask for."""
    templates = {each.coupon_template_id for each in rewards if each.coupon_template_id}
    rows = CouponTemplate.objects.filter(pk__in=templates) if templates else ()
    asked = {row.pk: offers.categories_of(row.line_conditions) for row in rows}
    return {
        reward.code: Candidate(
            reward.code, reward.kind, reward.points,
            asked.get(reward.coupon_template_id or 0, frozenset()),
        )
        for reward in rewards
    }  # fmt: skip


def _popular(codes: Collection[str], at: datetime) -> dict[str, int]:
    return dict(_rows(_POPULAR, codes=list(codes), lately=at - LATELY))


def _profiles(available: Mapping[int, int], at: datetime) -> dict[int, Profile]:
    """Return what is known of members, by their available points."""
    ids = sorted(available)
    if not ids:
        return {}
    insights = MemberInsight.objects.in_bulk(ids)
    likes = _likes({row.customer_class for row in insights.values()}, at)
    shares, had, ending = _shares(ids, at), _had(ids, at), _ending(ids, at)
    profiles = {}
    for member, points in available.items():
        insight = insights.get(member)
        like = likes.get(insight.customer_class, {}) if insight else {}
        expiring, on = ending.get(member, (0, None))
        kinds = Counter(kind for _code, kind, _when in had[member])
        lately = frozenset(code for code, _kind, when in had[member] if when > at - LATELY)
        profiles[member] = Profile(
            points, expiring, on, insight.stage if insight else "", shares.get(member, {}),
            kinds, lately, like.get("", 0), {code: n for code, n in like.items() if code},
        )  # fmt: skip
    return profiles


def _likes(classes: Collection[str], at: datetime) -> dict[str, dict[str, int]]:
    """Return how many members of classes redeemed each reward lately, and any ("")."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for group, code, members in _rows(_LIKES, classes=sorted(classes), lately=at - LATELY):
        found[group][code] = members
    return found


def _shares(ids: Collection[int], at: datetime) -> dict[int, dict[str, int]]:
    """Return how much of the year's spend went into each category, in per cent."""
    spent: dict[int, dict[str, Any]] = defaultdict(dict)
    for member, category, amount in _rows(_SPENT, ids=list(ids), year=at - YEAR):
        spent[member][category] = amount
    return {
        member: {name: int(100 * amount / sum(row.values())) for name, amount in row.items()}
        for member, row in spent.items()
    }


def _had(ids: Collection[int], at: datetime) -> dict[int, list[tuple[str, str, datetime]]]:
    found: dict[int, list[tuple[str, str, datetime]]] = defaultdict(list)
    for member, *redeemed in _rows(_HAD, ids=list(ids), year=at - YEAR):
        found[member].append(tuple(redeemed))
    return found


def _ending(ids: Collection[int], at: datetime) -> dict[int, tuple[int, date | None]]:
    """Return the points that end soon, and the last day of the first of them."""
    rows = _rows(_ENDING, ids=list(ids), at=at, soon=at + SOON)
    return {member: (int(points), balances.last_valid_day(end)) for member, points, end in rows}


def _rows(statement: str, **parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows


def record_of(decision: Decision) -> dict[str, Any]:
    """Return what is written down of a decision that somebody is shown: codes, no sentences."""
    if decision.best is None:
        return {}
    reward, choice = decision.best
    return {
        "reward": reward.code,
        "score": choice.score,
        "is_personal": decision.is_personal,
        "reasons": [
            {"code": each.code, "score": each.score, **each.facts} for each in choice.reasons
        ],
    }
