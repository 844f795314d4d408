"""A hundred rules on a cart of eight lines, against one Python function written for just them.

The function to compare with is generated as text with every value a literal in it, which the
product never does, and gives the same awards. Both start from the same facts and the same net.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

from config.bench.measure import Ratio, alternate
from config.bench.scale import Scale
from rewards.domain.cart import Line, OrderVersion
from rewards.domain.evaluation import OrderContext, compile_rulebook
from rewards.domain.explanation import MemberTier
from rewards.domain.fields import order_facts
from rewards.domain.netting import NetOrder, net_order
from rewards.domain.rules import (
    Fixed,
    Multiplier,
    PerAmount,
    Programme,
    RuleSpec,
    Trigger,
    parse_conditions,
    parse_line_conditions,
)

RULES: Final = 100
LINES: Final = 8
CARTS: Final = 50
ROUNDS: Final = 31
CHANNELS: Final = ("pos", "web", "app", "mini_program")
TIERS: Final = ("basic", "silver", "gold", "diamond")
CATEGORIES: Final = ("dairy", "bakery", "produce", "meat", "drinks", "frozen")
INSTANT: Final = datetime(2026, 3, 14, 10, 30, tzinfo=UTC)

Reference = Callable[[Mapping[str, Any], OrderVersion, NetOrder], list[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Draft:
    """One rule in both forms: JSON for the product, an expression for the reference."""

    spec: RuleSpec
    test: str
    line_test: str | None


def drafts(count: int = RULES, seed: int = 1) -> list[Draft]:
    """Return rules of two to four conditions, some with two alternatives, some on lines."""
    draw = random.Random(seed)  # noqa: S311 - the same rules every time
    return [_draft(draw, number) for number in range(count)]


def reference(rules: Sequence[Draft]) -> Reference:
    """Generate the function that does the same with literals."""
    body = "\n".join(_block(rule) for rule in rules)
    text = (
        "def decide(f, version, net):\n"
        "    channel = f['order.channel']; spend = f['order.spend']; store = f['order.store']\n"
        "    weekday = f['order.weekday']; hour = f['order.hour']; tier = f['member.tier']\n"
        "    segments = f['member.segments']; tenure = f['member.tenure_days']\n"
        "    if version.status == 'cancelled' or net.net <= 0: return []\n"
        "    base = net.earning_left\n"
        "    lines = [(rest, line.category, line.brand) for line, rest in zip(version.lines, "
        "net.left) if rest and line.earns and line.kind in ('goods', 'service')]\n"
        "    out = []\n"
        f"{body}\n"
        "    return out\n"
    )
    namespace: dict[str, Any] = {}
    exec(text, namespace)  # noqa: S102 - made of our own literals above
    function: Reference = namespace["decide"]
    return function


def carts(count: int = CARTS, seed: int = 2) -> list[OrderContext]:
    """Return carts of eight lines with the facts of their members."""
    draw = random.Random(seed)  # noqa: S311 - the same carts every time
    return [_cart(draw) for _ in range(count)]


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure a hundred rules on a cart. Needs no database."""
    rules, contexts = drafts(), carts()
    book = compile_rulebook([rule.spec for rule in rules], Programme(exponent=2))
    decide = reference(rules)
    for context in contexts:
        awards = book.evaluate_order(context, explain=False).awards
        expected = decide(context.facts, context.version, context.net)
        assert [(award.rule_code, award.points) for award in awards] == expected
    ours, theirs = alternate(
        lambda: _timed(contexts, lambda c: book.evaluate_order(c, explain=False)),
        lambda: _timed(contexts, lambda c: decide(c.facts, c.version, c.net)),
        ROUNDS,
    )
    micro = 1_000_000
    yield Ratio("rules_100", ours * micro, theirs * micro, "us/cart", 4.0, 1.0, is_time=True)


def _timed(contexts: Sequence[OrderContext], call: Callable[[OrderContext], object]) -> float:
    start = perf_counter()
    for context in contexts:
        call(context)
    return (perf_counter() - start) / len(contexts)


def _draft(draw: random.Random, number: int) -> Draft:
    tests = [_test(draw) for _ in range(draw.randint(1, 3))]
    shape: dict[str, object] = {"all": [data for data, _ in tests]}
    words = [word for _, word in tests]
    if draw.random() < 0.3:
        (first, one), (second, two) = _test(draw), _test(draw)
        shape["all"] = [*(data for data, _ in tests), {"any": [first, second]}]
        words.append(f"({one} or {two})")
    category = draw.choice(CATEGORIES) if draw.random() < 0.5 else None
    line = {"field": "line.category", "op": "eq", "value": category}
    effects = (PerAmount(1, 200), Multiplier(1, 100, 3, 2), Fixed(20))
    spec = RuleSpec(
        code=f"rule_{number:03d}",
        version=1,
        key=number,
        trigger=Trigger.ORDER,
        effect=draw.choice(effects),
        conditions=parse_conditions(Trigger.ORDER, shape),
        line_conditions=parse_line_conditions(line) if category else None,
    )
    return Draft(spec, " and ".join(words), f"category == {category!r}" if category else None)


def _test(draw: random.Random) -> tuple[dict[str, object], str]:
    """Return one test as JSON and as an expression."""
    match draw.randrange(6):
        case 0:
            some = sorted(draw.sample(CHANNELS, 2))
            return _leaf("order.channel", "in", some), f"channel in {tuple(some)!r}"
        case 1:
            yuan = draw.randint(50, 400)
            return _leaf("order.spend", "gte", f"{yuan}.00"), f"spend >= {yuan * 100}"
        case 2:
            day = draw.randint(1, 7)
            return _leaf("order.weekday", "eq", day), f"weekday == {day}"
        case 3:
            some = sorted(draw.sample(TIERS, 2))
            return _leaf("member.tier", "in", some), f"tier in {tuple(some)!r}"
        case 4:
            name = f"segment_{draw.randint(1, 6)}"
            return _leaf("member.segments", "contains", name), f"{name!r} in segments"
    hour = draw.randint(8, 18)
    return _leaf("order.hour", "between", [hour, hour + 4]), f"{hour} <= hour <= {hour + 4}"


def _leaf(field: str, op: str, value: object) -> dict[str, object]:
    return {"field": field, "op": op, "value": value}


def _block(rule: Draft) -> str:
    effect, code = rule.spec.effect, rule.spec.code
    base = "base" if rule.line_test is None else "part"
    match effect:
        case Fixed(points):
            gives = [f"out.append(({code!r}, {points}))"]
        case PerAmount(points, per_amount):
            gives = [_points(f"{base} * {points} // {per_amount}"), _append(code)]
        case Multiplier(points, per_amount, num, den):
            gives = [_points(f"{base} * {points * (num - den)} // {per_amount * den}")]
            gives.append(_append(code))
    lines = [f"    if {rule.test}:"]
    if rule.line_test is not None:
        lines += [
            "        part = 0",
            "        for rest, category, brand in lines:",
            f"            if {rule.line_test}: part += rest",
            "        if part:",
        ]
        gives = [f"    {line}" for line in gives]
    return "\n".join([*lines, *(f"        {line}" for line in gives)])


def _points(expression: str) -> str:
    return f"points = {expression}"


def _append(code: str) -> str:
    return f"if points: out.append(({code!r}, points))"


def _cart(draw: random.Random) -> OrderContext:
    lines = tuple(
        Line(
            number,
            f"sku_{draw.randint(1, 500)}",
            "goods",
            draw.choice(CATEGORIES),
            f"brand_{draw.randint(1, 20)}",
            1000,
            draw.randint(100, 9_000),
        )
        for number in range(1, LINES + 1)
    )
    version = OrderVersion(1, "paid", lines, 0, draw.choice(CHANNELS), "s1", INSTANT)
    net = net_order(version)
    local = INSTANT.replace(day=draw.randint(1, 28), hour=draw.randint(8, 21))
    facts = order_facts(version, source="till", net=net.net, spend=net.spend, local=local)
    facts["member.tier"] = draw.choice(TIERS)
    facts["member.segments"] = frozenset(
        f"segment_{number}" for number in range(1, 7) if draw.random() < 0.3
    )
    facts["member.tenure_days"] = draw.randint(0, 2_000)
    return OrderContext(version, net, INSTANT, facts, MemberTier("gold", 2, 5, 4))
