"""Past orders under draft rules: what they would have earned, and that the live ones are exact."""

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from config.base.errors import DomainError
from rewards.domain.rules import RuleSpec
from rewards.models import RuleVersion
from rewards.services import backtest, rule_drafts
from rewards.services.backtest import Backtest, Period
from rewards.services.rule_drafts import RuleNames
from tests.engine.shop import Shop, day
from tests.rewards.test_rule_preview import draft, march, put_in_force

pytestmark = pytest.mark.django_db

MARCH = Period(day(0).date(), day(30).date())


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command read inside of the test's transaction, where a snapshot cannot be asked."""
    monkeypatch.setattr(backtest, "run", backtest.in_snapshot)


def outcome(drafts: list[RuleSpec], period: Period = MARCH) -> Backtest:
    *_slices, (_done, found) = backtest.in_snapshot(drafts=drafts, period=period)
    return found


def rules(*said: dict[str, Any]) -> list[RuleSpec]:
    return backtest.read_rules(json.dumps(said).encode())


TRIPLE: dict[str, Any] = {"rule": "promo", "effect": "multiplier", "factor": "3"}
NAMED: list[dict[str, Any]] = [
    {},
    {"conditions": {"field": "order.spend", "op": "gte", "value": "200.00"}},
    {"cap_points": 500, "cap_period": "day"},
    {"cap_points": 700, "cap_period": "month"},
]


def told(**options: Any) -> str:
    out = StringIO()
    days = {"first_on": MARCH.first_on, "last_on": MARCH.last_on}
    with translation.override("en"):
        call_command("backtest", stdout=out, **{**days, **options})
    return out.getvalue()


def test_the_rules_in_force_reproduce_the_ledger_to_the_point() -> None:
    shop = Shop()
    put_in_force(draft(cap_points=500, cap_period="day"))
    march(shop)
    found = outcome([])
    assert found.reproduces
    assert found.live.total == sum(found.ledger.values()) > 0
    assert (found.members, found.subjects) == (3, 7)
    assert "to the point" in told()


def test_a_ledger_that_differs_is_told() -> None:
    march(Shop())
    put_in_force(draft(factor=Decimal("1.01")))
    with pytest.raises(CommandError, match="otherwise"):
        told()


@pytest.mark.parametrize("values", NAMED, ids=str)
def test_a_draft_is_what_the_orders_then_earn(values: dict[str, Any]) -> None:
    march(Shop())
    before = outcome(rules({**TRIPLE, **values}))
    put_in_force(draft(**values))
    after = outcome([])
    assert before.draft.points == after.live.points
    assert before.draft.capped == after.live.capped
    assert before.live.points != before.draft.points
    assert sum(before.gained.values()) == before.draft.total - before.live.total > 0
    assert before.cost > 0
    assert not after.reproduces


def test_who_loses_is_told_and_what_tiers_become() -> None:
    march(Shop())
    found = outcome(rules({"rule": "base", "effect": "per_amount", "points": 1, "per_amount": "2"}))
    assert found.losers
    assert not found.winners
    assert found.cost < 0
    assert sum(found.live.tiers.values()) == sum(found.draft.tiers.values()) == found.members
    assert found.live.tiers == found.draft.tiers


def test_only_the_days_asked_for_count() -> None:
    march(Shop())
    assert outcome([], Period(day(36).date(), day(36).date())).subjects == 1
    with pytest.raises(DomainError, match="period_empty"):
        outcome([], Period(day(2).date(), day(1).date()))


def test_a_file_or_the_code_of_a_draft_says_which_rules(tmp_path: Path) -> None:
    march(Shop())
    path = tmp_path / "rules.json"
    path.write_text(json.dumps([TRIPLE]))
    terms = {"trigger": "order", "effect": "multiplier", "factor": 3}
    made = rule_drafts.create(names=RuleNames("促销", "Promo"), terms=terms, actor="x", at=day(0))
    by_file, by_code = told(rules=str(path)), told(rules=made.rule.code)
    assert "promo" in by_file
    assert by_file == by_code
    # Neither has written anything.
    assert RuleVersion.objects.filter(rule__code="promo").get().state == "draft"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "rules_unreadable"),
        ("[]", "rules_unreadable"),
        ('[{"effect": "fixed"}]', "rules_unreadable"),
        ('[{"rule": "a", "effect": "fixed", "colour": "red"}]', "term_unknown"),
        ('[{"rule": "a", "effect": "magic"}]', "term_invalid"),
        ('[{"rule": "a", "effect": "fixed", "points": "many"}]', "term_invalid"),
        ('[{"rule": "a", "effect": "multiplier", "factor": "x"}]', "term_invalid"),
    ],
)
def test_rules_that_cannot_be_read_are_refused(text: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        backtest.read_rules(text.encode())
    assert refused.value.code == code


def test_no_such_file_and_no_such_draft() -> None:
    with pytest.raises(CommandError, match="draft_unknown"):
        told(rules="nobody")
