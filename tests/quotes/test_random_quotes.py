"""A quote equals the order that follows, on random carts under random programmes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from config.base import clock
from members.models import Member
from rewards.domain.submission import MemberRef, OrderFact, Tender
from rewards.models import Coupon, RuleVersion
from rewards.services import adjustment, intake, quote_tokens
from rewards.services.coupon_revocation import revoke
from rewards.services.quote import Cart, Quote, quote
from tests.quotes.random_programmes import STORES, World, add_rule, lines, world

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-02", "PTS-16", "PTS-17")]

# What a quote offers is paid with here as if it had been reserved; the order is the same.
UNRESERVED = {"tender_without_reservation"}

CARTS_PER_WORLD = 20


def carts(worlds: range, seen: Counter[str]) -> Iterator[tuple[World, Member, Cart]]:
    """Yield carts, each programme rolled back when its carts are done."""
    for seed in worlds:
        with transaction.atomic():
            made = world(seed, clock.now(), seen)
            for _number in range(CARTS_PER_WORLD):
                # Two orders at one instant fold by their numbers, which a quote cannot know.
                made.at += timedelta(seconds=2)
                member = made.rng.choice(made.members)
                yield made, member, _cart(made, member)
            transaction.set_rollback(True)


def _cart(made: World, member: Member) -> Cart:
    rng = made.rng
    mine = made.codes[member.pk]
    codes = tuple(rng.sample(mine, min(len(mine), rng.choice((0, 1, 2, 3, 4, 4)))))
    points = rng.choice((None, None, 0, 100, 500, 1_000, rng.randint(1, 3_000)))
    store = rng.choice(STORES)
    return Cart(lines(made), source="shop", store=store, coupons=codes, points=points)


def order_of(made: World, member: Member, quoted: Quote, cart: Cart) -> dict[str, Any]:
    """Send the order that a quote says to send; return the answer."""
    tenders = (Tender("points", quoted.payable.amount),) if quoted.payable.points else ()
    fact = OrderFact(
        "shop", made.number(), None, None, MemberRef(member.public_id), "paid", made.at, "CNY",
        quoted.lines, tenders, store=cart.store, coupons=tuple(quoted.used_coupons),
        quote=quote_tokens.read(quoted.token),
    )  # fmt: skip
    (outcome,) = intake.receive([fact], touchpoint=made.touchpoint, at=made.at)
    assert outcome.status == 200, outcome
    return outcome.data


def change_something(made: World, member: Member) -> None:
    """Let something happen between the quote and the order."""
    kind = made.rng.choice(("order", "rule", "rule ends", "points", "coupon"))
    made.seen[f"changed {kind}"] += 1
    if kind == "order":
        made.buy(member, made.rng.randint(1, 400_000), timedelta(seconds=1))
    elif kind == "rule":
        add_rule(made, f"late{made.number()}")
    elif kind == "rule ends":
        RuleVersion.objects.filter(rule__code="tier").update(valid_until=made.at)
    elif kind == "coupon":
        mine = Coupon.objects.live(made.at).filter(member=member, used=0, held=0)
        revoke(coupons=[each.pk for each in mine], reason="mistake", at=made.at, actor="staff:1")
    else:
        adjustment.adjust(
            member=member.pk, points=50, reason="test", at=made.at, actor="staff:1",
            limit_points=None,
        )  # fmt: skip


def compare(made: World, member: Member, cart: Cart) -> None:
    """Quote, perhaps change something, order, and hold one against the other."""
    quoted = quote(member=member.pk, cart=cart, touchpoint=made.touchpoint, at=made.at)
    if quoted.payable.most and made.rng.random() < 0.7:
        cart = replace(cart, points=quoted.payable.most)
        quoted = quote(member=member.pk, cart=cart, touchpoint=made.touchpoint, at=made.at)
    made.seen["points used"] += quoted.payable.points > 0
    made.seen["coupons used"] += bool(quoted.used_coupons)
    made.seen["carts"] += 1
    is_changed = made.rng.random() < 0.15
    if is_changed:
        change_something(made, member)
    answer = order_of(made, member, quoted, cart)
    earned = sum(quoted.points.values())
    codes = [issue["code"] for issue in answer["issues"]]
    stale = "quote_stale" in codes
    if (
        answer["points"]["earned"] != earned
        or answer["tier"]["before"] != quoted.tier.code
        or "coupon_not_usable" in codes
    ):
        assert is_changed, (earned, answer)
        assert stale, answer
        made.seen["stale"] += 1
    else:
        assert not stale or is_changed
        assert answer["tier"]["after"] == quoted.tier_after.code or is_changed
    if not is_changed:
        assert set(codes) <= UNRESERVED
        assert {item["rule"]: item["points"] for item in answer["points"]["bonus"]} == {
            code: points for code, points in quoted.points.items() if code != "base"
        }


def test_a_quote_equals_the_order() -> None:
    for made, member, cart in carts(range(8), Counter()):
        compare(made, member, cart)


@pytest.mark.prove
def test_a_quote_equals_the_order_on_5_000_carts() -> None:
    seen: Counter[str] = Counter()
    for made, member, cart in carts(range(1_000, 1_250), seen):
        compare(made, member, cart)
    assert seen["carts"] == 5_000
    assert seen["points used"] >= 1_500
    assert seen["coupons used"] >= 1_500
    assert seen["stale"] >= 50
    counted = {
        "effect", "group", "factor", "coupon", "stacking", "field", "op", "all", "any", "not",
    }  # fmt: skip
    kinds = {key: count for key, count in seen.items() if key.split()[0] in counted}
    # Each rule decides every cart of its programme.
    assert min(kinds.values()) * CARTS_PER_WORLD >= 50, kinds
