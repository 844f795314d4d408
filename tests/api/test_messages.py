"""Members' messages over the API, and what providers report."""

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from campaigns.models import Message, MessageReceipt, Purpose
from campaigns.services import opt_outs
from members.models import Consent, Identifier, Member
from members.services import consents, profile
from tests.api.conftest import Caller
from tests.messages.world import INBOX, NOON, allow, ended, owe, reader, send, template

pytestmark = pytest.mark.django_db

AT = "2026-03-20T12:30:00+08:00"
LATER = "2026-03-20T13:30:00+08:00"
MUCH_LATER = "2026-03-20T14:30:00+08:00"


@pytest.fixture(autouse=True)
def _ways(settings: Settings) -> None:
    settings.LOYALTY_SMS_PROVIDER = "console"
    settings.EMAIL_HOST = ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


def sent(member: Member, code: str = "hello") -> Message:
    template(code)
    message = owe(member, code)
    send()
    assert ended(message)[0] == "sent"
    return message


def report(caller: Caller, *receipts: dict[str, Any]) -> list[str]:
    given = [{"occurred_at": AT, **each} for each in receipts]
    answer = caller.post("/messages/receipts", {"receipts": given})
    assert answer.status == 200
    found: list[str] = answer.body["results"]
    return found


def may_send(member: Member) -> dict[str, bool]:
    said = consents.current([member.pk])[member.pk]
    return {channel: each.granted for (_purpose, channel), each in said.items()}


@pytest.mark.req("CMP-04")
def test_a_member_finds_messages_in_the_inbox(caller: Callable[..., Caller]) -> None:
    template("news", Purpose.SERVICE, INBOX)
    member, other = reader(), reader()
    first, second = owe(member, "news", "1"), owe(member, "news", "2")
    send()
    app = caller("messages:read", "members:read_personal")
    path = f"/members/{member.public_id}/messages"
    page = app.get(f"{path}?channel=inbox&limit=1").body
    assert [each["id"] for each in page["items"]] == [str(second.public_id)]
    assert page["items"][0]["body"] == "张小明，您好"
    rest = app.get(f"{path}?channel=inbox&limit=1&cursor={page['next_cursor']}").body["items"]
    assert [each["id"] for each in rest] == [str(first.public_id)]
    read = app.post(f"{path}/{first.public_id}/read", {})
    assert read.status == 200
    assert read.body["read_at"]
    assert app.post(f"{path}/{first.public_id}/read", {}).body == read.body
    assert app.post(f"/members/{other.public_id}/messages/{first.public_id}/read", {}).status == 404
    assert app.get(f"{path}?channel=pigeon").code == "parameter_invalid"
    masked = caller("messages:read").get(path).body["items"]
    assert {each["body"] for each in masked} == {None}


@pytest.mark.req("CMP-04")
def test_what_was_said_is_gone_with_the_members_key(caller: Callable[..., Caller]) -> None:
    template("news", Purpose.SERVICE, INBOX)
    member = reader()
    owe(member, "news")
    send()
    member.key.delete()
    app = caller("messages:read", "members:read_personal")
    (item,) = app.get(f"/members/{member.public_id}/messages").body["items"]
    assert (item["body"], item["state"]) == (None, "delivered")


@pytest.mark.req("CMP-04")
def test_a_report_counts_once(caller: Callable[..., Caller]) -> None:
    message = sent(reader("sms"))
    provider = caller("messages:write")
    delivered = {"message": str(message.public_id), "kind": "delivered"}
    assert report(provider, delivered, delivered) == ["recorded", "known"]
    assert report(provider, delivered) == ["known"]
    assert ended(message)[0] == "delivered"
    assert MessageReceipt.objects.count() == 1


@pytest.mark.parametrize("order", list(itertools.permutations(("sent", "failed", "delivered"))))
def test_reports_in_any_order_end_alike(
    caller: Callable[..., Caller], order: tuple[str, ...]
) -> None:
    message = sent(reader("sms"))
    named = {"channel": "sms", "provider_id": str(message.public_id)}
    for kind in order:
        report(caller("messages:write"), {**named, "kind": kind, "reason": "x"})
    assert ended(message)[0] == "delivered"


def test_a_report_that_comes_late_settles_an_unknown_outcome(
    caller: Callable[..., Caller],
) -> None:
    messages = [sent(reader("sms"), f"t{number}") for number in range(3)]
    Message.objects.update(state="unknown", reason="timeout")
    kinds = ("sent", "failed", "delivered")
    given = [
        {"message": str(each.public_id), "kind": kind}
        for each, kind in zip(messages, kinds, strict=True)
    ]
    report(caller("messages:write"), *given)
    assert [ended(each)[0] for each in messages] == ["sent", "failed", "delivered"]


def test_a_suppressed_message_stays_what_it_is(caller: Callable[..., Caller]) -> None:
    template()
    message = owe(reader())
    send()
    report(caller("messages:write"), {"message": str(message.public_id), "kind": "delivered"})
    assert ended(message) == ("suppressed", "", "no_consent")


@pytest.mark.req("MEM-11")
def test_who_replies_stop_gets_no_more(caller: Callable[..., Caller]) -> None:
    by_message, by_phone, chatty = reader("sms"), reader("sms"), reader("sms")
    owed = {each.pk: sent(each) for each in (by_message, by_phone, chatty)}
    known = profile.read_identifiers([by_phone.pk])[by_phone.pk]
    (phone,) = (each.value for each in known if each.kind == "phone")
    results = report(
        caller("messages:write"),
        {"kind": "reply", "message": str(owed[by_message.pk].public_id), "text": " td "},
        {"kind": "reply", "phone": phone, "text": "退订"},
        {"kind": "reply", "message": str(owed[chatty.pk].public_id), "text": "thanks"},
        {"kind": "reply", "phone": "13800000000", "text": "R"},
    )
    assert results == ["recorded", "recorded", "recorded", "unknown_message"]
    assert [may_send(each) for each in (by_message, by_phone, chatty)] == [
        {"sms": False}, {"sms": False}, {"sms": True},
    ]  # fmt: skip


@pytest.mark.req("MEM-11")
def test_a_stop_that_names_a_phone_is_nobody_elses(caller: Callable[..., Caller]) -> None:
    reported, stopping = reader("sms"), reader("sms")
    owed = sent(reported)
    Message.objects.update(provider_id="")
    known = profile.read_identifiers([stopping.pk])[stopping.pk]
    (phone,) = (each.value for each in known if each.kind == "phone")
    report(
        caller("messages:write"),
        {"kind": "delivered", "message": str(owed.public_id)},
        {"kind": "reply", "channel": "sms", "phone": phone, "text": "R"},
    )
    assert [may_send(each) for each in (reported, stopping)] == [{"sms": True}, {"sms": False}]


@pytest.mark.req("MEM-11")
def test_a_stop_that_is_reported_again_undoes_no_consent_given_since(
    caller: Callable[..., Caller],
) -> None:
    by_message, by_phone = reader("sms"), reader("sms")
    message = sent(by_message)
    known = profile.read_identifiers([by_phone.pk])[by_phone.pk]
    (phone,) = (each.value for each in known if each.kind == "phone")
    stops = (
        {"kind": "reply", "message": str(message.public_id), "text": "TD"},
        {"kind": "reply", "phone": phone, "text": "TD"},
    )
    report(caller("messages:write"), *stops)
    for member in (by_message, by_phone):
        assert may_send(member) == {"sms": False}
        allow(member, "sms", text_version="v2", given_at=datetime.fromisoformat(LATER))
    report(caller("messages:write"), *stops)
    assert [may_send(each) for each in (by_message, by_phone)] == [{"sms": True}, {"sms": True}]
    assert Consent.objects.count() == 6
    report(caller("messages:write"), *({**each, "occurred_at": MUCH_LATER} for each in stops))
    assert [may_send(each) for each in (by_message, by_phone)] == [{"sms": False}, {"sms": False}]


@pytest.mark.parametrize(
    "receipt",
    [
        {"kind": "delivered"},
        {"kind": "eaten", "provider_id": "1", "channel": "sms"},
        {"kind": "delivered", "provider_id": "1"},
        {"kind": "reply", "phone": "call me"},
        {"kind": "sent", "provider_id": "1", "channel": "sms", "occurred_at": "yesterday"},
        {"kind": "sent", "provider_id": "1", "channel": "sms", "more": 1},
    ],
)
def test_a_report_that_names_nothing_is_refused(
    caller: Callable[..., Caller], receipt: dict[str, Any]
) -> None:
    given = {"receipts": [{"occurred_at": AT, **receipt}]}
    answer = caller("messages:write").post("/messages/receipts", given)
    assert (answer.status, answer.code) == (400, "request_invalid")


# The page for members


@pytest.mark.req("MEM-11")
def test_the_link_of_a_message_ends_marketing_on_its_channel() -> None:
    member = reader("sms", "email")
    message = sent(member)
    url = opt_outs.url_of(message.public_id).partition("//")[2]
    path = "/" + url.partition("/")[2]
    for identifier in Identifier.objects.filter(member=member):
        assert identifier.tail4 not in path or not identifier.tail4
    client = Client(enforce_csrf_checks=True)
    page = client.get(path)
    assert page.status_code == 200
    assert may_send(member) == {"sms": True, "email": True}
    # As RFC 8058 has a mailbox post.
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert may_send(member) == {"sms": False, "email": True}
    allow(member, "sms")
    client.post(path, {"everywhere": "1"})
    assert may_send(member)[""] is False
    later = owe(member, occurrence="2", due_at=NOON)
    send()
    assert ended(later)[0] == "suppressed"


@pytest.mark.parametrize("token", ["x", "YWJj:abc", "%00", "😀", "a" * 5_000])
def test_a_link_that_is_none_of_ours_leads_nowhere(client: Client, token: str) -> None:
    assert client.get(f"/m/optout/{token}").status_code == 404
    assert client.post(f"/m/optout/{token}").status_code == 404


def test_the_page_speaks_the_readers_language(client: Client) -> None:
    path = "/m/optout/" + opt_outs.token_of(sent(reader("sms")).public_id)
    for language in ("zh-hans", "en"):
        page = client.get(path, headers={"accept-language": language})
        assert f'lang="{language}"' in page.text
        assert "<script" not in page.text
