"""Members and touchpoints for tests, made by the services that make them in production."""

import itertools
from datetime import UTC, datetime
from typing import Any

from members.models import Channel, Member, Touchpoint
from rewards.services import joining
from rewards.services.joining_requests import Enrolment, EnrolmentRequest
from tiers.models import Tier

AT = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def basic_tier() -> Tier:
    """Return the tier of rank 0."""
    names = {"code": "basic", "name_zh": "普通会员", "name_en": "Basic"}
    return Tier.objects.get_or_create(rank=0, defaults=names)[0]


def touchpoint(code: str = "", **values: Any) -> Touchpoint:
    """Make a touchpoint, a till if nothing else is said."""
    code = code or f"till-{next(_numbers)}"
    defaults = {"name": code, "channel": Channel.POS, "created_at": AT}
    return Touchpoint.objects.create(code=code, **{**defaults, **values})


def phone() -> str:
    """Return a number that no other member of the test process has."""
    return f"139{next(_numbers):08d}"


def request(*identifiers: tuple[str, str, str], **values: Any) -> EnrolmentRequest:
    """Return an enrolment request, by phone if nothing else is said."""
    return EnrolmentRequest(identifiers=identifiers or (("phone", phone(), ""),), **values)


def member(
    *identifiers: tuple[str, str, str],
    at: datetime = AT,
    by: Touchpoint | None = None,
    **values: Any,
) -> Member:
    """Enrol a member."""
    basic_tier()
    wanted = request(*identifiers, **values)
    (enrolment,) = joining.find_or_create([wanted], touchpoint=by, at=at)
    if enrolment.error:
        raise enrolment.error
    assert enrolment.member_id is not None
    return Member.objects.get(pk=enrolment.member_id)


def enrol(*requests: EnrolmentRequest, by: Touchpoint | None = None) -> list[Enrolment]:
    """Find or create the members of the requests."""
    return joining.find_or_create(requests, touchpoint=by, at=AT)
