"""How providers sign what they send, and where their own id and topic of a message stand.

Shopify: `X-Shopify-Hmac-Sha256` is the base64 of an HMAC over the raw body. Youzan: `Event-Sign` is
the MD5 of client id, raw body and client secret, or, in the older form, `sign` in the body is that
of client id, `msg` and client secret. Standard Webhooks: id, time and body are signed together.

Source: INT-02; the providers' public documentation.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from django.utils.translation import gettext_lazy as _

from config.base.api import json_format
from config.base.errors import DomainError
from members.domain import webhooks as standard

SHOPIFY: Final = "shopify"
YOUZAN: Final = "youzan"
STANDARD: Final = "standard"
SEPARATOR: Final = ":"
MAX_ID_LENGTH, MAX_TOPIC_LENGTH = 128, 80


class SignatureInvalidError(DomainError):
    """The message was not signed under the connection's secret, or too long ago."""

    def __init__(self) -> None:
        super().__init__("signature_invalid", _("The signature is missing, wrong or too old."), 401)


class EnvelopeInvalidError(DomainError):
    """The message does not say which one it is."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            "inbound_envelope_invalid", _("The message has no id or no topic."), missing=missing
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message whose signature is right: which one it is, what it is about, what it says."""

    provider_id: str
    topic: str
    payload: Any


def open_envelope(
    scheme: str, secret: str, headers: Mapping[str, str], raw: bytes, at: datetime
) -> Envelope:
    """Return what a message says, after its signature has been found right.

    Header names are in lower case; `at` is the wall's. Raises: SignatureInvalidError,
    EnvelopeInvalidError, JsonInvalidError, RequestInvalidError.
    """
    envelope = _OPEN[scheme](secret, headers, raw, at)
    for name, value, most in (
        ("id", envelope.provider_id, MAX_ID_LENGTH),
        ("topic", envelope.topic, MAX_TOPIC_LENGTH),
    ):
        if not 1 <= len(value) <= most or not value.isprintable():
            raise EnvelopeInvalidError(name)
    return envelope


def _open_shopify(secret: str, headers: Mapping[str, str], raw: bytes, _at: datetime) -> Envelope:
    expected = base64.b64encode(hmac.digest(secret.encode(), raw, "sha256"))
    _compare(expected, headers.get("x-shopify-hmac-sha256", ""))
    return Envelope(
        headers.get("x-shopify-webhook-id", ""),
        headers.get("x-shopify-topic", ""),
        json_format.read(raw),
    )


def _open_youzan(secret: str, headers: Mapping[str, str], raw: bytes, _at: datetime) -> Envelope:
    client_id, _separator, client_secret = secret.partition(SEPARATOR)
    if "event-sign" in headers:
        _compare(_md5(client_id, raw, client_secret), headers["event-sign"].lower())
        payload = _youzan_object(json_format.read(raw))
    else:
        # Nothing can be believed before it is signed, yet the signature stands inside.
        payload = _youzan_object(json_format.read(raw))
        message = str(payload.get("msg", "")).encode()
        _compare(_md5(client_id, message, client_secret), str(payload.get("sign", "")).lower())
    said = payload.get("msg")
    if isinstance(said, str):
        payload["msg"] = json_format.read(_plain(said).encode())
    topic = headers.get("event-type") or payload.get("type") or ""
    return Envelope(str(payload.get("msg_id") or ""), str(topic), payload)


def _open_standard(secret: str, headers: Mapping[str, str], raw: bytes, at: datetime) -> Envelope:
    if not standard.is_signed(secret, headers, raw):
        raise SignatureInvalidError
    sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    if abs(at - sent_at) > standard.TOLERANCE:
        raise SignatureInvalidError
    payload = json_format.read(raw)
    topic = payload.get("type") if isinstance(payload, dict) else None
    return Envelope(headers.get("webhook-id", ""), str(topic or ""), payload)


_OPEN: Final[dict[str, Callable[[str, Mapping[str, str], bytes, datetime], Envelope]]] = {
    SHOPIFY: _open_shopify,
    YOUZAN: _open_youzan,
    STANDARD: _open_standard,
}


def _compare(expected: bytes, found: str) -> None:
    if not hmac.compare_digest(expected, found.encode()):
        raise SignatureInvalidError


def _md5(client_id: str, content: bytes, client_secret: str) -> bytes:
    """Return the provider's own signature; it is what it is."""
    signed = client_id.encode() + content + client_secret.encode()
    return hashlib.md5(signed, usedforsecurity=False).hexdigest().encode()


def _youzan_object(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise EnvelopeInvalidError("msg")
    return payload


def _plain(said: str) -> str:
    """Return the message inside the message: JSON, percent-encoded as a form would."""
    return said if said.lstrip().startswith("{") else unquote_plus(said)
