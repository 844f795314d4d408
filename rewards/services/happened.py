"""What a batch has done, as its consequences see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from members.models import Case, Touchpoint
from rewards.domain.account import Account
from rewards.domain.holds import HoldState
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import Receipt
from rewards.domain.subjects import OrderState

Item = dict[str, Any]

NO_FACT: Final = 0
"""What follows from a command is of no fact; no evaluation remembers it."""


@dataclass(frozen=True, slots=True)
class OrderNews:
    """An order that the batch has changed: as it now stands for the member it is of.

    `fact` is the newest fact of this batch about it, where answers and issues belong; `version` the
    version that counts; `counted_before` says whether it counted before the batch.
    `names_coupons` where any version of it names coupons or a reservation that may hold some: then
    `member_facts` says what conditions may ask of the member, as of its placing.
    """

    order: int
    member: int
    fact: int
    version: Receipt
    state: OrderState
    counted_before: bool
    is_new_version: bool = False
    names_coupons: bool = False
    member_facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Say whether the order is paid and worth something."""
        return self.state.counted.counts


@dataclass(frozen=True, slots=True)
class TierNews:
    """A member entered a tier (by its code), up or down; `rank_before` is None at enrolment."""

    member: int
    tier: str
    rank: int
    rank_before: int | None
    reason: str
    at: datetime


@dataclass(slots=True)
class Happened:
    """What a batch has done, for the consequences; they add what the answers say of them.

    With `is_history` nothing is given: the past has had its gifts. `closed_holds` are reservations
    that were captured, released, or have lapsed, by their keys. `moved_points` are members whose
    points a consequence has moved: their balance is not the one that the fold came to.
    `moved_tiers` are members whose tier is another one than was stored, whatever `tiers` tells: a
    late fact can take an entry back as if it had never been.
    """

    at: datetime
    actor: str
    touchpoint: Touchpoint | None
    book: ProgrammeBook
    is_history: bool
    orders: list[OrderNews] = field(default_factory=list)
    tiers: list[TierNews] = field(default_factory=list)
    closed_holds: dict[int, HoldState] = field(default_factory=dict)
    fact_of_member: dict[int, int] = field(default_factory=dict)
    issued: dict[int, list[Item]] = field(default_factory=dict)
    issues: dict[int, list[Item]] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    moved_points: set[int] = field(default_factory=set)
    moved_tiers: set[int] = field(default_factory=set)

    def note_holds(self, account: Account) -> None:
        """Note the reservations of an account that were held until now."""
        for key in account.closed_holds:
            self.closed_holds[key] = account.holds[key].state

    @property
    def is_nothing(self) -> bool:
        """Say whether nothing has happened that anything could follow from."""
        return not (self.orders or self.tiers or self.moved_tiers or self.closed_holds)

    def tell_issued(self, fact: int, item: Item) -> None:
        """Add what the answer to a fact says was given: the till can print it."""
        self.issued.setdefault(fact, []).append(item)

    def tell_issue(self, fact: int, issue: Item) -> None:
        """Add what the answer to a fact says could not be done."""
        self.issues.setdefault(fact, []).append(issue)

    def open_case(self, member: int, fact: int, issue: Item, *, about: str = "") -> None:
        """Let a person look at what could not be done; the answer to the fact says so too.

        `about` is the code of the case where the issue's own says less.
        """
        self.tell_issue(fact, issue)
        self.cases.append(
            Case(
                member_id=member,
                code=about or issue["code"],
                fact_id=fact,
                details=issue,
                opened_at=self.at,
            )
        )
