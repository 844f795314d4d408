"""Purchases that a cashier rang up for themselves: earned, but held until somebody has looked.

Facts are never refused, so the order counts and earns like any other; its points stay pending
until a lead releases them. A refund takes them back as it takes any pending points.
Source: STF-02.
"""

from typing import Final

from members.models import Case
from members.models.case import CaseState
from rewards.domain.receipt import OWN_TILL
from rewards.services.happened import Happened

CODE: Final = "own_till"


def follow_own_tills(happened: Happened) -> None:
    """Open a case for each order whose points are held, and tell the till; else no statement."""
    held = [
        news for news in happened.orders
        if news.is_new_version and news.version.member == news.member
        and news.version.body.get(OWN_TILL) and sum(news.state.awards.values()) > 0
    ]  # fmt: skip
    if not held:
        return
    known = Case.objects.filter(
        code=CODE, state=CaseState.OPEN, fact__order_id__in=[news.order for news in held]
    )
    has_case = set(known.values_list("fact__order_id", flat=True))
    Case.objects.bulk_create(
        Case(
            member_id=news.member,
            code=CODE,
            fact_id=news.version.id,
            details={"order_no": news.version.order_no, "source": news.version.source},
            opened_at=happened.at,
        )
        for news in held
        if news.order not in has_case
    )
    for news in held:
        happened.tell_issue(news.fact, {"code": CODE})
