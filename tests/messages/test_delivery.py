"""Deciding about a message: worked examples on what goes out, by which channel, and when."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from campaigns.domain import delivery
from campaigns.domain.delivery import Decision, Facts, Policy, Verdict

AT = datetime(2026, 3, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 20, 12, tzinfo=ZONE)
ALL = frozenset(delivery.CHANNELS)
YES, NO = Decision(granted=True, given_at=AT), Decision(granted=False, given_at=AT)
LATER = timedelta(days=1)
FACTS = Facts(
    purpose="marketing", needs_consent=True, is_stale=False, is_active=True, is_minor=False,
    consents={("marketing", ""): YES}, preferred=None, reachable=ALL, with_text=ALL,
)  # fmt: skip


USUAL = Policy()


def decided(at: datetime = NOON, policy: Policy = USUAL, **changes: Any) -> Verdict:
    return delivery.decide(replace(FACTS, **changes), policy, at)


@pytest.mark.req("MEM-07")
@pytest.mark.parametrize(
    ("changes", "channel", "reason"),
    [
        ({}, "wechat", ""),
        ({"reachable": {"email", "sms"}}, "sms", ""),
        ({"preferred": ["email", "sms"]}, "email", ""),
        ({"preferred": ["push", "sms"], "reachable": {"sms", "email"}}, "sms", ""),
        ({"preferred": ["push"], "reachable": {"sms", "email"}}, "", "no_channel"),
        ({"preferred": []}, "", "no_channel"),
        ({"preferred": ["pigeon"]}, "", "no_channel"),
        ({"reachable": set()}, "", "no_channel"),
        ({"with_text": {"email"}}, "email", ""),
        ({"with_text": set()}, "", "no_text"),
        ({"preferred": [], "purpose": "security"}, "wechat", ""),
        ({"preferred": ["sms"], "purpose": "service", "needs_consent": False}, "sms", ""),
    ],
)
def test_a_message_goes_by_the_first_channel_that_the_member_allows(
    changes: dict[str, Any], channel: str, reason: str
) -> None:
    assert decided(**changes) == Verdict(channel, reason)


@pytest.mark.req("MEM-11")
@pytest.mark.parametrize(
    ("purpose", "needs", "consents", "channel"),
    [
        ("marketing", True, {}, ""),
        ("marketing", True, {("service", ""): YES}, ""),
        ("marketing", True, {("marketing", "email"): YES}, "email"),
        ("marketing", True, {("marketing", ""): YES, ("marketing", "sms"): NO}, "email"),
        (
            "marketing", True,
            {("marketing", "sms"): YES, ("marketing", ""): replace(NO, given_at=AT + LATER)}, "",
        ),
        (
            "marketing", True,
            {("marketing", ""): NO, ("marketing", "sms"): replace(YES, given_at=AT + LATER)}, "sms",
        ),
        # Both at one instant: the refusal counts.
        ("marketing", True, {("marketing", ""): YES, ("marketing", "email"): NO}, "sms"),
        ("service", False, {}, "sms"),
        ("service", False, {("marketing", ""): NO}, "sms"),
        ("service", False, {("service", "sms"): NO}, "email"),
        ("service", False, {("service", ""): NO}, ""),
        ("service", True, {}, ""),
        ("service", True, {("marketing", "email"): YES}, "email"),
        ("service", True, {("service", ""): YES}, "sms"),
        ("service", True, {("service", ""): NO, ("marketing", ""): YES}, ""),
        ("security", False, {("marketing", ""): NO, ("service", ""): NO}, "sms"),
    ],
)  # fmt: skip
def test_nothing_goes_where_consent_is_missing(
    purpose: str, needs: bool, consents: Any, channel: str
) -> None:
    verdict = decided(
        purpose=purpose, needs_consent=needs, consents=consents, reachable={"sms", "email"}
    )
    assert verdict == Verdict(channel, "" if channel else "no_consent")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_stale": True}, "stale"),
        ({"is_active": False}, "member_not_active"),
        ({"is_minor": True}, "minor"),
        ({"sent_in_day": 2}, "frequency_cap"),
        ({"sent_in_week": 5}, "frequency_cap"),
        ({"is_minor": True, "purpose": "service", "needs_consent": False}, ""),
        ({"sent_in_day": 9, "sent_in_week": 9, "purpose": "security"}, ""),
    ],
)
def test_what_is_not_sent_says_why(changes: dict[str, Any], reason: str) -> None:
    assert decided(**changes).reason == reason


@pytest.mark.req("CMP-08")
@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ((21, 9), (20, 59), None),
        ((21, 9), (21, 0), (21, 9, 0)),
        ((21, 9), (23, 59), (21, 9, 0)),
        ((21, 9), (0, 0), (20, 9, 0)),
        ((21, 9), (8, 59), (20, 9, 0)),
        ((21, 9), (9, 0), None),
        ((12, 14), (13, 0), (20, 14, 0)),
        ((12, 14), (14, 0), None),
        ((9, 9), (9, 0), None),
    ],
)
def test_marketing_waits_for_the_end_of_the_quiet_hours(
    hours: tuple[int, int], now: tuple[int, int], until: tuple[int, int, int] | None
) -> None:
    policy = Policy(quiet_from=time(hours[0]), quiet_until=time(hours[1]))
    at = NOON.replace(hour=now[0], minute=now[1])
    verdict = decided(at, policy)
    wanted = until and datetime(2026, 3, until[0], until[1], until[2], tzinfo=ZONE)
    assert verdict.until == wanted
    assert verdict.channel == ("" if until else "wechat")
    assert decided(at, policy, purpose="security").channel == "wechat"
