"""What a campaign gives: its effects read from JSON, with what one act costs.

`{"kind": "points", "points": 100}`, `{"kind": "coupon", "template": "ten_off", "quantity": 1,
"valid_days": 30}`, `{"kind": "reward", "reward": "mug"}`, `{"kind": "benefit", "benefit": "wrap",
"quantity": 2, "valid_days": 30}`, `{"kind": "multiplier", "factor": "2", "birthday_month": true,
"cap_points": 500}`, `{"kind": "case", "title": "Call the member"}`. Each may name the `variants`
that it belongs to and its `cost` in money. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.domain.assignment import Variant
from config.base.errors import DomainError

MOST_EFFECTS: Final = 20
MOST: Final = 10_000_000
_CENT: Final = Decimal("0.01")


class EffectKind(StrEnum):
    """What an effect does."""

    POINTS = "points"
    COUPON = "coupon"
    REWARD = "reward"
    BENEFIT = "benefit"
    MULTIPLIER = "multiplier"
    CASE = "case"


NAMED: Final = {
    EffectKind.COUPON: "template", EffectKind.REWARD: "reward", EffectKind.BENEFIT: "benefit",
}  # fmt: skip
_KNOWN: Final = frozenset(
    {"kind", "points", "template", "reward", "benefit", "quantity", "valid_days", "factor",
     "birthday_month", "conditions", "line_conditions", "cap_points", "max_points", "title",
     "variants", "cost"}
)  # fmt: skip


class EffectError(DomainError):
    """Effects that may not be stored; `path` says where."""

    def __init__(self, path: str, message: Promise | None = None) -> None:
        said = message or _("This effect of the campaign cannot be carried out.")
        super().__init__("effect_invalid", said, path=path)


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that an act gives. Units: points; pieces or uses; cost of one act in money."""

    kind: EffectKind
    name: str = ""
    quantity: int = 1
    valid_days: int | None = None
    factor: Decimal = Decimal(1)
    birthday_month: bool = False
    conditions: Mapping[str, Any] | None = None
    line_conditions: Mapping[str, Any] | None = None
    cap_points: int | None = None
    max_points: int | None = None
    variants: frozenset[str] = field(default_factory=frozenset)
    cost: Decimal | None = None

    def is_for(self, variant: str) -> bool:
        """Tell whether it belongs to a variant; one that names none belongs to all."""
        return not self.variants or variant in self.variants

    @property
    def is_given(self) -> bool:
        """Tell whether an act gives it; a multiplier works by itself on what is bought."""
        return self.kind is not EffectKind.MULTIPLIER


@dataclass(frozen=True, slots=True)
class Cost:
    """What one act costs. Units: points; money in the programme's currency."""

    points: int
    money: Decimal


def parse(data: Any) -> tuple[Effect, ...]:
    """Return the effects that a list says.

    Raises: EffectError.
    """
    if not isinstance(data, list) or len(data) > MOST_EFFECTS:
        raise EffectError("")
    return tuple(_effect(item, f"[{number}]") for number, item in enumerate(data))


def parse_variants(data: Any) -> tuple[Variant, ...]:
    """Return the variants that a list of `{"code", "weight"?, "segment"?}` says.

    Raises: EffectError.
    """
    if not isinstance(data, list) or len(data) > MOST_EFFECTS:
        raise EffectError("variants")
    found = []
    for item in data:
        if not isinstance(item, dict) or set(item) - {"code", "weight", "segment"}:
            raise EffectError("variants")
        code, weight = item.get("code"), item.get("weight", 1)
        segment = item.get("segment", "")
        if not isinstance(code, str) or not 0 < len(code) <= 20 or not isinstance(segment, str):
            raise EffectError("variants")
        if type(weight) is not int or not 0 < weight <= MOST:
            raise EffectError("variants")
        found.append(Variant(code, weight, segment))
    if len({each.code for each in found}) != len(found):
        raise EffectError("variants")
    return tuple(found)


def given(effects: Sequence[Effect], variant: str) -> list[Effect]:
    """Return what an act of a variant gives."""
    return [each for each in effects if each.is_given and each.is_for(variant)]


def cost(effects: Sequence[Effect], worth: Mapping[tuple[EffectKind, str], Decimal]) -> Cost:
    """Return what one act costs; `worth` is the cost of one piece where the effect says none."""
    points = sum(each.quantity for each in effects if each.kind is EffectKind.POINTS)
    money = sum((_money(each, worth) for each in effects), Decimal(0))
    return Cost(points, money)


def _money(effect: Effect, worth: Mapping[tuple[EffectKind, str], Decimal]) -> Decimal:
    if effect.cost is not None:
        return effect.cost
    return worth.get((effect.kind, effect.name), Decimal(0)) * effect.quantity


def _effect(item: Any, path: str) -> Effect:
    if not isinstance(item, dict) or set(item) - _KNOWN:
        raise EffectError(path)
    try:
        kind = EffectKind(item.get("kind", ""))
    except ValueError:
        raise EffectError(f"{path}.kind") from None
    quantity = _number(item, "points" if kind is EffectKind.POINTS else "quantity", path)
    if kind is EffectKind.POINTS and quantity is None:
        raise EffectError(f"{path}.points")
    return Effect(
        kind, _name(item, kind, path), quantity or 1, _number(item, "valid_days", path),
        _factor(item, kind, path), item.get("birthday_month") is True,
        _tree(item, "conditions", path), _tree(item, "line_conditions", path),
        _number(item, "cap_points", path), _number(item, "max_points", path),
        frozenset(_texts(item.get("variants", []), f"{path}.variants")),
        _cost(item, f"{path}.cost"),
    )  # fmt: skip


def _name(item: Mapping[str, Any], kind: EffectKind, path: str) -> str:
    key = "title" if kind is EffectKind.CASE else NAMED.get(kind)
    if key is None:
        return ""
    name = item.get(key)
    if not isinstance(name, str) or not 0 < len(name) <= 80 or "\n" in name:
        raise EffectError(f"{path}.{key}")
    return name


def _number(item: Mapping[str, Any], key: str, path: str) -> int | None:
    value = item.get(key)
    if value is not None and (type(value) is not int or not 0 < value <= MOST):
        raise EffectError(f"{path}.{key}")
    return value


def _factor(item: Mapping[str, Any], kind: EffectKind, path: str) -> Decimal:
    if kind is not EffectKind.MULTIPLIER:
        return Decimal(1)
    factor = _decimal(item.get("factor"), f"{path}.factor")
    if not 1 < factor <= 100:
        raise EffectError(f"{path}.factor")
    return factor


def _cost(item: Mapping[str, Any], path: str) -> Decimal | None:
    if item.get("cost") is None:
        return None
    cost = _decimal(item["cost"], path)
    if cost != cost.quantize(_CENT):
        raise EffectError(path)
    return cost


def _decimal(value: Any, path: str) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise EffectError(path) from None
    if not found.is_finite() or not 0 <= found <= MOST:
        raise EffectError(path)
    return found


def _tree(item: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any] | None:
    value = item.get(key)
    if value is not None and not isinstance(value, dict):
        raise EffectError(f"{path}.{key}")
    return value


def _texts(value: Any, path: str) -> Collection[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise EffectError(path)
    return value
