"""What every command on an account shares: lock, settle, act, write, all or nothing."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.bulk import Writes
from config.base.errors import DomainError
from members.models import MemberStatus
from members.services import events
from members.services.events import NewEvent
from rewards.domain.account import Account
from rewards.domain.transfers import Cause
from rewards.services import consequences, ledger, loading, tables
from rewards.services.due import settle_members
from rewards.services.happened import Happened
from rewards.services.ledger import MemberWrite


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
class Command:
    """An account in hand: locked, settled, with its lots; what is done to it is written after."""

    member: int
    account: Account
    cause: Cause
    reservations: dict[UUID, int]
    news: list[NewEvent]

    def report(self, kind: str, payload: dict[str, Any]) -> None:
        """Append an event of this command."""
        at = self.cause.recorded_at
        self.news.append(NewEvent(self.member, kind, at, at, payload))


@contextmanager
def command(
    *, member: int, at: datetime, actor: str, reservations: Collection[UUID] = ()
) -> Iterator[Command]:
    """Lock an account, settle what is due, let the caller act on it, and write what changed.

    Raises: MemberNotFoundError, MemberFrozenError.
    """
    with transaction.atomic():
        book = settle_members(members=[member], at=at, recorded_at=at)
        locked = loading.lock([member]).get(member)
        if locked is None:
            raise MemberNotFoundError
        if locked.status != MemberStatus.ACTIVE:
            raise MemberFrozenError(locked.status)
        found = loading.attach_lots([locked.account], reservations=reservations)
        current = Command(member, locked.account, Cause(None, actor, at), found, [])
        yield current
        writes = Writes()
        ledger.write_accounts(writes, [MemberWrite(locked, None, locked.account, [])])
        writes.flush(tables.COPY_ORDER)
        events.append(current.news)
        happened = Happened(at, actor, None, book, is_history=False)
        happened.note_holds(locked.account)
        consequences.follow(happened)
