"""The link to a feedback form in a message: a signed token that names the answer and nobody.

Source: CMP-11.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from campaigns.models import FeedbackAnswer, FeedbackState
from campaigns.services import variables
from config.base.errors import DomainError

SALT: Final = "campaigns.feedback"
PATH: Final = "/m/feedback/"
VARIABLE: Final = variables.FEEDBACK_LINK.name
"""What a text writes where the link is to stand."""
CONTEXT: Final = "feedback"
"""What a message's context names the answer by; the link itself is kept nowhere."""


class FeedbackLinkInvalidError(DomainError):
    """The link leads to no form of ours, or to one that was never open."""

    def __init__(self) -> None:
        super().__init__("feedback_link_invalid", _("This link is not valid."), 404)


def token_of(answer: UUID) -> str:
    """Return the token by which whoever has the message answers."""
    return signing.Signer(salt=SALT).sign(
        base64.urlsafe_b64encode(answer.bytes).decode().rstrip("=")
    )


def url_of(answer: UUID) -> str:
    """Return the address of the form for one member."""
    return f"{settings.LOYALTY_PUBLIC_URL.rstrip('/')}{PATH}{token_of(answer)}"


def url_in(context: Mapping[str, Any]) -> str | None:
    """Return the address that a message leads to; None for one that asks nothing."""
    named = context.get(CONTEXT)
    return url_of(UUID(named)) if named else None


def answer_of(token: str) -> FeedbackAnswer:
    """Return the row that a token was made for, with its form.

    Raises: FeedbackLinkInvalidError.
    """
    try:
        text = signing.Signer(salt=SALT).unsign(token)
        public_id = UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    except (signing.BadSignature, binascii.Error, ValueError) as error:
        raise FeedbackLinkInvalidError from error
    rows = FeedbackAnswer.objects.select_related("form", "member")
    found = rows.filter(public_id=public_id).exclude(form__state=FeedbackState.DRAFT).first()
    if found is None:
        raise FeedbackLinkInvalidError
    return found
