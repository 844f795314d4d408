"""Every decision reads as a sentence, in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from rewards import coupon_words, explanations, paying_words
from rewards.domain import explanation as domain

NAMES = {"base": "Base points", "tier": "Tier points"}

ITEMS: list[dict[str, Any]] = [
    {"rule": "base", "code": "earned", "base": "128.50", "rate": [1, 100], "points": 128},
    {"rule": "tier", "code": "multiplied", "base": "128.50", "rate": [1, 100], "factor": "1.25",
     "points": 32, "tier": "gold", "stacked_on": "2"},
    {"rule": "gift", "code": "fixed", "points": 50, "uncapped": 80, "lines": [1, 3]},
    {"rule": "base", "code": "base_is_zero", "base": "0.00", "rate": [1, 100], "points": 0},
    {"rule": "tier", "code": "factor_is_one", "base": "1.00", "rate": [1, 100], "factor": "1",
     "points": 0},
    {"rule": "base", "code": "below_one_point", "base": "0.50", "rate": [1, 100], "points": 0},
    {"rule": "x2", "code": "not_best", "group": "promo", "kept": "x3", "points": 10},
    {"rule": "x2", "code": "not_first", "group": "promo", "kept": "x3", "points": 10},
    {"rule": "x2", "code": "condition_not_met", "failed": [
        {"field": "order.channel", "op": "in", "value": ["app", "web"], "actual": "pos"},
        {"field": "order.net", "op": "gte", "value": "100.00", "actual": "5.00"},
        {"field": "member.attributes.vip", "op": "is_set", "value": True, "actual": None},
        {"field": "order.weekday", "op": "eq", "value": 1, "actual": 1, "negated": True},
    ]},
    {"rule": "x2", "code": "no_line_matches"},
    {"rule": "x2", "code": "member_cap", "points": 5, "uncapped": 20, "cap": 100, "period": "day"},
    {"code": "does_not_count", "status": "cancelled", "net": "0.00"},
    {"code": "does_not_count", "status": "paid", "net": "0.00"},
    {"code": "nothing_earns"},
    {"code": "not_of_this_member"},
    {"code": "awaits_moderation"},
    {"code": "withdrawn"},
    {"code": "paid_in_points", "left": "80.00", "paid": "10.00", "sold": "100.00"},
    {"line": 2, "code": "excluded_flag"},
    {"line": 2, "code": "excluded_kind", "kind": "gift_card"},
    {"line": 2, "code": "excluded_sku", "sku": "A-1"},
    {"line": 2, "code": "excluded_category", "category": "tobacco"},
    {"line": 2, "code": "excluded_brand", "brand": "Acme"},
]  # fmt: skip


def test_every_code_has_an_item_here() -> None:
    assert {item["code"] for item in ITEMS} == explanations.known_codes()


@pytest.mark.req("PTS-04")
def test_every_code_that_the_engine_writes_has_a_sentence() -> None:
    written: set[str] = set()
    for path in Path(domain.__file__).parent.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        written |= set(re.findall(r'"code": "([a-z_]+)"', text))
        written |= set(re.findall(r'"(excluded_[a-z]+)"', text))
        written |= set(re.findall(r'item\["code"\] = "([a-z_]+)"', text))
    issues = {"over_refunded", "reservation_unknown", "reward_not_for_tier"}
    known = explanations.known_codes() | paying_words.known_codes() | coupon_words.known_codes()
    assert written - issues <= known
    assert len(written) >= 15


@pytest.mark.parametrize("item", ITEMS, ids=[f"{n}-{i['code']}" for n, i in enumerate(ITEMS)])
def test_sentence_is_made_in_both_languages(item: dict[str, Any]) -> None:
    with translation.override("en"):
        english = explanations.render(item, NAMES)
    with translation.override("zh-hans"):
        chinese = explanations.render(item, NAMES)
    for sentence in (english, chinese):
        assert "%(" not in sentence
        assert item["code"] != sentence
    assert english != chinese
    assert english.isascii() or "“" in english or "×" in english


def test_sentences_carry_the_figures() -> None:
    with translation.override("en"):
        texts = [explanations.render(item, NAMES) for item in ITEMS]
    assert texts[0] == "Base points: 128.50 at 1 points per 1.00 gives 128 points."
    assert texts[1] == (
        "Tier points: ×1.25 adds to 128.50 at 1 points per 1.00: 32 further points. On top of ×2."
    )
    assert texts[2] == ("gift: 50 points. Lines: 1, 3. The rule's own cap held back 30 points.")
    assert texts[8] == (
        "x2 does not apply: Channel is one of app, web (found pos);"
        " Net amount of the order is at least 100.00 (found 5.00);"
        " Member attribute is known: yes (found nothing);"
        " not: Weekday of the order (1 = Monday) is 1 (found 1)."
    )


def test_code_of_a_later_version_is_shown_as_it_is() -> None:
    assert explanations.render({"code": "brand_new"}, {}) == "brand_new"


def test_rendered_items_keep_their_figures() -> None:
    (item,) = explanations.rendered([ITEMS[0]], NAMES)
    assert {**ITEMS[0], "text": item["text"]} == item
    assert explanations.rule_codes(ITEMS) >= {"base", "x2", "x3"}
