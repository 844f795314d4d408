"""Ways to hand a message over, by code; which are open is a matter of the site's settings."""

from collections.abc import Mapping

from campaigns.channels.base import Channel, Outbound, Outcome, Result
from campaigns.channels.email import Email
from campaigns.channels.inbox import Inbox
from campaigns.channels.signed import Push, Wechat
from campaigns.channels.sms import Sms

__all__ = ["Channel", "Outbound", "Outcome", "Result", "installed", "open_channels"]

_installed: dict[str, Channel] = {
    each.code: each for each in (Wechat(), Push(), Sms(), Email(), Inbox())
}


def installed() -> Mapping[str, Channel]:
    """Return every channel there is, by code."""
    return _installed


def open_channels() -> dict[str, Channel]:
    """Return the channels that this site is set up to use, by code."""
    return {code: each for code, each in _installed.items() if each.is_open()}
