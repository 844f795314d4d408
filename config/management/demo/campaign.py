"""A campaign of the demo that has run for three weeks: a word of thanks after an order.

It gives no points, so the totals of the year stay what they are; a fifth is held out, so there is
something to compare.
"""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from campaigns.models import Arm, Campaign, CampaignMember, Purpose
from campaigns.services import campaign_drafts, firing, launching, message_templates, sending
from campaigns.services.campaign_drafts import Names
from campaigns.services.firing import Occurrence
from campaigns.services.message_templates import TemplateTerms, Texts
from members.models import Order
from members.services import segments
from members.services.segments import Content

CODE: Final = "demo-thanks"
SEGMENT: Final = "demo-regulars"
OWNER: Final = "operations"
AGE: Final = timedelta(days=21)
TIERS: Final = ["silver", "gold", "diamond"]
NAMES: Final = ("答谢老会员", "Thanks to regular members")
_TEXTS: Final = Texts(
    {
        "zh": {"inbox": {"subject": "谢谢您", "body": "{{ member.name }}，感谢您的光临！"}},
        "en": {"inbox": {"subject": "Thank you", "body": "{{ member.name }}, thank you!"}},
    },
    [{"name": "member.name", "type": "text", "fallback": {"zh": "会员", "en": "Dear member"}}],
)


def start(*, at: datetime) -> None:
    """Start the campaign and let it meet who has bought since; once per database."""
    if Campaign.objects.filter(code=CODE).exists():
        return
    _act(_launch(at - AGE), at - AGE, at)
    while sending.send_due(at=at):
        pass


@transaction.atomic
def _launch(at: datetime) -> Campaign:
    actor = f"staff:{OWNER}"
    conditions = {
        "all": [
            {"field": "customer.tier", "op": "in", "value": TIERS},
            {"field": "customer.orders_365d", "op": "gte", "value": 2},
        ]
    }
    segments.create(
        code=SEGMENT, content=Content("老会员", "Regular members", "", conditions, None),
        at=at, actor=actor, is_frozen=False,
    )  # fmt: skip
    terms = TemplateTerms(CODE, *NAMES, Purpose.SERVICE)
    message_templates.publish_default(terms=terms, texts=_TEXTS, at=at)
    version = campaign_drafts.create(
        names=Names(*NAMES, owner_id=User.objects.get(username=OWNER).pk),
        terms={
            "audience": [SEGMENT], "holdout_percent": 20, "messages": [CODE], "limit_acts": 1,
            "trigger": {"kind": "order", "min_amount": "20"}, "budget_acts": 2_000,
        },
        actor=actor, at=at, code=CODE,
    )  # fmt: skip
    return launching.start(version=version, percent=60, actor=actor, at=at)


def _act(campaign: Campaign, since: datetime, at: datetime) -> None:
    rows = CampaignMember.objects.filter(campaign=campaign, arm=Arm.TREATED)
    orders = Order.objects.filter(
        member__in=rows.values("member"), placed_at__gte=since, net_amount__gte=20
    )
    found = orders.order_by("member", "placed_at").distinct("member")
    occurrences = [
        Occurrence(member, f"order:{order}", at)
        for member, order in found.values_list("member_id", "pk")
    ]
    firing.fire(campaign=campaign, occurrences=occurrences, recorded_at=at)
