"""Random programmes, members with a past, and carts, all from one seed."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from members.models import Channel, Member, Touchpoint
from members.services import profile
from rewards.domain.cart import KINDS, Line
from rewards.domain.submission import MemberRef, OrderFact
from rewards.models import CouponTemplate, PointsPolicy, Rule, RuleVersion
from rewards.presets import PRESETS
from rewards.services import coupon_templates, coupons, intake, presets
from tests.factories import members as people

CATEGORIES = ("tea", "dairy", "bakery", None)
BRANDS = ("acme", "zhen", None)
STORES = ("SH-001", "BJ-002", "")
CHANNELS = (Channel.POS, Channel.WEB, Channel.APP)
TIERS = ("basic", "silver", "gold", "diamond")
GROUPS = ("add", "best", "product", "first")


@dataclass
class World:
    """One random programme with a touchpoint and members; counts what it has made use of."""

    rng: random.Random
    at: datetime
    seen: Counter[str]
    touchpoint: Touchpoint
    members: list[Member] = field(default_factory=list)
    codes: dict[int, list[str]] = field(default_factory=dict)
    orders: int = 0

    def number(self) -> str:
        """Return an order number that was not used yet."""
        self.orders += 1
        return f"Q{self.orders}"

    def buy(self, member: Member, amount: int, ago: timedelta) -> None:
        """Let a member have bought something."""
        fact = OrderFact(
            "shop", self.number(), None, None, MemberRef(member.public_id), "paid",
            self.at - ago, "CNY", (Line(1, "S", "goods", "tea", None, 1_000, amount),),
        )  # fmt: skip
        (outcome,) = intake.receive([fact], touchpoint=self.touchpoint, at=self.at)
        assert outcome.status == 200, outcome


def world(seed: int, at: datetime, seen: Counter[str], *, members: int = 4) -> World:
    """Return a new programme with members who have bought and brought points together."""
    rng = random.Random(seed)
    presets.load(preset=PRESETS["classic"], at=at)
    made = World(rng, at, seen, people.touchpoint(channel=rng.choice(CHANNELS)))
    for number in range(rng.randint(1, 6)):
        add_rule(made, f"extra{number}")
    PointsPolicy.objects.update(
        pay_points=rng.choice((50, 100, 200)),
        pay_min_points=rng.choice((0, 100, 500)),
        pay_step_points=rng.choice((1, 50, 100)),
        pay_max_percent=Decimal(rng.choice(("20", "50", "100"))),
        earn_on_points_paid=rng.random() < 0.2,
        excluded_categories=["bakery"] if rng.random() < 0.2 else [],
    )
    for _number in range(members):
        made.members.append(_member(made))
    templates = [_template(made, number) for number in range(5)]
    for member in made.members:
        for template in rng.choices(templates, k=14):
            (coupon,) = coupons.issue(
                template=template, member=member.pk, count=1, at=at, actor="staff:1"
            )
            made.codes.setdefault(member.pk, []).append(coupon.code)
    return made


def _template(made: World, number: int) -> CouponTemplate:
    """Make a coupon template of a random kind, with random conditions."""
    rng = made.rng
    kind = rng.choice(("amount", "percent", "free_item", "free_shipping"))
    stacking = rng.choice(("alone", "others", "any"))
    made.seen.update([f"coupon {kind}", f"stacking {stacking}"])
    has_lines = rng.random() < 0.2
    values: dict[str, Any] = {
        "amount": Decimal(rng.randint(1, 300)) if kind == "amount" else None,
        "percent": Decimal(rng.choice(("5", "12.5", "50"))) if kind == "percent" else None,
        "max_discount": Decimal(30) if rng.random() < 0.3 else None,
        "free_sku": f"SKU-{rng.randint(1, 4)}" if kind == "free_item" else "",
        "min_spend": Decimal(rng.choice(("0", "0", "50", "200"))),
        "conditions": _condition(made, 1) if rng.random() < 0.2 else None,
        "line_conditions": _leaf(made, _line_leaves(made)) if has_lines else None,
        "is_first_order_only": rng.random() < 0.1,
        "uses_per_member": rng.choice((None, None, 3)),
    }
    return coupon_templates.create(
        values={
            "code": f"t{number}", "name_zh": "券", "name_en": "Coupon", "kind": kind,
            "stacking": stacking, "expires_after_days": 30, **values,
        }
    )  # fmt: skip


def _member(made: World) -> Member:
    rng = made.rng
    member = people.member(at=made.at - timedelta(days=rng.choice((1, 40, 800))))
    if rng.random() < 0.5:
        profile.update(
            member_id=member.pk,
            at=made.at - timedelta(hours=20),
            actor="staff:1",
            values={},
            attributes={"size": rng.choice(("S", "L"))},
        )
    for _order in range(rng.randint(0, 4)):
        made.buy(member, rng.randint(1, 250_000), timedelta(hours=rng.randint(1, 15)))
    return member


def add_rule(made: World, code: str) -> None:
    """Add a rule of a random effect, with random conditions, stacking and caps."""
    rng, seen = made.rng, made.seen
    effect = rng.choice(("per_amount", "multiplier", "fixed"))
    group = rng.choice((None, None, *GROUPS))
    if group == "product":
        effect = "multiplier"
    source = "tier" if effect == "multiplier" and rng.random() < 0.2 else "fixed"
    cap = rng.choice((None, None, "day", "week", "month", "year", "lifetime"))
    has_lines = rng.random() < 0.3
    RuleVersion.objects.create(
        rule=Rule.objects.create(code=code, name_zh="规则", name_en="Rule"),
        number=1,
        state="active",
        effect=effect,
        points=rng.randint(1, 30),
        per_amount=Decimal(rng.choice(("1", "7.5", "100"))),
        factor=Decimal(rng.choice(("1.5", "2", "1"))),
        factor_source=source,
        max_points=rng.choice((None, None, 20)),
        group=f"{group}-group" if group else "",
        group_mode=group or "add",
        priority=rng.randint(0, 60),
        cap_points=None if cap is None else rng.randint(5, 200),
        cap_period=cap or "",
        conditions=_condition(made, 2) if rng.random() < 0.8 else None,
        line_conditions=_leaf(made, _line_leaves(made)) if has_lines else None,
        created_at=made.at,
        created_by="test",
    )
    seen.update([f"effect {effect}", f"group {group}", f"cap {cap}", f"factor {source}"])


def _condition(made: World, depth: int) -> dict[str, Any]:
    rng = made.rng
    kind = rng.choice(("leaf", "leaf", "all", "any", "not")) if depth else "leaf"
    if kind == "leaf":
        return _leaf(made, _order_leaves(made))
    made.seen[kind] += 1
    if kind == "not":
        return {"not": _condition(made, depth - 1)}
    return {kind: [_condition(made, depth - 1) for _part in range(rng.randint(1, 3))]}


def _leaf(made: World, leaves: list[tuple[str, str, Any]]) -> dict[str, Any]:
    name, op, value = made.rng.choice(leaves)
    made.seen.update([f"field {name}", f"op {op}"])
    return {"field": name, "op": op, "value": value}


def _numbers(made: World, name: str, values: tuple[Any, ...]) -> list[tuple[str, str, Any]]:
    rng = made.rng
    low, high = sorted(rng.sample(values, 2))
    pick = rng.choice(values)
    return [
        *((name, op, pick) for op in ("eq", "ne", "lt", "lte", "gt", "gte")),
        (name, "in", [low, high]), (name, "not_in", [low]), (name, "between", [low, high]),
        (name, "is_set", True),
    ]  # fmt: skip


def _texts(made: World, name: str, values: tuple[str, ...]) -> list[tuple[str, str, Any]]:
    pick = made.rng.choice(values)
    return [
        (name, "eq", pick), (name, "ne", pick), (name, "in", [pick]), (name, "not_in", [pick]),
        (name, "is_set", made.rng.random() < 0.5), (name, "starts_with", pick[:2]),
    ]  # fmt: skip


def _order_leaves(made: World) -> list[tuple[str, str, Any]]:
    today = made.at.date()
    days = tuple((today + timedelta(days=n)).isoformat() for n in (-1, 0, 1))
    families = [
        lambda: _texts(made, "order.channel", ("pos", "web", "app")),
        lambda: _texts(made, "order.store", ("SH-001", "BJ-002")),
        lambda: _texts(made, "order.source", ("shop", "till")),
        lambda: _numbers(made, "order.net", tuple(f"{n}.00" for n in range(100, 999, 50))),
        lambda: _numbers(made, "order.spend", tuple(f"{n}.50" for n in range(100, 999, 50))),
        lambda: _numbers(made, "order.lines", (1, 2, 3, 4)),
        lambda: _numbers(made, "order.date", days),
        lambda: _numbers(made, "order.weekday", (1, 2, 3, 4, 5, 6, 7)),
        lambda: _numbers(made, "order.day", (1, 8, 15, 24)),
        lambda: _numbers(made, "order.month", (2, 5, 11)),
        lambda: _numbers(made, "order.hour", (0, 9, 12, 18, 23)),
        lambda: _texts(made, "member.tier", TIERS),
        lambda: _numbers(made, "member.rank", (0, 1, 2, 3)),
        lambda: _numbers(made, "member.tenure_days", (0, 30, 365)),
        lambda: _numbers(made, "member.birthday_month", (1, 6, 12)),
        lambda: [("member.segments", "contains", "vip"), ("member.segments", "is_set", True)],
        lambda: [
            ("member.attributes.size", op, value)
            for op, value in (("eq", "L"), ("ne", "L"), ("is_set", True))
        ],
    ]
    return made.rng.choice(families)()


def _line_leaves(made: World) -> list[tuple[str, str, Any]]:
    families = [
        lambda: _texts(made, "line.sku", ("SKU-1", "SKU-2")),
        lambda: [("line.kind", "eq", "goods"), ("line.kind", "in", ["service", "goods"])],
        lambda: _texts(made, "line.category", ("tea", "dairy")),
        lambda: _texts(made, "line.brand", ("acme", "zhen")),
        lambda: _numbers(made, "line.quantity", ("1.000", "2.000", "3.500")),
        lambda: _numbers(made, "line.amount", ("5.00", "50.00", "500.00")),
    ]
    return made.rng.choice(families)()


def lines(made: World) -> tuple[Line, ...]:
    """Return the lines of a random cart."""
    rng = made.rng
    kinds = (*KINDS, "goods", "goods", "goods")
    return tuple(
        Line(
            number,
            f"SKU-{rng.randint(1, 4)}",
            rng.choice(kinds),
            rng.choice(CATEGORIES),
            rng.choice(BRANDS),
            rng.choice((1_000, 2_000, 3_500)),
            rng.choice((0, 1, rng.randint(1, 500), rng.randint(1, 90_000))),
            earns=rng.random() < 0.9,
        )
        for number in range(1, rng.randint(1, 6) + 1)
    )
