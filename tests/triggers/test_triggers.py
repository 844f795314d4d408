"""Triggers as they are read: strictly, and back to what was stored."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from campaigns import trigger_words
from campaigns.domain import triggers
from campaigns.domain.automations import AUTOMATIONS
from campaigns.domain.trigger_values import TriggerError
from campaigns.domain.triggers import Kind
from config.base import clock

pytestmark = pytest.mark.req("CMP-01")

GOOD: list[dict[str, Any]] = [
    {"kind": "order"},
    {"kind": "order", "nth": 2, "min_amount": "99.50", "categories": ["tea", "wine"]},
    {"kind": "order", "steps": ["100", "500"], "window": "month"},
    {"kind": "interaction", "interactions": ["review"], "first_only": True},
    {"kind": "survey", "max_score": 6, "stop_if": "purchase", "delay_days": 3, "hour": 8},
    {"kind": "enrolment", "channels": ["app"], "delay_hours": 2},
    {"kind": "tier_up", "tiers": ["gold"]},
    {"kind": "tier_lapsing"},
    {"kind": "tier_lapsed"},
    {"kind": "segment_entered", "segment": "core"},
    {"kind": "segment_left", "segment": "core"},
    {"kind": "lifecycle", "stages": ["dormant"], "cooldown_days": 90},
    {"kind": "case_closed", "kinds": ["complaint"]},
    {"kind": "points_expiring", "days": 30, "hour": 10},
    {"kind": "birthday", "days_before": 7},
    {"kind": "birthday", "moment": "month_begin"},
    {"kind": "first_purchase", "years": [1, 2]},
    {"kind": "membership"},
    {"kind": "tenure", "unit": "months", "lengths": [36]},
    {"kind": "tenure", "unit": "days", "lengths": [100]},
    {"kind": "festival", "festival": "mid_autumn", "days_before": 3},
    {"kind": "member_day", "day": 8},
    {"kind": "member_day", "weekday": 2},
    {"kind": "dormancy", "days": 60},
    {"kind": "score", "measure": "churn_risk", "threshold": 70, "cooldown_days": 90},
    {"kind": "score", "measure": "value_total", "threshold": 40, "direction": "falls"},
    {"kind": "schedule", "repeat": "once", "on": "2026-12-01"},
    {"kind": "schedule", "repeat": "daily"},
    {"kind": "schedule", "repeat": "weekly", "weekday": 5},
    {"kind": "schedule", "repeat": "monthly", "day": 31, "stale_hours": 120},
]


def test_every_kind_is_read_and_written_back() -> None:
    for data in GOOD:
        assert triggers.parse(data).to_json() == data
    assert {data["kind"] for data in GOOD} == {kind.value for kind in Kind}


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({}, "trigger_kind_unknown", "kind"),
        ({"kind": "full_moon"}, "trigger_kind_unknown", "kind"),
        ({"kind": "order", "colour": 1}, "trigger_field_unknown", "colour"),
        ({"kind": "birthday", "delay_days": 1}, "trigger_field_unknown", "delay_days"),
        ({"kind": "dormancy"}, "trigger_field_missing", "days"),
        ({"kind": "dormancy", "days": 0}, "trigger_field_invalid", "days"),
        ({"kind": "dormancy", "days": True}, "trigger_field_invalid", "days"),
        ({"kind": "dormancy", "days": "60"}, "trigger_field_invalid", "days"),
        ({"kind": "order", "min_amount": 10}, "trigger_field_invalid", "min_amount"),
        ({"kind": "order", "min_amount": "NaN"}, "trigger_field_invalid", "min_amount"),
        ({"kind": "order", "min_amount": "-1"}, "trigger_field_invalid", "min_amount"),
        ({"kind": "order", "steps": ["1"], "nth": 2}, "trigger_fields_exclude", "nth"),
        ({"kind": "order", "window": "month"}, "trigger_field_missing", "steps"),
        ({"kind": "survey"}, "trigger_field_missing", "max_score"),
        ({"kind": "survey", "min_score": 5, "max_score": 1}, "trigger_field_invalid", "max_score"),
        ({"kind": "member_day"}, "trigger_field_missing", "day"),
        ({"kind": "member_day", "day": 1, "weekday": 1}, "trigger_fields_exclude", "day"),
        ({"kind": "score", "measure": "mood", "threshold": 1}, "trigger_field_invalid", "measure"),
        ({"kind": "score", "measure": "churn_risk"}, "trigger_field_missing", "threshold"),
        ({"kind": "score", "measure": "value_total", "threshold": 101},
         "trigger_field_invalid", "threshold"),
        ({"kind": "score", "measure": "churn_risk", "threshold": 70, "direction": "falls"},
         "trigger_field_invalid", "direction"),
        ({"kind": "schedule", "repeat": "once"}, "trigger_field_missing", "on"),
        ({"kind": "schedule", "repeat": "daily", "day": 1}, "trigger_fields_exclude", "day"),
        ({"kind": "schedule", "repeat": "once", "on": "soon"}, "trigger_field_invalid", "on"),
        ({"kind": "birthday", "moment": "month_begin", "days_before": 1},
         "trigger_fields_exclude", "days_before"),
        ({"kind": "festival", "festival": ""}, "trigger_field_invalid", "festival"),
        ({"kind": "order", "hour": 24}, "trigger_field_invalid", "hour"),
        ({"kind": "order", "stop_if": "rain"}, "trigger_field_invalid", "stop_if"),
        ({"kind": "lifecycle", "stages": "dormant"}, "trigger_field_invalid", "stages"),
        ({"kind": "tenure", "unit": "years", "lengths": [3]}, "trigger_field_invalid", "unit"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(data: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(TriggerError) as refused:
        triggers.parse(data)
    assert (refused.value.code, refused.value.details["field"]) == (code, field)


@pytest.mark.parametrize(
    ("data", "local", "expected"),
    [
        ({}, (15, 30), (0, 15, 30)),
        ({"delay_hours": 2}, (23, 30), (1, 1, 30)),
        ({"delay_days": 3, "hour": 10}, (15, 30), (3, 10, 0)),
        ({"hour": 10}, (8, 0), (0, 10, 0)),
        ({"hour": 10}, (10, 0), (0, 10, 0)),
        ({"hour": 10}, (10, 1), (1, 10, 0)),
        ({"delay_hours": 5, "hour": 10}, (9, 0), (1, 10, 0)),
        ({"delay_hours": 1, "hour": 10}, (9, 0), (0, 10, 0)),
        ({"delay_days": 1, "delay_hours": 5, "hour": 10}, (9, 0), (1, 10, 0)),
    ],
)
def test_it_acts_so_long_after_at_its_hour(
    data: dict[str, Any], local: tuple[int, int], expected: tuple[int, int, int]
) -> None:
    """Days and hours are the programme's, eight hours ahead of UTC."""
    hour, minute = local
    started = datetime(2026, 3, 1, hour, minute, tzinfo=UTC).replace(tzinfo=clock.zone())
    days, at_hour, at_minute = expected
    due = datetime(2026, 3, 1 + days, at_hour, at_minute, tzinfo=clock.zone())
    assert triggers.parse({"kind": "enrolment", **data}).acts_at(started) == due


def test_values_are_typed() -> None:
    trigger = triggers.parse({"kind": "order", "min_amount": "10"})
    assert trigger.values["min_amount"] == Decimal(10)
    once = triggers.parse({"kind": "schedule", "repeat": "once", "on": "2026-12-01"})
    assert once.values["on"] == date(2026, 12, 1)


def test_every_trigger_has_words() -> None:
    with translation.override("en"):
        said = [trigger_words.sentence(triggers.parse(data)) for data in GOOD]
        assert len(set(said)) == len(said)
        assert said[0] == "an order, at once"
        assert trigger_words.sentence(
            triggers.parse(
                {"kind": "enrolment", "delay_days": 3, "hour": 10, "stop_if": "purchase"}
            )
        ) == "Enrolment, 3 days later at 10:00, unless there has been an order by then"  # fmt: skip


def test_the_automations_have_triggers_that_are_read_back() -> None:
    assert len({each.code for each in AUTOMATIONS}) == len(AUTOMATIONS)
    for each in AUTOMATIONS:
        assert triggers.parse(each.parsed.to_json()) == each.parsed
