"""What is said of coupons to people: why one cannot be used, and what one is worth.

Decisions are codes with parameters; sentences are made here, in the active language.
Source: design §1 (explanation); RWD-01.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from config.base import clock, money
from rewards import explanations
from rewards.domain import coupon_codes
from rewards.domain.coupon_terms import CouponTerms, Kind

Item = Mapping[str, Any]


def render(reason: Item) -> str:
    """Return the sentence for one reason."""
    sentence = _SENTENCES.get(str(reason.get("code")))
    return str(reason.get("code", "")) if sentence is None else sentence(reason)


def rendered(reasons: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the reasons, each with its sentence as `text`."""
    return [{**reason, "text": render(reason)} for reason in reasons]


def known_codes() -> frozenset[str]:
    """Return the codes that have a sentence."""
    return frozenset(_SENTENCES)


def worth(terms: CouponTerms) -> str:
    """Return what a coupon takes off, in a few words."""
    words = _WORTH[terms.kind](terms)
    if terms.max_discount is not None:
        words += gettext(", at most %(amount)s") % {"amount": money.to_text(terms.max_discount)}
    if terms.min_spend:
        words += gettext(", from %(amount)s") % {"amount": money.to_text(terms.min_spend)}
    return words


def _percent(terms: CouponTerms) -> str:
    whole, part = divmod(terms.percent_bp, 100)
    text = str(whole) if not part else f"{whole}.{part:02}".rstrip("0")
    return gettext("%(percent)s %% off") % {"percent": text}


_WORTH: dict[Kind, Callable[[CouponTerms], str]] = {
    Kind.AMOUNT: lambda t: gettext("%(amount)s off") % {"amount": money.to_text(t.amount)},
    Kind.PERCENT: _percent,
    Kind.FREE_ITEM: lambda t: gettext("Article %(sku)s free") % {"sku": t.free_sku},
    Kind.FREE_SHIPPING: lambda _t: gettext("Free shipping"),
}


def _time(text: str) -> str:
    return f"{clock.local(datetime.fromisoformat(text)):%Y-%m-%d %H:%M}"


def _unknown(_reason: Item) -> str:
    return gettext("There is no such coupon.")


def _mistyped(_reason: Item) -> str:
    return gettext("The code is mistyped; please check it.")


def _revoked(_reason: Item) -> str:
    return gettext("The coupon has been revoked.")


def _redeemed(_reason: Item) -> str:
    return gettext("The coupon has been used.")


def _held(_reason: Item) -> str:
    return gettext("The coupon is set aside for another purchase.")


def _not_yours(_reason: Item) -> str:
    return gettext("The coupon was issued to another member.")


def _not_yet_valid(reason: Item) -> str:
    return gettext("The coupon is valid from %(time)s on.") % {"time": _time(reason["from"])}


def _expired(reason: Item) -> str:
    return gettext("The coupon expired at %(time)s.") % {"time": _time(reason["at"])}


def _member_limit(reason: Item) -> str:
    return gettext("Each member may use %(limit)d of these coupons.") % {"limit": reason["limit"]}


def _condition(reason: Item) -> str:
    failed = explanations.causes(reason["failed"])
    return gettext("The coupon does not apply: %(failed)s.") % {"failed": failed}


def _not_first(_reason: Item) -> str:
    return gettext("The coupon is for the first order only.")


def _no_scope(_reason: Item) -> str:
    return gettext("The coupon is for none of these articles.")


def _min_spend(reason: Item) -> str:
    return gettext("%(missing)s more of what it is for: the coupon asks for %(min_spend)s.") % {
        "missing": reason["missing"],
        "min_spend": reason["min_spend"],
    }


def _no_free_item(reason: Item) -> str:
    return gettext("The free article %(sku)s is not in the cart.") % {"sku": reason["sku"]}


def _nothing(_reason: Item) -> str:
    return gettext("There is nothing that the coupon could take off.")


def _not_combinable(reason: Item) -> str:
    others = gettext(", ").join(coupon_codes.for_people(code) for code in reason["coupons"])
    return gettext("The coupon cannot be combined with %(coupons)s.") % {"coupons": others}


_SENTENCES: dict[str, Callable[[Item], str]] = {
    "coupon_unknown": _unknown,
    "coupon_code_mistyped": _mistyped,
    "revoked": _revoked,
    "redeemed": _redeemed,
    "held": _held,
    "not_yours": _not_yours,
    "not_yet_valid": _not_yet_valid,
    "expired": _expired,
    "member_limit_reached": _member_limit,
    "condition_not_met": _condition,
    "not_first_order": _not_first,
    "scope_matches_nothing": _no_scope,
    "min_spend_not_met": _min_spend,
    "free_item_missing": _no_free_item,
    "nothing_to_take_off": _nothing,
    "not_combinable": _not_combinable,
}
