"""Members as a shop has them: with names and phones, many with no order or one, few with many."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction

from config.bench import population
from members.models import Identifier, IdentifierKind
from rewards.domain.submission import MemberRef
from rewards.services import coupon_templates, coupons, enrolment, intake
from rewards.services.joining_requests import EnrolmentRequest

ORDERS: Final = (0, 1, 1, 2, 2, 3, 3, 4, 5, 9)
"""How many orders each of ten members has: three on an average."""
MODELS: Final = (*population.MODELS, "rewards.Coupon")
NAME: Final = "王芳"
AMOUNT: Final = 120_000
_DAYS_APART: Final = 40


def fill(members: int, at: datetime) -> None:
    """Fill an empty programme with ten kinds of members, each of them as often as the others."""
    _enrol(at - timedelta(days=400))
    facts = [
        population.order(
            order_no(who, number), MemberRef(kind="external", value=f"first-{who}"),
            at - timedelta(days=_DAYS_APART * number + who + 1), [population.line(1, AMOUNT)],
        )
        for who, count in enumerate(ORDERS)
        for number in range(count)
    ]  # fmt: skip
    intake.receive(facts, touchpoint=None, at=at, history=True)
    _give_coupons(at)
    population.copy(MODELS, members // len(ORDERS) - 1)


def order_no(who: int, number: int) -> str:
    """Return the number of an order of one of the first ten members."""
    return f"SO{who:02}{number:02}"


def phone(who: int) -> str:
    """Return the phone of one of the first ten members."""
    return f"1380013{who:04}"


def _enrol(at: datetime) -> None:
    requests = [
        EnrolmentRequest(
            identifiers=(("external", f"first-{who}", ""), ("phone", phone(who), "")),
            name=NAME, channel="import", joined_at=at,
        )
        for who in range(len(ORDERS))
    ]  # fmt: skip
    for done in enrolment.enrol_members(requests, touchpoint=None, at=at):
        if done.error is not None:
            raise done.error


def _give_coupons(at: datetime) -> None:
    values = {
        "code": "bench", "name_zh": "券", "name_en": "Coupon", "kind": "amount",
        "amount": Decimal(20),
    }  # fmt: skip
    template = coupon_templates.create(values=values)
    owners = Identifier.objects.filter(kind=IdentifierKind.PHONE).order_by("member_id")
    for member_id in owners.values_list("member_id", flat=True)[::2]:
        with transaction.atomic():
            coupons.issue(template=template, member=member_id, count=1, at=at, actor="bench")
