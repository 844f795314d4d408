"""Explanations for people: decisions are stored as codes with parameters, sentences are made here.

So one stored decision reads in every language, and its wording can be improved afterwards.
Source: PTS-04; design §1 (explanation).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext

from config.base import conditions, money
from config.base.conditions.operators import Op

Item = Mapping[str, Any]
Names = Mapping[str, str]

UNIT_DIGITS = 6


def render(item: Item, names: Names) -> str:
    """Return the sentence for one item; `names` are rule names by code in the active language."""
    sentence = _SENTENCES.get(str(item.get("code")))
    if sentence is None:
        return str(item.get("code", ""))
    return sentence(item, _rule_name(item, names)) + _additions(item)


def rendered(items: Sequence[Item], names: Names) -> list[dict[str, Any]]:
    """Return the items, each with its sentence as `text`."""
    return [{**item, "text": render(item, names)} for item in items]


def rule_codes(items: Sequence[Item]) -> set[str]:
    """Return the codes of the rules that the items speak about."""
    return {str(item["rule"]) for item in items if "rule" in item} | {
        str(item["kept"]) for item in items if "kept" in item
    }


def known_codes() -> frozenset[str]:
    """Return the codes that have a sentence."""
    return frozenset(_SENTENCES)


def _rule_name(item: Item, names: Names) -> str:
    code = str(item.get("rule", ""))
    return names.get(code, code)


def _rate(item: Item) -> str:
    """Return the rate: how many points for how much money."""
    points, per_minor = item["rate"]
    return gettext("%(points)d points per %(amount)s") % {
        "points": points,
        "amount": money.to_text(per_minor),
    }


def _earned(item: Item, name: str) -> str:
    return gettext("%(rule)s: %(base)s at %(rate)s gives %(points)d points.") % {
        "rule": name,
        "base": item["base"],
        "rate": _rate(item),
        "points": item["points"],
    }


def _multiplied(item: Item, name: str) -> str:
    return gettext(
        "%(rule)s: ×%(factor)s adds to %(base)s at %(rate)s: %(points)d further points."
    ) % {
        "rule": name,
        "factor": item["factor"],
        "base": item["base"],
        "rate": _rate(item),
        "points": item["points"],
    }


def _fixed(item: Item, name: str) -> str:
    return gettext("%(rule)s: %(points)d points.") % {"rule": name, "points": item["points"]}


def _base_is_zero(item: Item, name: str) -> str:
    return gettext("%(rule)s: nothing of this order counts for it, so no points.") % {"rule": name}


def _factor_is_one(item: Item, name: str) -> str:
    return gettext("%(rule)s: the factor is ×%(factor)s, which adds nothing.") % {
        "rule": name,
        "factor": item["factor"],
    }


def _below_one_point(item: Item, name: str) -> str:
    return gettext("%(rule)s: %(base)s at %(rate)s is less than one point.") % {
        "rule": name,
        "base": item["base"],
        "rate": _rate(item),
    }


def _not_best(item: Item, name: str) -> str:
    return gettext("%(rule)s: another rule of the group “%(group)s” gives more.") % {
        "rule": name,
        "group": item["group"],
    }


def _not_first(item: Item, name: str) -> str:
    return gettext("%(rule)s: another rule of the group “%(group)s” goes first.") % {
        "rule": name,
        "group": item["group"],
    }


def _condition_not_met(item: Item, name: str) -> str:
    failed = causes(item["failed"])
    return gettext("%(rule)s does not apply: %(failed)s.") % {"rule": name, "failed": failed}


def _no_line_matches(item: Item, name: str) -> str:
    return gettext("%(rule)s does not apply: no line of the order matches.") % {"rule": name}


def _member_cap(item: Item, name: str) -> str:
    period = _PERIODS[item["period"]]()
    return gettext(
        "%(rule)s: limited to %(points)d of %(uncapped)d points, at most %(cap)d %(period)s."
    ) % {
        "rule": name,
        "points": item["points"],
        "uncapped": item["uncapped"],
        "cap": item["cap"],
        "period": period,
    }


def _does_not_count(item: Item, _name: str) -> str:
    if item["status"] == "cancelled":
        return gettext("The order is cancelled, so it earns nothing.")
    return gettext("Nothing of the order is left to pay for, so it earns nothing.")


def _nothing_earns(_item: Item, _name: str) -> str:
    return gettext("Nothing in this order earns points.")


def _not_of_this_member(_item: Item, _name: str) -> str:
    return gettext("The order does not count for this member.")


def _awaits_moderation(_item: Item, _name: str) -> str:
    return gettext("It earns once a moderator has approved it.")


def _withdrawn(_item: Item, _name: str) -> str:
    return gettext("It was removed after its approval, so what it had earned was taken back.")


def _paid_in_points(item: Item, _name: str) -> str:
    return gettext(
        "%(paid)s of %(sold)s was paid with points and does not earn; the same share of the"
        " %(left)s that is left was taken off."
    ) % {"paid": item["paid"], "sold": item["sold"], "left": item["left"]}


def _excluded_flag(item: Item, _name: str) -> str:
    return gettext("Line %(line)s was marked as not earning.") % {"line": item["line"]}


def _excluded_kind(item: Item, _name: str) -> str:
    return gettext("Line %(line)s earns nothing: %(kind)s.") % {
        "line": item["line"],
        "kind": _KINDS[item["kind"]]() if item["kind"] in _KINDS else item["kind"],
    }


def _excluded_sku(item: Item, _name: str) -> str:
    return gettext("Line %(line)s earns nothing: article %(sku)s is excluded.") % {
        "line": item["line"],
        "sku": item["sku"],
    }


def _excluded_category(item: Item, _name: str) -> str:
    return gettext("Line %(line)s earns nothing: category %(category)s is excluded.") % {
        "line": item["line"],
        "category": item["category"],
    }


def _excluded_brand(item: Item, _name: str) -> str:
    return gettext("Line %(line)s earns nothing: brand %(brand)s is excluded.") % {
        "line": item["line"],
        "brand": item["brand"],
    }


_SENTENCES: dict[str, Callable[[Item, str], str]] = {
    "earned": _earned,
    "multiplied": _multiplied,
    "fixed": _fixed,
    "base_is_zero": _base_is_zero,
    "factor_is_one": _factor_is_one,
    "below_one_point": _below_one_point,
    "not_best": _not_best,
    "not_first": _not_first,
    "condition_not_met": _condition_not_met,
    "no_line_matches": _no_line_matches,
    "member_cap": _member_cap,
    "does_not_count": _does_not_count,
    "nothing_earns": _nothing_earns,
    "not_of_this_member": _not_of_this_member,
    "awaits_moderation": _awaits_moderation,
    "withdrawn": _withdrawn,
    "paid_in_points": _paid_in_points,
    "excluded_flag": _excluded_flag,
    "excluded_kind": _excluded_kind,
    "excluded_sku": _excluded_sku,
    "excluded_category": _excluded_category,
    "excluded_brand": _excluded_brand,
}

_KINDS: dict[str, Callable[[], str]] = {
    "goods": lambda: gettext("goods"),
    "service": lambda: gettext("service"),
    "shipping": lambda: gettext("shipping"),
    "fee": lambda: gettext("fee"),
    "gift_card": lambda: gettext("gift card"),
}

_PERIODS: dict[str, Callable[[], str]] = {
    "day": lambda: gettext("per day"),
    "week": lambda: gettext("per week"),
    "month": lambda: gettext("per month"),
    "year": lambda: gettext("per year"),
    "lifetime": lambda: gettext("in all"),
}


def _additions(item: Item) -> str:
    """Return what further parameters of the item say: its lines, its cap, what it stacks on."""
    parts = []
    if "lines" in item:
        lines = gettext(", ").join(str(line) for line in item["lines"])
        parts.append(gettext("Lines: %(lines)s.") % {"lines": lines})
    if "stacked_on" in item:
        parts.append(gettext("On top of ×%(factor)s.") % {"factor": item["stacked_on"]})
    if "uncapped" in item and item["code"] != "member_cap":
        parts.append(
            gettext("The rule's own cap held back %(points)d points.")
            % {"points": item["uncapped"] - item["points"]}
        )
    return "".join(f" {part}" for part in parts)


def asked_for(leaf: Item) -> str:
    """Return what one test of a condition asks for."""
    field = conditions.fields.find(leaf["field"])
    label = str(field.label) if field else leaf["field"]
    return _ASKED[Op(leaf["op"])]() % {"field": label, "value": _value(leaf["value"])}


def causes(failed: Sequence[Item]) -> str:
    """Return the tests that made a condition fail, as part of a sentence."""
    return gettext("; ").join(_leaf(leaf) for leaf in failed)


def _leaf(leaf: Item) -> str:
    """Return one test that failed: what it asks for, and what was found."""
    asked = asked_for(leaf)
    if leaf.get("negated"):
        asked = gettext("not: %(asked)s") % {"asked": asked}
    found = gettext("found %(actual)s") % {"actual": _value(leaf["actual"])}
    return gettext("%(asked)s (%(found)s)") % {"asked": asked, "found": found}


def _value(value: Any) -> str:
    if value is None:
        return gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return gettext(", ").join(_value(item) for item in value)
    return str(value)


_ASKED: dict[Op, Callable[[], str]] = {
    Op.EQ: lambda: gettext("%(field)s is %(value)s"),
    Op.NE: lambda: gettext("%(field)s is not %(value)s"),
    Op.IN: lambda: gettext("%(field)s is one of %(value)s"),
    Op.NOT_IN: lambda: gettext("%(field)s is none of %(value)s"),
    Op.LT: lambda: gettext("%(field)s is below %(value)s"),
    Op.LTE: lambda: gettext("%(field)s is at most %(value)s"),
    Op.GT: lambda: gettext("%(field)s is above %(value)s"),
    Op.GTE: lambda: gettext("%(field)s is at least %(value)s"),
    Op.BETWEEN: lambda: gettext("%(field)s is between %(value)s"),
    Op.CONTAINS: lambda: gettext("%(field)s contains %(value)s"),
    Op.STARTS_WITH: lambda: gettext("%(field)s starts with %(value)s"),
    Op.IS_SET: lambda: gettext("%(field)s is known: %(value)s"),
}
