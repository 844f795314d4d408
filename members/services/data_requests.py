"""Requests of people about their own data, and the clock that runs for the answer.

Source: MEM-12; PIPL art. 44–47, 50.
"""

from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.domain import working_days
from members.models import DataRequest, DataRequestKind, DataRequestState, Member, MemberStatus
from members.services import events

ANSWERED_WITHIN: Final = 15
"""Units: working days."""

VERIFICATIONS: Final = (
    "called_back", "code_sent", "document_seen", "card_at_hand", "known_in_person",
)  # fmt: skip
"""The checks of a caller that are enough to hand out or erase what is kept of them."""


class DataRequestError(DomainError):
    """A request cannot be registered, or not be answered in this way."""


@transaction.atomic
def register(
    *, member: Member, kind: str, verified_by: str, actor: str, at: datetime
) -> DataRequest:
    """Register what a member asks for; the clock runs from now.

    Raises: DataRequestError.
    """
    if verified_by not in VERIFICATIONS:
        raise DataRequestError(
            "identity_not_checked", _("Say how the person was recognised."), field="verified_by"
        )
    if member.status == MemberStatus.ERASED:
        raise DataRequestError("member_erased", _("Nothing of this member is left."), 409)
    due_on = working_days.after(clock.local_day(at), ANSWERED_WITHIN)
    try:
        with transaction.atomic():
            request = DataRequest.objects.create(
                member=member, kind=kind, verified_by=verified_by, requested_at=at,
                due_on=due_on, registered_by=actor,
            )  # fmt: skip
    except IntegrityError as error:
        raise DataRequestError(
            "data_request_open", _("Such a request is open already."), 409
        ) from error
    _report(request, "registered", actor, at)
    return request


@transaction.atomic
def close(*, request_id: int, state: DataRequestState, actor: str, at: datetime) -> DataRequest:
    """Close an open request.

    Raises: DataRequestError.
    """
    request = DataRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.state != DataRequestState.OPEN:
        raise DataRequestError("data_request_closed", _("The request is closed already."), 409)
    request.state, request.closed_at, request.closed_by = state, at, actor
    request.save(update_fields=["state", "closed_at", "closed_by"])
    _report(request, state, actor, at)
    return request


@transaction.atomic
def copied(*, request_id: int, actor: str, at: datetime) -> DataRequest:
    """Note that a copy was made; the first one answers the request.

    Raises: DataRequestError where another thing was asked for.
    """
    request = DataRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.kind != DataRequestKind.ACCESS or request.state in (
        DataRequestState.WITHDRAWN, DataRequestState.REFUSED,
    ):  # fmt: skip
        raise DataRequestError("data_request_other", _("No copy was asked for."), 409)
    request.copies += 1
    request.save(update_fields=["copies"])
    if request.state == DataRequestState.OPEN:
        return close(request_id=request_id, state=DataRequestState.DONE, actor=actor, at=at)
    _report(request, "copied", actor, at)
    return request


def _report(request: DataRequest, what: str, actor: str, at: datetime) -> None:
    payload = {"request": request.kind, "what": str(what), "actor": actor}
    events.append([events.NewEvent(request.member_id, "member.data_request", at, at, payload)])
