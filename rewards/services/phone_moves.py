"""A phone has changed hands, or has not: what an enrolment that waited for the answer becomes."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from members.models import Channel, Identifier, IdentifierKind, Member, Touchpoint
from members.services import consents, crypto, events, identity, presence, verifications
from members.services.consents import ConsentDecision
from members.services.presence import PresenceError, Proof
from members.services.verifications import VerificationClosedError
from rewards.services.enrolment import enrol_members
from rewards.services.joining_requests import Enrolment, EnrolmentRequest, from_json

IDENTIFIER_ENDED: Final = "member.identifier_ended"
PHONE_MOVED: Final = "phone_moved"
MARKETING: Final = "marketing"
# Where somebody of the retailer's stands before the person.
STAFFED: Final = frozenset({Channel.POS, Channel.CS})


@transaction.atomic
def resolve(
    *,
    verification: UUID,
    same_person: bool,
    staff: str,
    member_code: str,
    touchpoint: Touchpoint,
    at: datetime,
) -> Enrolment:
    """Say whose the phone is, and enrol who waited for it.

    The same person is the member, whatever else was sent. For another one the phone ends with the
    member, marketing with it, and leads to a new member; points, tier and orders stay where they
    are. Either the answer and its consequences are kept, or neither.
    Raises: VerificationNotFoundError, VerificationClosedError, PresenceError, and what enrolment
    answers.
    Source: design §6 (POST /members).
    """
    asked, content = verifications.take(
        public_id=verification, same_person=same_person, touchpoint=touchpoint, at=at
    )
    _check_proof(asked.member_id, same_person, staff, member_code, touchpoint, at)
    request = from_json(content)
    actor = f"touchpoint:{touchpoint.code}"
    if not same_person:
        _release(asked.member_id, request, touchpoint, at, {"actor": actor, "staff": staff})
    verified = [asked.member_id] if same_person else []
    (done,) = enrol_members([request], touchpoint=asked.touchpoint, at=at, verified=verified)
    if done.error is not None:
        raise done.error
    return done


def _check_proof(
    member: int,
    same_person: bool,
    staff: str,
    member_code: str,
    touchpoint: Touchpoint,
    at: datetime,
) -> None:
    """Take the member's own code as proof of being the same, or the word of staff at a desk."""
    if same_person and member_code:
        presence.use_up(member=member, proof=Proof(member_code), at=at)
        return
    if not staff or touchpoint.channel not in STAFFED:
        needs = ["staff", "member_code"] if same_person else ["staff"]
        raise PresenceError(
            "presence_required", _("Somebody has to have looked at the person."), 403, needs=needs
        )


def _release(
    member: int,
    request: EnrolmentRequest,
    touchpoint: Touchpoint,
    at: datetime,
    payload: dict[str, str],
) -> None:
    """End the phone, and marketing, with the member who had it.

    Raises: VerificationClosedError where the phone leads to this member no more.
    """
    list(Member.objects.select_for_update(of=("self",), no_key=True).filter(pk=member))
    hashes = [
        each
        for kind, value, app in request.identifiers
        if kind == IdentifierKind.PHONE
        for each in crypto.identifier_hashes(kind, app, identity.normalise(kind, value, app))
    ]
    ended = Identifier.objects.filter(
        member_id=member, kind=IdentifierKind.PHONE, value_hash__in=hashes, ended_at__isnull=True
    ).update(ended_at=at)
    if not ended:
        raise VerificationClosedError
    told = {"kind": IdentifierKind.PHONE.value, "reason": PHONE_MOVED, **payload}
    events.append([events.NewEvent(member, IDENTIFIER_ENDED, at, at, told)])
    refused = [
        ConsentDecision(
            purpose=MARKETING, channel=each.channel, granted=False, source=PHONE_MOVED, given_at=at
        )
        for each in consents.current([member]).get(member, {}).values()
        if each.purpose == MARKETING and each.granted
    ]
    if refused:
        consents.record({member: refused}, touchpoint=touchpoint, at=at, actor=payload["actor"])
