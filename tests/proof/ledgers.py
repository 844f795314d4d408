"""A small ledger in which everything happens that can happen, made by the real services."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.models import ReferralProgramme
from campaigns.services import firing, referral_codes, referral_joining, referrals
from campaigns.services.firing import Occurrence
from members.domain import webhooks as standard
from members.domain.public_id import new_public_id
from members.models import Channel, InsightPolicy, Member, MemberEvent, Order, Touchpoint
from members.services import events, webhooks
from rewards.api import parsing
from rewards.domain.cart import Line, RefundLine
from rewards.domain.inbound_schemes import Envelope
from rewards.domain.submission import (
    InteractionFact,
    MemberRef,
    OrderFact,
    RefundFact,
    Submission,
    Tender,
)
from rewards.models import InboundScheme
from rewards.presets import PRESETS
from rewards.presets import inbound as shipped
from rewards.services import (
    adjustment,
    check_ins,
    coupon_redemption,
    coupon_revocation,
    due,
    enrolment,
    inbound,
    intake,
    membership_sales,
    merging,
    order_moves,
    presets,
    redeeming,
    redemption,
    reservation,
    reward_codes,
)
from rewards.services.answers import Outcome
from tests.factories import campaigns, catalogue, coupons
from tests.factories import members as people
from tiers.models import MembershipPlan, Tier
from tiers.services import entitlements
from tiers.services.memberships import Purchase

START = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass
class Programme:
    """A loaded programme with a till, a web shop and members, and the instant it has reached."""

    till: Touchpoint
    web: Touchpoint
    members: list[Member] = field(default_factory=list)
    at: datetime = START

    def send(self, *facts: Submission, by: Touchpoint | None = None) -> list[Outcome]:
        """Send facts as one batch, received now; none may be refused."""
        outcomes = intake.receive(facts, touchpoint=by or self.till, at=self.at)
        assert all(outcome.status < 300 for outcome in outcomes), outcomes
        return outcomes

    def settle(self) -> None:
        """Do what is due by now."""
        due.settle_due(at=self.at, recorded_at=self.at)


def programme(preset: str = "retail_cn", members: int = 4) -> Programme:
    """Load a preset and enrol members."""
    presets.load(preset=PRESETS[preset], at=START)
    events.sync_subscriptions({"webhooks": ["tier.changed", "order.recorded"]})
    made = Programme(
        people.touchpoint("till", channel=Channel.POS, created_at=START),
        people.touchpoint("web", channel=Channel.WEB, created_at=START),
    )
    for number in range(members):
        enrol(made, f"m-{number}")
    return made


def enrol(made: Programme, external: str) -> Member:
    """Enrol a member under an external id."""
    request = people.request(("external", external, ""))
    (result,) = enrolment.enrol_members([request], touchpoint=made.till, at=made.at)
    assert result.member_id is not None, result.error
    member = Member.objects.get(pk=result.member_id)
    made.members.append(member)
    return member


def of(member: Member) -> MemberRef:
    """Name a member by id."""
    return MemberRef(public_id=member.public_id)


def line(number: int, amount: int, kind: str = "goods", **values: Any) -> Line:
    """Return a line; the amount is in minor units."""
    return Line(number, f"sku-{number}", kind, "c", "b", 1000, amount, **values)


def order(
    member: Member | MemberRef | None, number: str, at: datetime, *amounts: int, **values: Any
) -> OrderFact:
    """Return an order of goods."""
    ref = of(member) if isinstance(member, Member) else member
    lines = tuple(line(index + 1, amount) for index, amount in enumerate(amounts))
    defaults: dict[str, Any] = {
        "source": "shop", "order_no": number, "version": 1, "changed_at": None, "member": ref,
        "status": "paid", "placed_at": at, "currency": "CNY", "lines": lines,
    }  # fmt: skip
    return OrderFact(**{**defaults, **values})


def refund(number: str, refund_no: str, at: datetime, **values: Any) -> RefundFact:
    """Return a refund; of all that is left when nothing else is said."""
    return RefundFact("shop", number, refund_no, at, **values)


def interaction(member: Member, ref: str, at: datetime, kind: str = "survey") -> InteractionFact:
    """Return an interaction."""
    return InteractionFact("app", ref, of(member), kind, at)


def _connections(made: Programme) -> None:
    """Tell a webhook of an order; receive a shop's message that is done, and one that is not."""
    webhooks.create(touchpoint=made.web, url="https://shop.example/", kinds=["order.*"], at=made.at)
    event = MemberEvent.objects.filter(kind="order.recorded").earliest("id")
    assert webhooks.fan_out(event_id=event.pk, at=made.at) == 1
    hook = inbound.connect(
        code="shop-web",
        touchpoint=made.web,
        scheme=InboundScheme.STANDARD,
        secret=standard.new_secret(),
        mapping=shipped.mapping("standard"),
        at=made.at,
    )
    line = {"line_no": 1, "sku": "A", "quantity": 1, "amount": "30.00"}
    fact = {
        "order_no": "W1", "status": "paid", "placed_at": made.at.isoformat(), "currency": "CNY",
        "identifier": {"kind": "external", "value": "m-0"}, "lines": [line],
    }  # fmt: skip
    for number, data in enumerate((fact, {**fact, "currency": "EUR"})):
        envelope = Envelope(f"msg_{number}", "order", {"type": "order", "data": data})
        delivery, _is_known = inbound.accept(
            hook=hook, envelope=envelope, raw=b"", at=made.at, read=parsing.batch_fact
        )
        assert delivery.state == ("parked" if number else "done"), delivery.reason


def rich(preset: str = "retail_cn") -> Programme:
    """Return a programme in which everything has happened at least once."""
    made = programme(preset)
    ann, bob, cyn, dan = made.members
    at = made.at = START + DAY
    made.send(
        order(ann, "A1", at, 120_000, 30_050),
        order(bob, "B1", at, 350_000),
        order(cyn, "C1", at, 9_999, lines=(line(1, 9_999), line(2, 1_200, "shipping"))),
        interaction(ann, "i1", at),
        interaction(bob, "i2", at, "check_in"),
    )
    web = {"source": "web"}
    made.send(order(dan, "D1", at, 45_000, **web), order(dan, "D2", at, 5_000, **web), by=made.web)
    _returns(made)
    _benefits(made)
    _reservations(made)
    _connections(made)
    _stock(made)
    _desk(made)
    _coupons(made)
    _waiting(made)
    _moves(made)
    _time(made)
    _referrals(made)
    _campaign(made)
    InsightPolicy.objects.create(number=1, reason="as shipped", created_at=made.at)
    return made


def _returns(made: Programme) -> None:
    ann, bob, _cyn, dan = made.members
    at = made.at = made.at + DAY
    made.send(
        refund("A1", "r1", at, lines=(RefundLine(2, 1000, 10_050),)),
        refund("A1", "r2", at, amount=3_333),
        order(bob, "B1", START + DAY, 300_000, 20_000, version=2, changed_at=at),
        refund("LATER", "r1", at, amount=1_000),
    )
    made.send(RefundFact("web", "D1", "r1", at, amount=10_000), by=made.web)
    at = made.at = made.at + DAY
    made.send(
        order(dan, "LATER", at - HOUR, 20_000),
        order(ann, "A0", at - 2 * DAY, 7_700),
        order(bob, "B2", at, 100_000),
        order(ann, "B2", at, 100_000, version=2, changed_at=at + timedelta(minutes=1)),
    )
    adjustment.adjust(
        member=bob.pk, points=-2_000, reason="mistake", at=at, actor="staff:eve", limit_points=None
    )
    adjustment.adjust(
        member=dan.pk, points=77, reason="sorry", at=at, actor="staff:eve", limit_points=None
    )
    made.send(order(bob, "B1", START + DAY, version=3, changed_at=at, status="cancelled"))


def _benefits(made: Programme) -> None:
    ann, cyn = made.members[0], made.members[2]
    at, by = made.at, "touchpoint:till"
    held = new_public_id(at)
    for code in ("expert_advice", "free_delivery"):
        (used,) = entitlements.use(member=ann.pk, code=code, uses=1, at=at, actor=by)
    entitlements.use(member=ann.pk, code="free_delivery", uses=1, at=at, actor=by)
    entitlements.give_back(use=used.public_id, at=at, actor=by)
    entitlements.hold(
        member=ann.pk, uses=[("expert_advice", 2)], reservation=held, at=at, actor=by,
        touchpoint=made.till,
    )  # fmt: skip
    entitlements.settle(reservations=[held], used=True, at=at)
    MembershipPlan.objects.create(
        code="plus", name_zh="付费银卡", name_en="Silver Plus", price=99,
        tier=Tier.objects.get(code="silver"),
    )  # fmt: skip
    for ref in ("W-1", "W-2"):
        sale = membership_sales.buy(
            member=cyn.pk, plan="plus", purchase=Purchase(ref, made.till, at, by)
        )
        if ref == "W-1":
            membership_sales.refund(membership=sale.membership.public_id, at=at, actor=by)


def _reservations(made: Programme) -> None:
    ann = made.members[0]
    at = made.at = made.at + HOUR
    held = [
        reservation.hold(
            member=ann.pk, points=points, ttl=HOUR * hours, at=at, actor="touchpoint:till"
        )
        for points, hours in ((300, 1), (200, 1), (100, 1), (50, 1), (400, 9_000))
    ]
    made.send(
        order(
            ann, "A3", at, 50_000, tenders=(Tender("points", 300),), reservation=held[0].public_id
        ),
        refund("A3", "r1", at + timedelta(seconds=1), amount=20_000),
    )
    reservation.capture(reservation=held[1].public_id, points=150, at=at, actor="touchpoint:till")
    reservation.release(reservation=held[2].public_id, at=at, actor="touchpoint:till")
    made.at = made.at + 2 * HOUR
    made.settle()


def _stock(made: Programme) -> None:
    ann, at = made.members[0], made.at
    mug = catalogue.reward("mug", 30, pieces=12)
    card = catalogue.reward("card", 20, kind="gift_card")
    reward_codes.load(reward=card, codes=["A-1", "A-2", "A-3"], batch="one")
    redemption.fulfil(
        redemption=catalogue.redeem(ann, "mug", at=at).redemption.pk, at=at, actor="staff:eve"
    )
    gone = catalogue.redeem(ann, "mug", at=at, quantity=2).redemption
    redeeming.cancel(redemption=gone.public_id, at=at, actor="touchpoint:till")
    back = catalogue.redeem(ann, "mug", at=at).redemption
    redemption.fulfil(redemption=back.pk, at=at, actor="staff:eve")
    redeeming.return_(
        redemption=back.public_id, points_back=True, stock_back=True, reason="broken", at=at,
        actor="staff:eve",
    )  # fmt: skip
    catalogue.redeem(ann, "card", at=at, quantity=2)
    redemption.give(member=ann.pk, reward=mug, quantity=1, at=at, actor="system")
    held = catalogue.hold(ann, "mug", "card", at=at, points=10).reservation
    reservation.release(reservation=held.public_id, at=at, actor="touchpoint:till")
    catalogue.hold(ann, "mug", at=at)
    catalogue.hold(ann, "mug", "card", at=at, minutes=9_000 * 60)


def _desk(made: Programme) -> None:
    cyn, dan = made.members[2:4]
    for _day in range(3):
        made.at = made.at + DAY
        check_ins.check_in(
            member=cyn.pk, on=None, touchpoint=made.till, at=made.at, actor="touchpoint:till"
        )
    adjustment.adjust_or_ask(
        member=dan.pk, points=40, reason="sorry", at=made.at, actor="touchpoint:till",
        touchpoint=made.till,
    )  # fmt: skip


def _coupons(made: Programme) -> None:
    """Leave coupons used, given back, held, revoked, lapsed, in a pool, and with whoever has it."""
    ann, bob, _cyn, dan = made.members
    at = made.at = made.at + HOUR
    used, back, held, gone, lapsed = (coupons.coupon(ann, at=at) for _number in range(5))
    (bearer,) = coupons.bearer(at=at, uses_per_code=3)
    coupons.pool(at=at, count=2)
    made.send(
        order(ann, "K1", at, 30_000, coupons=(used.code, bearer.code)),
        order(ann, "K2", at, 30_000, coupons=(back.code, "NEVER")),
        order(dan, "K3", at, 10_000, coupons=(bearer.code, used.code)),
        refund("K2", "r1", at),
    )
    wanted = coupon_redemption.Redeeming(bearer.code, "till-receipt-1")
    coupon_redemption.redeem(member=None, wanted=wanted, touchpoint=None, at=at, actor="till")
    coupon_revocation.revoke(coupons=[gone.pk], reason="mistake", at=at, actor="staff:eve")
    catalogue.hold(ann, at=at, minutes=20_000 * 60, coupons=(held.code,))
    catalogue.hold(ann, at=at, coupons=(lapsed.code,))
    mine = coupons.coupon(bob, at=at)
    captured = catalogue.hold(bob, at=at, coupons=(mine.code,)).reservation
    reservation.capture(reservation=captured.public_id, at=at, actor="touchpoint:till")


def _waiting(made: Programme) -> None:
    at = made.at
    unknown = MemberRef(kind="external", value="m-late")
    made.send(order(unknown, "E1", at, 66_600), order(None, "CLAIM", at, 12_300))
    made.at = made.at + HOUR
    eve = enrol(made, "m-late")
    intake.claim(source="shop", order_no="CLAIM", member=eve.pk, at=made.at, actor="staff:eve")
    made.send(
        order(MemberRef(kind="external", value="nobody"), "N1", at, 100),
        refund("NEVER", "r1", at, amount=100),
    )


def _moves(made: Programme) -> None:
    """Move an order to the member whose purchase it was."""
    ann, bob, *_others = made.members
    made.send(order(ann, "MV1", made.at, 4_200))
    moved = Order.objects.get(source="shop", order_no="MV1")
    act = order_moves.Act("card_at_hand", "wrong card", "staff:eve", made.at)
    order_moves.move_order(order=moved.pk, member=bob.pk, act=act)


def _time(made: Programme) -> None:
    ann, _bob, cyn, _dan, _eve = made.members
    made.at = made.at + 20 * DAY
    made.settle()
    made.send(order(cyn, "C2", made.at - DAY, 500_000), order(cyn, "C3", made.at, 200_000))
    made.at = datetime(2027, 3, 2, tzinfo=UTC)
    made.settle()
    made.send(refund("A1", "r9", made.at), order(ann, "A9", made.at, 800))
    made.send(order(ann, "A9", made.at, 800, 5, version=2, changed_at=made.at))
    _leave_open(made)
    _merges(made)


def _leave_open(made: Programme) -> None:
    """Leave points pending, available, held and owed."""
    bob, dan = made.members[1], made.members[3]
    for member, points in ((bob, 700), (dan, 500)):
        adjustment.adjust(
            member=member.pk, points=points, reason="x", at=made.at, actor="s", limit_points=None
        )
    reservation.hold(member=dan.pk, points=50, ttl=HOUR, at=made.at, actor="touchpoint:till")
    made.send(order(dan, "D9", made.at, 40_000, source="web"), by=made.web)


def _merges(made: Programme) -> None:
    """Merge one member, refund an order of it, and undo the merge of another one."""
    parties = [enrol(made, external) for external in ("m-gone", "m-parted")]
    survivor = enrol(made, "m-stays")
    del made.members[-3:]
    for number, member in enumerate((*parties, survivor)):
        made.send(order(member, f"M{number}", made.at, 30_000))
    terms: dict[str, Any] = {"note": "same person", "actor": "staff:eve"}
    for member in parties:
        made.at += HOUR
        merging.merge(away=member.pk, into=survivor.pk, at=made.at, **terms)
    merging.unmerge(away=parties[1].pk, at=made.at + HOUR, **terms)
    made.at += 2 * HOUR
    made.send(refund("M0", "r1", made.at, amount=10_000))


def _referrals(made: Programme) -> None:
    """Reward who brought friends with points and with cash, and take one reward back."""
    start = made.at = made.at + DAY
    terms = {"points": {"points": 300}, "cash": {"amount": 20}}
    for number, (reward, what) in enumerate(terms.items()):
        ReferralProgramme.objects.create(
            number=number + 1, from_at=start + 2 * number * HOUR, created_at=start,
            created_by="eve", reward=reward, min_amount=100, **what,
        )  # fmt: skip
    referrer, *friends = (enrol(made, external) for external in ("m-r", "m-f1", "m-f2", "m-f3"))
    del made.members[-4:]
    code = referral_codes.code_of(member_id=referrer.pk, at=start).code
    for number, friend in enumerate(friends):
        joined = start + HOUR * number
        referral_joining.register(friend_id=friend.pk, code=code, joined_at=joined, at=joined)
        made.send(order(friend, f"F{number}", start, 20_000))
    for days in (10, 11):
        made.at = start + days * DAY
        if days == 11:
            made.send(refund("F1", "r1", made.at))
        referrals.settle_due(at=made.at, recorded_at=made.at)


def _campaign(made: Programme) -> None:
    """Let a campaign with a budget give one member points."""
    campaign = campaigns.running(
        at=made.at, code="spring", effects=[{"kind": "points", "points": 40}], budget_points=1_000
    )
    met = Occurrence(made.members[0].pk, "order:1", made.at)
    firing.fire(campaign=campaign, occurrences=[met], recorded_at=made.at)


def random_facts(
    seed: int, made: Programme, count: int, *, moves: bool = True
) -> Sequence[Submission]:
    """Return facts in business order that touch each other a lot.

    With `moves`, later versions of an order name other members.
    """
    choose = random.Random(seed)
    facts: list[Submission] = []
    versions: dict[str, int] = {}
    owners: dict[str, Member] = {}
    placed: dict[str, datetime] = {}
    at = made.at
    for number in range(count):
        at += timedelta(hours=choose.randint(1, 40))
        key = f"R{choose.randint(0, count // 3)}"
        member = choose.choice(made.members)
        if not moves:
            member = owners.setdefault(key, member)
        kind = choose.random()
        if key not in placed or kind < 0.2:
            first = placed.setdefault(key, at)
            versions[key] = versions.get(key, 0) + 1
            facts.append(
                order(
                    member, key, first,
                    *(choose.randint(0, 90_000) for _ in range(choose.randint(1, 4))),
                    version=versions[key],
                    changed_at=at if versions[key] > 1 else None,
                    status=choose.choice(["paid", "paid", "completed", "cancelled"]),
                )
            )  # fmt: skip
        elif kind < 0.6:
            facts.append(refund(key, f"r{number}", at, amount=choose.randint(1, 30_000)))
        elif kind < 0.8:
            lines = (RefundLine(1, 1000, choose.randint(1, 20_000)),)
            facts.append(refund(key, f"r{number}", at, lines=lines))
        else:
            what = choose.choice(["survey", "review", "check_in"])
            facts.append(interaction(member, f"i{number}", at, what))
    return facts


def instant_of(fact: Submission) -> datetime:
    """Return the instant that a fact names for itself."""
    if isinstance(fact, OrderFact):
        return fact.changed_at or fact.placed_at
    return fact.refunded_at if isinstance(fact, RefundFact) else fact.occurred_at
