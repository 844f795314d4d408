"""Who may be merged into whom, what a merge makes of consents, and how long it can be undone.

Source: MEM-04.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

UNDO_WINDOW: Final = timedelta(days=30)

ConsentKey = tuple[str, str]
"""Purpose and channel ("" = every channel)."""


class Obstacle(StrEnum):
    """Why two members cannot be merged, or parted again."""

    SAME_MEMBER = "merge_same_member"
    AWAY_NOT_ACTIVE = "merge_away_not_active"
    INTO_NOT_ACTIVE = "merge_into_not_active"
    RESERVATION_OPEN = "merge_reservation_open"
    MEMBERSHIP_RUNS = "merge_membership_runs"
    NOT_MERGED = "merge_not_found"
    NOT_LATEST = "merge_not_latest"
    TOO_LATE = "merge_undo_too_late"


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two members, as far as it decides whether they may be merged."""

    key: int
    status: str
    has_reservation: bool = False
    has_membership: bool = False


def obstacles(away: Party, into: Party) -> list[Obstacle]:
    """Return everything that keeps one member from being merged into another.

    Both have to be active: a freeze is lifted, or the account closed, by a decision of its own. A
    circle cannot arise, since a merged member is not active.
    """
    if away.key == into.key:
        return [Obstacle.SAME_MEMBER]
    found = {
        Obstacle.AWAY_NOT_ACTIVE: away.status != "active",
        Obstacle.INTO_NOT_ACTIVE: into.status != "active",
        Obstacle.RESERVATION_OPEN: away.has_reservation,
        Obstacle.MEMBERSHIP_RUNS: away.has_membership,
    }
    return [obstacle for obstacle, applies in found.items() if applies]


def undo_obstacle(
    *, merged_at: datetime, is_latest: bool, into_status: str, at: datetime
) -> Obstacle | None:
    """Return what keeps a merge from being undone, None where nothing does.

    Merges are undone in the reverse order: a later one has taken up what the earlier one brought.
    """
    if into_status not in {"active", "frozen"}:
        return Obstacle.INTO_NOT_ACTIVE
    if not is_latest:
        return Obstacle.NOT_LATEST
    return Obstacle.TOO_LATE if at > merged_at + UNDO_WINDOW else None


def restricted(
    away: Mapping[ConsentKey, bool], into: Mapping[ConsentKey, bool]
) -> dict[ConsentKey, bool]:
    """Return what changes of the survivor's consents: a refusal of either member wins.

    A refusal for every channel is one for each. What only the merged member granted is not taken
    over: the survivor has not been asked.
    """
    changed: dict[ConsentKey, bool] = {}
    for key in sorted(away.keys() | into.keys()):
        purpose, _channel = key
        is_refused = not away.get(key, away.get((purpose, ""), True))
        if is_refused and into.get(key) is not False:
            changed[key] = False
    return changed
