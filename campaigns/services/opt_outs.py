"""Opting out by a link in a message: a signed token that names the message and nobody.

Source: MEM-11.
"""

import base64
import binascii
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from campaigns.domain.delivery import MARKETING
from campaigns.models import Message
from config.base.errors import DomainError
from members.services import consents
from members.services.consents import ConsentDecision

SALT: Final = "campaigns.opt_out"
PATH: Final = "/m/optout/"
SOURCE: Final = "opt_out_link"
REPLY: Final = "sms_reply"


class OptOutInvalidError(DomainError):
    """The link leads to no message of ours."""

    def __init__(self) -> None:
        super().__init__("opt_out_invalid", _("This link is not valid."), 404)


def token_of(message: UUID) -> str:
    """Return the token by which whoever has the message opts out."""
    return signing.Signer(salt=SALT).sign(
        base64.urlsafe_b64encode(message.bytes).decode().rstrip("=")
    )


def url_of(message: UUID) -> str:
    """Return the address of the page."""
    return f"{settings.LOYALTY_PUBLIC_URL.rstrip('/')}{PATH}{token_of(message)}"


def message_of(token: str) -> Message:
    """Return the message that a token was made for.

    Raises: OptOutInvalidError.
    """
    try:
        text = signing.Signer(salt=SALT).unsign(token)
        public_id = UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    except (signing.BadSignature, binascii.Error, ValueError) as error:
        raise OptOutInvalidError from error
    found = Message.objects.select_related("template").filter(public_id=public_id).first()
    if found is None:
        raise OptOutInvalidError
    return found


def opt_out(
    *,
    message: Message,
    everywhere: bool,
    at: datetime,
    source: str = SOURCE,
    given_at: datetime | None = None,
) -> bool:
    """Withdraw the consent to marketing on the message's channel, or on every one.

    It holds from the next message on; a second time changes nothing. `given_at` is when the member
    asked for it, where that was told later. Tell whether it was news.
    """
    # Of all that was said the last word counts, also where it was said for every channel.
    channel = "" if everywhere else message.channel
    decision = ConsentDecision(
        MARKETING, granted=False, channel=channel, source=source, given_at=given_at
    )
    return bool(
        consents.record({message.member_id: [decision]}, touchpoint=None, at=at, actor=source)
    )
