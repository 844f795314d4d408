"""One intake for the API, the batch endpoint, the importer, refunds, claims and enrolment.

A batch is loaded and locked once, decided in business order member by member, and written with one
set of statements; a single order is a batch of one.

Source: design §3 (order flow), §5.1.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import DeadlockDetected

from config.base.errors import DomainError
from members.models import FactKind, FactState, ReceivedFact, Touchpoint
from members.services import identity
from members.services.identity import HashKey
from rewards.domain.receipt import receive as receipt_of
from rewards.domain.submission import Submission
from rewards.services import loading
from rewards.services.answers import Outcome
from rewards.services.arrivals import MovedUnderneathError
from rewards.services.batch import Batch
from rewards.services.programme import current_book

ATTEMPTS: Final = 8

Result = TypeVar("Result")


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

    def attempt() -> list[Outcome]:
        batch = Batch(
            [receipt_of(fact, channel) for fact in facts],
            touchpoint=touchpoint,
            at=at,
            settle_to=None if history else at,
            actor=actor or f"touchpoint:{code}",
        )
        return batch.run()

    return insist(attempt)


def insist(attempt: Callable[[], Result]) -> Result:
    """Try again what another call has disturbed, each time in a transaction of its own.

    Inside a caller's transaction that is a savepoint, and what the attempt locked is let go of.
    """
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            with transaction.atomic():
                return attempt()
        except (IntegrityError, MovedUnderneathError):
            # Another call received the same fact, or moved the order, between look-up and lock.
            # Its transaction is over by now, so what it wrote is seen by the next attempt.
            if not attempts_left:
                raise
        except OperationalError as error:
            # Two batches that bring the same facts for different members wait for each other; so do
            # an enrolment and a batch whose facts it lets meet their member.
            if not isinstance(error.__cause__, DeadlockDetected) or not attempts_left:
                raise
    raise AssertionError("unreachable")


def fact_ids(*, source: str, refs: Collection[str]) -> dict[str, int]:
    """Return the ids of received interactions of a source, by their references."""
    facts = ReceivedFact.objects.filter(
        source=source, kind=FactKind.INTERACTION, ref__in=list(refs)
    )
    return dict(facts.values_list("ref", "pk"))


def attach_awaiting(*, members: Collection[int], at: datetime, actor: str = "system") -> int:
    """Fold the facts that waited for identifiers which now lead to these members.

    Returns how many. Call it in the transaction that attached the identifiers, and `insist` on that
    one: what it holds is what another call may be waiting for.
    """
    hashes = identity.awaited_hashes(members)
    if not hashes:
        return 0
    loading.meet_waiting((value for _kind, _app, value in hashes), shared=False)
    return _attach(hashes, at, actor)


def _attach(hashes: Mapping[HashKey, int], at: datetime, actor: str) -> int:
    waiting = ReceivedFact.objects.filter(
        state=FactState.AWAITING_MEMBER, awaits_hash__in={value for _k, _a, value in hashes}
    )
    owner = {(kind, value): member for (kind, _app, value), member in hashes.items()}
    claims = {
        fact.pk: owner[fact.awaits_kind, bytes(fact.awaits_hash or b"")]
        for fact in waiting
        if (fact.awaits_kind, bytes(fact.awaits_hash or b"")) in owner
    }
    _apply(claims, at=at, actor=actor)
    return len(claims)


class ClaimError(DomainError):
    """An order cannot be claimed: not there, too old, or somebody's already."""


def claim(*, source: str, order_no: str, member: int, at: datetime, actor: str) -> Outcome:
    """Give an order that nobody was named for to a member (补登积分).

    Raises: ClaimError.
    Source: design §5.1 (6).
    """
    return insist(lambda: _claim((source, order_no), member, at, actor))


def _claim(order: tuple[str, str], member: int, at: datetime, actor: str) -> Outcome:
    source, order_no = order
    facts = ReceivedFact.objects.filter(order_no=order_no, source=source, kind=FactKind.ORDER)
    versions = list(facts.order_by("version"))
    if not versions:
        raise ClaimError("order_not_found", _("There is no such order."), 404)
    newest = versions[-1]
    if newest.state != FactState.AWAITING_MEMBER:
        raise ClaimError("order_already_claimed", _("The order has a member already."), 409)
    placed_at = datetime.fromisoformat(newest.body["placed_at"])
    days = current_book().policy_at(at).claim_days
    if at - placed_at > timedelta(days=days):
        raise ClaimError(
            "claim_too_late", _("The order is too old to be claimed."), 409, claim_days=days
        )
    waiting = (fact for fact in versions if fact.state == FactState.AWAITING_MEMBER)
    claims = {fact.pk: member for fact in waiting}
    return _apply(claims, at=at, actor=actor)[newest.pk]


def _apply(claims: Mapping[int, int], *, at: datetime, actor: str) -> dict[int, Outcome]:
    if not claims:
        return {}
    waiting = loading.receipts_of(claims)
    batch = Batch(waiting, touchpoint=None, at=at, settle_to=at, actor=actor, claims=claims)
    return {fact.id: outcome for fact, outcome in zip(waiting, batch.run(), strict=True)}
