"""An order version and its refunds as the engine sees them.

Units: amounts are minor units of the programme's currency, quantities are thousandths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

# Plain strings, not an enum: they are tested once per line of a million-line import, and the hash
# of an enum member is a Python call.
GOODS: Final = "goods"
SERVICE: Final = "service"
SHIPPING: Final = "shipping"
FEE: Final = "fee"
GIFT_CARD: Final = "gift_card"
KINDS: Final = (GOODS, SERVICE, SHIPPING, FEE, GIFT_CARD)

# Kinds that count as spend and, unless the programme says otherwise, earn.
SPEND_KINDS: Final = frozenset({GOODS, SERVICE})

PAID: Final = "paid"
COMPLETED: Final = "completed"
CANCELLED: Final = "cancelled"
STATUSES: Final = (PAID, COMPLETED, CANCELLED)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was sold, before refunds.

    What it was before discounts, what it cost and which discounts it had decide nothing here.
    """

    line_no: int
    sku: str
    kind: str
    category: str | None
    brand: str | None
    quantity: int
    amount: int
    earns: bool = True
    list_amount: int | None = None
    cost: int | None = None
    discounts: tuple[Mapping[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True)
class OrderVersion:
    """One version of an order; its lines stand in line_no order, each line_no once.

    What a held one earns stays pending until somebody releases it.
    """

    version: int
    status: str
    lines: tuple[Line, ...]
    points_paid: int
    channel: str
    store: str
    acts_at: datetime
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class RefundLine:
    """What came back of one line."""

    line_no: int
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as it was sent: of lines, of an amount, or (neither given) of all that is left.

    Where lines are named, they count and `amount` is only their total.
    """

    refund_no: str
    lines: tuple[RefundLine, ...]
    amount: int | None
    points: int | None
    acts_at: datetime

    @property
    def is_full(self) -> bool:
        """Say whether it takes all that is left."""
        return not self.lines and self.amount is None
