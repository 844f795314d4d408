"""Hold orders against the quotes that they were made from, and tell what came out otherwise.

Source: design §6 (quotes).
"""

from typing import Any

from rewards.domain import coupon_codes
from rewards.services.happened import Happened, Item, OrderNews

QUOTE_STALE = "quote_stale"
QUOTE_INVALID = "quote_invalid"


def follow_quotes(happened: Happened) -> None:
    """Tell with the answer of an order what differs from its quote; needs no statement."""
    for news in happened.orders:
        quoted = news.version.body.get("quote")
        # Only the fact that brought the quote is held against it, not what comes after.
        if quoted is None or news.version.id != news.fact:
            continue
        if quoted == QUOTE_INVALID:
            happened.tell_issue(news.fact, {"code": QUOTE_INVALID})
        elif news.version.member == news.member:
            difference = _difference(happened, news, quoted)
            if difference:
                happened.tell_issue(news.fact, {"code": QUOTE_STALE, "difference": difference})


def _difference(happened: Happened, news: OrderNews, quoted: dict[str, Any]) -> list[Item]:
    state = news.state
    tier = happened.book.ladders.at(state.placed_at).tier(state.tier.rank)
    compared = [
        ("tier", quoted["tier"], state.tier.code),
        ("tier_discount", quoted["bp"], tier.discount_bp),
        ("points", quoted["earned"], sum(state.awards.values())),
    ]
    difference: list[Item] = [
        {"what": what, "quoted": before, "now": now} for what, before, now in compared
        if before != now
    ]  # fmt: skip
    return difference + _coupons(happened, news, quoted)


def _coupons(happened: Happened, news: OrderNews, quoted: dict[str, Any]) -> list[Item]:
    """Return the coupons that were quoted and could not be redeemed, or were left out."""
    issues = happened.issues.get(news.fact, ())
    refused = {coupon_codes.normalise(issue.get("coupon", "")) for issue in issues}
    sent = {coupon_codes.normalise(code) for code in news.version.body.get("coupons", ())}
    return [
        {"what": "coupon", "coupon": code, "quoted": amount, "now": 0}
        for code, amount in quoted["coupons"]
        if code in refused or code not in sent
    ]
