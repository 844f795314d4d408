"""Variables that are read when a message is sent: for all members of a batch at once.

A source reads some of them with a number of statements that does not depend on how many members
there are, and is asked only where a text names one of them. Values that read differently in each
language are given as `{"zh": …, "en": …}`.

Source: CMP-06, CMP-07, BEN-03, ENG-13.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns import offer_words
from campaigns.domain import templating
from campaigns.domain.templating import Type
from campaigns.services import offers
from config.base import clock
from members.models import Member
from members.services import brand, profile
from rewards import balances, queries
from rewards.models import PointsAccount, Reward
from rewards.services import shelf


@dataclass(frozen=True, slots=True)
class Known:
    """A variable that needs no context: its name, its type, and what it says."""

    name: str
    type: Type
    title: Promise


DAYS_TOLD: Final = 3
RECOMMENDED: Final = "recommended."
DECISION: Final = "recommended.decision"
"""What is written down where a text says what is recommended; no text can name it."""

Values = Mapping[str, Mapping[int, Any]]
Read = Callable[[Collection[int], datetime], Values]


@dataclass(frozen=True, slots=True)
class Source:
    """Variables that are read together."""

    known: tuple[Known, ...]
    read: Read


_EXPIRING: Final = """
SELECT member_id, ((expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS day,
       sum(remaining) AS points
FROM rewards_lot
WHERE account_id = ANY(%(accounts)s) AND remaining > 0 AND NOT is_pending AND expires_at > %(at)s
GROUP BY 1, 2 ORDER BY 1, 2
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
    lots: dict[int, list[tuple[date, int]]] = {}
    for member, day, points in rows:
        lots.setdefault(member, []).append((day, int(points)))
    return {
        "points.expiring.points": {member: days[0][1] for member, days in lots.items()},
        "points.expiring.on": {member: days[0][0] for member, days in lots.items()},
        "points.expiring.days": {
            member: {
                "zh": "、".join(f"{p}积分至{templating.written_day(d, 'zh')}" for d, p in shown),
                "en": ", ".join(f"{p} until {templating.written_day(d, 'en')}" for d, p in shown),
            }
            for member, days in lots.items()
            if (shown := days[:DAYS_TOLD])
        },
    }


def _best_rewards(member_ids: Collection[int], at: datetime) -> Values:
    """Find for each member the dearest reward that they may have now; nobody's profile is asked."""
    reaches = shelf.to_be_had(member_ids, at)
    best = {member: reach.offers[0].reward for member, reach in reaches.items() if reach.offers}
    return {
        "reward.best": {member: _in_both(reward) for member, reward in best.items()},
        "reward.best_points": {member: reward.points for member, reward in best.items()},
    }


def _offers(member_ids: Collection[int], at: datetime) -> Values:
    """Find the next best offer of each member, with why, and what is written down of it."""
    decided = offers.decide(member_ids, at=at)
    best = {member: each.best for member, each in decided.items() if each.best}
    return {
        "recommended.name": {
            member: _in_both(reward) for member, (reward, _choice) in best.items()
        },
        "recommended.points": {member: reward.points for member, (reward, _choice) in best.items()},
        "recommended.why": {
            member: offer_words.why_in_both(choice) for member, (_reward, choice) in best.items()
        },
        DECISION: {member: offers.record_of(decided[member]) for member in best},
    }


def _in_both(reward: Reward) -> dict[str, str]:
    return {"zh": reward.name_zh, "en": reward.name_en or reward.name_zh}


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
            Known("points.expiring.days", Type.TEXT, _("the next last days, with their points")),
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
    Source(
        (
            Known("recommended.name", Type.TEXT, _("what is recommended to the member")),
            Known("recommended.points", Type.INTEGER, _("points that the recommendation takes")),
            Known("recommended.why", Type.TEXT, _("why it is recommended")),
        ),
        _offers,
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


def names_offer(names: Collection[str]) -> bool:
    """Say whether a text names what is recommended to the member."""
    return any(name.startswith(RECOMMENDED) for name in names)


def in_language(value: Any, language: str) -> Any:
    """Return the value as one language has it."""
    return value.get(language) if isinstance(value, Mapping) else value
