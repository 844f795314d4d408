"""How messages, and why they were not sent, are told to people."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import Message, MessageState

STATE_TONES: Final[Mapping[str, str]] = {
    MessageState.QUEUED: "info",
    MessageState.SENDING: "info",
    MessageState.SENT: "success",
    MessageState.DELIVERED: "success",
    MessageState.FAILED: "danger",
    MessageState.SUPPRESSED: "",
    MessageState.UNKNOWN: "warning",
}

REASONS: Final[dict[str, Promise]] = {
    "stale": _("It would have been stale news by the time it could be sent."),
    "member_not_active": _("The membership is not active."),
    "survivor_has_it": _("The member was merged, and the member that stays has this message."),
    "minor": _("The member is too young to be sent offers."),
    "no_consent": _("The member has not agreed to messages of this purpose on any channel."),
    "no_channel": _("No channel that the member allows reaches the member."),
    "no_text": _("The template has no published text for a channel that may be used."),
    "frequency_cap": _("The member has had as many offers as the delivery settings allow."),
    "quiet_hours": _("It waits for the end of the quiet hours."),
    "provider_not_reached": _("The provider was not reached; it is tried again."),
    "unreadable": _("What is kept of the member cannot be read: its key does not open."),
    "broke_off": _("The sender broke off; the message may have gone out."),
    "timeout": _("The provider did not answer in time; the message may have gone out."),
    "connection_broken": _("The connection broke; the message may have gone out."),
    "provider_template_missing": _("The provider knows no template for this message."),
    "forgotten": _("The prospect has been forgotten."),
    "joined": _("The prospect has joined."),
    "provider_failed": _("The provider reports that it was not delivered."),
}


def reason(code: str) -> "str | Promise":
    """Return why a message was not sent, or what else is said about it; a provider's own code."""
    return REASONS.get(code, code)


def row(message: Message) -> dict[str, Any]:
    """Return what a table shows of a message."""
    return {
        "message": message,
        "tone": STATE_TONES[MessageState(message.state)],
        "reason": reason(message.reason),
        "may_retry": message.state == MessageState.UNKNOWN,
    }
