"""Merging one member into another, undoing that, and what either would do.

A member is a fold of its facts, and keeps them: orders stay with the member that placed them, and
are corrected there. What a merge moves are their results. Points go over lot by lot, progress and
the better tier as one fact of the survivor; what later becomes of them is passed on
(`merged_points`). So both members can be folded again from zero, and parted.
Source: MEM-04, `docs/adr/0016-a-merge-moves-results-not-facts.md`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.domain import merging as rules
from members.domain.merging import ConsentKey, Obstacle, Party
from members.models import Approval, Member, MemberMerge
from members.services import approvals, authority, merging
from rewards.domain import receipt as receipts
from rewards.domain.fold import MemberFold, fold_all
from rewards.domain.posting import Balance
from rewards.domain.receipt import Receipt
from rewards.domain.subjects import Merging, oldest_instant
from rewards.models import Reservation, ReservationStatus
from rewards.services import loading, merged_points
from rewards.services.batch import Batch
from rewards.services.commands import MemberNotFoundError
from rewards.services.due import settle_members
from rewards.services.intake import insist
from rewards.services.loading import Locked
from rewards.services.programme import current_book
from tiers.domain.progress import ProgressDelta
from tiers.domain.qualification import MergedStanding
from tiers.services import merging as tier_merging

APPROVAL_KIND: Final = "member_merge"


class PointsLostError(Exception):
    """A merge would change how many points two members have together: nothing is stored."""


class MergeOverLimitError(DomainError):
    """More points would go over than the member of staff may move alone."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "merge_over_limit",
            _("More points than may be moved without approval."),
            403,
            limit_points=limit,
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One member of a merge as it stands."""

    member: int
    balance: Balance
    tier: str
    kept_until_on: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """Two members and, where nothing is in the way, the survivor as it would be after."""

    away: Side
    into: Side
    obstacles: list[Obstacle]
    after: Side | None = None
    consents: dict[ConsentKey, bool] = field(default_factory=dict)


@contextmanager
def _rehearsal() -> Iterator[None]:
    """Undo whatever is done inside; a failure undoes itself."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# Merging


def preview(*, away: int, into: int, at: datetime) -> Preview:
    """Return what merging one member into another would do; nothing is stored.

    The merge itself is carried out and undone, so that what is shown is what would happen.
    Raises: MemberNotFoundError.
    """
    with _rehearsal():
        _settled(away, into, at)
        before, found = _sides(away, into), _obstacles(away, into, at)
        shown = Preview(before[away], before[into], found)
        if not found:
            consents = merging.consent_changes(away=away, into=into)
            _merge(away, into, "preview", "system", at)
            shown = replace(shown, after=_sides(away, into)[into], consents=consents)
    return shown


def merge(*, away: int, into: int, note: str, actor: str, at: datetime) -> MemberMerge:
    """Merge one member into another; the identifiers of the first lead to the second.

    Both accounts are locked in the order of their ids. The points of both together are the same
    after as before.
    Raises: MergeError, MemberNotFoundError.
    Source: MEM-04; reliability L12.
    """
    return insist(lambda: _merge(away, into, note, actor, at))


def merge_by_staff(
    *, user_id: int, away: int, into: int, note: str, actor: str, at: datetime
) -> MemberMerge | Approval:
    """Merge within the authority of a member of staff; above it ask a second person instead.

    The limit is the one for adjustments: so many points may go from one account to another alone.
    Raises: MergeError, MemberNotFoundError.
    """
    limit = authority.limits_of(user_id).call
    try:
        return insist(lambda: _merge(away, into, note, actor, at, limit))
    except MergeOverLimitError:
        return approvals.request(
            kind=APPROVAL_KIND,
            member_id=into,
            payload={"away": away, "limit": limit},
            reason=note,
            actor=actor,
            at=at,
        )


def execute_approved(approval: Approval, at: datetime) -> None:
    """Carry out an approved merge, in the name of who asked for it.

    Raises: MergeError and what `merge` raises.
    """
    if approval.member_id is None:
        raise MemberNotFoundError
    merge(
        away=int(approval.payload["away"]),
        into=approval.member_id,
        note=approval.reason,
        actor=approval.requested_by,
        at=at,
    )


@transaction.atomic
def _merge(
    away: int, into: int, note: str, actor: str, at: datetime, limit: int | None = None
) -> MemberMerge:
    locked = _settled(away, into, at)
    for obstacle in _obstacles(away, into, at):
        raise merging.refuse(obstacle)
    before = _total(locked)
    acts_at = merged_points.acting_at([into], at)[into]
    progress = tier_merging.progress_of(away, today=clock.local_day(acts_at))
    used = tier_merging.used_by_tier(away, at=at)
    done = merging.begin(away=away, into=into, note=note, actor=actor, at=at)
    merging.fill_profile(away=away, into=into, at=acts_at, actor=actor)
    moved = merged_points.hand_over(done, at=at, actor=actor).points
    if limit is not None and abs(moved) > limit:
        raise MergeOverLimitError(limit)
    _tell_fold(done, "merge", Merging(progress, _standing_of(locked[away])), acts_at, actor)
    benefits = tier_merging.take_over(away=away, into=into, used=used, at=at)
    settle_members(members=[away, into], at=acts_at, recorded_at=at)
    after = _total(loading.lock([away, into]))
    if after != before:
        raise PointsLostError(done.away_id, done.into_id, before, after)
    merging.complete(done, moved=moved, details=benefits.to_json())
    return done


def _settled(away: int, into: int, at: datetime) -> dict[int, Locked]:
    """Lock both members, settle what is due for both, and read them again."""
    both = sorted({away, into})
    if len(loading.lock(both)) < len(both):
        raise MemberNotFoundError
    settle_members(members=both, at=at, recorded_at=at)
    return loading.lock(both)


def _tell_fold(done: MemberMerge, name: str, content: Merging, at: datetime, actor: str) -> None:
    """Let the survivor's fold take a merge, or its undoing, in."""
    fact = receipts.of_merge(member=done.into_id, ref=f"{done.pk}:{name}", at=at, merging=content)
    (outcome,) = Batch([fact], touchpoint=None, at=at, settle_to=at, actor=actor).run()
    if outcome.status != 200:
        raise PointsLostError(done.into_id, outcome.code)


def _standing_of(locked: Locked) -> MergedStanding | None:
    standing = locked.open_standing
    if standing is None or standing.kept_until_on is None:
        return None
    return MergedStanding(standing.tier, standing.kept_until_on)


def _obstacles(away: int, into: int, at: datetime) -> list[Obstacle]:
    statuses = dict(Member.objects.filter(pk__in=(away, into)).values_list("pk", "status"))
    if not {away, into} <= statuses.keys():
        raise MemberNotFoundError
    held = Reservation.objects.filter(member_id=away, status=ReservationStatus.HELD)
    gone = Party(
        away,
        statuses[away],
        has_reservation=held.exists(),
        has_membership=tier_merging.has_running_membership(away, at=at),
    )
    return rules.obstacles(gone, Party(into, statuses[into]))


# Undoing


def preview_undo(*, away: int, at: datetime) -> tuple[Side, Side]:
    """Return how the merged member and its survivor would stand after; nothing is stored.

    Raises: MergeError.
    """
    done = _active(away)
    with _rehearsal():
        _unmerge(away, "preview", "system", at)
        sides = _sides(away, done.into_id)
    return sides[away], sides[done.into_id]


def unmerge(*, away: int, note: str, actor: str, at: datetime) -> MemberMerge:
    """Part a merged member from its survivor again, within a time and latest merge first.

    What is left of the points goes back with its dates; what was spent of them stays spent. The
    survivor stands where its own facts put it. Facts that came since for the merged member's
    identifiers are the survivor's; consents stay as restricted as they are.
    Raises: MergeError.
    Source: MEM-04.
    """
    return insist(lambda: _unmerge(away, note, actor, at))


def _active(away: int) -> MemberMerge:
    done = merging.active_merge(away=away)
    if done is None:
        raise merging.refuse(Obstacle.NOT_MERGED)
    return done


@transaction.atomic
def _unmerge(away: int, note: str, actor: str, at: datetime) -> MemberMerge:
    into = _active(away).into_id
    locked = _settled(away, into, at)
    done = _active(away)
    if obstacle := _undo_obstacle(done, locked[into].status, at):
        raise merging.refuse(obstacle)
    before = _total(locked)
    acts_at = merged_points.acting_at([into], at)[into]
    brought = tier_merging.progress_of(into, today=clock.local_day(acts_at), merge=done.pk)
    gone = tuple(ProgressDelta(each.metric, -each.amount, each.on) for each in brought)
    standing = _standing_without(done, locked[into], acts_at)
    merging.end(done, note=note, actor=actor, at=at)
    returned = merged_points.give_back(done, at=at, actor=actor)
    _tell_fold(done, "undone", Merging(gone, standing), acts_at, actor)
    tier_merging.give_back(
        away=away,
        moved=done.details.get("entitlements", ()),
        uses=done.details.get("uses", ()),
        at=at,
    )
    settle_members(members=[away, into], at=acts_at, recorded_at=at)
    after = _total(loading.lock([away, into]))
    if after != before:
        raise PointsLostError(away, into, before, after)
    merging.tell_undone(done, returned=returned, actor=actor, at=at)
    return done


def _undo_obstacle(done: MemberMerge, status: str, at: datetime) -> Obstacle | None:
    later = MemberMerge.objects.filter(into_id=done.into_id, undone_at__isnull=True, pk__gt=done.pk)
    return rules.undo_obstacle(
        merged_at=done.at, is_latest=not later.exists(), into_status=status, at=at
    )


def _standing_without(done: MemberMerge, locked: Locked, at: datetime) -> MergedStanding:
    """Return the tier at which the survivor would stand if the merge had never been."""
    book = current_book()
    history = loading.history_of([done.into_id])
    own = [each for each in history if not _is_of_merge(each, done)]
    facts = [receipts.as_fold_fact(each, done.into_id) for each in own]
    fold = MemberFold.fresh(book, locked.facts, oldest_instant(facts))
    fold_all(fold, facts)
    fold.settle(max(at, fold.tiers.acted_at))
    tiers = fold.tiers
    code = tiers.ladder(book.ladders).tier(tiers.rank).code
    return MergedStanding(code, tiers.kept_until_on, is_put_back=True)


def _is_of_merge(fact: Receipt, done: MemberMerge) -> bool:
    return fact.source == receipts.MERGE and fact.ref.startswith(f"{done.pk}:")


# Reading


def _total(locked: dict[int, Locked]) -> int:
    return sum(
        each.account.pending + each.account.available + each.account.reserved - each.account.debt
        for each in locked.values()
    )


def _sides(away: int, into: int) -> dict[int, Side]:
    locked, _stamp = loading.read({away, into})
    if len(locked) < len({away, into}):
        raise MemberNotFoundError
    return {member: _side(each) for member, each in locked.items()}


def _side(locked: Locked) -> Side:
    account, standing = locked.account, locked.open_standing
    until = None if standing is None else standing.kept_until_on
    return Side(
        locked.member,
        Balance(account.pending, account.available, account.reserved, account.debt),
        "" if standing is None else standing.tier,
        None if until is None else until.isoformat(),
    )
