"""What is left of an order after its refunds.

Refunds are kept as they were sent and apply per line to whatever version is current, so the result
depends on the set of refunds only: neither on their order nor on how an amount was split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rewards.domain.cart import CANCELLED, SPEND_KINDS, Line, OrderVersion, Refund
from rewards.domain.shares import spread


@dataclass(frozen=True, slots=True)
class NetOrder:
    """The net state of one order.

    Units: minor units. `left` runs parallel to the lines of the version. `earning_*` look at the
    kind and the flag of a line only; what a programme excludes beyond that is the rules' business.
    """

    left: tuple[int, ...]
    net: int
    spend: int
    earning_left: int
    earning_sold: int
    points_paid: int
    original: int
    refunded: int
    over_refunded: bool


def net_order(version: OrderVersion, refunds: Sequence[Refund] = ()) -> NetOrder:
    """Return what is left of each line and in all.

    More refunded than sold is clamped and reported as `over_refunded`.
    Source: design §5.1(5), §5.6.
    """
    lines = version.lines
    over = False
    if refunds:
        left, over = _after_refunds(lines, refunds)
    else:
        left = [line.amount for line in lines]
    if version.status == CANCELLED:
        left = [0] * len(lines)
    return _totals(version, left, over_refunded=over)


def _totals(version: OrderVersion, left: list[int], *, over_refunded: bool) -> NetOrder:
    original = net = spend = earning_left = earning_sold = 0
    for line, rest in zip(version.lines, left, strict=True):
        amount = line.amount
        original += amount
        net += rest
        if line.kind in SPEND_KINDS:
            spend += rest
            if line.earns:
                earning_left += rest
                earning_sold += amount
    return NetOrder(
        tuple(left),
        net,
        spend,
        earning_left,
        earning_sold,
        min(version.points_paid, earning_sold),
        original,
        original - net,
        over_refunded,
    )


def _after_refunds(lines: Sequence[Line], refunds: Sequence[Refund]) -> tuple[list[int], bool]:
    left, over = _after_line_refunds(lines, refunds)
    amount = sum(refund.amount or 0 for refund in refunds if not refund.lines)
    if amount > sum(left):
        over = True
    if any(refund.is_full for refund in refunds):
        return [0] * len(left), over
    return (_spread(lines, left, amount) if amount else left), over


def _after_line_refunds(lines: Sequence[Line], refunds: Sequence[Refund]) -> tuple[list[int], bool]:
    returned: dict[int, tuple[int, int]] = {}
    for refund in refunds:
        for item in refund.lines:
            amount, quantity = returned.get(item.line_no, (0, 0))
            returned[item.line_no] = (amount + item.amount, quantity + item.quantity)
    over = False
    left = []
    for line in lines:
        amount, quantity = returned.pop(line.line_no, (0, 0))
        over = over or amount > line.amount or quantity > line.quantity
        left.append(max(0, line.amount - amount))
    # What is still there names lines that the current version does not have.
    return left, over or bool(returned)


def _spread(lines: Sequence[Line], left: list[int], amount: int) -> list[int]:
    """Take an amount off the lines in proportion to what they have left."""
    taken = spread(amount, left, [line.line_no for line in lines])
    return [rest - take for rest, take in zip(left, taken, strict=True)]
