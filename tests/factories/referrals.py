"""Members who bring friends, step by step as the product does it."""

from decimal import Decimal
from typing import Any

from campaigns import followers
from campaigns.models import Referral, ReferralProgramme
from campaigns.services import referral_codes, referrals
from members.domain.public_id import new_public_id
from members.models import Member
from members.services import delivery, events
from rewards.services import enrolment
from rewards.services.joining_requests import EnrolmentRequest
from tests.engine.shop import day

POINTS = 300


def programme(**values: Any) -> ReferralProgramme:
    """Put terms in force from the beginning: 300 points, a week, orders of 100 and more."""
    number = ReferralProgramme.objects.count() + 1
    defaults: dict[str, Any] = {
        "number": number, "from_at": day(-30 + number), "created_at": day(-30), "min_amount": 100,
        "created_by": "staff:eve", "reward": "points", "points": POINTS, "return_window_days": 7,
    }  # fmt: skip
    if values.get("reward", "points") != "points":
        defaults["points"] = None
    if values.get("reward") == "cash":
        defaults["amount"] = Decimal("20.00")
    return ReferralProgramme.objects.create(**{**defaults, **values})


def follow() -> None:
    """Let the follower of enrolments do its work; a second time finds nothing."""
    if followers.REFERRALS not in {each.name for each in delivery.registered()}:
        delivery.register(
            delivery.Follower(
                followers.REFERRALS, followers.REFERRAL_KINDS, followers.register_referral
            )
        )
    while delivery.deliver(follower=followers.REFERRALS, at=day(9_999)):
        pass


def subscribe() -> None:
    """Owe enrolments to the follower from now on."""
    events.sync_subscriptions({followers.REFERRALS: followers.REFERRAL_KINDS})


def code(referrer: Member) -> str:
    """Return the referrer's code."""
    return referral_codes.code_of(member_id=referrer.pk, at=day(0)).code


def join(
    code: str, *, on: float = 0, staff: str = "", phone: str = "", **attributes: Any
) -> Member:
    """Enrol a friend with a code, and let the follower see it."""
    key = ("phone", phone, "") if phone else ("external", str(new_public_id(day(on))), "")
    request = EnrolmentRequest(
        identifiers=(key,), attributes={"referral_code": code, **attributes}, staff=staff
    )
    (made,) = enrolment.enrol_members([request], touchpoint=None, at=day(on))
    assert made.member_id is not None, made.error
    follow()
    return Member.objects.get(pk=made.member_id)


def settle(on: float) -> int:
    """Let the job do what is due by a day."""
    return referrals.settle_due(at=day(on), recorded_at=day(on))


def of(friend: Member) -> Referral:
    """Return the referral that brought a friend."""
    return Referral.objects.get(friend=friend)
