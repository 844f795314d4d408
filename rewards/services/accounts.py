"""One member's account in hand: locked, with its lots, acted on, and written with what goes along.

For whoever is in a transaction in which everything due is settled. A command settles first.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from config.base.bulk import Writes
from members.services import events
from members.services.events import NewEvent
from rewards.domain.account import Account
from rewards.domain.posting import Balance
from rewards.domain.transfers import Cause, Grounds
from rewards.services import ledger, loading, tables
from rewards.services.ledger import MemberWrite
from rewards.services.loading import Locked


@dataclass(slots=True)
class AccountInHand:
    """An account, locked, with its lots; what is done to it is written after.

    `writes` are rows that are written with it, in the same statement; `ids` the ids of its entries
    and lots, where the caller has taken them with a statement of its own.
    """

    locked: Locked
    cause: Cause
    reservations: dict[UUID, int]
    news: list[NewEvent] = field(default_factory=list)
    writes: Writes = field(default_factory=Writes)
    ids: tuple[list[int], list[int]] | None = None

    @property
    def member(self) -> int:
        """Return the member whose account it is."""
        return self.locked.member

    @property
    def account(self) -> Account:
        """Return the account."""
        return self.locked.account

    @property
    def balance(self) -> Balance:
        """Return what the account shows now."""
        account = self.account
        return Balance(account.pending, account.available, account.reserved, account.debt)

    def grounds(self, reason: str) -> Grounds:
        """Return the grounds of what is done for a reason."""
        return Grounds(None, None, reason, self.cause)

    def report(self, kind: str, payload: dict[str, Any]) -> None:
        """Append an event."""
        at = self.cause.recorded_at
        self.news.append(NewEvent(self.member, kind, at, at, payload))

    def write(self) -> None:
        """Write the account, the rows that go along, and the events."""
        write = MemberWrite(self.locked, None, self.account, [])
        ledger.write_accounts(self.writes, [write], ids=self.ids)
        events.append_with(self.writes, self.news)
        self.writes.flush(tables.COPY_ORDER)


@contextmanager
def in_hand(
    *, member: int, at: datetime, actor: str, reservations: Collection[UUID] = ()
) -> Iterator[AccountInHand]:
    """Lock an account whose due is settled, let the caller act on it, and write what changed."""
    locked = loading.lock([member])[member]
    found = loading.attach_lots([locked.account], reservations=reservations)
    current = AccountInHand(locked, Cause(None, actor, at), found)
    yield current
    current.write()
