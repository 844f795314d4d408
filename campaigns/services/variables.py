"""Variables that are read when a message is sent: for all members of a batch at once.

A source reads some of them with a number of statements that does not depend on how many members
there are, and is asked only where a text names one of them. Values that read differently in each
language are given as `{"zh": …, "en": …}`.

Source: CMP-06, BEN-03.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.domain.templating import Type
from config.base import clock
from members.models import Member
from members.services import brand, profile
from rewards import balances, queries
from rewards.models import PointsAccount


@dataclass(frozen=True, slots=True)
class Known:
    """A variable that needs no context: its name, its type, and what it says."""

    name: str
    type: Type
    title: Promise


Values = Mapping[str, Mapping[int, Any]]
Read = Callable[[Collection[int], datetime], Values]


@dataclass(frozen=True, slots=True)
class Source:
    """Variables that are read together."""

    known: tuple[Known, ...]
    read: Read


_EXPIRING: Final = """
SELECT DISTINCT ON (member_id) member_id, day, points FROM (
    SELECT member_id, ((expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS day,
           sum(remaining) AS points
    FROM rewards_lot
    WHERE account_id = ANY(%(accounts)s) AND remaining > 0 AND NOT is_pending
      AND expires_at > %(at)s
    GROUP BY 1, 2
) d ORDER BY member_id, day
"""

# What points buy without asking anything of the member besides the tier; stock that is kept for
# tiers counts for those who hold them.
_REWARDS: Final = """
SELECT r.name_zh, r.name_en, r.points, coalesce(t.rank, 0),
       CASE WHEN r.tracks_stock THEN coalesce(s.rank, 2147483647) ELSE 0 END
FROM rewards_reward r
LEFT JOIN tiers_tier t ON t.id = r.min_tier_id
LEFT JOIN LATERAL (
    SELECT min(coalesce(k.rank, 0)) AS rank
    FROM rewards_stock x LEFT JOIN tiers_tier k ON k.id = x.tier_id
    WHERE x.reward_id = r.id AND x.slot_id IS NULL AND x.on_hand > x.held
) s ON true
WHERE r.is_active AND r.is_listed AND r.points > 0 AND r.conditions IS NULL
  AND (r.valid_from IS NULL OR r.valid_from <= %(at)s)
  AND (r.valid_until IS NULL OR r.valid_until > %(at)s)
ORDER BY r.points DESC, r.code
"""


def _names(member_ids: Collection[int], at: datetime) -> Values:
    return {"member.name": {key: each.name for key, each in profile.read_many(member_ids).items()}}


def _cards(member_ids: Collection[int], at: datetime) -> Values:
    rows = Member.objects.filter(pk__in=member_ids).values_list("pk", "card_number")
    return {"member.card_tail": {key: number[-4:] for key, number in rows}}


def _tiers(member_ids: Collection[int], at: datetime) -> Values:
    found = queries.current_tiers([Member(pk=each) for each in member_ids], at=at)
    return {
        "member.tier": {
            key: {"zh": each.tier.name_zh, "en": each.tier.name_en} for key, each in found.items()
        },
        "member.tier_until": {key: each.until_on for key, each in found.items()},
    }


def _accounts(member_ids: Collection[int]) -> list[PointsAccount]:
    return list(PointsAccount.objects.filter(member_id__in=member_ids, kind=balances.POINTS))


def _available(member_ids: Collection[int], at: datetime) -> Values:
    return {"points.available": balances.available_of(_accounts(member_ids), at)}


def _expiring(member_ids: Collection[int], at: datetime) -> Values:
    accounts = [each.pk for each in _accounts(member_ids)]
    parameters: dict[str, Any] = {"accounts": accounts, "at": at, "zone": clock.zone().key}
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRING, parameters)
        rows = cursor.fetchall()
    return {
        "points.expiring.points": {member: int(points) for member, _day, points in rows},
        "points.expiring.on": {member: day for member, day, _points in rows},
    }


def _best_rewards(member_ids: Collection[int], at: datetime) -> Values:
    """Find for each member the dearest reward that is in stock and that the points buy now."""
    available = balances.available_of(_accounts(member_ids), at)
    ranks = queries.current_tiers([Member(pk=each) for each in member_ids], at=at)
    with connection.cursor() as cursor:
        cursor.execute(_REWARDS, {"at": at})
        offers = cursor.fetchall()
    names, prices = dict[int, Any](), dict[int, int]()
    for member in member_ids:
        rank = ranks[member].tier.rank if member in ranks else 0
        for name_zh, name_en, points, from_rank, stock_rank in offers:
            if points <= available.get(member, 0) and max(from_rank, stock_rank) <= rank:
                names[member] = {"zh": name_zh, "en": name_en}
                prices[member] = points
                break
    return {"reward.best": names, "reward.best_points": prices}


def _programme(member_ids: Collection[int], at: datetime) -> Values:
    found = brand.in_force(at)
    if found is None:
        return {}
    name = {"zh": found.programme_name_zh, "en": found.programme_name_en}
    return {"programme.name": dict.fromkeys(member_ids, name)}


SOURCES: Final = (
    Source((Known("member.name", Type.TEXT, _("the member's name")),), _names),
    Source((Known("member.card_tail", Type.TEXT, _("last digits of the card")),), _cards),
    Source(
        (
            Known("member.tier", Type.TEXT, _("the member's tier")),
            Known("member.tier_until", Type.DATE, _("last day of the tier")),
        ),
        _tiers,
    ),
    Source((Known("points.available", Type.INTEGER, _("available points")),), _available),
    Source(
        (
            Known("points.expiring.points", Type.INTEGER, _("points that expire next")),
            Known("points.expiring.on", Type.DATE, _("last day of the points that expire next")),
        ),
        _expiring,
    ),
    Source(
        (
            Known("reward.best", Type.TEXT, _("best reward that the points buy now")),
            Known("reward.best_points", Type.INTEGER, _("points that this reward takes")),
        ),
        _best_rewards,
    ),
    Source((Known("programme.name", Type.TEXT, _("the programme's name")),), _programme),
)

# Its value is made from the message's own context when it is sent.
FEEDBACK_LINK: Final = Known("feedback.link", Type.TEXT, _("link to the feedback form"))

KNOWN: Final = {
    **{each.name: each for source in SOURCES for each in source.known},
    FEEDBACK_LINK.name: FEEDBACK_LINK,
}


def read(names: Collection[str], member_ids: Collection[int], at: datetime) -> dict[str, Any]:
    """Return the values of the variables that need no context, by name and member.

    Asks only the sources of what is named; each once for all members.
    """
    found: dict[str, Any] = {}
    wanted = set(names)
    for source in SOURCES:
        if wanted & {each.name for each in source.known}:
            found.update(source.read(member_ids, at))
    return found


def in_language(value: Any, language: str) -> Any:
    """Return the value as one language has it."""
    return value.get(language) if isinstance(value, Mapping) else value
