"""Handing events to those who follow them.

A follower's work on one event and the note that it is done are one transaction: whatever dies in
between, both happen or neither. What fails is tried again later, longer each time, then parked.
One that takes many events at once gets its claims in one transaction; if that fails, one by one.

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
Together = Callable[[Sequence[Delivery]], None]


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows which kinds of event, and what it does with one.

    One that `chooses` subscribes to kinds itself, as they are wanted. What `handle_all` does with
    many is what `handle` does with each of them.
    """

    name: str
    kinds: frozenset[str]
    handle: Handler
    chooses: bool = False
    handle_all: Together | None = None


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
    claimed = events.claim_deliveries(follower, BATCH, at)
    if len(claimed) > 1 and found.handle_all is not None and _managed(found.handle_all, claimed):
        return len(claimed)
    deadline = time.monotonic() + (events.LEASE - LEASE_MARGIN).total_seconds()
    for delivery in claimed:
        if time.monotonic() > deadline:
            break
        _hand_over(found, delivery, at)
    return len(claimed)


def _hand_over(follower: Follower, delivery: Delivery, at: datetime) -> None:
    try:
        _finish(lambda: follower.handle(delivery), [delivery])
    except _ClaimLostError:
        logger.warning("delivery %s of %s was another's", delivery.id, follower.name)
    except Exception as error:  # whatever this event did, the next one's turn comes
        code = error.code if isinstance(error, DomainError) else type(error).__name__
        state = events.fail(delivery, at=at, error_code=code)
        level = logging.ERROR if state == DeliveryState.FAILED else logging.WARNING
        logger.log(
            level, "delivery %s of %s failed: %s, now %s", delivery.id, follower.name, code, state
        )


def _managed(handle_all: Together, claimed: Sequence[Delivery]) -> bool:
    """Hand all over in one transaction; tell whether that went well."""
    try:
        _finish(lambda: handle_all(claimed), claimed)
    except Exception as error:  # one by one they tell which of them it was
        logger.info("%s deliveries are handed over singly: %s", len(claimed), type(error).__name__)
        return False
    return True


@transaction.atomic
def _finish(work: Callable[[], None], claimed: Sequence[Delivery]) -> None:
    """Do the work and note that it is done."""
    work()
    if events.complete(claimed) != len(claimed):
        raise _ClaimLostError
