"""One intake for the API, the batch endpoint, the importer, refunds, claims and enrolment.

A batch is loaded and locked once, decided in business order member by member, and written with one
set of statements; a single order is a batch of one.

Source: design §3 (order flow), §5.1.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from members.models import Touchpoint
from rewards.domain.receipt import Receipt
from rewards.domain.receipt import receive as receipt_of
from rewards.domain.submission import Submission
from rewards.services.answers import Outcome
from rewards.services.batch import Batch, MovedUnderneathError

ATTEMPTS: Final = 3


def receive(
    facts: Sequence[Submission],
    *,
    touchpoint: Touchpoint | None,
    at: datetime,
    history: bool = False,
    actor: str = "",
    channel: str = "",
) -> list[Outcome]:
    """Receive facts, all of one touchpoint, and return what became of each, in their order.

    `at` is when they are received. With `history` there is no limit to how late a fact may be, and
    time is settled only up to each fact's own instant. A fact that is refused does not keep the
    others from being taken; what is taken is committed together.
    """
    if not facts:
        return []
    code = "import" if touchpoint is None else touchpoint.code
    channel = channel or ("import" if touchpoint is None else touchpoint.channel)
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                batch = Batch(
                    [receipt_of(fact, channel) for fact in facts],
                    touchpoint=touchpoint,
                    at=at,
                    is_history=history,
                    actor=actor or f"touchpoint:{code}",
                )
                return batch.run()
        except (IntegrityError, MovedUnderneathError):
            # Another call received the same fact, or moved the order, between look-up and lock.
            # Its transaction is over by now, so what it wrote is seen by the next attempt.
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def apply_waiting(receipts: Sequence[Receipt], *, at: datetime, actor: str) -> list[Outcome]:
    """Fold stored facts whose member is known at last; `member` of each says whom.

    Runs in the caller's transaction.
    """
    if not receipts:
        return []
    return Batch(list(receipts), touchpoint=None, at=at, is_history=False, actor=actor).run()
