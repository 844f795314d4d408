"""Facts that have been waiting for their member, and what happens when the member is known."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from members.models import FactKind, FactState, ReceivedFact
from members.services import identity
from rewards.services import intake, loading

ACTOR: Final = "system"


def attach_awaiting(*, members: Collection[int], at: datetime) -> int:
    """Fold what has been waiting for identifiers of these members; return how many facts.

    Runs in the caller's transaction.
    Source: design §5.1(6).
    """
    owners = {ref[2]: member for ref, member in identity.awaited_hashes(members).items()}
    waiting = ReceivedFact.objects.filter(
        state=FactState.AWAITING_MEMBER, awaits_hash__in=list(owners)
    )
    rows = list(waiting.values_list("id", "kind", "source", "order_no", "ref", "awaits_hash"))
    if not rows:
        return 0
    orders = {(row[2], row[3]) for row in rows if row[3]}
    interactions = {(row[2], row[4]) for row in rows if row[1] == FactKind.INTERACTION}
    owner_of = {row[0]: owners[bytes(row[5] or b"")] for row in rows}
    receipts = [
        receipt for receipt in loading.facts_of(orders, interactions) if receipt.id in owner_of
    ]
    for receipt in receipts:
        receipt.member = owner_of[receipt.id]
    intake.apply_waiting(receipts, at=at, actor=ACTOR)
    return len(receipts)
