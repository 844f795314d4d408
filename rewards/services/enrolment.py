"""Enrolment: becoming a member, and getting what has been waiting for one."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from members.models import Touchpoint
from rewards.services import intake, joining
from rewards.services.joining_requests import Enrolment, EnrolmentRequest

__all__ = ["Enrolment", "EnrolmentRequest", "enrol_members"]


@transaction.atomic
def enrol_members(
    requests: Sequence[EnrolmentRequest], *, touchpoint: Touchpoint | None, at: datetime
) -> list[Enrolment]:
    """Find or create the member of each request, in order; fold facts that waited for them.

    A request that cannot be taken has its error in its result and keeps no other from being taken.
    Raises: LadderMissingError.
    Source: MEM-01, MEM-02, MEM-03, MEM-13, design §5.1(6, 7).
    """
    enrolments = joining.find_or_create(requests, touchpoint=touchpoint, at=at)
    reached = {
        enrolment.member_id
        for enrolment in enrolments
        if enrolment.member_id is not None and enrolment.attached
    }
    if reached:
        intake.attach_awaiting(members=reached, at=at)
    return enrolments
