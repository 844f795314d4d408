"""What a campaign's figures say: lift by arm and variant, cost, and what it has returned.

Pure. Source: KPI-10, KPI-15.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from campaigns.domain import lift
from campaigns.domain.lift import Estimate, Moments, Share

FEWEST_KNOWN: Final = Decimal("0.5")
"""Of less of the turnover with known cost no margin is told."""


@dataclass(frozen=True, slots=True)
class Group:
    """What the members of one intake in one arm did. Units: money in the currency."""

    intake: tuple[date, date]
    variant: str
    members: int
    buyers: int
    orders: int
    net: Decimal
    net_squares: Decimal
    margin: Decimal
    margin_squares: Decimal
    net_of_known_cost: Decimal


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison, over all intakes. Units: money in the currency."""

    members: int = 0
    buyers: int = 0
    orders: int = 0
    net: Decimal = Decimal(0)

    @property
    def buying(self) -> float | None:
        """Return the share of members who bought."""
        return self.buyers / self.members if self.members else None

    @property
    def spend(self) -> Decimal | None:
        """Return the net spend per member."""
        return self.net / self.members if self.members else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Those addressed, or one variant of them, against the hold-out.

    `buying` is a difference of shares, `spend` and `margin` of money per member. None: too few
    members to say it.
    """

    variant: str
    treated: Side
    holdout: Side
    buying: Estimate | None
    spend: Estimate | None
    margin: Estimate | None


@dataclass(frozen=True, slots=True)
class Results:
    """What a manager reads. Units: points; money in the currency; `returned` as a share of one."""

    overall: Comparison
    variants: tuple[Comparison, ...]
    is_ratio_wrong: bool
    ratio_chance: float
    known_cost_share: Decimal
    cost: Decimal
    added_spend: Estimate | None
    added_margin: Estimate | None
    returned: Estimate | None


Difference = Callable[[Sequence[Group], Sequence[Group]], Estimate | None]


@dataclass(slots=True)
class _Pair:
    treated: list[Group] = field(default_factory=list)
    holdout: list[Group] = field(default_factory=list)


def assess(
    *, treated: Sequence[Group], holdout: Sequence[Group], assigned: tuple[int, int],
    holdout_share: float, cost: Decimal,
) -> Results:  # fmt: skip
    """Return what the figures say; `assigned` are the members in the audience and held out."""
    overall = compare("", treated, holdout)
    named = sorted({group.variant for group in treated} - {""})
    known = _known_share([*treated, *holdout])
    members = overall.treated.members
    margin = overall.margin if known >= FEWEST_KNOWN else None
    return Results(
        overall=overall,
        variants=tuple(
            compare(name, [group for group in treated if group.variant == name], holdout)
            for name in named
        ),
        is_ratio_wrong=lift.is_ratio_wrong(*assigned, holdout_share=holdout_share),
        ratio_chance=lift.chance_of_ratio(*assigned, holdout_share=holdout_share),
        known_cost_share=known,
        cost=cost,
        added_spend=overall.spend and overall.spend.times(members),
        added_margin=margin and margin.times(members),
        returned=margin and lift.return_on(margin, members=members, cost=float(cost)),
    )


def compare(variant: str, treated: Sequence[Group], holdout: Sequence[Group]) -> Comparison:
    """Compare within each intake, then over all of them, each weighing what it addressed."""
    pairs = _pairs(treated, holdout)
    return Comparison(
        variant,
        _side(treated),
        _side(group for pair in pairs for group in pair.holdout),
        _pooled(pairs, _buying),
        _pooled(pairs, _spend),
        _pooled(pairs, _margin),
    )


def _pairs(treated: Sequence[Group], holdout: Sequence[Group]) -> list[_Pair]:
    """Return the intakes; those too small to be compared by themselves are compared together.

    All of them held out the same share, so thrown together they are still alike.
    """
    intakes: dict[tuple[date, date], _Pair] = defaultdict(_Pair)
    for group in treated:
        intakes[group.intake].treated.append(group)
    for group in holdout:
        if group.intake in intakes:
            intakes[group.intake].holdout.append(group)
    kept, small = [], _Pair()
    for pair in intakes.values():
        if min(_members(pair.treated), _members(pair.holdout)) >= lift.FEWEST_FOR_MEAN:
            kept.append(pair)
        else:
            small.treated += pair.treated
            small.holdout += pair.holdout
    return [*kept, small] if small.treated else kept


def _pooled(pairs: Sequence[_Pair], difference: Difference) -> Estimate | None:
    found = [(difference(pair.treated, pair.holdout), _members(pair.treated)) for pair in pairs]
    return lift.pooled([(each, weight) for each, weight in found if each is not None])


def _buying(treated: Sequence[Group], holdout: Sequence[Group]) -> Estimate | None:
    return lift.difference_of_shares(_share(treated), _share(holdout))


def _spend(treated: Sequence[Group], holdout: Sequence[Group]) -> Estimate | None:
    return lift.difference_of_means(*(
        Moments(_members(side), float(sum(g.net for g in side)),
                float(sum(g.net_squares for g in side)))
        for side in (treated, holdout)
    ))  # fmt: skip


def _margin(treated: Sequence[Group], holdout: Sequence[Group]) -> Estimate | None:
    return lift.difference_of_means(*(
        Moments(_members(side), float(sum(g.margin for g in side)),
                float(sum(g.margin_squares for g in side)))
        for side in (treated, holdout)
    ))  # fmt: skip


def _share(side: Sequence[Group]) -> Share:
    return Share(_members(side), sum(group.buyers for group in side))


def _members(side: Iterable[Group]) -> int:
    return sum(group.members for group in side)


def _side(groups: Iterable[Group]) -> Side:
    side = Side()
    for group in groups:
        side = Side(
            side.members + group.members, side.buyers + group.buyers,
            side.orders + group.orders, side.net + group.net,
        )  # fmt: skip
    return side


def _known_share(groups: Sequence[Group]) -> Decimal:
    net = sum((group.net for group in groups), Decimal(0))
    known = sum((group.net_of_known_cost for group in groups), Decimal(0))
    return known / net if net else Decimal(0)
