"""What may be done with a case, and when its next clock runs out.

Pure. Source: SVC-02.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a case stands; the model's states."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING_MEMBER = "waiting_member"
    RESOLVED = "resolved"
    CLOSED = "closed"


UNDONE: Final = frozenset({State.OPEN, State.IN_PROGRESS, State.WAITING_MEMBER})


class Verb(StrEnum):
    """What is done with a case."""

    TAKE = "take"
    REPLY = "reply"
    WAIT = "wait"
    HEAR = "hear"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Transition:
    """From which states a verb leads to which; whether the member has been answered with it."""

    before: frozenset[State]
    after: State
    event: str
    is_answer: bool = False


TRANSITIONS: Final[Mapping[Verb, Transition]] = {
    Verb.TAKE: Transition(frozenset({State.OPEN}), State.IN_PROGRESS, "case.taken"),
    Verb.REPLY: Transition(UNDONE, State.IN_PROGRESS, "case.answered", is_answer=True),
    Verb.WAIT: Transition(
        frozenset({State.OPEN, State.IN_PROGRESS}), State.WAITING_MEMBER, "case.waiting",
        is_answer=True,
    ),
    Verb.HEAR: Transition(
        frozenset({State.WAITING_MEMBER}), State.IN_PROGRESS, "case.member_answered"
    ),
    Verb.RESOLVE: Transition(UNDONE, State.RESOLVED, "case.resolved", is_answer=True),
    Verb.REOPEN: Transition(
        frozenset({State.RESOLVED, State.CLOSED}), State.OPEN, "case.reopened"
    ),
    Verb.CLOSE: Transition(UNDONE | {State.RESOLVED}, State.CLOSED, "case.closed"),
}  # fmt: skip


def verbs_for(state: str) -> list[Verb]:
    """Return what can be done with a case in a state."""
    return [verb for verb, transition in TRANSITIONS.items() if state in transition.before]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Until when a case is to be answered and solved, and how far that has gone."""

    first_response_due_at: datetime | None
    resolve_due_at: datetime | None
    first_responded_at: datetime | None
    escalated_at: datetime | None


def next_escalation(state: str, clocks: Clocks) -> datetime | None:
    """Return when the next running clock runs out that has not escalated the case yet.

    Nothing is due from the desk while it waits for the member.
    """
    if state not in UNDONE:
        return None
    dues = [clocks.first_response_due_at] if clocks.first_responded_at is None else []
    if state != State.WAITING_MEMBER:
        dues.append(clocks.resolve_due_at)
    done = clocks.escalated_at
    return min((due for due in dues if due and (done is None or due > done)), default=None)
