"""A preview says what orders then do: a cart, and the orders of last month."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Member
from rewards.domain.rules import RuleSpec
from rewards.models import Entry, Rule, RuleVersion
from rewards.services import rule_preview
from rewards.services.programme import rule_spec
from rewards.services.rule_preview import SampleCart
from tests.engine import shop as shops
from tests.engine.shop import Shop, day
from tiers.models import Tier

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-04")]

APRIL = day(40)


def draft(**values: Any) -> RuleVersion:
    rule = Rule(code="promo", name_zh="促销", name_en="Promo")
    said = {"effect": "multiplier", "factor": Decimal(3), "created_at": day(0), **values}
    return RuleVersion(rule=rule, **{"number": 1, **said})


def spec(**values: Any) -> RuleSpec:
    return rule_spec(draft(**values))


def put_in_force(version: RuleVersion) -> None:
    """Let it have held for ever, as the preview supposes."""
    version.rule.save()
    version.rule_id, version.state = version.rule.pk, "active"
    version.save()


def march(shop: Shop, prefix: str = "") -> list[Member]:
    """Let three members have a month: tiers, refunds, cancellations, lines of little worth."""
    people = [shop.join(f"{prefix}{name}") for name in "abc"]
    a, b, c = people
    at = {"at": 36} if prefix else {}
    shop.buy(a, f"{prefix}a1", 900, "0.99", on=1, **at)
    shop.buy(a, f"{prefix}a2", 400, on=2, **at)
    shop.buy(a, f"{prefix}a3", 250, on=2.1, **at)
    shop.give_back(f"{prefix}a2", "r1", on=9, amount="99.50", **at)
    shop.buy(b, f"{prefix}b1", 60, on=3, **at)
    shop.buy(b, f"{prefix}b2", 70, on=4, status="cancelled", **at)
    shop.buy(b, f"{prefix}b3", 80, on=5, **at)
    shop.give_back(f"{prefix}b3", "r2", on=6, **at)
    shop.buy(c, f"{prefix}c1", "33.33", on=7, **at)
    shop.buy(c, f"{prefix}c2", 500, on=36, **at)
    return people


RULES: list[dict[str, Any]] = [
    {},
    {"conditions": {"field": "order.spend", "op": "gte", "value": "200.00"}},
    {"cap_points": 500, "cap_period": "day"},
    {"cap_points": 700, "cap_period": "month"},
    {"effect": "fixed", "points": 7, "conditions": {"field": "member.tier", "op": "in",
                                                     "value": ["basic"]}},
    {"line_conditions": {"field": "line.sku", "op": "eq", "value": "sku-2"}},
]  # fmt: skip


@pytest.mark.parametrize("values", RULES, ids=str)
def test_last_month_is_what_the_orders_would_have_earned(values: dict[str, Any]) -> None:
    shop = Shop()
    march(shop)
    month = rule_preview.preview_month(draft=spec(**values), at=APRIL)
    assert month.live == _posted(before=day(30)), "the rules in force reproduce the ledger"

    put_in_force(draft(**values))
    ids = [member.pk for member in march(shop, "again-")]
    assert month.draft == _posted(before=day(30), members=ids)
    assert month.orders == 7
    assert month.one_in == 1


def _posted(*, before: Any, members: list[int] | None = None) -> int:
    """Return what the ledger holds for orders placed before an instant."""
    rows = Entry.objects.filter(order__placed_at__lt=before)
    if members is not None:
        rows = rows.filter(member__in=members)
    issued = sum(rows.filter(source="issuance").values_list("points", flat=True))
    return issued - sum(rows.filter(target="reversed").values_list("points", flat=True))


def test_the_month_says_whom_it_reaches_and_what_it_costs() -> None:
    shop = Shop()
    a, _b, _c = march(shop)
    values = {"conditions": {"field": "order.spend", "op": "gte", "value": "200.00"}}
    month = rule_preview.preview_month(draft=spec(**values), at=APRIL)
    assert (month.first_on.isoformat(), month.last_on.isoformat()) == ("2026-03-01", "2026-03-31")
    assert month.matched == 3
    assert month.changed == 3
    assert [member for member, _points in month.gains] == [a.pk]
    assert month.members == 1
    assert month.draft - month.live == month.gains[0][1] == 1801 + 601 + 500
    assert month.cost == month.draft - month.live, "100 points are worth one yuan, a fen each"
    assert sum(month.draft_by_day) == month.draft
    assert month.live_by_day[2] == 900, "a1 was placed on the third"


def test_a_limit_that_was_met_is_counted() -> None:
    shop = Shop()
    march(shop)
    month = rule_preview.preview_month(draft=spec(cap_points=10, cap_period="month"), at=APRIL)
    assert month.capped == 5
    assert month.draft - month.live == 3 * 10


def test_of_many_orders_whole_members_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    people = march(shop)
    monkeypatch.setattr(rule_preview, "MOST_ORDERS", 3)
    month = rule_preview.preview_month(draft=spec(), at=APRIL)
    assert (month.all_orders, month.one_in) == (7, 3)
    chosen = [member for member in people if member.pk % 3 == 0]
    assert len(chosen) == 1
    assert 0 < month.orders <= 3


def test_the_month_takes_few_statements_however_many_orders() -> None:
    shop = Shop()
    march(shop)
    with CaptureQueriesContext(connection) as statements:
        rule_preview.preview_month(draft=spec(), at=APRIL)
    few = len(statements)
    march(shop, "again-")
    with CaptureQueriesContext(connection) as statements:
        rule_preview.preview_month(draft=spec(), at=APRIL)
    assert len(statements) <= few <= 15


def test_nothing_is_written() -> None:
    shop = Shop()
    march(shop)
    before = Entry.objects.count()
    rule_preview.preview_month(draft=spec(), at=APRIL)
    rule_preview.preview_cart(draft=spec(), cart=SampleCart(100_00, day(1)))
    assert Entry.objects.count() == before
    assert not Rule.objects.filter(code="promo").exists()


@pytest.mark.parametrize("values", RULES, ids=str)
def test_a_cart_earns_what_the_order_then_earns(values: dict[str, Any]) -> None:
    shop = Shop()
    cart = SampleCart(amount=250_00, placed_at=day(2), tier="basic")
    before = rule_preview.preview_cart(draft=spec(**values), cart=cart)
    assert before.live.points == {"base": 250}
    put_in_force(draft(**values))
    who = shop.join("a")
    outcome = shop.buy(who, "o", 250, on=2)
    assert before.draft.total == outcome.data["points"]["earned"]


def test_a_cart_is_tried_as_a_member_of_the_tier_that_was_chosen() -> None:
    Shop()
    tier = Tier.objects.order_by("-rank").first()
    assert tier is not None
    condition = {"field": "member.tier", "op": "eq", "value": tier.code}
    cart = SampleCart(amount=100_00, placed_at=day(2), tier=tier.code)
    found = rule_preview.preview_cart(draft=spec(conditions=condition), cart=cart)
    assert found.draft.points["promo"] == 200
    assert found.live.points["tier"] > 0
    assert any(item.get("rule") == "promo" for item in found.draft.explanation)
    assert day(0) == shops.NOON


def test_a_draft_takes_the_place_of_its_rules_own_version_with_a_limit_of_its_own() -> None:
    shop = Shop()
    put_in_force(draft(cap_points=100, cap_period="month"))
    march(shop)
    month = rule_preview.preview_month(
        draft=spec(cap_points=300, cap_period="month", number=2), at=APRIL
    )
    assert month.live == _posted(before=day(30))
    assert month.draft - month.live == 200 + 20 + 0, "a: 300 for 100; b: 120 for 100; c: 66 is less"
