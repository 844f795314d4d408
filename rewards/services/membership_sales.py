"""Selling and refunding paid memberships under the member's lock, with the gifts that follow.

Source: BEN-16.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from rewards.services.commands import Command, command
from rewards.services.grants import MEMBERSHIP, MEMBERSHIP_REFUNDED
from rewards.services.happened import Item, TierNews
from tiers import queries as tier_queries
from tiers.models import PaidMembership, Tier
from tiers.services import memberships
from tiers.services.memberships import MembershipNotFoundError, Purchase


@dataclass(slots=True)
class Sale:
    """A membership as sold, whether it is new, and what was given with it."""

    membership: PaidMembership
    is_new: bool
    issued: list[Item] = field(default_factory=list)


def buy(*, member: int, plan: str, purchase: Purchase) -> Sale:
    """Sell a plan; a tier that is entered by it brings its gifts, once like any entry.

    Raises: MemberNotFoundError, MemberFrozenError, PlanNotFoundError, MembershipError.
    """
    return _sell(
        member, purchase, lambda: memberships.buy(member=member, plan=plan, purchase=purchase)
    )


def renew(*, membership: UUID, purchase: Purchase) -> Sale:
    """Sell the next period of a membership.

    Raises: MembershipNotFoundError, MemberFrozenError, PlanNotFoundError, MembershipError.
    """
    return _sell(
        _member_of(membership),
        purchase,
        lambda: memberships.renew(membership=membership, purchase=purchase),
    )


def _sell(member: int, purchase: Purchase, sell: Callable[[], tuple[PaidMembership, bool]]) -> Sale:
    at = purchase.at
    with (
        command(
            member=member, at=at, actor=purchase.actor, touchpoint=purchase.touchpoint
        ) as current,
        _moving(current, MEMBERSHIP, at),
    ):
        row, is_new = sell()
    return Sale(row, is_new, current.issued)


def cancel(*, membership: UUID, at: datetime, actor: str) -> PaidMembership:
    """Let a membership run to its end and not be renewed.

    Raises: MembershipNotFoundError, MembershipError.
    """
    member = _member_of(membership)
    with command(member=member, at=at, actor=actor, needs_active=False):
        return memberships.cancel(membership=membership, at=at, actor=actor)


def refund(*, membership: UUID, at: datetime, actor: str) -> PaidMembership:
    """Take a membership back; unused gifts of the tier that it gave go along.

    Raises: MembershipNotFoundError, MembershipError.
    """
    member = _member_of(membership)
    with (
        command(member=member, at=at, actor=actor, needs_active=False) as current,
        _moving(current, MEMBERSHIP_REFUNDED, at),
    ):
        return memberships.refund(membership=membership, at=at, actor=actor)


@contextmanager
def _moving(current: Command, reason: str, at: datetime) -> Iterator[None]:
    """Note with the command how the tier that counts has moved, if it has."""
    before = _tier(current.member, at)
    yield
    after = _tier(current.member, at)
    if before.rank != after.rank:
        current.tiers.append(
            TierNews(current.member, after.code, after.rank, before.rank, reason, at)
        )


def _tier(member: int, at: datetime) -> Tier:
    return tier_queries.current_tiers([member], at=at)[member].tier


def _member_of(membership: UUID) -> int:
    rows = PaidMembership.objects.filter(public_id=membership)
    member: int | None = rows.values_list("member_id", flat=True).first()
    if member is None:
        raise MembershipNotFoundError
    return member
