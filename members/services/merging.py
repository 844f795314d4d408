"""Merging one member into another, as far as the person goes: status, consents, profile.

`rewards.services.merging` calls these with both points accounts locked, and moves the rest.
Source: MEM-04.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import merging as rules
from members.domain.merging import ConsentKey, Obstacle
from members.models import Member, MemberMerge, MemberProfile, MemberStatus
from members.services import consents, events, notes, profile, segments
from members.services.consents import ConsentDecision
from members.services.events import NewEvent

MERGED: Final = "member.merged"
UNMERGED: Final = "member.unmerged"
SOURCE: Final = "merge"
MAX_NOTE_LENGTH: Final = 500

TEXTS: Final = {
    Obstacle.SAME_MEMBER: _("A member cannot be merged with itself."),
    Obstacle.AWAY_NOT_ACTIVE: _("The member to be merged is not active."),
    Obstacle.INTO_NOT_ACTIVE: _("The member that stays is not active."),
    Obstacle.RESERVATION_OPEN: _("The member to be merged has points or coupons reserved."),
    Obstacle.MEMBERSHIP_RUNS: _(
        "The member to be merged has a paid membership: let that one stay."
    ),
    Obstacle.NOT_MERGED: _("There is no such merge, or it is undone already."),
    Obstacle.NOT_LATEST: _("Later merges have to be undone first."),
    Obstacle.TOO_LATE: _("The merge is too old to be undone."),
}


class MergeError(DomainError):
    """Two members cannot be merged, or a merge cannot be undone."""


def refuse(obstacle: Obstacle) -> MergeError:
    """Return the error that says what is in the way."""
    return MergeError(obstacle.value, TEXTS[obstacle], 409)


def active_merge(*, away: int) -> MemberMerge | None:
    """Return the merge by which a member is gone; None for one that is not."""
    rows = MemberMerge.objects.select_related("away", "into")
    return rows.filter(away_id=away, undone_at__isnull=True).first()


def begin(*, away: int, into: int, note: str, actor: str, at: datetime) -> MemberMerge:
    """Let a member lead to another from now on; its identifiers do so by themselves.

    Raises: MergeError where a reason is missing or too long.
    """
    check_note(note)
    members = Member.objects.filter(pk__in=(away, into)).order_by("pk")
    list(members.select_for_update(of=("self",), no_key=True))
    merge = MemberMerge.objects.create(
        away_id=away, into_id=into, at=at, actor=actor, note=notes.seal(member=into, text=note)
    )
    Member.objects.filter(pk=away).update(status=MemberStatus.MERGED, merged_into_id=into)
    segments.leave_all(member_id=away, at=at)
    _restrict(away=away, into=into, at=at, actor=actor)
    return merge


def check_note(note: str) -> None:
    """Refuse a merge that nobody explains.

    Raises: MergeError.
    """
    if not note.strip():
        raise MergeError("reason_required", _("A reason is required."), 422, field="reason")
    if len(note) > MAX_NOTE_LENGTH:
        raise MergeError("note_too_long", _("The note is too long."), 422, field="reason")


def complete(merge: MemberMerge, *, moved: int, details: Mapping[str, Any]) -> None:
    """Keep with a merge what it has moved, and tell both members' timelines."""
    merge.details = {**merge.details, **details}
    merge.moved_points = moved
    merge.save(update_fields=["details", "moved_points"])
    _tell(MERGED, merge, merge.at, merge.actor, {"points": moved})


def end(merge: MemberMerge, *, note: str, actor: str, at: datetime) -> None:
    """Let a merged member stand for a person of its own again.

    Consents stay as restricted as they are, and what the survivor's profile has taken over stays.
    Raises: MergeError where a reason is missing or too long.
    """
    check_note(note)
    merge.undone_at, merge.undone_by = at, actor
    merge.undone_note = notes.seal(member=merge.into_id, text=note)
    merge.save(update_fields=["undone_at", "undone_by", "undone_note"])
    Member.objects.filter(pk=merge.away_id).update(status=MemberStatus.ACTIVE, merged_into_id=None)


def tell_undone(merge: MemberMerge, *, returned: int, actor: str, at: datetime) -> None:
    """Tell both members' timelines that they are two again."""
    _tell(UNMERGED, merge, at, actor, {"points": returned})


def take_on_debt(merge: MemberMerge, points: int) -> None:
    """Remember points that the merged member owed and the survivor now does."""
    MemberMerge.objects.filter(pk=merge.pk).update(debt_points=F("debt_points") + points)


def consent_changes(*, away: int, into: int) -> dict[ConsentKey, bool]:
    """Return what a merge makes of the survivor's consents; only what changes."""
    known = consents.current([away, into])
    told = {
        member: {key: consent.granted for key, consent in known.get(member, {}).items()}
        for member in (away, into)
    }
    return rules.restricted(told[away], told[into])


def fill_profile(*, away: int, into: int, at: datetime, actor: str) -> bool:
    """Add to the survivor's profile what only the merged one knew; tell whether anything was."""
    attributes = MemberProfile.objects.filter(member_id=away).values_list("attributes", flat=True)
    offered = (profile.read(away), attributes.first() or {})
    return bool(profile.fill_gaps({into: offered}, at=at, actor=actor))


def _restrict(*, away: int, into: int, at: datetime, actor: str) -> None:
    decisions = [
        ConsentDecision(purpose, granted, channel, source=SOURCE)
        for (purpose, channel), granted in consent_changes(away=away, into=into).items()
    ]
    if decisions:
        consents.record({into: decisions}, touchpoint=None, at=at, actor=actor)


def _tell(
    kind: str, merge: MemberMerge, at: datetime, actor: str, payload: Mapping[str, Any]
) -> None:
    both = {
        merge.away_id: {"into": str(merge.into.public_id)},
        merge.into_id: {"from": str(merge.away.public_id)},
    }
    events.append(
        [
            NewEvent(member, kind, at, at, {**payload, **other, "actor": actor})
            for member, other in sorted(both.items())
        ]
    )
