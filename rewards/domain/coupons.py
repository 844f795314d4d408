"""What coupons take off a cart, and why one cannot be used. Pure: no database, no clock.

Reasons are compact items with stable codes. Of the code itself: `revoked`, `redeemed`, `held`,
`not_yours`, `not_yet_valid`, `expired`, `member_limit_reached`. Of what is bought:
`condition_not_met`, `not_first_order`, `scope_matches_nothing`, `min_spend_not_met`,
`free_item_missing`, `nothing_to_take_off`, `not_combinable`.

Several coupons are applied in a fixed order, whatever order they come in: a free item, then
percentages, then amounts, then free shipping; ties by template and code. Each takes off what the
ones before it have left. Where they exclude each other, the one that takes most off by itself is
kept, and so on down. A percentage is rounded down once for all its lines and spread over them, as
amounts are, by largest remainder; no line falls below zero.

Units: money in minor units.
Source: RWD-01, RWD-05, RWD-06, RWD-07, CMP-16.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Final

from config.base import conditions
from config.base.money import to_text
from rewards.domain import coupon_codes
from rewards.domain.cart import SHIPPING, SPEND_KINDS, Line
from rewards.domain.coupon_terms import WHOLE, CouponTerms, Kind, Stacking
from rewards.domain.fields import line_facts
from rewards.domain.shares import spread

Item = dict[str, object]

DISCOUNT_KIND: Final = "coupon"
PIECE: Final = 1_000
"""Units: quantities are thousandths."""

# What the code itself forbids: an order that names such a coupon anyway cannot use it up.
CODE_REASONS: Final = frozenset(
    {
        "revoked", "redeemed", "held", "not_yours", "not_yet_valid", "expired",
        "member_limit_reached",
    }
)  # fmt: skip
TERM_REASONS: Final = frozenset(
    {
        "condition_not_met", "not_first_order", "scope_matches_nothing", "min_spend_not_met",
        "free_item_missing", "nothing_to_take_off", "not_combinable",
    }
)  # fmt: skip

_APPLICATION_ORDER: Final = {
    Kind.FREE_ITEM: 0, Kind.PERCENT: 1, Kind.AMOUNT: 2, Kind.FREE_SHIPPING: 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CouponState:
    """One code as it stands for one shopper.

    `held` and `used` leave out what the same purchase holds or has used already; so does
    `member_uses`, which counts the member's uses of all coupons of the template.
    """

    code: str
    terms: CouponTerms
    valid_from: datetime | None = None
    expires_at: datetime | None = None
    max_uses: int = 1
    held: int = 0
    used: int = 0
    is_revoked: bool = False
    is_theirs: bool = True
    member_uses: int = 0


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and for whom a cart is judged: the facts for conditions, of order and member.

    `is_first_order` says that the member has no other order that counts; False where nobody knows
    the shopper.
    """

    at: datetime
    facts: Mapping[str, object] = field(default_factory=dict)
    is_first_order: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a coupon can be used: what it takes off each line, or the reasons why not."""

    code: str
    template: str
    by_line: Mapping[int, int] = field(default_factory=dict)
    reasons: tuple[Item, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Say whether nothing stands against it."""
        return not self.reasons

    @property
    def discount(self) -> int:
        """Return what it takes off in all."""
        return sum(self.by_line.values())

    @property
    def reason_codes(self) -> list[str]:
        """Return the codes of the reasons."""
        return [str(reason["code"]) for reason in self.reasons]


@dataclass(frozen=True, slots=True)
class Application:
    """Several coupons on one cart: a verdict for each, and the lines as they then are."""

    verdicts: tuple[Verdict, ...]
    lines: tuple[Line, ...]

    @property
    def discount(self) -> int:
        """Return what all take off together."""
        return sum(verdict.discount for verdict in self.verdicts)

    def of(self, code: str) -> Verdict:
        """Return the verdict on a code."""
        return next(verdict for verdict in self.verdicts if verdict.code == code)


def judge(coupon: CouponState, lines: Sequence[Line], occasion: Occasion) -> Verdict:
    """Say whether a coupon can be used on a cart by itself, and what it takes off.

    The lines cost what they cost before this coupon, net of other discounts.
    Source: RWD-01, RWD-07.
    """
    terms = coupon.terms
    reasons = reasons_of_code(coupon, occasion.at)
    reasons += _reasons_of_occasion(terms, occasion)
    by_line, why = _take_off(terms, lines)
    reasons += why
    return Verdict(coupon.code, terms.template, {} if reasons else by_line, tuple(reasons))


def apply(coupons: Iterable[CouponState], lines: Sequence[Line], occasion: Occasion) -> Application:
    """Put several coupons on a cart; the result does not depend on the order they come in.

    Source: CMP-16.
    """
    by_code = {coupon.code: coupon for coupon in coupons}
    ordered = sorted(by_code.values(), key=_place)
    alone = {coupon.code: judge(coupon, lines, occasion) for coupon in ordered}
    kept, excluded = _combined([each for each in ordered if alone[each.code].is_usable], alone)
    left, verdicts, used = tuple(lines), list[Verdict](), dict[str, int]()
    for coupon in ordered:
        verdict = alone[coupon.code]
        if coupon.code in excluded:
            verdict = _excluded(verdict, excluded[coupon.code])
        elif coupon.code in kept:
            before = used.get(coupon.terms.template, 0)
            counted = replace(coupon, member_uses=coupon.member_uses + before)
            verdict = judge(counted, left, occasion)
            left = _lowered(left, verdict)
            used[coupon.terms.template] = before + verdict.is_usable
        verdicts.append(verdict)
    return Application(tuple(verdicts), left)


def reasons_of_code(coupon: CouponState, at: datetime) -> list[Item]:
    """Return what stands against a code at an instant, whatever is bought."""
    reasons: list[Item] = []
    if coupon.is_revoked:
        reasons.append({"code": "revoked"})
    if not coupon.is_theirs:
        reasons.append({"code": "not_yours"})
    if coupon.used >= coupon.max_uses:
        reasons.append({"code": "redeemed"})
    elif coupon.used + coupon.held >= coupon.max_uses:
        reasons.append({"code": "held"})
    if coupon.valid_from is not None and at < coupon.valid_from:
        reasons.append({"code": "not_yet_valid", "from": coupon.valid_from.isoformat()})
    if coupon.expires_at is not None and at >= coupon.expires_at:
        reasons.append({"code": "expired", "at": coupon.expires_at.isoformat()})
    limit = coupon.terms.uses_per_member
    if limit is not None and coupon.member_uses >= limit:
        reasons.append({"code": "member_limit_reached", "limit": limit})
    return reasons


def without_coupons(lines: Iterable[Line], codes: Collection[str]) -> tuple[Line, ...]:
    """Return lines as they cost before coupons: what their discounts say is added back.

    A discount is a coupon's where its kind says so or its code is one of these, in normal form.
    """
    return tuple(_undiscounted(line, codes) if line.discounts else line for line in lines)


def taken_by(lines: Iterable[Line], code: str) -> int | None:
    """Return what lines say that a coupon took off them; None where they say nothing of it."""
    amounts = [
        int(discount["amount"])
        for line in lines
        for discount in line.discounts
        if _code_of(discount) == code
    ]
    return sum(amounts) if amounts else None


def _reasons_of_occasion(terms: CouponTerms, occasion: Occasion) -> list[Item]:
    reasons: list[Item] = []
    if terms.conditions is not None and not conditions.holds(terms.conditions, occasion.facts):
        failed = [cause.to_json() for cause in conditions.causes(terms.conditions, occasion.facts)]
        reasons.append({"code": "condition_not_met", "failed": failed})
    if terms.is_first_order_only and not occasion.is_first_order:
        reasons.append({"code": "not_first_order"})
    return reasons


def _take_off(terms: CouponTerms, lines: Sequence[Line]) -> tuple[dict[int, int], list[Item]]:
    """Return what each line gets off, or why none does."""
    scope = [line for line in lines if _is_in_scope(terms, line)]
    if not scope:
        return {}, [{"code": "scope_matches_nothing"}]
    spend = sum(line.amount for line in scope)
    if spend < terms.min_spend:
        missing = to_text(terms.min_spend - spend)
        wanted = to_text(terms.min_spend)
        return {}, [{"code": "min_spend_not_met", "min_spend": wanted, "missing": missing}]
    if terms.kind is Kind.FREE_ITEM:
        return _free_item(terms, lines)
    if terms.kind is Kind.FREE_SHIPPING:
        scope = [line for line in lines if line.kind == SHIPPING]
    total = sum(line.amount for line in scope)
    amount = min(_wanted(terms, total), total)
    if not amount:
        return {}, [{"code": "nothing_to_take_off"}]
    parts = spread(amount, [line.amount for line in scope], [line.line_no for line in scope])
    return {line.line_no: part for line, part in zip(scope, parts, strict=True) if part}, []


def _is_in_scope(terms: CouponTerms, line: Line) -> bool:
    """Say whether a line counts for the coupon: goods and services, as far as it is for them."""
    if line.kind not in SPEND_KINDS:
        return False
    where = terms.line_conditions
    return where is None or conditions.holds(where, line_facts(line))


def _wanted(terms: CouponTerms, total: int) -> int:
    if terms.kind is Kind.AMOUNT:
        return terms.amount
    wanted = total * terms.percent_bp // WHOLE if terms.kind is Kind.PERCENT else total
    return wanted if terms.max_discount is None else min(wanted, terms.max_discount)


def _free_item(terms: CouponTerms, lines: Sequence[Line]) -> tuple[dict[int, int], list[Item]]:
    """Take the cheapest piece of the free article off its line; less than a piece goes whole."""
    prices = [
        (min(line.amount, line.amount * PIECE // line.quantity), line.line_no)
        for line in lines
        if line.sku == terms.free_sku and line.kind in SPEND_KINDS and line.quantity
    ]
    if not prices:
        return {}, [{"code": "free_item_missing", "sku": terms.free_sku}]
    priced = [pair for pair in prices if pair[0]]
    if not priced:
        return {}, [{"code": "nothing_to_take_off"}]
    price, line_no = min(priced)
    limit = terms.max_discount
    return {line_no: price if limit is None else min(price, limit)}, []


def _place(coupon: CouponState) -> tuple[int, str, str]:
    return (_APPLICATION_ORDER[coupon.terms.kind], coupon.terms.template, coupon.code)


def _combined(
    usable: Sequence[CouponState], alone: Mapping[str, Verdict]
) -> tuple[set[str], dict[str, list[str]]]:
    """Return the codes that stand together, and for each other one those that exclude it."""
    best_first = sorted(usable, key=lambda each: (-alone[each.code].discount, *_place(each)))
    kept: list[CouponState] = []
    excluded: dict[str, list[str]] = {}
    for coupon in best_first:
        against = [other.code for other in kept if not _combine(coupon, other)]
        if against:
            excluded[coupon.code] = sorted(against)
        else:
            kept.append(coupon)
    return set(map(attrgetter("code"), kept)), excluded


def _combine(one: CouponState, other: CouponState) -> bool:
    ways = {one.terms.stacking, other.terms.stacking}
    if Stacking.ALONE in ways:
        return False
    return one.terms.template != other.terms.template or ways == {Stacking.ANY}


def _excluded(verdict: Verdict, against: Sequence[str]) -> Verdict:
    return replace(
        verdict, by_line={}, reasons=({"code": "not_combinable", "coupons": list(against)},)
    )


def _lowered(lines: tuple[Line, ...], verdict: Verdict) -> tuple[Line, ...]:
    taken = verdict.by_line
    if not taken:
        return lines
    return tuple(
        replace(
            line,
            amount=line.amount - taken[line.line_no],
            discounts=(*line.discounts, _discount(taken[line.line_no], verdict.code)),
        )
        if line.line_no in taken
        else line
        for line in lines
    )


def _discount(amount: int, code: str) -> dict[str, str | int]:
    return {"amount": amount, "kind": DISCOUNT_KIND, "code": code}


def _code_of(discount: Mapping[str, str | int]) -> str:
    return coupon_codes.normalise(str(discount.get("code", "")))


def _is_coupon(discount: Mapping[str, str | int], codes: Collection[str]) -> bool:
    return discount.get("kind") == DISCOUNT_KIND or _code_of(discount) in codes


def _undiscounted(line: Line, codes: Collection[str]) -> Line:
    taken = sum(int(each["amount"]) for each in line.discounts if _is_coupon(each, codes))
    others = tuple(each for each in line.discounts if not _is_coupon(each, codes))
    return replace(line, amount=line.amount + taken, discounts=others)
