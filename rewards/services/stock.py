"""The stock of rewards: taken, held, received and given back, never below nothing.

Each change is one statement whose condition is the rule, with constraints behind it. Held stock is
set aside of what is on hand; what is on hand is what its movements add up to.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from rewards.models import Redemption, Reward, RewardSlot, Stock, StockMovement
from tiers.models import Tier

# Whoever had to wait for a pool looks at it again; one that is empty by then is passed over.
_PICK: Final = """
WITH pick AS (
    SELECT s.id FROM rewards_stock s LEFT JOIN tiers_tier t ON t.id = s.tier_id
    WHERE s.reward_id = %(reward)s AND s.slot_id IS NOT DISTINCT FROM %(slot)s::bigint
      AND coalesce(t.rank, 0) <= %(rank)s AND s.on_hand - s.held >= %(quantity)s
    ORDER BY t.rank DESC NULLS LAST LIMIT 1
    FOR NO KEY UPDATE OF s
)
"""
_TAKE: Final = (
    _PICK
    + """
UPDATE rewards_stock x SET on_hand = x.on_hand - %(quantity)s FROM pick WHERE x.id = pick.id
RETURNING x.id
"""
)
_HOLD: Final = (
    _PICK
    + """
UPDATE rewards_stock x SET held = x.held + %(quantity)s FROM pick WHERE x.id = pick.id
RETURNING x.id
"""
)

_SETTLE: Final = """
WITH changes AS (
    SELECT stock, sum(held)::int AS held, sum(taken)::int AS taken
    FROM json_to_recordset(%s::json) AS t (stock bigint, held int, taken int)
    GROUP BY stock
), locked AS (
    SELECT s.id FROM rewards_stock s WHERE s.id IN (SELECT stock FROM changes)
    ORDER BY s.id FOR NO KEY UPDATE
)
UPDATE rewards_stock x SET held = x.held - c.held, on_hand = x.on_hand - c.taken
FROM changes c JOIN locked l ON l.id = c.stock WHERE x.id = c.stock
"""


class OutOfStockError(DomainError):
    """There is not enough of a reward for this member."""

    def __init__(self, reward: str) -> None:
        super().__init__("out_of_stock", _("The reward is out of stock."), 409, reward=reward)


class StockCorrectionError(DomainError):
    """A correction of the stock that cannot be."""


def take(reward: Reward, *, slot: int | None, rank: int, quantity: int) -> int:
    """Take some of the most exclusive pool that a rank may draw from; returns which.

    The caller records the movement.
    Raises: OutOfStockError.
    """
    return _draw(_TAKE, reward, slot, rank, quantity)


def hold(reward: Reward, *, slot: int | None, rank: int, quantity: int) -> int:
    """Set some aside of the most exclusive pool that a rank may draw from; returns which.

    Raises: OutOfStockError.
    """
    return _draw(_HOLD, reward, slot, rank, quantity)


def _draw(statement: str, reward: Reward, slot: int | None, rank: int, quantity: int) -> int:
    values = {"reward": reward.pk, "slot": slot, "rank": rank, "quantity": quantity}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        raise OutOfStockError(reward.code)
    return int(row[0])


def settle(held: Iterable[Redemption], *, captured: bool, at: datetime, actor: str) -> None:
    """Take what was held for redemptions, or let it go."""
    rows = [r for r in held if r.stock_id is not None]
    if not rows:
        return
    changes = [
        {"stock": r.stock_id, "held": r.quantity, "taken": r.quantity if captured else 0}
        for r in rows
    ]
    _change(changes)
    if captured:
        _record([(r, -r.quantity) for r in rows], "redeemed", at, actor)


def give_back(redemptions: Iterable[Redemption], *, reason: str, at: datetime, actor: str) -> None:
    """Put what redemptions had taken back where it came from."""
    rows = [r for r in redemptions if r.stock_id is not None]
    if rows:
        _change([{"stock": r.stock_id, "held": 0, "taken": -r.quantity} for r in rows])
        _record([(r, r.quantity) for r in rows], reason, at, actor)


def record_taken(redemption: Redemption, *, at: datetime, actor: str) -> None:
    """Record that a redemption has taken its quantity."""
    _record([(redemption, -redemption.quantity)], "redeemed", at, actor)


@transaction.atomic
def receive(
    *, reward: Reward, quantity: int, reason: str, at: datetime, actor: str,
    place: tuple[RewardSlot | None, Tier | None] = (None, None),
) -> Stock:  # fmt: skip
    """Add to a pool, or take away where the quantity is negative: a delivery or a correction.

    `place` names the slot and the tier it is kept for.
    Raises: StockCorrectionError.
    """
    if not quantity or not reason.strip():
        raise StockCorrectionError(
            "stock_correction_invalid", _("A correction has a quantity and a reason.")
        )
    slot, tier = place
    found, _created = Stock.objects.get_or_create(reward=reward, slot=slot, tier=tier)
    stock = Stock.objects.select_for_update(no_key=True).get(pk=found.pk)
    if stock.on_hand + quantity < stock.held:
        raise StockCorrectionError(
            "stock_below_held", _("Less than what is set aside cannot be on hand."), 409,
            on_hand=stock.on_hand, held=stock.held,
        )  # fmt: skip
    stock.on_hand += quantity
    stock.save(update_fields=["on_hand"])
    StockMovement.objects.create(
        stock=stock, quantity=quantity, reason=reason[:40], actor=actor, at=at
    )
    return stock


def _change(changes: Sequence[dict[str, int | None]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [orjson.dumps(changes).decode()])


def _record(moved: Iterable[tuple[Redemption, int]], reason: str, at: datetime, actor: str) -> None:
    StockMovement.objects.bulk_create(
        StockMovement(
            stock_id=redemption.stock_id, quantity=quantity, reason=reason,
            redemption=redemption, actor=actor, at=at,
        )
        for redemption, quantity in moved
        if redemption.stock_id is not None
    )  # fmt: skip
