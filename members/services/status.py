"""Freezing, unfreezing and closing a member.

`rewards.services.membership` calls these with the points account locked, as every command on
points has it, and settles what the new status makes due.
"""

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain.status import TRANSITIONS, Transition, Verb
from members.models import Member, Suspension
from members.services import events, notes, segments

MAX_NOTE_LENGTH: Final = 500


class StatusError(DomainError):
    """A member's status cannot be changed in this way."""


def freeze(*, member_id: int, reason: str, note: str, actor: str, at: datetime) -> Member:
    """Suspend a member: facts go on earning, commands are refused.

    Raises: StatusError.
    Source: design §5.1 (7).
    """
    return change(
        verb=Verb.FREEZE, member_id=member_id, reason=reason, note=note, actor=actor, at=at
    )


def unfreeze(*, member_id: int, reason: str, note: str, actor: str, at: datetime) -> Member:
    """End a member's suspension.

    Raises: StatusError.
    """
    return change(
        verb=Verb.UNFREEZE, member_id=member_id, reason=reason, note=note, actor=actor, at=at
    )


def close(*, member_id: int, reason: str, note: str, actor: str, at: datetime) -> Member:
    """Close a member for good: facts are kept but earn nothing any more, commands are refused.

    Raises: StatusError.
    Source: design §5.1 (7).
    """
    return change(
        verb=Verb.CLOSE, member_id=member_id, reason=reason, note=note, actor=actor, at=at
    )


@transaction.atomic
def change(  # noqa: PLR0913 - what an act of staff says of itself
    *,
    verb: Verb,
    member_id: int,
    reason: str,
    note: str,
    actor: str,
    at: datetime,
    verified_by: str = "",
) -> Member:
    """Carry out one verb of the transition table; the note is kept sealed.

    `verified_by` tells how staff identified who asked for it.
    Raises: StatusError.
    """
    transition = TRANSITIONS[verb]
    _check(transition, reason, note)
    member = Member.objects.select_for_update(of=("self",), no_key=True).get(pk=member_id)
    if member.status not in transition.before:
        raise StatusError(
            "status_change_refused",
            _("The member's status does not allow this."),
            409,
            found=member.status,
        )
    member.status = transition.after
    member.save(update_fields=["status"])
    if verb is Verb.FREEZE:
        Suspension.objects.create(member=member, from_at=at, reason=reason)
    else:
        Suspension.objects.filter(member=member, ended_at__isnull=True).update(ended_at=at)
    if verb is Verb.CLOSE:
        segments.leave_all(member_id=member.pk, at=at)
    payload: dict[str, Any] = {"reason": reason, "actor": actor}
    if verified_by:
        payload["verified_by"] = verified_by
    if note.strip():
        payload["note"] = notes.seal(member=member.pk, text=note.strip())
    events.append([events.NewEvent(member.pk, transition.event, at, at, payload)])
    return member


def _check(transition: Transition, reason: str, note: str) -> None:
    if reason not in transition.reasons:
        raise StatusError("reason_unknown", _("There is no such reason."), field="reason")
    if len(note) > MAX_NOTE_LENGTH:
        raise StatusError("note_too_long", _("The note is too long."), field="note")
