"""Looking at personal data in clear: with a reason, counted, and told in the member's timeline."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.models import IdentifierKind
from members.services import events, notes, profile

REVEALED: Final = "member.revealed"
SHOWN: Final = (IdentifierKind.PHONE, IdentifierKind.EMAIL)

# The row is locked until the act is over: two at once cannot both take what is left.
_COUNT = """
INSERT INTO members_revealcount AS c (actor, day, count)
SELECT %(actor)s, %(day)s, 1 WHERE %(limit)s > 0
ON CONFLICT (actor, day) DO UPDATE SET count = c.count + 1 WHERE c.count < %(limit)s
RETURNING id
"""


class RevealError(DomainError):
    """Personal data may not be looked at, or not any more today."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """What is shown once; nothing of it is kept anywhere else."""

    name: str = field(repr=False)
    birthday: date | None = field(repr=False)
    identifiers: tuple[tuple[str, str], ...] = field(repr=False)


@transaction.atomic
def reveal(*, member_id: int, reason: str, actor: str, at: datetime) -> Revealed:
    """Return a member's name, birthday, phone and e-mail in clear, and write down who asked why.

    The event holds no values. An agent may do this so often a day, `LOYALTY_REVEALS_PER_DAY`.
    Raises: RevealError.
    Source: SVC-01, STF-06.
    """
    if not reason.strip():
        raise RevealError("reason_required", _("A reason is required."))
    count(actor=actor, at=at)
    personal = profile.read(member_id)
    rows = profile.read_identifiers([member_id]).get(member_id, [])
    payload = {"note": notes.seal(member=member_id, text=reason.strip()), "actor": actor}
    events.append([events.NewEvent(member_id, REVEALED, at, at, payload)])
    found = tuple((row.kind, row.value) for row in rows if row.kind in SHOWN)
    return Revealed(personal.name, personal.birthday, found)


def count(*, actor: str, at: datetime) -> None:
    """Count one look against what an agent may look at on one day. Raises: RevealError."""
    values = {
        "actor": actor, "day": clock.local_day(at), "limit": settings.LOYALTY_REVEALS_PER_DAY,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        if cursor.fetchone() is None:
            raise RevealError(
                "reveal_limit_reached",
                _("You have looked at as many members' data today as you may."),
                403,
                limit=settings.LOYALTY_REVEALS_PER_DAY,
            )
