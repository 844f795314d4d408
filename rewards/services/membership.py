"""Commands on the membership itself, not on its points: status and attributes.

Both decide what later facts and time do to the member. So the account is locked first, as every
fact and command does it, and what the change makes due is settled in the same transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from members.domain.status import Verb
from members.models import Member
from members.services import profile, status
from rewards.services import loading
from rewards.services.commands import MemberNotFoundError
from rewards.services.due import settle_members

_INSTANT: Final = timedelta(microseconds=1)


def change_status(  # noqa: PLR0913 - what an act of staff says of itself
    *,
    verb: Verb,
    member: int,
    reason: str,
    note: str,
    actor: str,
    at: datetime,
    verified_by: str = "",
) -> Member:
    """Freeze, unfreeze or close a member; no command slips through meanwhile.

    Raises: MemberNotFoundError, StatusError.
    Source: design §5.1 (7), TIR-12.
    """
    with _locked(member, at):
        return status.change(
            verb=verb, member_id=member, reason=reason, note=note, actor=actor, at=at,
            verified_by=verified_by,
        )  # fmt: skip


def update_profile(
    *,
    member: int,
    at: datetime,
    actor: str,
    values: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> bool:
    """Change personal values and attributes; tell whether anything changed.

    A tier that asks for an attribute is reached, or looked at again, at once. What was decided
    already is not decided again: the change acts after every fact that has been folded, also one
    whose clock is ahead. `values` names fields of `Personal`; an attribute of None is removed.
    Raises: MemberNotFoundError.
    Source: TIR-03, TIR-05.
    """
    with _locked(member, at) as after:
        return profile.update(
            member_id=member, at=after, actor=actor, values=values, attributes=attributes
        )


@contextmanager
def _locked(member: int, at: datetime) -> Iterator[datetime]:
    """Lock the account around a change, then settle; gives the instant that is after all facts."""
    with transaction.atomic():
        locked = loading.lock([member]).get(member)
        if locked is None:
            raise MemberNotFoundError
        last = locked.last_fact_at
        after = at if last is None or last < at else last + _INSTANT
        yield after
        settle_members(members=[member], at=after, recorded_at=at)
