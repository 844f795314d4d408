"""Handing events to those who follow them.

A follower's work on an event and the note that it is done are one transaction: whatever dies in
between, both happen or neither. One that takes many events at once has a transaction for all of
them; where that fails, each event has its own. What fails is tried again later, longer each time,
then parked.

Source: design §3, rule 3.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from config.base.errors import DomainError
from members.models.event import DeliveryState
from members.services import events
from members.services.events import Delivery

BATCH: Final = 100
# Claims come due again when their lease ends; what is left of a batch by then is another's.
LEASE_MARGIN: Final = timedelta(minutes=1)

logger = logging.getLogger(__name__)

Handler = Callable[[Delivery], None]
ManyHandler = Callable[[Sequence[Delivery]], None]


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows which kinds of event, and what it does with one.

    One that `chooses` subscribes to kinds itself, as they are wanted. One that can `handle_many`
    is handed a batch at once where nothing fails.
    """

    name: str
    kinds: frozenset[str]
    handle: Handler
    chooses: bool = False
    handle_many: ManyHandler | None = None


class FollowerUnknownError(DomainError):
    """Nobody follows events under this name."""

    def __init__(self, name: str) -> None:
        super().__init__("follower_unknown", f"no follower named {name}", 404, follower=name)


class _ClaimLostError(Exception):
    """The delivery was answered for, or parked, while this claim was working on it."""


_followers: dict[str, Follower] = {}


def register(follower: Follower) -> None:
    """Add a follower.

    Raises: ValueError when another one has the name.
    """
    if _followers.setdefault(follower.name, follower) != follower:
        raise ValueError(f"there is a follower named {follower.name} already")


def registered() -> list[Follower]:
    """Return all followers in the order of their names."""
    return [_followers[name] for name in sorted(_followers)]


def sync_subscriptions() -> None:
    """Make the stored subscriptions those of the registered followers."""
    events.sync_subscriptions(
        {each.name: each.kinds for each in registered() if not each.chooses},
        leaving=[each.name for each in registered() if each.chooses],
    )


def deliver(*, follower: str, at: datetime) -> int:
    """Hand what is due to a follower, one batch of it; return how many deliveries were claimed.

    Raises: FollowerUnknownError.
    """
    found = _followers.get(follower)
    if found is None:
        raise FollowerUnknownError(follower)
    deadline = time.monotonic() + (events.LEASE - LEASE_MARGIN).total_seconds()
    claimed = events.claim_deliveries(follower, BATCH, at)
    if _all_at_once(found, claimed):
        return len(claimed)
    for delivery in claimed:
        if time.monotonic() > deadline:
            break
        _hand_over(found, delivery, at)
    return len(claimed)


def _all_at_once(follower: Follower, claimed: Sequence[Delivery]) -> bool:
    """Hand over a batch in one transaction; False where it has to be done event by event.

    So it is where any was tried before: an event that kills its follower takes no others along.
    """
    is_first = all(delivery.attempt == 1 for delivery in claimed)
    if follower.handle_many is None or len(claimed) < 2 or not is_first:
        return False
    try:
        _handle_many(follower.handle_many, claimed)
    except Exception as error:  # each event by itself will tell which one it was
        logger.info("%s takes its events one by one: %s", follower.name, type(error).__name__)
        return False
    return True


@transaction.atomic
def _handle_many(handle: ManyHandler, claimed: Sequence[Delivery]) -> None:
    handle(claimed)
    if events.complete(claimed) < len(claimed):
        raise _ClaimLostError


def _hand_over(follower: Follower, delivery: Delivery, at: datetime) -> None:
    try:
        _handle(follower, delivery)
    except _ClaimLostError:
        logger.warning("delivery %s of %s was another's", delivery.id, follower.name)
    except Exception as error:  # whatever this event did, the next one's turn comes
        code = error.code if isinstance(error, DomainError) else type(error).__name__
        state = events.fail(delivery, at=at, error_code=code)
        level = logging.ERROR if state == DeliveryState.FAILED else logging.WARNING
        logger.log(
            level, "delivery %s of %s failed: %s, now %s", delivery.id, follower.name, code, state
        )


@transaction.atomic
def _handle(follower: Follower, delivery: Delivery) -> None:
    follower.handle(delivery)
    if not events.complete([delivery]):
        raise _ClaimLostError
