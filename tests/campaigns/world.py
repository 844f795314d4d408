"""A year and more of a shop, drawn at random once: what figures are read from.

Rows are written as they would stand, edges of windows included; nothing here reads the ledger as a
chain, so hashes are empty.
"""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from campaigns.models import Referral, ReferralCode, ReferralProgramme
from config.base import clock
from members.models import (
    Channel,
    Interaction,
    InteractionKind,
    Member,
    Moderation,
    Order,
    ReceivedFact,
)
from rewards.models import Entry, PointsAccount
from rewards.services import joining
from tests.factories import console, members
from tiers.models import Standing, Tier

DAY = date(2026, 3, 20)
UNTIL = clock.day_start(DAY + timedelta(days=1))
FIRST_JOINED = datetime(2024, 2, 14, tzinfo=UTC)
HASH = bytes(32)
FLOWS = (
    ("issuance", "available"), ("issuance", "pending"), ("pending", "available"),
    ("available", "redeemed"), ("redeemed", "available"), ("available", "expired"),
    ("expired", "reversed"), ("available", "reversed"), ("debt", "reversed"),
    ("available", "debt"), ("available", "reserved"), ("reserved", "redeemed"),
    ("adjustment", "available"),
)  # fmt: skip


def build() -> list[Member]:
    """Make the programme, 24 members, and what they did."""
    chance = random.Random(20260320)
    console.programme()
    made = []
    edge = UNTIL - timedelta(days=30)
    late = [edge, edge - timedelta(microseconds=1), UNTIL - timedelta(days=2)]
    for at in [*(FIRST_JOINED + timedelta(days=number * 33) for number in range(21)), *late]:
        (enrolment,) = joining.find_or_create([members.request()], touchpoint=None, at=at)
        assert enrolment.member_id is not None
        made.append(Member.objects.get(pk=enrolment.member_id))
    Member.objects.filter(pk=made[3].pk).update(status="closed")
    Member.objects.filter(pk=made[5].pk).update(status="erased")
    _orders(made, chance)
    _standings(made, chance)
    _interactions(made, chance)
    _strangers(chance)
    _entries(made, chance)
    _advocacy(made)
    return made


def instants(chance: random.Random, count: int, days: int) -> list[datetime]:
    """Return instants of the last days: random ones, and both sides of every window's edges."""
    found = [UNTIL - timedelta(seconds=chance.randrange(1, days * 86_400)) for _ in range(count)]
    for window in (1, 30, 90, 180, 365, 545, 730):
        edge = UNTIL - timedelta(days=window)
        found += [edge, edge - timedelta(microseconds=1)]
    return [*found, UNTIL, UNTIL - timedelta(microseconds=1), UNTIL + timedelta(days=3)]


def _orders(made: list[Member], chance: random.Random) -> None:
    rows = []
    for number, at in enumerate(instants(chance, 110, 800)):
        net = chance.choice((Decimal(0), *[Decimal(chance.randrange(100, 90_000)) / 100] * 6))
        rows.append(Order(
            source="pos", order_no=f"W{number}", member=chance.choice(made[:20]), version=1,
            channel=Channel.POS, status=chance.choice(("paid", "completed", "paid", "cancelled")),
            placed_at=at, currency="CNY", sold_amount=net + 1, net_amount=net,
            qualifying_amount=net,
        ))  # fmt: skip
    Order.objects.bulk_create(rows)


def _standings(made: list[Member], chance: random.Random) -> None:
    silver, gold = Tier.objects.get(code="silver"), Tier.objects.get(code="gold")
    for member in made[::2]:
        first = member.joined_at + (UNTIL - member.joined_at) * chance.random()
        later = first + timedelta(days=chance.randrange(1, 40))
        Standing.objects.filter(member=member, ended_at=None).update(ended_at=first)
        Standing.objects.create(
            member=member, tier=silver, from_at=first, ended_at=later, reason="qualified"
        )
        Standing.objects.create(member=member, tier=gold, from_at=later, reason="qualified")


def _fact(kind: str, ref: str, **values: object) -> ReceivedFact:
    return ReceivedFact(
        source="pos", kind=kind, ref=ref, digest=HASH, received_at=UNTIL,
        **{"acts_at": UNTIL, "body": {}, **values},
    )  # fmt: skip


def _interactions(made: list[Member], chance: random.Random) -> None:
    for code in ("referral", "survey"):
        InteractionKind.objects.get_or_create(code=code, name_zh=code, name_en=code)
    at = instants(chance, 12, 500)
    facts = ReceivedFact.objects.bulk_create(
        [_fact("interaction", f"i{number}", acts_at=when) for number, when in enumerate(at)]
    )
    Interaction.objects.bulk_create(
        [
            Interaction(
                fact=fact, member=chance.choice(made), source="pos", ref=fact.ref,
                kind=chance.choice(("referral", "survey")), occurred_at=fact.acts_at,
            )
            for fact in facts
        ]
    )  # fmt: skip


def _strangers(chance: random.Random) -> None:
    """Make orders of nobody: some at a second version, some refunded in part or whole."""
    rows = []
    for number, at in enumerate(instants(chance, 20, 400)):
        ref = f"S{number}"
        for version in range(1, chance.randrange(2, 4)):
            lines = [[1, "A", "goods", None, None, 1000, chance.randrange(100, 9000), True]] * 2
            body = {
                "status": chance.choice(("paid", "paid", "cancelled")), "lines": lines,
                "placed_at": at.isoformat(),
            }  # fmt: skip
            rows.append(_fact(
                "order", ref, version=version, order_no=ref, state="awaiting_member", body=body
            ))  # fmt: skip
        if number % 3 == 0:
            backs: list[dict[str, object]] = [
                {"amount": 120, "lines": []}, {"amount": None, "lines": [[1, 1000, 90]]},
                {"amount": None, "lines": []},
            ]  # fmt: skip
            back = chance.choice(backs)
            rows.append(_fact(
                "refund", f"{ref}/1", order_no=ref, state="parked", body=back,
                acts_at=at + timedelta(minutes=1),
            ))  # fmt: skip
    ReceivedFact.objects.bulk_create(rows)


def _entries(made: list[Member], chance: random.Random) -> None:
    accounts = {row.member_id: row.pk for row in PointsAccount.objects.all()}
    rows, seq = [], dict.fromkeys(accounts, 0)
    today = [(UNTIL - timedelta(hours=2), flow) for flow in (FLOWS[0], FLOWS[1], FLOWS[3])]
    drawn = [(at, chance.choice(FLOWS)) for at in instants(chance, 260, 800)]
    for at, (source, target) in [*drawn, *today]:
        member = chance.choice(made[:22])
        seq[member.pk] += 1
        rows.append(Entry(
            account_id=accounts[member.pk], member=member, seq=seq[member.pk], source=source,
            target=target, points=chance.randrange(1, 900), reason="x", actor="system",
            occurred_at=at, recorded_at=at, hash=HASH,
        ))  # fmt: skip
    Entry.objects.bulk_create(rows)


def _advocacy(made: list[Member]) -> None:
    """Let members recommend, publish and bring friends; some of it is held or taken back."""
    chance = random.Random(8)
    for code, is_moderated in (("review", False), ("photo", True), ("share", False)):
        InteractionKind.objects.create(
            code=code, name_zh=code, name_en=code, needs_moderation=is_moderated
        )
    said: list[dict[str, object]] = [{"nps": 9, "score": 1}, {"nps": "10"}, {"score": "x"}, {}]
    said += [{"score": score} for score in (0, 6, 7, 8, 9, 10, 11)]
    kinds = ("survey", "survey", "review", "photo", "share")
    drawn = [
        (at, chance.choice(made[:20]), chance.choice(kinds), chance.choice(said))
        for at in instants(chance, 120, 500)
    ]
    facts = ReceivedFact.objects.bulk_create(
        _fact("interaction", f"a{number}", acts_at=at) for number, (at, *_rest) in enumerate(drawn)
    )
    Interaction.objects.bulk_create(
        Interaction(
            fact=fact, member=member, source=chance.choice(("pos", "pos", "pos", "moderation")),
            ref=fact.ref, kind=kind, occurred_at=at, data=data,
        )
        for fact, (at, member, kind, data) in zip(facts, drawn, strict=True)
    )  # fmt: skip
    _moderations(facts, chance)
    _referrals(made, facts, chance)


def _moderations(facts: list[ReceivedFact], chance: random.Random) -> None:
    rows = Interaction.objects.filter(fact__in=facts, kind__in=["photo", "survey"])
    for row in rows.order_by("pk")[::2]:
        state = chance.choice(("pending", "approved", "rejected", "removed"))
        Moderation.objects.create(
            fact_id=row.pk, member_id=row.member_id, state=state, occurred_at=row.occurred_at,
            approval_id=row.pk if state == "approved" else None,
            decided_at=None if state == "pending" else UNTIL,
        )  # fmt: skip


def _referrals(made: list[Member], facts: list[ReceivedFact], chance: random.Random) -> None:
    terms = ReferralProgramme.objects.create(
        number=1, from_at=FIRST_JOINED, reward="points", points=5, created_by="t",
        created_at=FIRST_JOINED,
    )  # fmt: skip
    code = ReferralCode.objects.create(member=made[0], code="BRINGAFRIEND", from_at=FIRST_JOINED)
    order = Order.objects.order_by("pk")[0]
    for number, at in enumerate(instants(chance, 3, 400)[:19]):
        state = chance.choice(("registered", "waiting", "rewarded", "rewarded", "taken_back"))
        is_given = state in {"rewarded", "taken_back"}
        Referral.objects.create(
            referrer=chance.choice(made[20:23]), friend=made[number], code=code, programme=terms,
            state=state, registered_at=at, lapses_at=at + timedelta(days=90),
            order=None if state == "registered" else order,
            kept_from=None if state == "registered" else at,
            kept_amount=5 if is_given else None, rewarded_at=UNTIL if is_given else None,
            fact=facts[number] if is_given else None,
            taken_back_at=UNTIL if state == "taken_back" else None,
        )  # fmt: skip
