"""What members are given: the items of gifts and packs, and what a reward is made of.

Everything happens in the caller's transaction, all or nothing. Locks are taken in one order: the
account, then stock, then coupon templates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from config.base import clock
from config.base.names import name_of
from members.domain.public_id import new_public_id
from members.services import events
from members.services.events import NewEvent
from rewards.domain import validity
from rewards.models import (
    Coupon,
    GiftItem,
    Grant,
    Redemption,
    RedemptionStatus,
    Reward,
    RewardKind,
)
from rewards.models.grant import GiftKind
from rewards.services import accounts, coupons, reward_codes, stock
from rewards.services.accounts import AccountInHand
from rewards.services.catalogue import WITH_CODES
from rewards.services.programme import current_book
from tiers import queries as tier_queries
from tiers.models import EntitlementSource, QuotaPeriod
from tiers.services import entitlements

Item = dict[str, Any]

# What these are made of is handed over the moment they are given.
AT_ONCE: Final = frozenset(
    {RewardKind.COUPON.value, RewardKind.SERVICE.value, RewardKind.PACK.value}
    | {RewardKind.DONATION.value}
    | WITH_CODES
)
_LOCK_ORDER: Final = (
    GiftKind.POINTS.value, GiftKind.BENEFIT.value, GiftKind.REWARD.value, GiftKind.COUPON.value,
)  # fmt: skip


@transaction.atomic
def give_items(  # noqa: PLR0913 - what a gift says
    *,
    items: Iterable[GiftItem],
    member: int,
    at: datetime,
    actor: str,
    account_command: AccountInHand | None = None,
    grant: Grant | None = None,
    redemption: Redemption | None = None,
    times: int = 1,
) -> list[Item]:
    """Give every item of a gift or a pack, so many times over; returns what answers say of it.

    `account_command` is the member's account where the caller has it in hand.
    Raises: OutOfStockError, CouponTemplateExhaustedError; nothing has been given then.
    Source: RWD-02, RWD-10.
    """
    wanted = list(items)
    giving = _Giving(member, at, actor, account_command, grant, redemption, times)
    issued: dict[int, list[Item]] = {}
    for number in sorted(range(len(wanted)), key=lambda n: _place(wanted[n])):
        issued[number] = giving.give(wanted[number])
    return [item for number in range(len(wanted)) for item in issued[number]]


def _place(item: GiftItem) -> tuple[int, int, int]:
    return (
        _LOCK_ORDER.index(item.kind), item.reward_id or 0, item.coupon_template_id or 0,
    )  # fmt: skip


@dataclass(slots=True)
class _Giving:
    """One gift to one member, so many times over."""

    member: int
    at: datetime
    actor: str
    account: AccountInHand | None
    grant: Grant | None
    redemption: Redemption | None
    times: int

    def give(self, item: GiftItem) -> list[Item]:
        quantity = None if item.quantity is None else item.quantity * self.times
        if item.kind == GiftKind.POINTS:
            return self._points(quantity or 0)
        if item.kind == GiftKind.BENEFIT:
            return self._benefit(item, quantity)
        if item.kind == GiftKind.REWARD:
            return self._reward(item, quantity or 0)
        return self._coupons(item, quantity or 0)

    def _points(self, points: int) -> list[Item]:
        if self.account is not None:
            _rise(self.account, points, self.at)
        else:
            with accounts.in_hand(member=self.member, at=self.at, actor=self.actor) as account:
                _rise(account, points, self.at)
        return [{"kind": GiftKind.POINTS.value, "points": points}]

    def _benefit(self, item: GiftItem, quota: int | None) -> list[Item]:
        assert item.benefit is not None
        days = item.valid_days
        until_at = None if days is None else validity.end_of_day_after(self.at, days)
        entitlements.grant(
            member=self.member, benefit=item.benefit, quota=quota, period=QuotaPeriod.TERM,
            from_at=self.at, until_at=until_at, source=EntitlementSource.GRANT,
            source_ref=reference(item, grant=self.grant, redemption=self.redemption),
            actor=self.actor,
        )  # fmt: skip
        return [{"kind": GiftKind.BENEFIT.value, "code": item.benefit.code, "quota": quota}]

    def _reward(self, item: GiftItem, quantity: int) -> list[Item]:
        assert item.reward is not None
        redemption, contents = give_reward(
            reward=item.reward, quantity=quantity, member=self.member, at=self.at,
            actor=self.actor, grant=self.grant, pack=self.redemption,
        )  # fmt: skip
        return [reward_item(redemption), *contents]

    def _coupons(self, item: GiftItem, count: int) -> list[Item]:
        assert item.coupon_template is not None
        issued = coupons.issue(
            template=item.coupon_template, member=self.member, count=count, at=self.at,
            actor=self.actor, valid_days=item.valid_days, grant=self.grant,
            redemption=self.redemption,
        )  # fmt: skip
        return [coupon_item(coupon) for coupon in issued]


def reference(
    item: GiftItem, *, grant: Grant | None = None, redemption: Redemption | None = None
) -> str:
    """Return what a claim to a benefit is known by: the same gift gives an item once."""
    if redemption is not None:
        return f"redemption:{redemption.public_id}:{item.pk}"
    return f"grant:{grant.public_id}:{item.pk}" if grant else f"gift:{item.pk}"


def give_reward(  # noqa: PLR0913 - what a gift says
    *,
    reward: Reward,
    quantity: int,
    member: int,
    at: datetime,
    actor: str,
    grant: Grant | None = None,
    pack: Redemption | None = None,
) -> tuple[Redemption, list[Item]]:
    """Give a reward without points, with what it is made of.

    Raises: OutOfStockError.
    """
    redemption = Redemption(
        public_id=new_public_id(at), member_id=member, reward=reward, quantity=quantity,
        grant=grant, pack=pack, actor=actor, requested_at=at,
    )  # fmt: skip
    if reward.tracks_stock and reward.kind not in WITH_CODES:
        rank = rank_of(member, at)
        redemption.stock_id = stock.take(reward, slot=None, rank=rank, quantity=quantity)
    redemption.save(force_insert=True)
    if redemption.stock_id is not None:
        stock.record_taken(redemption, at=at, actor=actor)
    contents: list[Item] = []
    if reward.kind in AT_ONCE and not reward.needs_approval:
        contents = hand_over(redemption, at=at, actor=actor)
        redemption.save(update_fields=["status", "fulfilled_at"])
    events.append([event("redemption.requested", redemption, at)])
    return redemption, contents


def hand_over(
    redemption: Redemption, *, at: datetime, actor: str, account: AccountInHand | None = None
) -> list[Item]:
    """Give what a redemption is made of and call it fulfilled; the caller writes its row.

    Raises: OutOfStockError, CouponTemplateExhaustedError.
    """
    reward = redemption.reward
    issued: list[Item] = []
    if reward.kind in WITH_CODES:
        reward_codes.give(redemption, at=at)
    elif reward.kind == RewardKind.COUPON:
        assert reward.coupon_template is not None
        given = coupons.issue(
            template=reward.coupon_template, member=redemption.member_id,
            count=redemption.quantity, at=at, actor=actor, redemption=redemption,
        )  # fmt: skip
        issued = [coupon_item(coupon) for coupon in given]
    elif reward.kind == RewardKind.SERVICE:
        issued = [_service(redemption, at, actor)]
    elif reward.kind == RewardKind.PACK:
        items = GiftItem.objects.filter(pack=reward).order_by("id")
        issued = give_items(
            items=items.select_related("coupon_template", "reward", "benefit"),
            member=redemption.member_id, at=at, actor=actor, account_command=account,
            redemption=redemption, times=redemption.quantity,
        )  # fmt: skip
    redemption.status, redemption.fulfilled_at = RedemptionStatus.FULFILLED, at
    return issued


def _service(redemption: Redemption, at: datetime, actor: str) -> Item:
    benefit = redemption.reward.benefit
    assert benefit is not None
    entitlements.grant(
        member=redemption.member_id, benefit=benefit, quota=redemption.quantity,
        period=QuotaPeriod.TERM, from_at=at, until_at=None, source=EntitlementSource.GRANT,
        source_ref=f"redemption:{redemption.public_id}", actor=actor,
    )  # fmt: skip
    return {"kind": "benefit", "code": benefit.code, "quota": redemption.quantity}


def _rise(account: AccountInHand, points: int, at: datetime) -> None:
    """Issue points as a gift: of no purchase, and valid like points earned that day."""
    expires_at = current_book().policy_at(at).expires_at(at)
    account.account.rise(account.grounds("gift"), points, at, expires_at=expires_at)


def rank_of(member: int, at: datetime) -> int:
    """Return the rank that counts for a member, as it has been written."""
    current = tier_queries.current_tiers([member], at=at).get(member)
    return 0 if current is None else current.tier.rank


def event(kind: str, redemption: Redemption, at: datetime, reason: str = "") -> NewEvent:
    """Return an event about a redemption."""
    payload: dict[str, Any] = {
        "id": str(redemption.public_id), "reward": redemption.reward.code,
        "quantity": redemption.quantity, "points": redemption.points,
    }  # fmt: skip
    if reason:
        payload["reason"] = reason
    return NewEvent(redemption.member_id, kind, at, at, payload)


def reward_item(redemption: Redemption) -> Item:
    """Return what an answer says of a reward that was given."""
    return {
        "kind": GiftKind.REWARD.value, "id": str(redemption.public_id),
        "reward": redemption.reward.code, "name": name_of(redemption.reward),
        "quantity": redemption.quantity, "status": redemption.status,
    }  # fmt: skip


def coupon_item(coupon: Coupon) -> Item:
    """Return what an answer says of a coupon that was issued."""
    expires_at = coupon.expires_at
    return {
        "kind": GiftKind.COUPON.value, "code": coupon.code, "template": coupon.template.code,
        "name": name_of(coupon.template),
        "expires_at": None if expires_at is None else clock.local(expires_at).isoformat(),
    }  # fmt: skip


def contents_of(redemptions: Sequence[Redemption]) -> dict[int, list[Item]]:
    """Return what was issued by each redemption, for answers given again."""
    by_key: dict[int, list[Item]] = {redemption.pk: [] for redemption in redemptions}
    issued = Coupon.objects.filter(redemption__in=by_key).select_related("template").order_by("id")
    for coupon in issued:
        by_key[coupon.redemption_id or 0].append(coupon_item(coupon))
    children = Redemption.objects.filter(pack__in=by_key).select_related("reward").order_by("id")
    for child in children:
        by_key[child.pack_id or 0].append(reward_item(child))
    return by_key
