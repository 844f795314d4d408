"""App push and WeChat template messages: handed to a system of the retailer's own, signed.

That system holds the app's keys and tokens; it is sent JSON with a Standard Webhooks signature, and
reports back by the message's id. Requests go through the same checks as webhooks do.
"""

from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from campaigns.channels.base import Channel, Outbound, Outcome, Result
from config.base.api import json_format
from members.domain import webhooks
from members.models import IdentifierKind
from members.services import sending
from members.services.sending import Attempt

SECONDS: Final = 10.0
# Nothing has been sent yet when one of these is found out.
_NOT_REACHED: Final = frozenset(
    {
        "url_invalid",
        "address_refused",
        "name_not_resolved",
        "connection_failed",
        "certificate_refused",
    }
)
_TRY_LATER: Final = frozenset({429, 503})


class Signed(Channel):
    """A receiver of signed messages at an address of the settings."""

    parallel = 8
    setting: str = ""

    def is_open(self) -> bool:
        """Tell whether there is a receiver and a secret to sign with."""
        return bool(self._setting("URL") and self._setting("SECRET"))

    def send(self, outbound: Outbound) -> Result:
        """Send one message."""
        body = json_format.write(self.body(outbound))
        timestamp = int(datetime.now(UTC).timestamp())
        secret = self._setting("SECRET")
        headers = webhooks.headers([secret], f"msg_{outbound.message_id}", timestamp, body)
        attempt = sending.post(self._setting("URL"), body, headers, seconds=SECONDS)
        return outcome_of(attempt, outbound.message_id)

    def body(self, outbound: Outbound) -> dict[str, Any]:
        """Return what is sent."""
        return {
            "id": outbound.message_id,
            "member": outbound.member,
            "to": outbound.to,
            "template": outbound.template,
            "language": outbound.language,
            "title": outbound.text.subject,
            "body": outbound.text.body,
            "values": dict(outbound.values),
        }

    def _setting(self, name: str) -> str:
        return str(getattr(settings, f"LOYALTY_{self.setting}_{name}"))


class Push(Signed):
    """Notifications of the app; reached are those whom an app's account leads to."""

    code = "push"
    setting = "PUSH"
    address_kind = IdentifierKind.EXTERNAL.value

    @property
    def address_app(self) -> str:  # type: ignore[override]  # a setting, read when asked
        """Return the app whose account ids are addresses."""
        return str(settings.LOYALTY_PUSH_APP)


class Wechat(Signed):
    """Template messages of a WeChat account, to those who follow it."""

    code = "wechat"
    setting = "WECHAT"
    address_kind = IdentifierKind.WECHAT_OPENID.value

    @property
    def address_app(self) -> str:  # type: ignore[override]  # a setting, read when asked
        """Return the account whose openids are addresses."""
        return str(settings.LOYALTY_WECHAT_APP)


def outcome_of(attempt: Attempt, provider_id: str) -> Result:
    """Return what an attempt says about the message: only a clear answer is one."""
    if attempt.is_done:
        return Result(Outcome.SENT, provider_id=provider_id)
    if attempt.status in _TRY_LATER:
        return Result(Outcome.NOT_REACHED, f"http_{attempt.status}")
    if attempt.status is not None and 300 <= attempt.status < 500:
        return Result(Outcome.REFUSED, f"http_{attempt.status}")
    if attempt.status is None and attempt.error in _NOT_REACHED:
        return Result(Outcome.NOT_REACHED, attempt.error)
    return Result(Outcome.UNKNOWN, attempt.error or f"http_{attempt.status}")
