"""A purchase claimed from its receipt (补登积分): who has the receipt can read its total.

Source: SVC-01, STF-06, design §5.1 (6).
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from config.base import clock, money
from members.models import FactKind, MemberEvent, MemberStatus, ReceivedFact
from members.services import events, notes
from rewards.services import intake, loading
from rewards.services.answers import Outcome
from rewards.services.intake import ClaimError

CLAIMED: Final = "order.claimed"


def claim_receipt(  # noqa: PLR0913 - what a receipt shows, and what every act says
    *,
    member: int,
    source: str,
    order_no: str,
    total: Decimal,
    verified_by: str,
    reason: str,
    actor: str,
    at: datetime,
) -> Outcome:
    """Give an order of nobody to the member who has its receipt.

    A wrong total is refused with the words of an unknown order, so that nobody can try numbers out.
    Raises: ClaimError.
    """

    def attempt() -> Outcome:
        _check_member(member, at)
        _check_total(source, order_no, total)
        outcome = intake.claim(source=source, order_no=order_no, member=member, at=at, actor=actor)
        told: dict[str, Any] = {
            "source": source, "ref": order_no, "verified_by": verified_by, "actor": actor,
            "note": notes.seal(member=member, text=reason),
        }  # fmt: skip
        events.append([events.NewEvent(member, CLAIMED, at, at, told)])
        return outcome

    return intake.insist(attempt)


def _check_member(member: int, at: datetime) -> None:
    """Lock the account, so that two claims at once are counted one after the other."""
    found = loading.lock([member]).get(member)
    if found is None or found.status not in (MemberStatus.ACTIVE, MemberStatus.FROZEN):
        raise ClaimError("member_not_open", _("The membership is not open."), 409)
    month = clock.day_start(clock.local_day(at).replace(day=1))
    claimed = MemberEvent.objects.filter(
        member_id=member, kind=CLAIMED, occurred_at__gte=month
    ).count()
    if claimed >= settings.LOYALTY_CLAIMS_PER_MONTH:
        raise ClaimError(
            "claim_limit_reached",
            _("As many purchases as may be claimed in a month have been claimed."),
            409,
            limit=settings.LOYALTY_CLAIMS_PER_MONTH,
        )


def _check_total(source: str, order_no: str, total: Decimal) -> None:
    facts = ReceivedFact.objects.filter(order_no=order_no, source=source, kind=FactKind.ORDER)
    newest = facts.order_by("-version").first()
    if newest is None or _sold(newest.body["lines"]) != money.to_minor(total):
        raise ClaimError(
            "receipt_not_found", _("No receipt with this number and total is there."), 404
        )


def _sold(lines: Iterable[Any]) -> int:
    """Return what the lines of a stored order come to. Units: minor units."""
    return sum(int(line[_AMOUNT]) for line in lines)


_AMOUNT: Final = 6
"""Where a stored line has its amount (`rewards.domain.receipt`)."""
