"""Facts as they are submitted: validated, typed, and independent of how they arrived.

The API, the batch endpoint and the importer all build these and hand them to one intake.
Units: money in minor units of the programme's currency, quantities in thousandths.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime

from rewards.domain.cart import Line, RefundLine


@dataclass(frozen=True, slots=True)
class MemberRef:
    """Whom a fact names: a member id, or an identifier by its keyed hash."""

    public_id: uuid.UUID | None = None
    kind: str = ""
    app: str = ""
    value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tender:
    """One means of payment; kind `points` is money's worth paid in points."""

    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class OrderFact:
    """One version of an order."""

    source: str
    order_no: str
    version: int | None
    changed_at: datetime | None
    member: MemberRef | None
    status: str
    placed_at: datetime
    currency: str
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...] = ()
    store: str = ""
    till: str = ""
    cashier: str = ""
    reservation: uuid.UUID | None = None
    reservation_points: int | None = None
    coupons: tuple[str, ...] = ()
    quote: dict[str, object] | str | None = None


@dataclass(frozen=True, slots=True)
class RefundFact:
    """One refund of an order: of lines, of an amount, or of all that is left."""

    source: str
    order_no: str
    refund_no: str
    refunded_at: datetime
    lines: tuple[RefundLine, ...] = ()
    amount: int | None = None
    points: int | None = None
    tenders: tuple[Tender, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """What a member brings along from another system: points, and a tier kept until a day.

    Only imports make openings; no interface takes them from outside.
    """

    points: int
    expires_on: date | None
    tier: str
    tier_until: date | None


@dataclass(frozen=True, slots=True)
class InteractionFact:
    """One thing that a member did besides buying; or, once, what the member brought along.

    `streak` is counted by the programme itself, for check-ins; `approves` and `withdraws` name the
    fact that a moderator has let earn, or has taken back. No interface takes them from outside.
    """

    source: str
    ref: str
    member: MemberRef | None
    kind: str
    occurred_at: datetime
    data: dict[str, object] = field(default_factory=dict)
    opening: Opening | None = None
    streak: int | None = None
    approves: int | None = None
    withdraws: int | None = None


Submission = OrderFact | RefundFact | InteractionFact
