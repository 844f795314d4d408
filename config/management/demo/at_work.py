"""What the staff of the demo have on their desks: open cases, requests that wait, and drafts.

Nothing here changes points or tiers of anybody: what waits is agreed to by nobody yet, so the
totals of the year stay what they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from config.wiring import panels
from members.domain.cases import Verb
from members.models import Case, CaseKind, Channel, Member, MemberStatus
from members.services import cases
from members.services.cases import NewCase
from rewards.models import RuleVersion
from rewards.models.rule import CapPeriod, RuleEffect, RuleTrigger
from rewards.services import adjustment, bulk_grants, rule_drafts
from rewards.services.bulk_grants import Gift
from rewards.services.rule_drafts import RuleNames
from tiers.models import Tier
from tiers.services import standing
from tiers.services.standing import OverrideTerms

AGENT, LEAD, BENEFITS = "service", "supervisor", "benefits"
ON_THE_LIST: Final = 25


@dataclass(frozen=True, slots=True)
class Told:
    """A case of the demo: what it is about, how long ago, and how far it has come."""

    kind: CaseKind
    channel: Channel
    title: str
    hours_ago: float
    verbs: tuple[Verb, ...] = ()


TOLD: Final = (
    Told(CaseKind.COMPLAINT, Channel.APP, "会员日积分未到账 · Points of member day missing", 30),
    Told(CaseKind.ENQUIRY, Channel.POS, "何时可升金卡 · When do I reach gold", 1),
    Told(
        CaseKind.COMPLAINT, Channel.WEB, "礼品破损 · Reward arrived broken", 5,
        (Verb.TAKE, Verb.REPLY),
    ),
    Told(CaseKind.ENQUIRY, Channel.MINIAPP, "优惠券用不了 · Coupon refused at the till", 0.5),
    Told(
        CaseKind.SUGGESTION, Channel.APP, "希望增加自提点 · More pick-up points, please", 50,
        (Verb.TAKE, Verb.WAIT),
    ),
    Told(CaseKind.COMPLAINT, Channel.POS, "重复扣积分 · Points taken twice", 3, (Verb.TAKE,)),
    Told(CaseKind.ENQUIRY, Channel.APP, "积分何时到期 · When do my points expire", 2),
    Told(CaseKind.SUGGESTION, Channel.WEB, "生日礼可选 · A choice of birthday gifts", 20),
)  # fmt: skip
_ANSWER: Final = "您好，我们正在核实。 · Thank you, we are looking into it."


@transaction.atomic
def put_on_desks(*, at: datetime) -> None:
    """Open cases, ask for what takes a second person, and leave drafts; once per database."""
    people = list(Member.objects.filter(status=MemberStatus.ACTIVE).order_by("pk")[:ON_THE_LIST])
    if Case.objects.exists() or len(people) < len(TOLD):
        return
    panels.install()
    _open_cases(people, at)
    _ask(people, at)
    _write_rules(at)


def _open_cases(people: Sequence[Member], at: datetime) -> None:
    agent = User.objects.get(username=AGENT)
    for member, told in zip(people, TOLD, strict=False):
        opened = at - timedelta(hours=told.hours_ago)
        case = cases.register(
            new=NewCase(member.pk, told.kind, told.channel, told.title), at=opened,
            actor=f"staff:{AGENT}",
        )  # fmt: skip
        for number, verb in enumerate(told.verbs, start=1):
            cases.work(
                case_id=case.pk, verb=verb, at=opened + timedelta(minutes=10 * number),
                actor=f"staff:{AGENT}", text="" if verb is Verb.TAKE else _ANSWER,
                owner_id=agent.pk,
            )  # fmt: skip


def _ask(people: Sequence[Member], at: datetime) -> None:
    """Ask for what is beyond somebody's authority, and so waits for a second person."""
    agent = User.objects.get(username=AGENT)
    adjustment.adjust_by_staff(
        user_id=agent.pk, member=people[0].pk, points=1_200,
        reason="会员日双倍未生效 · Member day was not doubled", at=at, actor=f"staff:{AGENT}",
    )  # fmt: skip
    highest = Tier.objects.order_by("-rank")[0]
    terms = OverrideTerms(
        people[1].pk, highest.pk, at + timedelta(days=180), "企业团购联系人 · Corporate buyer"
    )
    standing.request_override(terms=terms, actor=f"staff:{LEAD}", at=at)
    bulk = bulk_grants.prepare(
        text="\n".join(member.card_number for member in people), gift=Gift(100),
        reason="门店停电致歉 · Sorry for the power cut", actor=f"staff:{BENEFITS}", at=at,
    )  # fmt: skip
    bulk_grants.submit(bulk_id=bulk.pk, actor=f"staff:{BENEFITS}", at=at)


def _write_rules(at: datetime) -> None:
    in_store = {
        "all": [
            {"field": "order.channel", "op": "in", "value": [Channel.POS]},
            {"field": "order.spend", "op": "gte", "value": "50"},
        ]
    }
    app = {"field": "order.channel", "op": "in", "value": [Channel.APP, Channel.MINIAPP]}
    _draft(RuleNames("门店满 50 元双倍积分", "Double points from 50 in store"), in_store, at)
    waiting = _draft(RuleNames("线上下单双倍积分", "Double points in the app"), app, at)
    rule_drafts.submit(
        draft_id=waiting.pk, reason="提高线上占比 · More orders in the app",
        actor=f"staff:{BENEFITS}", at=at,
    )  # fmt: skip


def _draft(names: RuleNames, conditions: dict[str, Any], at: datetime) -> RuleVersion:
    terms = {
        "trigger": RuleTrigger.ORDER, "effect": RuleEffect.MULTIPLIER, "factor": Decimal(2),
        "priority": 50, "conditions": conditions, "cap_points": 500, "cap_period": CapPeriod.DAY,
    }  # fmt: skip
    return rule_drafts.create(names=names, terms=terms, actor=f"staff:{BENEFITS}", at=at)
