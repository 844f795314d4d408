"""Text messages by a provider that the settings name; `console` only says that one would go out.

Providers in mainland China take no free texts but templates that they have approved, with values:
`LOYALTY_SMS_TEMPLATES` says which of theirs each of ours is.
"""

import hashlib
import hmac
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings

from campaigns.channels.base import Channel, Outbound, Outcome, Result
from campaigns.channels.signed import Signed, outcome_of
from campaigns.domain import templating
from members.domain.masking import mask_value
from members.models import IdentifierKind
from members.services import sending

LONGEST_ANSWER: Final = 20_000
SECONDS: Final = 10.0
NO_TEMPLATE: Final = Result(Outcome.REFUSED, "provider_template_missing")
UNREADABLE: Final = Result(Outcome.UNKNOWN, "answer_unreadable")

logger = logging.getLogger(__name__)


class Sms(Channel):
    """Text messages."""

    code = "sms"
    address_kind = IdentifierKind.PHONE.value
    parallel = 8

    def is_open(self) -> bool:
        """Tell whether a provider is named that there is."""
        return settings.LOYALTY_SMS_PROVIDER in _PROVIDERS

    def send(self, outbound: Outbound) -> Result:
        """Hand one message to the provider."""
        return _PROVIDERS[settings.LOYALTY_SMS_PROVIDER](outbound)


class _Gateway(Signed):
    """A gateway of the retailer's own, which is sent the text itself, signed."""

    setting = "SMS"


def _console(outbound: Outbound) -> Result:
    """Say in the log that a message would go out; what it says is personal."""
    count = templating.segments(outbound.text.body)
    to = mask_value("phone", outbound.to)
    logger.info("SMS %s to %s: %d segments", outbound.template, to, count)
    return Result(Outcome.SENT, provider_id=outbound.message_id)


def _provider_template(outbound: Outbound) -> str:
    known: Mapping[str, Any] = settings.LOYALTY_SMS_TEMPLATES
    found = known.get(outbound.template, "")
    return str(found.get(outbound.language, "") if isinstance(found, Mapping) else found)


def _aliyun(outbound: Outbound) -> Result:
    """Send by Aliyun's SendSms (2017-05-25), signed by ACS3-HMAC-SHA256."""
    template = _provider_template(outbound)
    if not template:
        return NO_TEMPLATE
    query = {
        "PhoneNumbers": outbound.to.removeprefix("+86").removeprefix("+"),
        "SignName": settings.LOYALTY_SMS_SIGNATURE,
        "TemplateCode": template,
        "TemplateParam": json.dumps(_flat(outbound.values), ensure_ascii=False),
        "OutId": outbound.message_id,
    }
    text = "&".join(
        f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items())
    )
    url = f"{settings.LOYALTY_SMS_URL or 'https://dysmsapi.aliyuncs.com'}/?{text}"
    attempt = sending.post(
        url, b"", aliyun_headers(text, datetime.now(UTC), uuid.uuid4().hex),
        seconds=SECONDS, read_bytes=LONGEST_ANSWER,
    )  # fmt: skip
    return _read(attempt, _aliyun_answer)


def aliyun_headers(query: str, at: datetime, nonce: str) -> dict[str, str]:
    """Return the headers of a request with an empty body. Source: Aliyun, signature method V3."""
    empty = hashlib.sha256(b"").hexdigest()
    signed = {
        "host": _host("dysmsapi.aliyuncs.com"),
        "x-acs-action": "SendSms",
        "x-acs-content-sha256": empty,
        "x-acs-date": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": "2017-05-25",
    }
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    asked = f"POST\n/\n{query}\n{lines}\n{names}\n{empty}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(asked.encode()).hexdigest()}"
    signature = hmac.new(settings.LOYALTY_SMS_SECRET.encode(), to_sign.encode(), "sha256")
    said = f"Credential={settings.LOYALTY_SMS_KEY},SignedHeaders={names}"
    sent = {name: value for name, value in signed.items() if name != "host"}
    return {
        **sent,
        "Authorization": f"ACS3-HMAC-SHA256 {said},Signature={signature.hexdigest()}",
    }


def _aliyun_answer(answer: Mapping[str, Any]) -> Result:
    if answer["Code"] == "OK":
        return Result(Outcome.SENT, provider_id=str(answer.get("BizId", ""))[:80])
    return Result(Outcome.REFUSED, _code(answer["Code"]))


def _tencent(outbound: Outbound) -> Result:
    """Send by Tencent Cloud's SendSms (2021-01-11), signed by TC3-HMAC-SHA256."""
    template = _provider_template(outbound)
    if not template:
        return NO_TEMPLATE
    body = json.dumps(
        {
            "PhoneNumberSet": [outbound.to],
            "SmsSdkAppId": settings.LOYALTY_SMS_APP,
            "SignName": settings.LOYALTY_SMS_SIGNATURE,
            "TemplateId": template,
            "TemplateParamSet": list(outbound.values.values()),
            "SessionContext": outbound.message_id,
        },
        ensure_ascii=False,
    ).encode()
    url = f"{settings.LOYALTY_SMS_URL or 'https://sms.tencentcloudapi.com'}/"
    attempt = sending.post(
        url, body, tencent_headers(body, datetime.now(UTC)), seconds=SECONDS,
        read_bytes=LONGEST_ANSWER,
    )  # fmt: skip
    return _read(attempt, _tencent_answer)


def tencent_headers(body: bytes, at: datetime) -> dict[str, str]:
    """Return the headers of a request. Source: Tencent Cloud API, signature method v3."""
    kind, names = "application/json; charset=utf-8", "content-type;host;x-tc-action"
    host, day, seconds = _host("sms.tencentcloudapi.com"), f"{at:%Y-%m-%d}", int(at.timestamp())
    lines = f"content-type:{kind}\nhost:{host}\nx-tc-action:sendsms\n"
    asked = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/sms/tc3_request"
    hashed = hashlib.sha256(asked.encode()).hexdigest()
    to_sign = f"TC3-HMAC-SHA256\n{seconds}\n{scope}\n{hashed}"
    key = f"TC3{settings.LOYALTY_SMS_SECRET}".encode()
    for part in (day, "sms", "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"Credential={settings.LOYALTY_SMS_KEY}/{scope}"
    return {
        "Content-Type": kind,
        "X-TC-Action": "SendSms",
        "X-TC-Version": "2021-01-11",
        "X-TC-Timestamp": str(seconds),
        "X-TC-Region": settings.LOYALTY_SMS_REGION,
        "Authorization": f"TC3-HMAC-SHA256 {credential}, SignedHeaders={names}, "
        f"Signature={signature}",
    }


def _tencent_answer(answer: Mapping[str, Any]) -> Result:
    response = answer["Response"]
    if "Error" in response:
        return Result(Outcome.REFUSED, _code(response["Error"]["Code"]))
    status = response["SendStatusSet"][0]
    if status["Code"] == "Ok":
        return Result(Outcome.SENT, provider_id=str(status.get("SerialNo", ""))[:80])
    return Result(Outcome.REFUSED, _code(status["Code"]))


def _read(attempt: sending.Attempt, answer: Callable[[Mapping[str, Any]], Result]) -> Result:
    """Return what a provider's answer says; what cannot be read leaves open whether it went out."""
    if attempt.status is None or attempt.status in {429, 503}:
        return outcome_of(attempt, "")
    try:
        return answer(json.loads(attempt.content))
    except (ValueError, KeyError, IndexError, TypeError):
        return UNREADABLE if attempt.is_done else outcome_of(attempt, "")


def _flat(values: Mapping[str, str]) -> dict[str, str]:
    """Return values under names that providers allow: letters, digits and underscores."""
    return {name.replace(".", "_").replace("-", "_"): value for name, value in values.items()}


def _host(usual: str) -> str:
    address: str = settings.LOYALTY_SMS_URL
    return address.partition("://")[2].partition("/")[0] if address else usual


def _code(text: object) -> str:
    """Return a provider's code as ours are written: nothing of it can be personal."""
    return (
        "".join(each for each in str(text) if each.isascii() and (each.isalnum() or each in "._"))[
            :40
        ]
        or "refused"
    )


_PROVIDERS: Final[dict[str, Callable[[Outbound], Result]]] = {
    "console": _console,
    "aliyun": _aliyun,
    "tencent": _tencent,
    "signed": _Gateway().send,
}
