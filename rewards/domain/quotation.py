"""What a cart costs a member: the tier's discount, then coupons, then points.

Pure. Each step lowers the amounts of the lines and notes on them what it took, so the lines that
come out can be sent as the order.

Units: money is minor units, shares are hundredths of a percent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rewards.domain.cart import GOODS, SPEND_KINDS, Line
from rewards.domain.paying import WHOLE_BP
from rewards.domain.shares import spread

TIER: str = "tier"


@dataclass(frozen=True, slots=True)
class TierDiscount:
    """What a tier takes off goods and services."""

    tier: str
    bp: int
    amount: int


def total(lines: Sequence[Line]) -> int:
    """Return what the lines cost together."""
    return sum(line.amount for line in lines)


def goods(lines: Sequence[Line]) -> int:
    """Return what the goods among the lines cost: what points can pay for in part."""
    return sum(line.amount for line in lines if line.kind == GOODS)


def take_tier_discount(
    lines: Sequence[Line], *, tier: str, bp: int
) -> tuple[tuple[Line, ...], TierDiscount]:
    """Take the tier's share off goods and services.

    Rounded down once for all lines, then spread over them by largest remainder.
    Source: BEN-04.
    """
    eligible = [line for line in lines if line.kind in SPEND_KINDS and line.amount]
    amount = total(eligible) * bp // WHOLE_BP
    if not amount:
        return tuple(lines), TierDiscount(tier, bp, 0)
    parts = spread(amount, [line.amount for line in eligible], [line.line_no for line in eligible])
    by_line = {line.line_no: part for line, part in zip(eligible, parts, strict=True) if part}
    return take_off(lines, by_line, kind=TIER, code=tier), TierDiscount(tier, bp, amount)


def take_off(
    lines: Sequence[Line], by_line: dict[int, int], *, kind: str, code: str
) -> tuple[Line, ...]:
    """Lower lines by the amounts given per line number, and note on them what for."""
    return tuple(
        replace(
            line,
            amount=line.amount - by_line[line.line_no],
            discounts=(
                *line.discounts,
                {"amount": by_line[line.line_no], "kind": kind, "code": code},
            ),
        )
        if line.line_no in by_line
        else line
        for line in lines
    )
