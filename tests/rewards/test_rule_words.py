"""A rule as one sentence, what differs between two versions, and what looks wrong."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from members.services import drafts
from rewards import programme_words, rule_words
from rewards.domain import rule_warnings
from rewards.domain.rules import RuleSpec, Trigger, parse_conditions
from rewards.models import Rule, RuleVersion
from rewards.services.programme import rule_spec

AT = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
LABELS = {"member.tier": {"gold": "Gold", "diamond": "Diamond"}}


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def leaf(field: str, value: Any, op: str = "eq") -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


MEMBER_DAY = {"all": [leaf("order.day", [18], "in"), leaf("member.tier", ["gold"], "in")]}


def version(**values: Any) -> RuleVersion:
    rule = Rule(code="member_day", name_zh="会员日双倍积分", name_en="Member day")
    said = {"effect": "multiplier", "factor": Decimal(2), "conditions": MEMBER_DAY, **values}
    return RuleVersion(rule=rule, number=1, **said)


@pytest.mark.req("PTS-04")
def test_a_rule_is_one_sentence() -> None:
    said = rule_words.sentence(version(cap_points=500, cap_period="day"), LABELS)
    assert said == (
        "On day 18 of each month, members of tier Gold: base points × 2,"
        " at most 500 points per member a day"
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"conditions": None, "effect": "per_amount", "points": 3, "per_amount": Decimal(2)},
         "Every order: 3 points per ¥2"),
        ({"conditions": leaf("order.spend", "99.50", "gte"), "effect": "fixed", "points": 50},
         "Net amount of goods and services is at least ¥99.50: 50 points"),
        ({"conditions": leaf("order.weekday", [1, 5], "in"), "max_points": 200},
         "On Monday, Friday: base points × 2, at most 200 points per order"),
        ({"conditions": {"not": leaf("order.channel", "web")}, "factor_source": "tier"},
         "Not (orders through web): base points × the factor of the tier"),
        ({"conditions": dict(programme_words.BIRTHDAY_MONTH)},
         "In the month of the birthday: base points × 2"),
        ({"conditions": {"any": [leaf("order.day", 1),
                                 {"all": [leaf("order.day", 2), leaf("order.hour", 9)]}]}},
         ("On day 1 of each month or (on day 2 of each month and Hour of the order is 9):"
         " base points × 2")),
        ({"conditions": leaf("order.date", ["2026-05-01", "2026-05-05"], "between")},
         "Day of the order is between 2026-05-01 and 2026-05-05: base points × 2"),
        ({"conditions": leaf("member.attributes.club", True, "is_set"),
          "line_conditions": leaf("line.category", "dairy")},
         "Member attribute is known: yes: base points × 2 (only lines where Category is dairy)"),
        ({"trigger": "interaction", "effect": "fixed", "points": 5, "conditions": None},
         "Every interaction: 5 points"),
    ],
)  # fmt: skip
def test_every_part_has_its_words(values: dict[str, Any], said: str) -> None:
    assert rule_words.sentence(version(**values), LABELS) == said


def test_a_difference_names_only_the_parts_that_changed() -> None:
    old = rule_words.facets(version(), LABELS)
    new = rule_words.facets(version(factor=Decimal(3), cap_points=9, cap_period="week"), LABELS)
    assert [(change.what, change.before, change.after) for change in drafts.changes(old, new)] == [
        ("Gives", "base points × 2", "base points × 3"),
        ("At most", "no limit", "at most 9 points per member a week"),
    ]
    assert drafts.changes(old, old) == []
    assert ("Applies to", "") in [(c.what, c.before) for c in drafts.changes(None, new)]


def spec(**values: Any) -> RuleSpec:
    return rule_spec(version(cap_points=500, cap_period="day") if not values else version(**values))


def codes(draft: RuleSpec, *others: RuleSpec, in_force: RuleSpec | None = None) -> set[str]:
    found = rule_warnings.warnings(draft, others=others, in_force=in_force, at=AT)
    for finding in found:
        assert rule_words.warning(finding, {})
    return {finding.code for finding in found}


def test_a_sound_rule_has_no_warning() -> None:
    assert codes(spec()) == set()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"conditions": None}, "no_condition"),
        ({"factor": Decimal(6)}, "factor_high"),
        ({"factor": Decimal(1)}, "factor_is_one"),
        ({"factor": Decimal(2)}, "multiplier_without_cap"),
        ({"effect": "fixed", "points": 9}, "fixed_without_cap"),
        ({"effect": "fixed", "points": 9, "cap_points": 5, "cap_period": "day"}, "cap_below_award"),
        ({"valid_until": AT}, "already_over"),
        ({"valid_from": AT - timedelta(days=1)}, "begins_in_the_past"),
    ],
)
def test_what_looks_wrong_is_said(values: dict[str, Any], code: str) -> None:
    assert code in codes(spec(**values))
    assert code not in codes(spec())


def test_neighbours_are_named() -> None:
    other = version(group="promo", group_mode="best")
    other.rule = Rule(code="other", name_zh="x", name_en="x")
    neighbour = rule_spec(other)
    assert "shares_group" in codes(spec(group="promo", group_mode="best"), neighbour)
    plain = version()
    plain.rule = other.rule
    assert "adds_to" in codes(spec(), rule_spec(plain))
    over = version(valid_until=AT)
    over.rule = other.rule
    assert "adds_to" not in codes(spec(), rule_spec(over))


def test_an_end_that_nothing_follows_is_said() -> None:
    ends = spec(valid_until=AT + timedelta(days=9))
    assert "nothing_follows" in codes(ends, in_force=spec())
    assert "nothing_follows" not in codes(ends)


@pytest.mark.parametrize(
    ("data", "possible"),
    [
        ({"all": [leaf("order.day", 1), leaf("order.day", 2)]}, False),
        ({"all": [leaf("order.day", [1, 2], "in"), leaf("order.day", 2)]}, True),
        (leaf("order.day", 32), False),
        (leaf("order.weekday", [8, 9], "in"), False),
        ({"all": [leaf("order.spend", "10.00", "gt"), leaf("order.spend", "5.00", "lt")]}, False),
        ({"all": [leaf("order.spend", "10.00", "gt"), leaf("order.spend", "50.00", "lt")]}, True),
        ({"any": [leaf("order.day", 40), leaf("order.day", 4)]}, True),
        ({"all": [leaf("order.day", 4), {"any": [leaf("order.day", 5), leaf("order.day", 6)]}]},
         False),
        ({"all": [leaf("member.tier", "gold"), {"not": leaf("member.tier", "gold")}]}, True),
        ({"all": [leaf("member.tier", ["a"], "in"), leaf("member.tier", False, "is_set")]}, False),
    ],
)  # fmt: skip
def test_contradictions_are_found_as_far_as_constants_tell(data: Any, possible: bool) -> None:
    node = parse_conditions(Trigger.ORDER, data)
    assert rule_warnings.is_possible(node) is possible
