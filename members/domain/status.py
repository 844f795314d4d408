"""Which status a member may go over to, and the reasons that staff may give.

Source: design §5.1 (7).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verb(StrEnum):
    """What can be done to a member's status by hand."""

    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Transition:
    """From which statuses a verb leads to which one, and what it is recorded as."""

    before: frozenset[str]
    after: str
    event: str
    reasons: tuple[str, ...]


# Closing is for good: who comes back enrols again. Erasing and merging have services of their own.
TRANSITIONS: Final = {
    Verb.FREEZE: Transition(
        frozenset({"active"}),
        "frozen",
        "member.frozen",
        ("member_request", "suspected_abuse", "investigation", "other"),
    ),
    Verb.UNFREEZE: Transition(
        frozenset({"frozen"}),
        "active",
        "member.unfrozen",
        ("member_request", "investigation_over", "mistake", "other"),
    ),
    Verb.CLOSE: Transition(
        frozenset({"active", "frozen"}),
        "closed",
        "member.closed",
        ("member_request", "abuse", "duplicate", "other"),
    ),
}


def verbs_for(status: str) -> list[Verb]:
    """Return what can be done to a member of this status."""
    return [verb for verb, transition in TRANSITIONS.items() if status in transition.before]
