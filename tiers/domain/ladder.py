"""The ladder: its tiers, what each asks for, and the versions of it over time.

Everything here is frozen and checked when it is made, so that the fold never meets a ladder
that contradicts itself.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tiers.domain import ladder_checks
from tiers.domain.windows import LIFETIME, TenureUnit, Window, WindowKind

Ratio = tuple[int, int]

DEFAULT_QUALIFYING_KINDS = frozenset(
    {"survey", "review", "referral", "event_attended", "product_test"}
)


class Metric(StrEnum):
    """What progress is measured in."""

    SPEND = "spend"
    ORDERS = "orders"
    AVERAGE_ORDER = "average_order"
    LARGEST_ORDER = "largest_order"
    INTERACTIONS = "interactions"
    REFERRALS = "referrals"
    POINTS_EARNED = "points_earned"
    GROWTH = "growth"
    TENURE = "tenure"
    ATTRIBUTE = "attribute"


class Purpose(StrEnum):
    """Whether a requirement earns a tier or keeps it."""

    ENTRY = "entry"
    RETENTION = "retention"


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
class Criterion:
    """One metric over one window against one threshold.

    Units: threshold in minor units for money, a count, points, growth value, or ``unit`` of
    tenure. For ``attribute`` the member's attribute has to equal ``value``; window and
    threshold mean nothing there.
    """

    metric: Metric
    window: Window = LIFETIME
    threshold: int = 1
    attribute: str | None = None
    value: str | None = None
    unit: TenureUnit = TenureUnit.MONTHS


Group = tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a rank asks for: any group suffices, all criteria of it are needed.

    ``from_rank`` limits it to members who are at that rank when it is looked at.
    """

    rank: int
    purpose: Purpose
    groups: tuple[Group, ...]
    from_rank: int | None = None


@dataclass(frozen=True, slots=True)
class TierSpec:
    """One tier of a ladder; the multiplier of its points is exact (numerator, denominator)."""

    code: str
    rank: int
    multiplier: Ratio = (1, 1)


@dataclass(frozen=True, slots=True)
class Check:
    """A requirement group in the form that the fold evaluates: figure index and threshold."""

    rank: int
    group: int
    requirement: Requirement
    criteria: Group
    terms: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number to compute for an evaluation; criteria that share it compute it once."""

    metric: Metric
    window: Window
    attribute: str | None
    value: str | None
    unit: TenureUnit

    @classmethod
    def of(cls, criterion: Criterion) -> "Figure":
        """Return the number that the criterion compares."""
        windowless = criterion.metric in (Metric.TENURE, Metric.ATTRIBUTE)
        return cls(
            criterion.metric,
            LIFETIME if windowless else criterion.window,
            criterion.attribute,
            criterion.value,
            criterion.unit,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A ladder prepared for evaluation; each tuple of checks is indexed by current rank."""

    figures: tuple[Figure, ...]
    windows: tuple[Window, ...]
    upgrades: tuple[tuple[Check, ...], ...]
    retention: tuple[tuple[Check, ...], ...]
    entry: tuple[tuple[Check, ...], ...]
    tenures: tuple[tuple[TenureUnit, int], ...]


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
    plan: Plan = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a ladder that contradicts itself, then prepare it for evaluation."""
        ladder_checks.check_ladder(self)
        object.__setattr__(self, "plan", _plan_of(self))

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


def _plan_of(ladder: Ladder) -> Plan:
    criteria = [c for r in ladder.requirements for group in r.groups for c in group]
    figures = tuple(dict.fromkeys(Figure.of(criterion) for criterion in criteria))
    index = {figure: number for number, figure in enumerate(figures)}
    ranks = range(len(ladder.tiers))
    entry = tuple(_checks(ladder, rank, Purpose.ENTRY, index) for rank in ranks)
    kept = (_checks(ladder, rank, Purpose.RETENTION, index) for rank in ranks)
    return Plan(
        figures=figures,
        windows=tuple(dict.fromkeys(figure.window for figure in figures)),
        upgrades=tuple(_upgrades(entry, rank) for rank in ranks),
        retention=tuple(own or entry[rank] for rank, own in enumerate(kept)),
        entry=entry,
        tenures=tuple(
            sorted({(c.unit, c.threshold) for c in criteria if c.metric is Metric.TENURE})
        ),
    )


def _checks(
    ladder: Ladder, rank: int, purpose: Purpose, index: dict[Figure, int]
) -> tuple[Check, ...]:
    found = [r for r in ladder.requirements if (r.rank, r.purpose) == (rank, purpose)]
    groups = [(requirement, group) for requirement in found for group in requirement.groups]
    return tuple(
        Check(rank, number, requirement, group, _terms(group, index))
        for number, (requirement, group) in enumerate(groups)
    )


def _terms(group: Group, index: dict[Figure, int]) -> tuple[tuple[int, int], ...]:
    return tuple((index[Figure.of(criterion)], criterion.threshold) for criterion in group)


def _upgrades(entry: Sequence[tuple[Check, ...]], rank: int) -> tuple[Check, ...]:
    """Order the entry checks above a rank from the highest tier down: the first that holds wins."""
    return tuple(
        check
        for target in range(len(entry) - 1, rank, -1)
        for check in entry[target]
        if check.requirement.from_rank in (None, rank)
    )


class LadderBook:
    """All versions of the ladder, in the order in which they come into force.

    Before the first version nothing can be earned: a ladder with only its lowest tier stands
    in (version 0), so that a member's fold has a beginning whenever the programme starts.
    """

    __slots__ = ("_index", "_starts", "tracks_largest", "versions", "windows")

    def __init__(self, versions: Iterable[Ladder]) -> None:
        """Order the versions.

        Raises: LadderError when there is none, or two share a number or an instant.
        """
        ordered = ladder_checks.ordered_versions(versions)
        if ordered[0].effective_from is not None:
            ordered.insert(0, Ladder(0, None, ordered[0].tiers[:1]))
        self.versions = tuple(ordered)
        self._starts = [v.effective_from for v in ordered[1:] if v.effective_from is not None]
        self._index = {v.version: number for number, v in enumerate(ordered)}
        self.windows = frozenset(w for v in ordered for w in v.plan.windows)
        self.tracks_largest = any(
            f.metric is Metric.LARGEST_ORDER for v in ordered for f in v.plan.figures
        )

    @property
    def keeps_all_days(self) -> bool:
        """Tell whether single orders count for ever, so that no day may be summed up."""
        return any(
            f.metric is Metric.LARGEST_ORDER and f.window.kind is WindowKind.LIFETIME
            for v in self.versions
            for f in v.plan.figures
        )

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
