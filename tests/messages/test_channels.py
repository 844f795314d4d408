"""Channels against real peers: a mail server and an HTTP receiver on this machine."""

import hashlib
import hmac
import json
import logging
import re
import smtplib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.mail import get_connection
from pytest_django import Settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError

from campaigns import channels
from campaigns.channels import Outbound, Outcome, Result, sms
from campaigns.channels.email import Email
from campaigns.domain.templating import Rendered
from config.base.settings.environment import settings_under
from members.models import Identifier
from members.services import founding
from tests.mailbox import DROP, Mailbox
from tests.messages.world import NOON, ended, owe, reader, send, template
from tests.webhooks.receiver import Receiver, listening

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE = True
    with listening(Receiver()) as found:
        yield found


def outbound(**values: Any) -> Outbound:
    defaults = {
        "message_id": str(uuid.uuid4()), "member": str(uuid.uuid4()), "to": "+8613912345678",
        "text": Rendered("积分到账", "本次获得 7 积分", "<p>7</p>"), "purpose": "service",
        "language": "zh", "template": "points",
        "values": {"order.points": "7", "member.name": "张"},
    }  # fmt: skip
    return Outbound(**{**defaults, **values})


# E-mail


@pytest.mark.django_db
@pytest.mark.req("CMP-04")
def test_mail_has_both_forms_and_opts_out_in_one_click(settings: Settings) -> None:
    template()
    members = [reader("email") for _number in range(3)]
    with Mailbox() as box:
        settings.EMAIL_HOST, settings.EMAIL_PORT = box.host, box.port
        owed = [owe(each) for each in members]
        send()
    assert [ended(each)[:2] for each in owed] == [("sent", "email")] * 3
    assert len({message.message_id for message in box.messages}) == 3
    message = box.messages[0]
    assert message.subject == "问候"
    assert "张小明，您好" in message.text
    (link,) = re.findall(r"https?://\S+/m/optout/\S+", message.text)
    assert f'href="{link}"' in message.html
    assert message.headers["List-Unsubscribe"].strip() == f"<{link}>"
    assert message.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (to,) = message.to
    assert to.startswith("m")
    assert to.partition("@")[0] not in message.text


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        (["250 ok"], Outcome.SENT),
        (["550 no such mailbox"], Outcome.REFUSED),
        ([DROP], Outcome.UNKNOWN),
    ],
)
def test_a_mail_servers_answer_is_told_apart(
    settings: Settings, answers: list[str], outcome: Outcome
) -> None:
    mail = outbound(to="a@example.com", opt_out_url="https://x.example/m/optout/t")
    with Mailbox(*answers, "250 ok") as box:
        settings.EMAIL_HOST, settings.EMAIL_PORT = box.host, box.port
        with channels.installed()["email"].talk() as talk:
            assert talk(mail).outcome is outcome
            # The next mail is none the worse for it.
            assert talk(outbound(to="b@example.com")).outcome is Outcome.SENT


@pytest.mark.req("CMP-04")
def test_a_setting_lets_a_provider_take_the_mail(settings: Settings) -> None:
    anymail = pytest.importorskip("anymail.backends.test")
    settings.EMAIL_HOST = ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert not Email().is_open()

    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    settings.ANYMAIL = settings_under("ANYMAIL_", {"ANYMAIL_TEST_SAMPLE": "x", "PATH": "/"})

    assert settings.ANYMAIL == {"TEST_SAMPLE": "x"}
    assert Email().is_open()
    assert isinstance(get_connection(), anymail.EmailBackend)
    first, second = (Email().send(outbound(to="a@example.com")) for _number in range(2))
    assert (first.outcome, second) == (Outcome.SENT, Result(Outcome.SENT, "", "1"))


def test_a_mail_server_that_is_not_there_is_not_reached(settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    result = channels.installed()["email"].send(outbound(to="a@example.com"))
    assert result.outcome is Outcome.NOT_REACHED


def test_nobody_slips_a_header_into_a_mail(settings: Settings) -> None:
    hostile = Rendered("Hi\r\nBcc: all@example.com", "x", "x")
    with Mailbox() as box:
        settings.EMAIL_HOST, settings.EMAIL_PORT = box.host, box.port
        result = channels.installed()["email"].send(outbound(to="a@example.com", text=hostile))
    assert result.outcome is Outcome.REFUSED
    assert not box.messages
    assert issubclass(smtplib.SMTPException, OSError)


# Signed HTTP


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, Outcome.SENT), (404, Outcome.REFUSED), (302, Outcome.REFUSED),
        (429, Outcome.NOT_REACHED), (503, Outcome.NOT_REACHED), (500, Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_push_is_signed_and_its_answer_told_apart(
    settings: Settings, receiver: Receiver, status: int, outcome: Outcome
) -> None:
    settings.LOYALTY_PUSH_URL, settings.LOYALTY_PUSH_SECRET = receiver.url, SECRET
    receiver.answers = [status]
    push = outbound(to="app-user-1")
    assert channels.installed()["push"].send(push).outcome is outcome
    (body,) = receiver.verified(SECRET)
    assert body["id"] == push.message_id
    assert (body["to"], body["title"]) == ("app-user-1", "积分到账")
    assert receiver.ids() == [f"msg_{push.message_id}"]


def test_a_receiver_that_hangs_up_leaves_the_outcome_open(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOYALTY_PUSH_URL, settings.LOYALTY_PUSH_SECRET = receiver.url, SECRET
    monkeypatch.setattr("campaigns.channels.signed.SECONDS", 0.3)
    receiver.dribbles = True
    result = channels.installed()["push"].send(outbound())
    assert (result.outcome, result.reason) == (Outcome.UNKNOWN, "timeout")


@pytest.mark.req("CMP-04")
def test_a_receiver_that_takes_no_connection_in_time_was_sent_nothing(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(connection: HTTPConnection) -> None:
        raise ConnectTimeoutError(connection, "its queue is full")

    settings.LOYALTY_PUSH_URL, settings.LOYALTY_PUSH_SECRET = receiver.url, SECRET
    monkeypatch.setattr(HTTPConnection, "connect", full)
    result = channels.installed()["push"].send(outbound())
    assert (result.outcome, result.reason) == (Outcome.NOT_REACHED, "connection_failed")


def test_nothing_is_sent_into_networks_of_our_own(settings: Settings) -> None:
    settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE = False
    settings.LOYALTY_PUSH_URL = "https://127.0.0.1/x"
    settings.LOYALTY_PUSH_SECRET = SECRET
    result = channels.installed()["push"].send(outbound())
    assert result.outcome is Outcome.NOT_REACHED
    settings.LOYALTY_PUSH_URL = "http://127.0.0.1:1/x"
    settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE = True
    assert channels.installed()["push"].send(outbound()).reason == "connection_failed"


@pytest.mark.django_db
def test_members_are_reached_by_what_leads_to_them(settings: Settings, receiver: Receiver) -> None:
    settings.LOYALTY_WECHAT_URL, settings.LOYALTY_WECHAT_SECRET = receiver.url, SECRET
    settings.LOYALTY_WECHAT_APP = "wx1"
    template()
    follower, other = reader(""), reader("")
    founding.attach([(follower, [("wechat_openid", "wx1", "openid-1")])], at=NOON)
    founding.attach([(other, [("wechat_openid", "wx2", "openid-2")])], at=NOON)
    owed = [owe(follower), owe(other)]
    send()
    assert [ended(each)[1] for each in owed] == ["wechat", "inbox"]
    (body,) = receiver.verified(SECRET)
    assert body["to"] == "openid-1"
    assert Identifier.objects.filter(member=follower).count() == 4


# Text messages


def test_the_console_says_that_a_message_would_go_out(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LOYALTY_SMS_PROVIDER = "console"
    with caplog.at_level(logging.INFO):
        assert channels.installed()["sms"].send(outbound()).outcome is Outcome.SENT
    assert "139****5678" in caplog.text
    assert "12345678" not in caplog.text
    assert "积分" not in caplog.text


@pytest.mark.parametrize(
    ("provider", "answer", "outcome", "told"),
    [
        ("aliyun", {"Code": "OK", "BizId": "9^0"}, Outcome.SENT, "9^0"),
        ("aliyun", {"Code": "isv.ILLEGAL"}, Outcome.REFUSED, "isv.ILLEGAL"),
        ("aliyun", "no json", Outcome.UNKNOWN, "answer_unreadable"),
        (
            "tencent", {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "s1"}]}},
            Outcome.SENT, "s1",
        ),
        (
            "tencent", {"Response": {"SendStatusSet": [{"Code": "LimitExceeded"}]}},
            Outcome.REFUSED, "LimitExceeded",
        ),
        (
            "tencent", {"Response": {"Error": {"Code": "AuthFailure"}}}, Outcome.REFUSED,
            "AuthFailure",
        ),
    ],
)  # fmt: skip
def test_providers_of_text_messages_are_understood(
    settings: Settings, receiver: Receiver, provider: str, answer: Any, outcome: Outcome, told: str
) -> None:
    settings.LOYALTY_SMS_PROVIDER, settings.LOYALTY_SMS_URL = (
        provider,
        receiver.url[: -len("/hook")],
    )
    settings.LOYALTY_SMS_KEY, settings.LOYALTY_SMS_SECRET = "key", "secret"
    settings.LOYALTY_SMS_SIGNATURE = "商城"
    settings.LOYALTY_SMS_TEMPLATES = {"points": {"zh": "SMS_1"}}
    receiver.content = answer if isinstance(answer, str) else json.dumps(answer)
    result = channels.installed()["sms"].send(outbound())
    assert result.outcome is outcome
    assert told in {result.provider_id, result.reason}
    headers, _body = receiver.requests[0]
    assert "secret" not in str(headers)
    assert channels.installed()["sms"].send(outbound(template="other")).reason == (
        "provider_template_missing"
    )


def test_requests_are_signed_as_the_providers_document(settings: Settings) -> None:
    """What the providers' own pages describe, computed anew with the standard library."""
    settings.LOYALTY_SMS_KEY, settings.LOYALTY_SMS_SECRET = "YourAccessKeyId", "YourSecret"
    settings.LOYALTY_SMS_URL = ""
    at = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
    aliyun = sms.aliyun_headers("PhoneNumbers=139", at, "n1")
    assert aliyun["x-acs-date"] == "2026-03-20T04:00:00Z"
    assert aliyun["Authorization"] == aliyun_says("YourSecret", "PhoneNumbers=139")
    tencent = sms.tencent_headers(b"{}", at)
    assert tencent["X-TC-Timestamp"] == "1773979200"
    assert tencent["Authorization"] == tencent_says("YourSecret", b"{}")

    settings.LOYALTY_SMS_SECRET = "another"
    other = sms.aliyun_headers("PhoneNumbers=139", at, "n1")["Authorization"]
    assert other != aliyun["Authorization"]
    assert other == aliyun_says("another", "PhoneNumbers=139")
    other = sms.tencent_headers(b"{}", at)["Authorization"]
    assert other != tencent["Authorization"]
    assert other == tencent_says("another", b"{}")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def aliyun_says(secret: str, query: str) -> str:
    """Return how Aliyun's signature method V3 (ACS3-HMAC-SHA256) signs the request at noon."""
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    asked = f"""POST
/
{query}
host:dysmsapi.aliyuncs.com
x-acs-action:SendSms
x-acs-content-sha256:{sha256("")}
x-acs-date:2026-03-20T04:00:00Z
x-acs-signature-nonce:n1
x-acs-version:2017-05-25

{names}
{sha256("")}"""
    to_sign = f"ACS3-HMAC-SHA256\n{sha256(asked)}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return (
        f"ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={names},Signature={signature}"
    )


def tencent_says(secret: str, body: bytes) -> str:
    """Return how Tencent Cloud's signature method v3 (TC3-HMAC-SHA256) signs it at noon."""
    names = "content-type;host;x-tc-action"
    asked = f"""POST
/

content-type:application/json; charset=utf-8
host:sms.tencentcloudapi.com
x-tc-action:sendsms

{names}
{hashlib.sha256(body).hexdigest()}"""
    scope = "2026-03-20/sms/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n1773979200\n{scope}\n{sha256(asked)}"
    of_day = hmac.new(f"TC3{secret}".encode(), b"2026-03-20", hashlib.sha256).digest()
    of_service = hmac.new(of_day, b"sms", hashlib.sha256).digest()
    key = hmac.new(of_service, b"tc3_request", hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return (
        f"TC3-HMAC-SHA256 Credential=YourAccessKeyId/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
