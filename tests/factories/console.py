"""A small programme with history, written row by row, for pages that only read.

The ledger's hashes are not computed here: nothing on these pages reads them as a chain.
"""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User

from members.models import (
    Case,
    Channel,
    Consent,
    Member,
    MemberEvent,
    MemberProfile,
    Order,
    OrderLine,
    ReceivedFact,
    Store,
)
from rewards.domain.buckets import Bucket
from rewards.models import Entry, Evaluation, Lot, PointsAccount, PointsPolicy, Rule, RuleVersion
from rewards.models.rule import RuleEffect, RuleState
from tests.factories import members
from tiers.models import LadderVersion, QualificationRule, Standing, Tier, TierTerm

AT = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
HASH = bytes(32)

_numbers = itertools.count(1)

TIERS = (
    ("basic", "普通会员", "Basic", "1.00", None),
    ("silver", "银卡会员", "Silver", "1.10", 1000),
    ("gold", "金卡会员", "Gold", "1.25", 3000),
    ("diamond", "钻石会员", "Diamond", "1.50", 6000),
)


def programme() -> None:
    """Make a ladder of four tiers, one base rule and a policy."""
    ladder = LadderVersion.objects.create(number=1)
    for rank, (code, name_zh, name_en, multiplier, spend) in enumerate(TIERS):
        tier = Tier.objects.create(code=code, rank=rank, name_zh=name_zh, name_en=name_en)
        TierTerm.objects.create(ladder=ladder, tier=tier, multiplier=Decimal(multiplier))
        if spend is not None:
            QualificationRule.objects.create(
                ladder=ladder, tier=tier, metric="spend", window="rolling_days",
                window_days=365, threshold=spend,
            )  # fmt: skip
    rule = Rule.objects.create(code="base", name_zh="基础积分", name_en="Base points")
    RuleVersion.objects.create(
        rule=rule, number=1, state=RuleState.ACTIVE, effect=RuleEffect.PER_AMOUNT,
        created_at=AT, created_by="system",
    )  # fmt: skip
    PointsPolicy.objects.create(number=1)


def store(code: str = "sh-01", name: str = "上海南京西路店") -> Store:
    """Return a shop."""
    return Store.objects.get_or_create(code=code, defaults={"name": name})[0]


def order(member: Member, amount: str, *, at: datetime, points: int) -> Order:
    """Make an order that earned points, with its fact, evaluation, entry and lot."""
    number = f"SO{next(_numbers):08d}"
    made = Order.objects.create(
        source="pos", order_no=number, member=member, store=store(), channel=Channel.POS,
        version=1, status="paid", placed_at=at, currency="CNY", sold_amount=Decimal(amount),
        net_amount=Decimal(amount), qualifying_amount=Decimal(amount),
    )  # fmt: skip
    OrderLine.objects.create(
        order=made, member=member, line_no=1, sku="SKU-1", quantity=1, amount=Decimal(amount)
    )
    fact = ReceivedFact.objects.create(
        source="pos", kind="order", ref=number, digest=HASH, member=member, order=made,
        acts_at=at, received_at=at, body={},
    )  # fmt: skip
    minor = int(Decimal(amount) * 100)
    Evaluation.objects.create(
        fact=fact, member=member, order=made, points=points, delta=points, decided_at=at,
        explanation=[
            {
                "rule": "base", "code": "earned", "base": f"{minor // 100}.{minor % 100:02d}",
                "rate": [1, 100], "points": points,
            }
        ],
    )  # fmt: skip
    flow = (Bucket.ISSUANCE, Bucket.AVAILABLE)
    entry = movement(member, *flow, points, at=at, fact=fact, order=made)
    Lot.objects.create(
        account=entry.account, member=member, entry=entry, order=made, rule=entry.rule,
        points=points, remaining=points, earned_at=at, available_at=at,
        expires_at=at + timedelta(days=366),
    )  # fmt: skip
    return made


def movement(
    member: Member, source: Bucket, target: Bucket, points: int, *, at: datetime, **values: Any
) -> Entry:
    """Append an entry and keep the account's counters in step."""
    account = PointsAccount.objects.get(member=member, kind="points")
    account.seq += 1
    for bucket, sign in ((source, -1), (target, 1)):
        name = {"issuance": "earned", "adjustment": "adjusted"}.get(bucket, bucket.value)
        is_missing = bucket in {Bucket.ISSUANCE, Bucket.DEBT}
        setattr(account, name, getattr(account, name) + (-sign if is_missing else sign) * points)
    account.save()
    is_earned = source is Bucket.ISSUANCE
    rule = RuleVersion.objects.filter(rule__code="base").first() if is_earned else None
    return Entry.objects.create(
        account=account, member=member, seq=account.seq, source=source, target=target,
        points=points, rule=rule, reason="order_paid" if is_earned else "adjustment",
        actor="system", occurred_at=at, recorded_at=at, hash=HASH, **values,
    )  # fmt: skip


def stand(member: Member, code: str, *, at: datetime, reason: str = "qualified") -> Standing:
    """Give the member a tier from an instant on."""
    Standing.objects.filter(member=member, ended_at__isnull=True).update(ended_at=at)
    return Standing.objects.create(
        member=member, tier=Tier.objects.get(code=code), from_at=at, reason=reason,
        kept_until_on=(at + timedelta(days=365)).date(),
        evidence={
            "checks": [
                {
                    "tier": code, "purpose": "entry", "group": 0,
                    "criteria": [
                        {
                            "metric": "spend", "threshold": 100000, "value": 123400, "met": True,
                            "window": "rolling_days:365",
                        }
                    ],
                }
            ]
        },
    )  # fmt: skip


def member(
    name: str = "张小明", *, at: datetime = AT - timedelta(days=500), phone: str = ""
) -> Member:
    """Enrol a member and give them a year of purchases, a tier, a consent and a case."""
    made = members.member(("phone", phone or members.phone(), ""), name=name, at=at)
    for number in range(8):
        order(made, f"{150 + number * 37}.50", at=AT - timedelta(days=40 * number + 3), points=150)
    stand(made, "silver", at=AT - timedelta(days=90))
    Consent.objects.create(
        member=made, purpose="marketing", channel="sms", granted=True, text_version="2026-01",
        given_at=at, recorded_at=at,
    )  # fmt: skip
    MemberEvent.objects.create(
        member=made,
        kind="tier.changed",
        occurred_at=AT,
        recorded_at=AT,
        payload={"from": "basic", "to": "silver", "reason": "qualified"},
    )
    Case.objects.create(member=made, code="points_debt", opened_at=AT)
    return made


def staff(username: str = "li.na", *, is_superuser: bool = True) -> User:
    """Return a member of staff."""
    return User.objects.create_user(
        username, password="x", is_staff=True, is_superuser=is_superuser
    )


def hostile_name(made: Member, text: str) -> None:
    """Give a member a masked name as no masking would make it."""
    MemberProfile.objects.filter(member=made).update(name_mask=text)


def allow(user: User, *permissions: str) -> None:
    """Give a member of staff permissions, by `app.codename`."""
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
