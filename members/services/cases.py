"""The desk's cases: opened with a clock by the member's service level, worked on, escalated.

What a member says is kept sealed; events name the case and never what it is about.

Source: SVC-02, SVC-10, BEN-05, BEN-10.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import cases as domain
from members.domain.cases import TRANSITIONS, UNDONE, State, Verb
from members.models import Case, CaseKind, CaseNote, CasePriority, Member, NoteKind, Order
from members.services import events, notes, service_levels

MAX_TITLE: Final = 120
MAX_TEXT: Final = 4_000
ESCALATED_AT_ONCE: Final = 500
_SPOKEN: Final = {
    Verb.REPLY: NoteKind.REPLY,
    Verb.WAIT: NoteKind.REPLY,
    Verb.HEAR: NoteKind.MEMBER,
}


class CaseError(DomainError):
    """A case cannot be opened or changed in this way."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a member comes with, as whoever takes it down has understood it."""

    member_id: int
    kind: str
    channel: str
    title: str
    text: str = ""
    reference: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def register(*, new: NewCase, at: datetime, actor: str, owner_id: int | None = None) -> Case:
    """Open a case; priority and clocks follow from the member's service level at this instant.

    Raises: CaseError.
    Source: SVC-02, BEN-05.
    """
    title, text = new.title.strip(), new.text.strip()
    if new.kind not in CaseKind.values or new.kind == CaseKind.SYSTEM:
        raise CaseError("case_kind_unknown", _("There is no such kind of case."), field="kind")
    if not title or "\n" in title or len(title) > MAX_TITLE:
        raise CaseError("case_title_needed", _("Say in one line what it is about."), field="title")
    _check_text(text)
    member = Member.objects.get(pk=new.member_id)
    promise = service_levels.promise(kind=new.kind, service_level=member.service_level, at=at)
    case = Case(
        member=member, kind=new.kind, channel=new.channel, state=State.OPEN,
        sealed=notes.seal(member=member.pk, text=f"{title}\n{text}"),
        reference=new.reference.strip(), order=_order_of(member.pk, new.reference.strip()),
        priority=promise.priority, service_level=member.service_level,
        details=dict(new.details), opened_at=at, opened_by=actor,
        first_response_due_at=promise.first_response_due_at,
        resolve_due_at=promise.resolve_due_at,
    )  # fmt: skip
    if owner_id is not None:
        case.owner_id, case.state = owner_id, State.IN_PROGRESS
    case.escalates_at = _next_escalation(case)
    case.save()
    _append(case, "case.opened", at, at, actor)
    return case


def _order_of(member: int, reference: str) -> Order | None:
    """Return the member's order of that number, where there is exactly one."""
    if not reference:
        return None
    found = Order.objects.filter(order_no=reference, member_id=member)[:2]
    return found[0] if len(found) == 1 else None


def _check_text(text: str, *, is_needed: bool = False) -> None:
    if len(text) > MAX_TEXT:
        raise CaseError("case_text_too_long", _("The text is too long."), field="text")
    if is_needed and not text:
        raise CaseError("case_text_needed", _("Write what there is to say."), field="text")


@transaction.atomic
def work(
    *,
    case_id: int,
    verb: Verb,
    at: datetime,
    actor: str,
    text: str = "",
    owner_id: int | None = None,
) -> Case:
    """Do one thing with a case; what was said with it is kept in its conversation.

    Who works on a case that is nobody's makes it theirs (`owner_id`).
    Raises: CaseError.
    """
    text = text.strip()
    _check_text(text, is_needed=verb is not Verb.TAKE)
    case = _locked(case_id)
    transition = TRANSITIONS[verb]
    if case.state not in transition.before:
        raise CaseError(
            "case_state_refused", _("The case's state does not allow this."), 409, found=case.state
        )
    if case.owner_id is None and verb is not Verb.CLOSE:
        case.owner_id = owner_id
    if transition.is_answer and case.first_responded_at is None:
        case.first_responded_at = at
    _enter(case, transition.after, at)
    case.save()
    if text:
        _say(case, _SPOKEN.get(verb, NoteKind.INTERNAL), text, at, actor)
    _append(case, transition.event, at, at, actor)
    return case


def _enter(case: Case, state: State, at: datetime) -> None:
    """Let a case be in a state from an instant on: its timestamps and its clocks follow."""
    if case.state == State.WAITING_MEMBER and case.resolve_due_at and case.waiting_since_at:
        case.resolve_due_at = service_levels.resumed(
            due_at=case.resolve_due_at, waiting_since=case.waiting_since_at, at=at
        )
    is_reopened = case.state not in UNDONE and state in UNDONE
    if is_reopened:
        case.reopened += 1
        case.resolved_at = case.closed_at = case.escalated_at = None
        promise = service_levels.promise(kind=case.kind, service_level=case.service_level, at=at)
        case.resolve_due_at = promise.resolve_due_at
        if case.owner_id is not None:
            state = State.IN_PROGRESS
    case.state = state
    case.waiting_since_at = at if state is State.WAITING_MEMBER else None
    if state is State.RESOLVED:
        case.resolved_at = at
    if state is State.CLOSED:
        case.closed_at = at
    case.escalates_at = _next_escalation(case)


@transaction.atomic
def note(*, case_id: int, text: str, at: datetime, actor: str) -> CaseNote:
    """Add something that only staff read. Raises: CaseError."""
    _check_text(text.strip(), is_needed=True)
    return _say(_locked(case_id), NoteKind.INTERNAL, text.strip(), at, actor)


@transaction.atomic
def assign(
    *, case_id: int, owner_id: int | None, at: datetime, actor: str, reason: str = ""
) -> Case:
    """Give a case to somebody, or back to the queue (None).

    Raises: CaseError.
    """
    _check_text(reason.strip())
    case = _locked(case_id)
    if case.state not in UNDONE:
        raise CaseError("case_state_refused", _("The case is done."), 409, found=case.state)
    case.owner_id = owner_id
    if case.state != State.WAITING_MEMBER:
        case.state = State.OPEN if owner_id is None else State.IN_PROGRESS
    case.save(update_fields=["owner", "state"])
    if reason.strip():
        _say(case, NoteKind.INTERNAL, reason.strip(), at, actor)
    _append(case, "case.assigned", at, at, actor)
    return case


@transaction.atomic
def take_next(*, owner_id: int, at: datetime, actor: str) -> Case | None:
    """Give somebody the most pressing case that is nobody's; None where there is none.

    Two who ask at once get two cases.
    """
    rows = Case.objects.filter(state=State.OPEN, owner=None).in_queue_order()
    case = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
    if case is None:
        return None
    return work(case_id=case.pk, verb=Verb.TAKE, at=at, actor=actor, owner_id=owner_id)


def escalate_due(*, at: datetime, recorded_at: datetime) -> int:
    """Raise every case whose clock has run out, once per clock, at the clock's own instant.

    Each slice is a transaction of its own; returns how many were raised.
    Source: SVC-02.
    """
    done = 0
    while count := _escalate_some(at, recorded_at):
        done += count
    return done


@transaction.atomic
def _escalate_some(at: datetime, recorded_at: datetime) -> int:
    rows = Case.objects.filter(escalates_at__lte=at).order_by("escalates_at", "id")
    rows = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    found = list(rows[:ESCALATED_AT_ONCE])
    for case in found:
        case.escalated_at = case.escalates_at
        case.priority = max(CasePriority.URGENT, case.priority - 1)
        case.escalates_at = _next_escalation(case)
    Case.objects.bulk_update(found, ["escalated_at", "priority", "escalates_at"])
    events.append(
        [
            _event(case, "case.escalated", case.escalated_at, recorded_at, "system")
            for case in found
            if case.member_id is not None and case.escalated_at is not None
        ]
    )
    return len(found)


def _locked(case_id: int) -> Case:
    return Case.objects.select_for_update(of=("self",), no_key=True).get(pk=case_id)


def _next_escalation(case: Case) -> datetime | None:
    clocks = domain.Clocks(
        case.first_response_due_at, case.resolve_due_at, case.first_responded_at,
        case.escalated_at,
    )  # fmt: skip
    return domain.next_escalation(case.state, clocks)


def _say(case: Case, kind: NoteKind, text: str, at: datetime, actor: str) -> CaseNote:
    member = case.member_id
    body = text if member is None else notes.seal(member=member, text=text)
    return CaseNote.objects.create(
        case=case, member_id=member, kind=kind, body=body, author=actor, at=at
    )


def _append(case: Case, kind: str, at: datetime, recorded_at: datetime, actor: str) -> None:
    if case.member_id is not None:
        events.append([_event(case, kind, at, recorded_at, actor)])


def _event(
    case: Case, kind: str, at: datetime, recorded_at: datetime, actor: str
) -> events.NewEvent:
    assert case.member_id is not None
    payload = {"case": case.pk, "kind": case.kind, "priority": case.priority}
    return events.NewEvent(case.member_id, kind, at, recorded_at, payload, actor)
