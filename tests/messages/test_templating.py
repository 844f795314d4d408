"""Texts with variables: an allow-list, one pass, escaped for the channel."""

from typing import Any

import pytest

from campaigns.domain import templating
from campaigns.domain.templating import TextsInvalidError, Type, Variable

CHANNELS = ("sms", "email", "inbox")
NAME = {"name": "member.name", "type": "text", "fallback": {"zh": "会员", "en": "member"}}
DECLARED = templating.parse_variables([NAME])
ATTACKS = (
    "{% for i in range(10**9) %}x{% endfor %}", "${7*7}", "%s %(name)s", "{0.__class__}",
    "<script>alert(1)</script>", "'; DROP TABLE members; --", "{settings.SECRET_KEY}",
    "\\u007b\\u007b member.name }", "=cmd|' /C calc'!A0",
)  # fmt: skip


def text(body: str, channel: str = "sms", subject: str = "") -> Any:
    return {"zh": {channel: {"subject": subject, "body": body}}}


@pytest.mark.req("CMP-06")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ settings.SECRET_KEY }}", "syntax"),
        ("{{ member.__class__ }}", "unknown_variable"),
        ("{{ settings.secret_key }}", "unknown_variable"),
        ("{{ member.phone }}", "unknown_variable"),
        ("{{ member.name|safe }}", "syntax"),
        ("{{ member.name", "syntax"),
        ("member.name }}", "syntax"),
        ("{{ {{ member.name }} }}", "syntax"),
        ("{{ asset.nothing }}", "unknown_asset"),
        ("x" * 1_000_000, "too_long"),
        ("   ", "empty"),
        ("a\0b", "control"),
        ("a\u202eb", "control"),
    ],
)
def test_a_text_that_could_not_be_filled_is_refused(body: str, reason: str) -> None:
    with pytest.raises(TextsInvalidError) as caught:
        templating.check(text(body), DECLARED, channels=CHANNELS)
    assert caught.value.details["reason"] == reason


def test_a_declared_variable_needs_a_fallback_in_each_language() -> None:
    only_zh = templating.parse_variables([{**NAME, "fallback": {"zh": "会员"}}])
    body = {"body": "{{ member.name }}"}
    templating.check({"zh": {"sms": body}}, only_zh, channels=CHANNELS)
    with pytest.raises(TextsInvalidError) as caught:
        templating.check({"en": {"sms": body}}, only_zh, channels=CHANNELS)
    assert caught.value.details["reason"] == "fallback_missing"


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ([{**NAME, "name": "Member"}], "variable_name"),
        ([{**NAME, "name": "asset.x"}], "variable_name"),
        ([{**NAME, "type": "object"}], "variable_type"),
        ([NAME, NAME], "variable_twice"),
        ([{**NAME, "name": f"a{number}"} for number in range(41)], "too_many_variables"),
        ([{**NAME, "fallback": {"zh": "a\0"}}], "control"),
    ],
)
def test_a_variable_is_declared_properly(declared: Any, reason: str) -> None:
    with pytest.raises(TextsInvalidError) as caught:
        templating.parse_variables(declared)
    assert caught.value.details["reason"] == reason


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_other_engines_read_is_plain_text(attack: str) -> None:
    templating.check(text(attack), DECLARED, channels=CHANNELS)
    assert templating.fill(attack, {"member.name": "x"}) == attack


@pytest.mark.parametrize("attack", [*ATTACKS, "{{ member.name }}", "{{ other }}"])
def test_a_value_is_never_read_as_a_text(attack: str) -> None:
    filled = templating.fill("{{ member.name }}!", {"member.name": attack, "other": "secret"})
    assert filled == f"{attack}!"


def test_html_is_escaped_and_links_are_links() -> None:
    shown = templating.render(
        {"subject": "s", "body": "{{ member.name }}\n\nhttps://a.example/x?a=1&b=2"},
        {"member.name": '<img src=x onerror="alert(1)">'},
        channel="email",
    ).html
    assert "<img" not in shown
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in shown
    assert '<a href="https://a.example/x?a=1&amp;b=2">' in shown


def test_line_breaks_never_reach_a_subject() -> None:
    part = {"subject": "Hi {{ member.name }}", "body": "x"}
    name = "Ann\r\nBcc: all@example.com\u2028\0"
    assert templating.render(part, {"member.name": name}, channel="email").subject == (
        "Hi Ann Bcc: all@example.com"
    )
    with pytest.raises(TextsInvalidError):
        templating.check(text("x", "email", "a\nb"), DECLARED, channels=CHANNELS)


@pytest.mark.parametrize(
    ("kind", "value", "zh", "en"),
    [
        (Type.INTEGER, 1234567, "1,234,567", "1,234,567"),
        (Type.INTEGER, 0, "0", "0"),
        (Type.MONEY, "12.5", "12.50", "12.50"),
        (Type.DATE, "2026-03-31", "2026年3月31日", "31 March 2026"),
        (Type.TEXT, "张三", "张三", "张三"),
        (Type.TEXT, None, "无", "none"),
        (Type.TEXT, "", "无", "none"),
        (Type.TEXT, "x" * 1_000_000, "无", "none"),
        (Type.TEXT, {"a": 1}, "无", "none"),
        (Type.INTEGER, "many", "无", "none"),
        (Type.MONEY, "NaN?", "无", "none"),
        (Type.DATE, "soon", "无", "none"),
    ],
)
def test_a_value_reads_as_its_type_or_as_the_fallback(
    kind: Type, value: Any, zh: str, en: str
) -> None:
    variable = Variable("x", kind, {"zh": "无", "en": "none"})
    assert templating.written(variable, value, "zh") == zh
    assert templating.written(variable, value, "en") == en


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1),
        ("€" * 81, 2), ("中" * 70, 1), ("中" * 71, 2), ("中" * 134, 2), ("中" * 135, 3),
        ("😀" * 35, 1), ("😀" * 36, 2),
    ],
)  # fmt: skip
def test_text_messages_are_counted_as_they_are_paid(body: str, count: int) -> None:
    assert templating.segments(body) == count
