"""What a draft would do: to a cart, and to the orders of last month. Writes nothing.

The rules decide as they do for orders, with the draft in place of its rule's own versions and as if
it had always held.

Source: design §3 (functional core), §7 (backtest); PTS-04.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import orjson
from django.db import connection

from config.base import bulk, clock
from rewards.domain import fields
from rewards.domain.caps import within_caps
from rewards.domain.cart import PAID, Line, OrderVersion, Refund, RefundLine
from rewards.domain.evaluation import OrderContext
from rewards.domain.explanation import MemberTier
from rewards.domain.netting import net_order
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import POINTS_TENDER
from rewards.domain.rules import RuleSpec
from rewards.domain.subjects import MemberFacts, OrderState, condition_facts
from rewards.services import member_facts
from rewards.services.programme import current_book

MOST_ORDERS: Final = 20_000
TOP_MEMBERS: Final = 5

_COUNT = "SELECT count(*) FROM members_order WHERE placed_at >= %s AND placed_at < %s"

# Whole members are sampled, so that limits per member count as they would.
_ORDERS = f"""
SELECT o.id, o.member_id, o.source, o.order_no, o.placed_at,
       (SELECT json_agg(json_build_array(f.kind, f.version, f.body) ORDER BY f.kind, f.version)
          FROM members_receivedfact f
         WHERE f.order_no = o.order_no AND f.source = o.source AND f.order_no <> ''
           AND f.state = 'applied')::text,
       (SELECT (e.result -> 'order' -> 'tier')::text FROM rewards_evaluation e
         WHERE e.order_id = o.id AND e.member_id = o.member_id ORDER BY e.id DESC LIMIT 1),
       {member_facts.COLUMNS}
FROM members_order o JOIN members_member m ON m.id = o.member_id
LEFT JOIN members_memberprofile p ON p.member_id = m.id
WHERE o.placed_at >= %s AND o.placed_at < %s AND o.member_id %% %s = 0
ORDER BY o.placed_at, o.source, o.order_no
LIMIT {2 * MOST_ORDERS}
"""  # noqa: S608 - column names


@dataclass(frozen=True, slots=True)
class SampleCart:
    """A purchase that somebody imagines.

    Units: amount in minor units.
    """

    amount: int
    placed_at: datetime
    tier: str = ""
    channel: str = "pos"
    store: str = ""
    category: str | None = None
    brand: str | None = None
    birth_month: int | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """What an order earns: points by rule code, and why; `is_capped` by a limit per member."""

    points: dict[str, int]
    explanation: tuple[dict[str, Any], ...]
    is_capped: bool = False

    @property
    def total(self) -> int:
        """Return the points of all rules."""
        return sum(self.points.values())


@dataclass(frozen=True, slots=True)
class CartPreview:
    """A cart without the draft and with it.

    Units: `cost` in minor units.
    """

    live: Worth
    draft: Worth
    cost: int


@dataclass(slots=True)
class MonthPreview:
    """Last month's orders without the draft and with it.

    Units: `cost` in minor units; days run parallel in `days`, `live_by_day` and `draft_by_day`.
    `one_in` says that one member in so many was looked at.
    """

    first_on: date
    last_on: date
    all_orders: int
    one_in: int
    orders: int = 0
    matched: int = 0
    changed: int = 0
    capped: int = 0
    live: int = 0
    draft: int = 0
    cost: int = 0
    members: int = 0
    gains: list[tuple[int, int]] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    live_by_day: list[int] = field(default_factory=list)
    draft_by_day: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Placed:
    """An order as it stands, with what was known of its member when it was placed."""

    key: int
    member: int
    source: str
    order_no: str
    placed_at: datetime
    version: OrderVersion
    refunds: Sequence[Refund]
    tier: MemberTier
    facts: MemberFacts


def preview_cart(*, draft: RuleSpec, cart: SampleCart, book: ProgrammeBook | None = None) -> (
    CartPreview
):  # fmt: skip
    """Return what a cart would earn a new member of a tier, without the draft and with it.

    Raises: ProgrammeMissingError, RuleError where the draft contradicts another rule.
    """
    book = book or current_book()
    placed = _imagined(book, cart)
    live = _worth(book, placed, {})
    changed = _worth(book.replacing(draft), placed, {})
    return CartPreview(live, changed, cost_of(book, cart.placed_at, changed.total - live.total))


def preview_month(*, draft: RuleSpec, at: datetime) -> MonthPreview:
    """Return what last month's orders would have earned with the draft.

    At most about `MOST_ORDERS` are read: of more, those of one member in some.
    Raises: ProgrammeMissingError, RuleError where the draft contradicts another rule.
    """
    book = current_book()
    with_draft = book.replacing(draft)
    found = _month(at)
    caps: dict[int, tuple[dict[str, int], dict[str, int]]] = {}
    gained: Counter[int] = Counter()
    by_day = {day: [0, 0] for day in found.days}
    for placed in _orders(book, found):
        own = caps.setdefault(placed.member, ({}, {}))
        live = _worth(book, placed, own[0], explain=False)
        new = _worth(with_draft, placed, own[1], explain=False)
        _count(found, draft.code, live, new)
        gained[placed.member] += new.total - live.total
        sums = by_day[clock.local_day(placed.placed_at)]
        sums[0] += live.total
        sums[1] += new.total
    found.cost = cost_of(book, at, found.draft - found.live)
    found.members = sum(1 for points in gained.values() if points)
    found.gains = [(who, points) for who, points in gained.most_common(TOP_MEMBERS) if points > 0]
    found.live_by_day = [by_day[day][0] for day in found.days]
    found.draft_by_day = [by_day[day][1] for day in found.days]
    return found


def _count(found: MonthPreview, code: str, live: Worth, new: Worth) -> None:
    found.orders += 1
    found.live += live.total
    found.draft += new.total
    found.matched += code in new.points
    found.changed += live.points != new.points
    found.capped += new.is_capped


def cost_of(book: ProgrammeBook, at: datetime, points: int) -> int:
    """Return what points cost when they pay for goods: rounded towards zero, once in all."""
    paying = book.policy_at(at).paying
    return paying.amount_of(points) if points >= 0 else -paying.amount_of(-points)


def _month(at: datetime) -> MonthPreview:
    this = clock.local_day(at).replace(day=1)
    first = clock.add_months(this, -1)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [clock.day_start(first), clock.day_start(this)])
        (count,) = cursor.fetchone()
    one_in = max(1, -(-count // MOST_ORDERS))
    last = clock.month_end(first)
    days = [first.replace(day=number) for number in range(1, last.day + 1)]
    return MonthPreview(first, last, count, one_in, days=days)


def _orders(book: ProgrammeBook, month: MonthPreview) -> Iterator[_Placed]:
    begin = clock.day_start(month.first_on)
    end = clock.day_start(clock.add_months(month.first_on, 1))
    for row in bulk.fetch(_ORDERS, [begin, end, month.one_in]):
        placed = _placed(book, row)
        if placed is not None:
            yield placed


def _placed(book: ProgrammeBook, row: Sequence[Any]) -> _Placed | None:
    facts = orjson.loads(row[5] or "[]")
    bodies = [(version, body) for kind, version, body in facts if kind == "order"]
    if not bodies:
        return None
    number, body = max(bodies, key=lambda pair: int(pair[0]))
    if body.get("closed"):
        return None
    placed_at: datetime = row[4]
    tier = book.tier_at(placed_at, 0) if row[6] is None else MemberTier(*orjson.loads(row[6]))
    return _Placed(
        row[0], row[1], row[2], row[3], placed_at, _version(number, body, placed_at),
        [_refund(body, placed_at) for kind, _number, body in facts if kind == "refund"],
        tier, member_facts.read(row[7:]),
    )  # fmt: skip


def _version(number: int, body: dict[str, Any], at: datetime) -> OrderVersion:
    paid = sum(amount for kind, amount in body.get("tenders", ()) if kind == POINTS_TENDER)
    lines = tuple(Line(*line) for line in body["lines"])
    channel, store = body.get("channel", ""), body.get("store", "")
    return OrderVersion(number, body["status"], lines, paid, channel, store, at)


def _refund(body: dict[str, Any], at: datetime) -> Refund:
    lines = tuple(RefundLine(*line) for line in body["lines"])
    return Refund(body["refund_no"], lines, body["amount"], body["points"], at)


def _imagined(book: ProgrammeBook, cart: SampleCart) -> _Placed:
    line = Line(1, "sample", "goods", cart.category, cart.brand, 1000, cart.amount)
    version = OrderVersion(1, PAID, (line,), 0, cart.channel, cart.store, cart.placed_at)
    rank = book.ladders.at(cart.placed_at).rank_of(cart.tier) if cart.tier else 0
    tier = book.tier_at(cart.placed_at, rank or 0)
    facts = MemberFacts(cart.placed_at, cart.birth_month)
    return _Placed(0, 0, "sample", "sample", cart.placed_at, version, (), tier, facts)


def _worth(
    book: ProgrammeBook, placed: _Placed, caps: dict[str, int], *, explain: bool = True
) -> Worth:
    """Decide an order as the fold does, within the limits of its member."""
    at, version = placed.placed_at, placed.version
    rules = book.rules_at(at)
    net = net_order(version, placed.refunds)
    facts: dict[str, object] = {}
    if rules.fact_names:
        facts = fields.order_facts(
            version, source=placed.source, net=net.net, spend=net.spend, local=clock.local(at)
        )
        facts.update(condition_facts(placed.facts, placed.tier, at))
    context = OrderContext(version, net, at, facts, placed.tier)
    decision = rules.evaluate_order(context, explain=explain)
    state = OrderState(placed.key, placed.source, placed.order_no, at, placed.tier)
    wanted = within_caps(caps, decision.awards, state, at, book.rule)
    codes = {award.rule_key: award.rule_code for award in decision.awards}
    points = {codes[key]: worth for key, worth in wanted.items()}
    return Worth(points, (*decision.explanation, *state.explanation), bool(state.explanation))
