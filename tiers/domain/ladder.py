"""The ladder: its tiers, what each asks for, and the versions of it over time.

Everything here is frozen and checked when it is made, so that the fold never meets a ladder
that contradicts itself.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tiers.domain import ladder_checks
from tiers.domain.criteria import Criterion, Group, Metric, Purpose, Requirement
from tiers.domain.plan import Check, Figure, Plan, plan_of
from tiers.domain.windows import Window, WindowKind

__all__ = [
    "Check",
    "Criterion",
    "Figure",
    "Group",
    "Ladder",
    "LadderBook",
    "Metric",
    "Plan",
    "Purpose",
    "RefundPolicy",
    "Requirement",
    "ReviewPolicy",
    "TierSpec",
    "successor_rank",
]

Ratio = tuple[int, int]

DEFAULT_QUALIFYING_KINDS = frozenset(
    {"survey", "review", "referral", "event_attended", "product_test"}
)


class ReviewPolicy(StrEnum):
    """How far a review lowers: one rank at most, or to what is earned."""

    ONE_LEVEL = "one_level"
    TO_EARNED = "to_earned"


class RefundPolicy(StrEnum):
    """What a fact that lowers progress does to the standing (TIR-09)."""

    KEEP = "keep"
    WITHDRAW = "withdraw"
    IMMEDIATE = "immediate"
    GRACE = "grace"


@dataclass(frozen=True, slots=True)
class TierSpec:
    """One tier of a ladder; the multiplier of its points is exact (numerator, denominator).

    Units: the discount is in hundredths of a percent.
    """

    code: str
    rank: int
    multiplier: Ratio = (1, 1)
    discount_bp: int = 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """One version of the ladder, in force from ``effective_from`` (None = always).

    Raises: LadderError when it contradicts itself.
    Source: design §4 tiers, §5.4.
    """

    version: int
    effective_from: datetime | None
    tiers: tuple[TierSpec, ...]
    requirements: tuple[Requirement, ...] = ()
    validity_days: int = 365
    grace_days: int = 0
    review: ReviewPolicy = ReviewPolicy.ONE_LEVEL
    refund_policy: RefundPolicy = RefundPolicy.WITHDRAW
    withdraw_days: int = 30
    growth_spend_weight: Ratio = (1, 100)
    growth_interaction_weight: Ratio = (0, 1)
    qualifying_kinds: frozenset[str] = DEFAULT_QUALIFYING_KINDS
    tenure_counts_suspension: bool = True
    plan: Plan = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a ladder that contradicts itself, then prepare it for evaluation."""
        ladder_checks.check_ladder(self)
        object.__setattr__(self, "plan", plan_of(self.requirements, range(len(self.tiers))))

    @property
    def top_rank(self) -> int:
        """Return the highest rank."""
        return len(self.tiers) - 1

    def tier(self, rank: int) -> TierSpec:
        """Return the tier of a rank."""
        return self.tiers[rank]

    def rank_of(self, code: str) -> int | None:
        """Return the rank of a tier code, None where the ladder has no such tier."""
        return next((tier.rank for tier in self.tiers if tier.code == code), None)


def successor_rank(old: Ladder, new: Ladder, rank: int) -> int:
    """Return the rank in a new version of whoever is at ``rank`` in the old one.

    Tiers keep their identity by code; where a tier is gone, the next lower one that is left.
    """
    for tier in reversed(old.tiers[: rank + 1]):
        found = new.rank_of(tier.code)
        if found is not None:
            return found
    return 0


class LadderBook:
    """All versions of the ladder, in the order in which they come into force.

    Before the first version nothing can be earned: a ladder with only its lowest tier stands
    in (version 0), so that a member's fold has a beginning whenever the programme starts.

    ``asks_for_tenure`` tells that time alone can raise a member, whatever else happens.
    ``windows`` are those with a first day; ``reach_days`` is the least age in days at which a
    day may lie outside all of them. ``tracks_largest`` asks for single orders to be listed,
    ``keeps_all_days`` for all of them for ever.
    """

    __slots__ = (
        "_index",
        "_starts",
        "asks_for_tenure",
        "attributes",
        "keeps_all_days",
        "reach_days",
        "tracks_largest",
        "versions",
        "windows",
    )

    def __init__(self, versions: Iterable[Ladder]) -> None:
        """Order the versions.

        Raises: LadderError when there is none, or two share a number or an instant.
        """
        ordered = ladder_checks.ordered_versions(versions)
        if ordered[0].effective_from is not None:
            first = ordered[0]
            kinds = first.qualifying_kinds
            ordered.insert(0, Ladder(0, None, first.tiers[:1], qualifying_kinds=kinds))
        self.versions = tuple(ordered)
        self._starts = [v.effective_from for v in ordered[1:] if v.effective_from is not None]
        self._index = {v.version: number for number, v in enumerate(ordered)}
        figures = {figure for version in ordered for figure in version.plan.figures}
        self.windows = {f.window for f in figures if f.window.kind is not WindowKind.LIFETIME}
        self.attributes = {f.attribute for f in figures if f.attribute is not None}
        self.asks_for_tenure = any(f.metric is Metric.TENURE for f in figures)
        largest = [f for f in figures if f.metric is Metric.LARGEST_ORDER]
        self.tracks_largest = bool(largest)
        self.keeps_all_days = any(f.window.kind is WindowKind.LIFETIME for f in largest)
        self.reach_days = max((_reach(window) for window in self.windows), default=0)

    def at(self, instant: datetime) -> Ladder:
        """Return the version in force at an instant."""
        if not self._starts:
            return self.versions[0]
        return self.versions[bisect_right(self._starts, instant)]

    def version(self, number: int) -> Ladder:
        """Return a version by its number.

        Raises: KeyError when the book has no such version.
        """
        return self.versions[self._index[number]]

    def knows(self, number: int) -> bool:
        """Tell whether the book has a version of that number."""
        return number in self._index

    def after(self, number: int) -> Ladder | None:
        """Return the version that replaces the given one, None for the last."""
        following = self._index[number] + 1
        return self.versions[following] if following < len(self.versions) else None


def _reach(window: Window) -> int:
    """Return an age in days under which a day is inside the window, as far as can be said."""
    return window.days or 0
