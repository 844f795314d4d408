"""The next best offer: of what a member can have now, what suits them best, and why.

Every reason adds its share to a score, so that the whole of it can be read and none is hidden:

| reason | at most | from |
| --- | --- | --- |
| `affinity` | 40 | a coupon for goods that the member buys: their share of the year's spend |
| `like_members` | 25 | how many of those of the same customer class who redeem took it |
| `expiring` | 20 | how much it uses of the points that end within 30 days |
| `stage` | 15 | coupons for who is to come (back), experiences and services for who stays |
| `kind` | 10 | the member has redeemed rewards of this kind before |
| `reach` | 10 | how much of the available points it uses |
| `had` | −30 | the member has had it within 90 days |

Who has declined is shown what members redeem most: for them nothing else is asked.

Pure. Source: CMP-07, RWD-14.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

MOST_SHOWN: Final = 5
AFFINITY, LIKE, EXPIRING, STAGE, KIND, REACH, HAD = 40, 25, 20, 15, 10, 10, -30
LEAST_SHARE: Final = 10
LEAST_LIKE: Final = 5
"""From how many members on something is said of them: fewer could be guessed at."""
_OFTEN: Final = 3
_COMING: Final = frozenset({"acquire", "activate", "dormant", "won_back"})
_STAYING: Final = frozenset({"retain", "advocate"})
_TREATS: Final = frozenset({"experience", "service"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that the member can have now. Units: points."""

    code: str
    kind: str
    points: int
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a member who has not declined.

    `shares` are per cent of the year's spend by category; `kinds` how often a kind was redeemed;
    `likes` of `like_members` members of the same class how many took each reward. Units: points.
    """

    available: int
    expiring: int = 0
    expiring_on: date | None = None
    stage: str = ""
    shares: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    had: frozenset[str] = frozenset()
    like_members: int = 0
    likes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, what it adds to the score, and what its sentence needs."""

    code: str
    score: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """An offer with its reasons, the weightiest first."""

    code: str
    score: int
    reasons: tuple[Reason, ...]


def choose(candidates: Sequence[Candidate], profile: Profile) -> list[Choice]:
    """Return what suits a member best, in order."""
    found = [_choice(each, profile) for each in candidates]
    return sorted(found, key=lambda each: (-each.score, each.code))[:MOST_SHOWN]


def neutral(candidates: Sequence[Candidate], popular: Mapping[str, int]) -> list[Choice]:
    """Return what members redeem most, in order: the same for everybody who can have the same.

    Source: PIPL, article 24.
    """
    ordered = sorted(candidates, key=lambda each: (-popular.get(each.code, 0), each.code))
    return [Choice(each.code, 0, (Reason("neutral", 0),)) for each in ordered[:MOST_SHOWN]]


def categories_of(conditions: Any) -> frozenset[str]:
    """Return the categories of goods that the conditions of a coupon's lines ask for."""
    if not isinstance(conditions, Mapping):
        return frozenset()
    if conditions.get("field") == "line.category":
        value = conditions.get("value")
        wanted = {"eq": [value], "in": value}.get(str(conditions.get("op")), [])
        return frozenset(each for each in wanted or [] if isinstance(each, str))
    parts = [*conditions.get("all", ()), *conditions.get("any", ())]
    return frozenset().union(*(categories_of(part) for part in parts))


def _choice(candidate: Candidate, profile: Profile) -> Choice:
    found = (reason for check in _CHECKS if (reason := check(candidate, profile)) is not None)
    reasons = sorted(found, key=lambda each: -each.score)
    return Choice(candidate.code, max(0, sum(each.score for each in reasons)), tuple(reasons))


def _affinity(candidate: Candidate, profile: Profile) -> Reason | None:
    shares = {each: profile.shares.get(each, 0) for each in sorted(candidate.categories)}
    best = max(shares, key=lambda each: shares[each], default="")
    if not best or shares[best] < LEAST_SHARE:
        return None
    score = AFFINITY * shares[best] // 100
    return Reason("affinity", score, {"category": best, "percent": shares[best]})


def _like(candidate: Candidate, profile: Profile) -> Reason | None:
    took = profile.likes.get(candidate.code, 0)
    if profile.like_members < LEAST_LIKE or not took:
        return None
    percent = 100 * took // profile.like_members
    return Reason("like_members", LIKE * percent // 100, {"percent": percent})


def _expiring(candidate: Candidate, profile: Profile) -> Reason | None:
    if not profile.expiring or profile.expiring_on is None:
        return None
    used = min(candidate.points, profile.expiring)
    facts = {"points": used, "on": profile.expiring_on.isoformat()}
    return Reason("expiring", EXPIRING * used // profile.expiring, facts)


def _stage(candidate: Candidate, profile: Profile) -> Reason | None:
    if candidate.kind == "coupon" and profile.stage in _COMING:
        return Reason("stage", STAGE, {"stage": profile.stage})
    if candidate.kind in _TREATS and profile.stage in _STAYING:
        return Reason("stage", STAGE, {"stage": profile.stage})
    return None


def _kind(candidate: Candidate, profile: Profile) -> Reason | None:
    times = profile.kinds.get(candidate.kind, 0)
    if not times:
        return None
    return Reason("kind", KIND * min(times, _OFTEN) // _OFTEN, {"times": times})


def _reach(candidate: Candidate, profile: Profile) -> Reason | None:
    facts = {"points": candidate.points, "available": profile.available}
    return Reason("reach", REACH * candidate.points // max(1, profile.available), facts)


def _had(candidate: Candidate, profile: Profile) -> Reason | None:
    return Reason("had", HAD) if candidate.code in profile.had else None


_CHECKS: Final[Sequence[Callable[[Candidate, Profile], Reason | None]]] = (
    _affinity, _like, _expiring, _stage, _kind, _reach, _had,
)  # fmt: skip
