"""What every command on an account shares: lock, settle, act, write, all or nothing."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import MemberStatus, Touchpoint
from rewards.domain.fold import HistoryNeededError, MemberFold
from rewards.domain.programme import ProgrammeBook
from rewards.domain.transfers import Cause
from rewards.services import consequences, loading, merged_points
from rewards.services.accounts import AccountInHand
from rewards.services.due import settle_members
from rewards.services.happened import NO_FACT, Happened, Item, TierNews
from rewards.services.loading import Locked
from rewards.services.programme import current_book
from tiers.domain.progress import StaleSnapshotError


class MemberNotFoundError(DomainError):
    """There is no member with an account under this id."""

    def __init__(self) -> None:
        super().__init__("member_not_found", _("There is no such member."), 404)


class MemberFrozenError(DomainError):
    """A frozen or closed member cannot spend, and nothing can be given by hand."""

    def __init__(self, status: str) -> None:
        super().__init__(
            "member_frozen" if status == MemberStatus.FROZEN else "member_not_active",
            _("The member is not active."),
            403,
        )


@dataclass(slots=True)
class Command(AccountInHand):
    """An account in hand whose due is settled, and where its member stands.

    `rank` is the rank that counts now; `member_facts` is what conditions may ask of the member.
    `tiers` are the tiers that the command lets the member enter or leave; `issued` is filled with
    what follows from that.
    """

    rank: int = 0
    member_facts: dict[str, object] | None = None
    tiers: list[TierNews] = field(default_factory=list)
    issued: list[Item] = field(default_factory=list)


@contextmanager
def command(  # noqa: PLR0913 - what a command may say of itself
    *,
    member: int,
    at: datetime,
    actor: str,
    reservations: Collection[UUID] = (),
    touchpoint: Touchpoint | None = None,
    book: ProgrammeBook | None = None,
    needs_active: bool = True,
) -> Iterator[Command]:
    """Lock an account, settle what is due, let the caller act on it, and write what changed.

    `book` is the programme where the caller has just read it. What takes something back from a
    member, or gives it back, may be done to one that is not active.
    Raises: MemberNotFoundError, MemberFrozenError.
    """
    with transaction.atomic():
        book = book or current_book()
        locked, fold = _settled(book, member, at)
        if needs_active and locked.status != MemberStatus.ACTIVE:
            raise MemberFrozenError(locked.status)
        found = loading.attach_lots([locked.account], reservations=reservations)
        current = Command(locked, Cause(None, actor, at), found)
        if fold is not None:
            current.rank = fold.effective_rank(at)
            current.member_facts = fold.facts_at(at)
        yield current
        current.write()
        happened = Happened(
            at, actor, touchpoint, book, is_history=False, tiers=current.tiers,
            fact_of_member={member: NO_FACT},
        )  # fmt: skip
        happened.note_holds(locked.account)
        consequences.follow(happened)
        if locked.status == MemberStatus.MERGED:
            # What was given back belongs to whom the member was merged into.
            merged_points.pass_on({member: locked.account}, at=at, actor=actor)
        current.issued += happened.issued.get(NO_FACT, ())


def _settled(book: ProgrammeBook, member: int, at: datetime) -> tuple[Locked, MemberFold | None]:
    """Lock the account; where something is due, settle it first and read everything again.

    Raises: MemberNotFoundError.
    """
    locked = loading.lock([member]).get(member)
    if locked is None:
        raise MemberNotFoundError
    fold = _nothing_due(book, locked, at)
    if fold is None:
        settle_members(members=[member], at=at, recorded_at=at)
        locked = loading.lock([member])[member]
        fold = _nothing_due(book, locked, at)
    else:
        locked.account.settle(at, Cause(None, "system", at))
    return locked, fold


def _nothing_due(book: ProgrammeBook, locked: Locked, at: datetime) -> MemberFold | None:
    """Return where the member stands if time alone has nothing to do up to an instant."""
    due_at = locked.account.due_at
    if locked.snapshot is None or (due_at is not None and due_at <= at):
        return None
    try:
        fold = MemberFold.from_json(book, locked.facts, *locked.snapshot)
        taken = fold.attributes_taken
        fold.settle(at)
    except (HistoryNeededError, StaleSnapshotError):
        return None
    return None if fold.tiers.changes or fold.attributes_taken != taken else fold
