"""A campaign meets members: who gets what, once for each occurrence, within limits and budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns.models import Campaign


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that has happened to a member, under a key that names it for ever."""

    member_id: int
    key: str
    at: datetime
    caused_by: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Fired:
    """To how many something was given, and why not to the others."""

    acted: int = 0
    skipped: dict[str, int] = field(default_factory=dict)


def fire(*, campaign: Campaign, occurrences: Sequence[Occurrence], recorded_at: datetime) -> Fired:
    """Let a campaign act on what has happened, exactly once for each member and key."""
    raise NotImplementedError
