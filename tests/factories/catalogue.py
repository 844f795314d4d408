"""Rewards, their stock and who asks for them, in a few words."""

from datetime import datetime, timedelta
from typing import Any

from members.models import Member
from rewards.models import Redemption, Reward, RewardSlot, Stock
from rewards.services import catalogue, redeeming, stock
from rewards.services.redeeming import Redeemed, Wish
from rewards.services.reservation import Asking, Reserved, RewardWish, reserve
from rewards.services.reservation import Wish as ReservationWish
from tests.factories.members import AT
from tiers.models import Tier

STAFF = "staff:eve"


def reward(
    code: str = "mug", points: int = 100, *, pieces: int | None = None, **values: Any
) -> Reward:
    """Make a reward, with so many pieces for everybody."""
    defaults: dict[str, Any] = {
        "kind": "goods", "name_zh": code, "name_en": code, "points": points,
        "tracks_stock": pieces is not None,
    }  # fmt: skip
    made = Reward.objects.create(code=code, **{**defaults, **values})
    if pieces:
        receive(made, pieces)
    return made


def receive(
    made: Reward, pieces: int, *, tier: str | None = None, slot: RewardSlot | None = None
) -> Stock:
    """Put pieces in stock, kept for a tier or for everybody."""
    kept_for = None if tier is None else Tier.objects.get(code=tier)
    return stock.receive(
        reward=made, quantity=pieces, reason="delivery", at=AT, actor=STAFF, place=(slot, kept_for)
    )


def slot(made: Reward, code: str, starts_at: datetime, seats: int) -> RewardSlot:
    """Make a date of an experience, with seats."""
    row = RewardSlot.objects.create(
        reward=made, code=code, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2)
    )
    receive(made, seats, slot=row)
    return row


def redeem(who: Member, code: str, *, at: datetime, **wish: Any) -> Redeemed:
    """Redeem a reward as a touchpoint does."""
    asked = catalogue.offer_for(member=who.public_id, reward=code, at=at)
    assert asked is not None
    return redeeming.redeem(asked=asked, wish=Wish(**wish), at=at, actor="till", touchpoint=None)


def hold(who: Member, *rewards: str, at: datetime, minutes: float = 15, **wish: Any) -> Reserved:
    """Reserve one of each of these rewards, and what else is wished."""
    wanted = ReservationWish(rewards=tuple(map(RewardWish, rewards)), **wish)
    asking = Asking(at, timedelta(minutes=minutes), "till")
    return reserve(member=who.pk, wish=wanted, asking=asking)


def left(made: Reward) -> tuple[int, int]:
    """Return what is on hand and what is held of all pools."""
    rows = Stock.objects.filter(reward=made)
    return sum(row.on_hand for row in rows), sum(row.held for row in rows)


def statuses(made: Reward) -> list[str]:
    """Return where the redemptions of a reward stand."""
    rows = Redemption.objects.filter(reward=made).order_by("id")
    return list(rows.values_list("status", flat=True))
