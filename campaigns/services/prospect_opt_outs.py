"""Prospects who want no more messages, or to be forgotten: by the link in one, or by a reply.

The token names the message and nobody; whoever has it may opt out. For who has joined since, it
holds as a member: members are locked before prospects.

Source: CMP-13, MEM-11, MEM-12.
"""

import base64
import binascii
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction

from campaigns.domain.delivery import MARKETING
from campaigns.models import ProspectAddress
from campaigns.services import opt_outs
from campaigns.services.opt_outs import OptOutInvalidError
from campaigns.services.referral_checks import survivor_of
from members.models import ForgottenBecause, MemberStatus, Prospect
from members.services import consents, prospect_erasure, prospects
from members.services.consents import ConsentDecision

SALT: Final = "campaigns.prospect_opt_out"
PATH: Final = "/m/prospect/"


def url_of(message: UUID) -> str:
    """Return the address of the page."""
    text = base64.urlsafe_b64encode(message.bytes).decode().rstrip("=")
    token = signing.Signer(salt=SALT).sign(text)
    return f"{settings.LOYALTY_PUBLIC_URL.rstrip('/')}{PATH}{token}"


def address_of(token: str) -> ProspectAddress:
    """Return the message that a token was made for. Raises: OptOutInvalidError."""
    try:
        text = signing.Signer(salt=SALT).unsign(token)
        public_id = UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    except (signing.BadSignature, binascii.Error, ValueError) as error:
        raise OptOutInvalidError from error
    found = ProspectAddress.objects.filter(public_id=public_id).first()
    if found is None:
        raise OptOutInvalidError
    return found


@transaction.atomic
def stop(*, address: ProspectAddress, forget: bool, at: datetime) -> None:
    """Write to the prospect no more, and forget them where they asked for that."""
    said = ConsentDecision(MARKETING, granted=False, source=opt_outs.SOURCE)
    _stop_member(address.prospect_id, said, at)
    prospects.opt_out(prospect_id=address.prospect_id, at=at)
    if forget:
        prospect_erasure.forget(
            prospect_ids=[address.prospect_id], because=ForgottenBecause.ASKED, at=at
        )


def _stop_member(prospect_id: int, said: ConsentDecision, at: datetime) -> None:
    """Withdraw the consent of the member that a prospect has become."""
    joined = Prospect.objects.filter(pk=prospect_id, converted_to__isnull=False)
    for member_id in joined.values_list("converted_to_id", flat=True):
        member = survivor_of(member_id)
        if member.status != MemberStatus.ERASED:
            consents.record({member.pk: [said]}, touchpoint=None, at=at, actor=said.source)


@transaction.atomic
def stop_by_reply(*, message: UUID | None, phone: str, at: datetime, given_at: datetime) -> bool:
    """Heed a reply to a message, or of a phone, that asks for no more; tell whether it is known."""
    found: int | None = None
    if message is not None:
        rows = ProspectAddress.objects.filter(public_id=message)
        found = rows.values_list("prospect_id", flat=True).first()
    elif phone:
        found = prospects.find(("phone", "", phone))
    if found is None:
        return False
    said = ConsentDecision(
        MARKETING, granted=False, channel="sms", source=opt_outs.REPLY, given_at=given_at
    )
    _stop_member(found, said, at)
    prospects.opt_out(prospect_id=found, at=at, given_at=given_at)
    return True
