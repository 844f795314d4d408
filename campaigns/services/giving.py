"""What acts of a campaign give, through the services that give it: all of an act or nothing.

Locks are taken in one order: accounts, then stock, then coupon templates.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from campaigns.domain.effects import Effect, EffectKind
from config.base.errors import DomainError
from members.models import Order
from members.services import cases
from members.services.cases import NewCase
from rewards.domain import validity
from rewards.models import CouponTemplate, Reward
from rewards.models.coupon import CouponKind
from rewards.services import coupons, gifts, many_points
from tiers.models import Benefit, EntitlementSource, QuotaPeriod
from tiers.services import entitlements

GROUND: Final = "campaign"
CASE_KIND: Final = "service_request"
CASE_CHANNEL: Final = "campaign"

Worth = dict[tuple[EffectKind, str], Decimal]


@dataclass(slots=True)
class Gift:
    """What one act gives to one member. `issued` is filled with the ids of what was given.

    `order` is the one that the act is about, if it is about one.
    """

    number: int
    member: int
    points: int
    effects: Sequence[Effect]
    order: int | None = None
    issued: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The things that effects name."""

    templates: dict[str, CouponTemplate]
    rewards: dict[str, Reward]
    benefits: dict[str, Benefit]

    def worth(self) -> Worth:
        """Return what one piece costs at most, where that is known. Units: money."""
        found: Worth = {}
        for code, template in self.templates.items():
            is_amount = template.kind == CouponKind.AMOUNT
            cost = template.amount if is_amount else template.max_discount
            found[EffectKind.COUPON, code] = cost or Decimal(0)
        for code, reward in self.rewards.items():
            found[EffectKind.REWARD, code] = reward.cost or Decimal(0)
        return found


def catalogue(effects: Sequence[Effect]) -> Catalogue:
    """Read what effects name; nothing is asked for kinds that none of them has."""

    def names(kind: EffectKind) -> set[str]:
        return {each.name for each in effects if each.kind is kind}

    templates, rewards = names(EffectKind.COUPON), names(EffectKind.REWARD)
    benefits = names(EffectKind.BENEFIT)
    return Catalogue(
        {t.code: t for t in CouponTemplate.objects.filter(code__in=templates)} if templates else {},
        {r.code: r for r in Reward.objects.filter(code__in=rewards)} if rewards else {},
        {b.code: b for b in Benefit.objects.filter(code__in=benefits)} if benefits else {},
    )


def give(
    gifts_of_acts: Sequence[Gift], known: Catalogue, *, at: datetime, actor: str
) -> dict[int, str]:
    """Give to all; where that is refused, to one by one. Returns why an act could not give."""
    try:
        with transaction.atomic():
            _give(gifts_of_acts, known, at, actor)
    except DomainError as refused:
        for each in gifts_of_acts:
            each.issued.clear()
        if len(gifts_of_acts) == 1:
            return {gifts_of_acts[0].number: refused.code[:40]}
    else:
        return {}
    refusals: dict[int, str] = {}
    for each in gifts_of_acts:
        refusals |= give([each], known, at=at, actor=actor)
    return refusals


def _give(wanted: Sequence[Gift], known: Catalogue, at: datetime, actor: str) -> None:
    _points(wanted, at, actor)
    for each in wanted:
        _benefits(each, known, at, actor)
    for each in wanted:
        _rewards(each, known, at, actor)
    _coupons(wanted, known, at, actor)
    for each in wanted:
        _cases(each, at, actor)


def _points(wanted: Sequence[Gift], at: datetime, actor: str) -> None:
    points: Counter[int] = Counter()
    for each in wanted:
        if each.points:
            points[each.member] += each.points
            each.issued.append({"kind": EffectKind.POINTS.value, "points": each.points})
    if points:
        many_points.give(
            points=points, ground=GROUND, said={"ground": GROUND, "actor": actor}, at=at,
            actor=actor,
        )  # fmt: skip


def _benefits(each: Gift, known: Catalogue, at: datetime, actor: str) -> None:
    for place, effect in enumerate(each.effects):
        if effect.kind is not EffectKind.BENEFIT:
            continue
        days = effect.valid_days
        entitlement = entitlements.grant(
            member=each.member, benefit=known.benefits[effect.name], quota=effect.quantity,
            period=QuotaPeriod.TERM, from_at=at,
            until_at=None if days is None else validity.end_of_day_after(at, days),
            source=EntitlementSource.GRANT, source_ref=f"campaign:{each.number}:{place}",
            actor=actor,
        )  # fmt: skip
        each.issued.append(
            {"kind": effect.kind.value, "benefit": effect.name, "id": entitlement.pk}
        )


def _rewards(each: Gift, known: Catalogue, at: datetime, actor: str) -> None:
    for effect in each.effects:
        if effect.kind is not EffectKind.REWARD:
            continue
        redemption, _contents = gifts.give_reward(
            reward=known.rewards[effect.name], quantity=effect.quantity, member=each.member,
            at=at, actor=actor,
        )  # fmt: skip
        each.issued.append(
            {"kind": effect.kind.value, "reward": effect.name, "id": str(redemption.public_id)}
        )


def _coupons(wanted: Sequence[Gift], known: Catalogue, at: datetime, actor: str) -> None:
    """Issue per template for everybody at once; templates in the order of their ids."""
    counts: dict[tuple[str, int | None], Counter[int]] = defaultdict(Counter)
    owed: dict[tuple[str, int | None], list[tuple[Gift, int]]] = defaultdict(list)
    for each in wanted:
        for effect in each.effects:
            if effect.kind is EffectKind.COUPON:
                counts[effect.name, effect.valid_days][each.member] += effect.quantity
                owed[effect.name, effect.valid_days].append((each, effect.quantity))
    templates = {name: known.templates[name] for name, _days in counts}
    if len(templates) > 1:
        coupons.lock_templates(list(templates.values()))
    for (name, days), of_members in counts.items():
        issued = coupons.issue_each(
            template=templates[name], counts=of_members, at=at, actor=actor, valid_days=days
        )
        for each, quantity in owed[name, days]:
            for _number in range(quantity):
                coupon = issued[each.member].pop(0)
                each.issued.append(
                    {"kind": "coupon", "template": name, "id": str(coupon.public_id)}
                )


def _cases(each: Gift, at: datetime, actor: str) -> None:
    for effect in each.effects:
        if effect.kind is not EffectKind.CASE:
            continue
        new = NewCase(
            each.member, CASE_KIND, CASE_CHANNEL, effect.name, reference=_number_of(each.order)
        )
        case = cases.register(new=new, at=at, actor=actor)
        each.issued.append({"kind": effect.kind.value, "id": case.pk})


def _number_of(order: int | None) -> str:
    """Return the number of an order, by which a case names it; "" of none."""
    if order is None:
        return ""
    return Order.objects.filter(pk=order).values_list("order_no", flat=True).first() or ""
