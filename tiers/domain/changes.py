"""What the fold reports: a change of standing, why, and from which figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from tiers.domain.figures import MemberProgress, describe_check, read_figures
from tiers.domain.ladder import Check, Ladder


class Reason(StrEnum):
    """Why a standing began, or was kept."""

    ENROLLED = "enrolled"
    OPENING = "opening"
    QUALIFIED = "qualified"
    RENEWED = "renewed"
    REVIEW_DOWNGRADE = "review_downgrade"
    REVIEW_KEPT = "review_kept"
    REVIEW_UPGRADE = "review_upgrade"
    QUALIFICATION_WITHDRAWN = "qualification_withdrawn"
    REFUND_REQUALIFIED = "refund_requalified"
    LADDER_CHANGED = "ladder_changed"
    MERGED = "merged"
    MERGE_UNDONE = "merge_undone"


@dataclass(frozen=True, slots=True)
class StandingChange:
    """One step of a member's standing.

    The rank differs from ``rank_before`` where a new standing begins at ``at``; where it is
    the same, the standing goes on and only ``kept_until_on`` has moved.
    """

    at: datetime
    rank: int
    rank_before: int | None
    kept_until_on: date | None
    reason: Reason
    evidence: dict[str, Any]

    @property
    def begins_standing(self) -> bool:
        """Tell whether a new standing begins: a new ladder may put another tier at a rank."""
        return self.rank != self.rank_before or self.reason is Reason.LADDER_CHANGED


@dataclass(slots=True)
class Reading:
    """The figures of one evaluation: who is looked at, under which ladder, on which day."""

    ladder: Ladder
    progress: MemberProgress
    day: int
    values: list[int]

    @classmethod
    def of(cls, ladder: Ladder, progress: MemberProgress, day: int) -> "Reading":
        """Read the figures of the windows that end with ``day``."""
        return cls(ladder, progress, day, read_figures(ladder, progress, day))

    def evidence(self, checks: Iterable[Check], **more: object) -> dict[str, Any]:
        """Return the checks as they stood, fit for JSON."""
        return {
            "ladder": self.ladder.version,
            "day": date.fromordinal(self.day).isoformat(),
            "checks": [
                describe_check(self.ladder, check, self.values, self.progress, self.day)
                for check in checks
            ],
            **more,
        }
