"""Enrolment: becoming a member, and getting what has been waiting for one."""

from collections.abc import Collection, Sequence
from datetime import datetime

from members.models import Touchpoint
from rewards.services import intake, joining
from rewards.services.due import settle_members
from rewards.services.joining_requests import Enrolment, EnrolmentRequest
from tiers.models import QualificationRule
from tiers.services.ladders import TIMELESS_METRICS

__all__ = ["Enrolment", "EnrolmentRequest", "enrol_members"]


def enrol_members(
    requests: Sequence[EnrolmentRequest],
    *,
    touchpoint: Touchpoint | None,
    at: datetime,
    verified: Collection[int] = (),
) -> list[Enrolment]:
    """Find or create the member of each request, in order; fold facts that waited for them.

    A request that cannot be taken has its error in its result and keeps no other from being taken.
    What another call disturbs is tried again, all of it. `verified` are members whose phones are
    known to be still theirs.
    Raises: LadderMissingError.
    Source: MEM-01, MEM-02, MEM-03, MEM-13, design §5.1(6, 7).
    """
    return intake.insist(lambda: _enrol(requests, touchpoint, at, verified))


def _enrol(
    requests: Sequence[EnrolmentRequest],
    touchpoint: Touchpoint | None,
    at: datetime,
    verified: Collection[int],
) -> list[Enrolment]:
    enrolments = joining.find_or_create(requests, touchpoint=touchpoint, at=at, verified=verified)
    reached = {
        enrolment.member_id
        for enrolment in enrolments
        if enrolment.member_id is not None and enrolment.attached
    }
    if reached:
        intake.attach_awaiting(members=reached, at=at)
    _meet_ladder(enrolments, at)
    return enrolments


def _meet_ladder(enrolments: Sequence[Enrolment], at: datetime) -> None:
    """Settle those enrolled where the ladder has a tier that needs no fact to be reached.

    So that it is reached now, by an attribute, or found by the due run on its day, by tenure.
    """
    members = {each.member_id for each in enrolments if each.member_id is not None}
    rules = QualificationRule.objects.filter(metric__in=TIMELESS_METRICS)
    if members and rules.exists():
        settle_members(members=members, at=at, recorded_at=at)
