"""Daily check-ins: once per local day for ever, with the days in a row."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.models import FactKind, MemberStatus, ReceivedFact, Touchpoint
from rewards.domain.receipt import CHECK_IN
from rewards.domain.submission import InteractionFact, MemberRef
from rewards.models import Evaluation
from rewards.services import intake, loading
from rewards.services.commands import MemberFrozenError, MemberNotFoundError

_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)


class CheckInDayError(DomainError):
    """Only today can be checked in, and yesterday where that may be made up for."""

    def __init__(self, today: date) -> None:
        super().__init__(
            "check_in_day_closed",
            _("This day cannot be checked in any more."),
            422,
            today=today.isoformat(),
        )


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One local day of one member; `is_repeated` where it was checked in before."""

    on: date
    streak: int
    points: int
    is_repeated: bool


@transaction.atomic
def check_in(
    *, member: int, on: date | None, touchpoint: Touchpoint | None, at: datetime, actor: str
) -> CheckIn:
    """Check a member in for a local day; again is the same answer.

    The day is the reference of a fact, so that the fact's own uniqueness keeps it single. The
    member's lock keeps the days before from changing while they are counted.
    Raises: CheckInDayError, MemberNotFoundError, MemberFrozenError.
    Source: ENG-01.
    """
    today = clock.local_day(at)
    day = on or today
    if day != today and not (settings.LOYALTY_CHECK_IN_MAKE_UP and day == today - _DAY):
        raise CheckInDayError(today)
    locked = loading.lock([member]).get(member)
    if locked is None:
        raise MemberNotFoundError
    if locked.status != MemberStatus.ACTIVE:
        raise MemberFrozenError(locked.status)
    done = _stored(locked.public_id, day)
    if done is not None:
        return CheckIn(day, int(done.body["streak"]), _points_of(done), is_repeated=True)
    streak = _days_before(locked.public_id, day) + 1
    fact = InteractionFact(
        source=CHECK_IN,
        ref=_ref(locked.public_id, day),
        member=MemberRef(public_id=locked.public_id),
        kind=CHECK_IN,
        # A day that is made up for is over: it acts at its last instant.
        occurred_at=at if day == today else clock.day_start(day + _DAY) - _INSTANT,
        data={"streak": streak},
        streak=streak,
    )
    (outcome,) = intake.receive([fact], touchpoint=touchpoint, at=at, actor=actor)
    return CheckIn(day, streak, int(outcome.data["points"]["earned"]), is_repeated=False)


def _days_before(public_id: UUID, day: date) -> int:
    """Return how many days in a row were checked in right before a day.

    Each check-in knows its own days in a row. One that was made up for later joins two runs, so
    the day before a run is looked at too.
    """
    count = 0
    while (before := _stored(public_id, day - (count + 1) * _DAY)) is not None:
        count += int(before.body["streak"])
    return count


def _stored(public_id: UUID, day: date) -> ReceivedFact | None:
    rows = ReceivedFact.objects.filter(
        source=CHECK_IN, kind=FactKind.INTERACTION, ref=_ref(public_id, day), body__has_key="streak"
    )
    return rows.first()


def _ref(public_id: UUID, day: date) -> str:
    return f"{public_id}:{day.isoformat()}"


def _points_of(fact: ReceivedFact) -> int:
    """Return the points that the check-in is worth now, by the newest decision about it."""
    decisions = Evaluation.objects.filter(interaction_id=fact.pk).order_by("-id")
    return decisions.values_list("points", flat=True).first() or 0
