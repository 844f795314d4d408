"""Fields, conditions and facts for the tests of the conditions language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from config.base.conditions import Field, FieldType, Registry

REGISTRY = Registry()
REGISTRY.register(
    Field("order.channel", FieldType.STRING, "Channel"),
    Field("order.lines", FieldType.INTEGER, "Lines"),
    Field("order.net", FieldType.MONEY, "Net"),
    Field("order.weight", FieldType.DECIMAL, "Weight"),
    Field("order.volume", FieldType.DECIMAL, "Volume", scale=3),
    Field("order.date", FieldType.DATE, "Day"),
    Field("order.at", FieldType.DATETIME, "Instant"),
    Field("order.gift", FieldType.BOOLEAN, "Gift"),
    Field("line.kind", FieldType.CHOICE, "Kind", choices=(("goods", "G"), ("fee", "F"))),
    Field("member.segments", FieldType.STRING_SET, "Segments"),
)
REGISTRY.register_family("member.attributes", "Attribute")
SCOPES = ("order", "line", "member")

# Few values of each type, as (JSON, inside): tests and facts meet often.
POOLS: dict[str, list[tuple[object, object]]] = {
    "order.channel": [
        ("web", "web"),
        ("pos", "pos"),
        ("webshop", "webshop"),
        ("'\"\\\n", "'\"\\\n"),
    ],
    "order.lines": [(0, 0), (3, 3), (-2, -2), (7, 7)],
    "order.net": [("0.00", 0), ("12.30", 1230), ("-1.00", -100), ("99.99", 9999)],
    "order.weight": [("0.5", Decimal("0.5")), ("100", Decimal(100)), ("7", Decimal(7))],
    "order.volume": [("1.500", 1500), ("0.001", 1), ("20.000", 20000)],
    "order.date": [("2026-03-01", date(2026, 3, 1)), ("2026-12-31", date(2026, 12, 31))],
    "order.at": [
        ("2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T00:00:00.000001Z", datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)),
    ],
    "order.gift": [(True, True), (False, False)],
    "line.kind": [("goods", "goods"), ("fee", "fee")],
    "member.attributes.size": [("M", "M"), ("XL", "XL")],
}
SEGMENTS = ("vip", "new", "dormant")
EQUALITY = ("eq", "ne", "in", "not_in")
ORDER = ("lt", "lte", "gt", "gte", "between")
UNORDERED = ("order.channel", "order.gift", "line.kind", "member.attributes.size")


@st.composite
def leaf_data(draw: st.DrawFn) -> dict[str, object]:
    """Return one valid test as canonical JSON."""
    name = draw(st.sampled_from([*POOLS, "member.segments"]))
    if draw(st.integers(0, 6)) == 0:
        return {"field": name, "op": "is_set", "value": draw(st.booleans())}
    if name == "member.segments":
        return {"field": name, "op": "contains", "value": draw(st.sampled_from(SEGMENTS))}
    op = draw(st.sampled_from(_operators(name)))
    pool = sorted(POOLS[name], key=lambda pair: pair[1])  # type: ignore[arg-type,return-value]
    count = {"in": (1, 3), "not_in": (1, 3), "between": (2, 2)}.get(op, (1, 1))
    repeat = op == "between"
    picks = st.lists(
        st.integers(0, len(pool) - 1), min_size=count[0], max_size=count[1], unique=not repeat
    )
    values = [pool[position][0] for position in sorted(draw(picks))]
    single = op not in ("in", "not_in", "between")
    return {"field": name, "op": op, "value": values[0] if single else values}


def _operators(name: str) -> list[str]:
    if name == "order.gift":
        return ["eq", "ne"]
    extra = ["starts_with"] if name == "order.channel" else []
    return [*EQUALITY, *extra] if name in UNORDERED else [*EQUALITY, *ORDER]


def condition_data() -> st.SearchStrategy[dict[str, Any]]:
    """Return conditions as canonical JSON, a few levels deep."""
    return st.recursive(
        leaf_data(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda items: {"all": items}),
            st.lists(inner, min_size=1, max_size=3).map(lambda items: {"any": items}),
            inner.map(lambda item: {"not": item}),
        ),
        max_leaves=6,
    ).filter(lambda data: depth(data) <= 8)


def depth(data: dict[str, Any]) -> int:
    """Return how many levels a condition has."""
    for key in ("all", "any"):
        if key in data:
            return 1 + max(depth(item) for item in data[key])
    return 1 + depth(data["not"]) if "not" in data else 1


@st.composite
def facts(draw: st.DrawFn) -> dict[str, object]:
    """Return facts, some absent, some None; attributes may have a foreign type."""
    found: dict[str, object] = {}
    for name, pool in POOLS.items():
        values: list[object] = [value for _, value in pool]
        if name == "member.attributes.size":
            values += [5, ["M"], True]
        choice = draw(st.integers(-2, len(values) - 1))
        if choice >= 0:
            found[name] = values[choice]
        elif choice == -1:
            found[name] = None
    if draw(st.booleans()):
        found["member.segments"] = draw(st.frozensets(st.sampled_from(SEGMENTS)))
    return found
