"""A submitted fact as it is received: its reference, version, digest, and when it acts.

Pure. The body is what is stored and what the member's history is folded from again; money in it is
in minor units, quantities in thousandths, times in UTC.

Source: design §5.1 (2), (4), §5.6.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from rewards.domain.cart import Line, OrderVersion, Refund, RefundLine
from rewards.domain.subjects import (
    INTERACTION,
    ORDER,
    REFUND,
    FoldFact,
    InteractionContent,
    Merging,
    OpeningTier,
)
from rewards.domain.submission import (
    InteractionFact,
    MemberRef,
    Opening,
    OrderFact,
    RefundFact,
    Submission,
)
from tiers.domain.progress import ProgressDelta, ProgressMetric
from tiers.domain.qualification import MergedStanding

# Noted at intake beside what was reported: the cashier is the member.
OWN_TILL: Final = "own_till"
FUTURE_TOLERANCE: Final = timedelta(minutes=5)
POINTS_TENDER: Final = "points"
CHECK_IN: Final = "check_in"
FEEDBACK: Final = "feedback"
MERGE: Final = "merge"
MODERATION: Final = "moderation"
REFERRAL: Final = "referral"
RESERVED_SOURCES: Final = frozenset({CHECK_IN, FEEDBACK, MERGE, MODERATION, REFERRAL})
"""Name spaces of references that the programme itself gives out; no touchpoint may use them."""

OWN_KEYS: Final = frozenset({"streak", "approves", "withdraws"})
"""What only the programme itself says about an interaction."""

FactKey = tuple[str, str, str, int]
"""(kind, source, ref, version): a fact is received once under it, for ever."""


@dataclass(slots=True)
class Receipt:
    """One fact on its way in, or read back from where it was stored.

    `id` is the database id, `member` the member it is about, `order` the id of its order.
    `is_new` tells a fact of this call from one received before, `awaits` one that names somebody
    who is not known yet.
    """

    kind: str
    source: str
    ref: str
    version: int
    order_no: str
    own_instant: datetime
    placed_at: datetime
    body: dict[str, Any]
    digest: bytes
    named: MemberRef | None = None
    id: int = 0
    member: int | None = None
    order: int | None = None
    acts_at: datetime = field(default=datetime.min.replace(tzinfo=UTC))
    received_at: datetime = field(default=datetime.min.replace(tzinfo=UTC))
    state: str = "applied"
    is_new: bool = True
    awaits: bool = False
    fresh_lines: tuple[Line, ...] | None = None

    @property
    def is_anonymous(self) -> bool:
        """Say whether the fact names nobody."""
        return self.named is None and not self.awaits

    @property
    def is_own(self) -> bool:
        """Say whether the programme itself has made the fact: a check-in, a moderator's word."""
        return not OWN_KEYS.isdisjoint(self.body) or MERGE in self.body

    @property
    def key(self) -> FactKey:
        """Return what the fact is received once under."""
        return (self.kind, self.source, self.ref, self.version)


def receive(submission: Submission, channel: str) -> Receipt:
    """Return the receipt of a submission."""
    if isinstance(submission, OrderFact):
        return _order(submission, channel)
    if isinstance(submission, RefundFact):
        return _refund(submission)
    return _interaction(submission)


def acts_at(
    receipt: Receipt, received_at: datetime, late_fact_days: int | None, *, is_history: bool
) -> datetime:
    """Return the instant at which a fact folds: its own, or its receipt when it is too old.

    A later version without `changed_at` acts at its receipt as well.
    """
    own = receipt.own_instant
    if receipt.kind == ORDER and _acts_at_receipt(receipt):
        return max(received_at, own)
    if is_history or late_fact_days is None:
        return own
    return received_at if own < received_at - timedelta(days=late_fact_days) else own


def _acts_at_receipt(receipt: Receipt) -> bool:
    return receipt.version > 1 and receipt.body.get("changed_at") is None


def _order(order: OrderFact, channel: str) -> Receipt:
    version = order.version
    if version is None:
        version = 1 if order.changed_at is None else _as_version(order.changed_at)
    placed_at = order.placed_at
    own = placed_at
    if version > 1 and order.changed_at is not None:
        own = max(order.changed_at, placed_at)
    lines = tuple(sorted(order.lines, key=_line_no))
    body: dict[str, Any] = {
        "status": order.status,
        "placed_at": _text(placed_at),
        "changed_at": None if order.changed_at is None else _text(order.changed_at),
        "currency": order.currency,
        "lines": [_line_values(line) for line in lines],
    }
    if order.tenders:
        body["tenders"] = [[tender.kind, tender.amount] for tender in order.tenders]
    if order.coupons:
        body["coupons"] = list(order.coupons)
    if order.quote is not None:
        body["quote"] = order.quote
    for name in ("store", "till", "cashier"):
        if value := getattr(order, name):
            body[name] = value
    if order.reservation is not None:
        body["reservation"] = str(order.reservation)
        if order.reservation_points is not None:
            body["reservation_points"] = order.reservation_points
    digest = _digest(body)
    body["channel"] = channel
    return Receipt(
        ORDER, order.source, order.order_no, version, order.order_no, own, placed_at, body,
        digest, order.member, fresh_lines=lines,
    )  # fmt: skip


def _refund(refund: RefundFact) -> Receipt:
    body: dict[str, Any] = {
        "refund_no": refund.refund_no,
        "refunded_at": _text(refund.refunded_at),
        "lines": [[line.line_no, line.quantity, line.amount] for line in refund.lines],
        "amount": refund.amount,
        "points": refund.points,
    }
    if refund.tenders:
        body["tenders"] = [[tender.kind, tender.amount] for tender in refund.tenders]
    ref = f"{refund.order_no}/{refund.refund_no}"
    at = refund.refunded_at
    return Receipt(
        REFUND, refund.source, ref, 1, refund.order_no, at, at, body, _digest(body)
    )  # fmt: skip


def _interaction(fact: InteractionFact) -> Receipt:
    body: dict[str, Any] = {
        "kind": fact.kind,
        "occurred_at": _text(fact.occurred_at),
        "data": fact.data,
    }
    if fact.opening is not None:
        body["opening"] = opening_body(fact.opening)
    digest = _digest(body)
    # What rules may ask for stands beside the data: that is forgotten in time, points are not.
    if fact.data.get("verified") is True:
        body["verified"] = True
    for name in sorted(OWN_KEYS):
        if (value := getattr(fact, name)) is not None:
            body[name] = value
    at = fact.occurred_at
    return Receipt(INTERACTION, fact.source, fact.ref, 1, "", at, at, body, digest, fact.member)


def of_merge(*, member: int, ref: str, at: datetime, merging: Merging) -> Receipt:
    """Return a fact of a merge: what a member's progress and standing are from an instant on.

    It names its member by the database id, so that it stays with a member merged away since.
    Source: MEM-04.
    """
    body: dict[str, Any] = {
        "kind": MERGE,
        "occurred_at": _text(at),
        "data": {},
        MERGE: _merging_body(merging),
    }
    return Receipt(
        INTERACTION, MERGE, ref, 1, "", at, at, body, _digest(body), member=member
    )  # fmt: skip


def _merging_body(merging: Merging) -> dict[str, Any]:
    standing = merging.standing
    body: dict[str, Any] = {
        "progress": [
            [delta.on.isoformat(), delta.metric.value, delta.amount] for delta in merging.progress
        ]
    }
    if standing is not None:
        until = standing.kept_until_on
        body["tier"] = [standing.code, until and until.isoformat(), standing.is_put_back]
    return body


def _merging(body: dict[str, Any]) -> Merging | None:
    stored = body.get(MERGE)
    if stored is None:
        return None
    standing = None
    if "tier" in stored:
        code, until, is_put_back = stored["tier"]
        standing = MergedStanding(code, until and date.fromisoformat(until), is_put_back)
    return Merging(
        tuple(
            ProgressDelta(ProgressMetric(metric), amount, date.fromisoformat(on))
            for on, metric, amount in stored["progress"]
        ),
        standing,
    )


def opening_body(opening: Opening) -> dict[str, Any]:
    """Return an opening as it is stored with its fact."""
    return {
        "points": opening.points,
        "expires_on": opening.expires_on and opening.expires_on.isoformat(),
        "tier": opening.tier,
        "tier_until": opening.tier_until and opening.tier_until.isoformat(),
    }


def _opening_tier(body: dict[str, Any]) -> OpeningTier | None:
    stored = body.get("opening")
    if stored is None:
        return None
    until = stored["tier_until"]
    return OpeningTier(stored["tier"], date.fromisoformat(until) if until else None)


def as_fold_fact(receipt: Receipt, viewer: int, hold: int | None = None) -> FoldFact:
    """Return the fact as the fold of one member sees it; `hold` is the reservation it pays with."""
    body = receipt.body
    content: OrderVersion | Refund | InteractionContent
    placed_at = receipt.placed_at
    subject = receipt.order
    if receipt.kind == ORDER:
        content = order_version(receipt)
    elif receipt.kind == REFUND:
        content = refund_content(receipt)
    else:
        # What is taken back goes from the interaction that it was given for.
        subject = body.get("withdraws", receipt.id)
        content = InteractionContent(
            body["kind"],
            _opening_tier(body),
            body.get("streak"),
            body.get("verified", False),
            is_held=body.get("held", False),
            is_withdrawal="withdraws" in body,
            merging=_merging(body),
        )
    return FoldFact(
        receipt.id,
        receipt.kind,
        receipt.source,
        receipt.ref,
        receipt.version,
        receipt.acts_at,
        subject or 0,
        content,
        placed_at,
        is_mine=receipt.member == viewer or receipt.kind == REFUND,
        earns=not body.get("closed", False),
        hold=hold,
        hold_points=body.get("reservation_points"),
    )


def order_version(receipt: Receipt) -> OrderVersion:
    """Return the version of the order that a receipt holds."""
    body = receipt.body
    lines = receipt.fresh_lines
    if lines is None:
        lines = tuple(Line(*line) for line in body["lines"])
    paid = 0
    if "tenders" in body:
        paid = sum(amount for kind, amount in body["tenders"] if kind == POINTS_TENDER)
    return OrderVersion(
        receipt.version,
        body["status"],
        lines,
        paid,
        body.get("channel", ""),
        body.get("store", ""),
        receipt.acts_at,
        is_held=body.get(OWN_TILL, False),
    )


def refund_content(receipt: Receipt) -> Refund:
    """Return the refund that a receipt holds."""
    body = receipt.body
    return Refund(
        body["refund_no"],
        tuple(RefundLine(*line) for line in body["lines"]),
        body["amount"],
        body["points"],
        receipt.acts_at,
    )


def line_reviewed(data: dict[str, Any]) -> tuple[str, str, int | None]:
    """Return the order line that an interaction says it is about: source, order number, line.

    Empty where it names none. Source: ENG-03.
    """
    named = data.get("order")
    if not isinstance(named, dict):
        return "", "", None
    source, order_no, line_no = (named.get(key) for key in ("source", "order_no", "line_no"))
    if not isinstance(source, str) or not isinstance(order_no, str):
        return "", "", None
    if not isinstance(line_no, int) or not 0 < line_no < 1 << 31:
        return source[:64], order_no[:100], None
    return source[:64], order_no[:100], int(line_no)


def reservation_of(receipt: Receipt) -> UUID | None:
    """Return the reservation that an order names."""
    named = receipt.body.get("reservation")
    return UUID(named) if named else None


def dumps(value: Any) -> str:
    """Return JSON text for a jsonb column."""
    return orjson.dumps(value).decode()


def _line_values(x: Line) -> tuple[Any, ...]:
    values = (x.line_no, x.sku, x.kind, x.category, x.brand, x.quantity, x.amount, x.earns)
    if x.list_amount is None and x.cost is None and not x.discounts:
        return values
    return (*values, x.list_amount, x.cost, x.discounts)


def _line_no(line: Line) -> int:
    return line.line_no


def _as_version(changed_at: datetime) -> int:
    """Order versions by their instant where the system that sends them does not count them."""
    return int(changed_at.timestamp()) * 1_000_000 + changed_at.microsecond


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _digest(body: dict[str, Any]) -> bytes:
    # Sorted keys, no spaces, minimal escapes: RFC 8785 for the kinds of values in a body.
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
