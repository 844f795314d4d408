"""Members' claims to benefits: granting, holding, using and giving back.

Counters of a period are moved by a conditional upsert, so that the last use has one winner even
among those who hold no lock; the check on the row is the last word.

Source: BEN-08, BEN-14, BEN-17, design §5.1 (commands are refused as a whole).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain.public_id import new_public_id
from members.models import Touchpoint
from members.services import events
from members.services.events import NewEvent
from tiers import queries
from tiers.domain.entitlements import Claim, allocate, total_left
from tiers.models import Benefit, Entitlement, EntitlementUse, UseStatus
from tiers.services.following import follow_tiers
from tiers.services.rollout import follow_due_overrides, sync_all

__all__ = [
    "end_of", "follow_tiers", "give_back", "grant", "hold", "settle", "sync_all", "use",
]  # fmt: skip

GRANTED: Final = "entitlement.granted"
ENDED: Final = "entitlement.ended"
REVOKED: Final = "revoked"


class BenefitNotFoundError(DomainError):
    """There is no benefit of this code."""

    def __init__(self, code: str) -> None:
        super().__init__("benefit_not_found", _("There is no such benefit."), 404, benefit=code)


class BenefitNotGrantedError(DomainError):
    """The member has no claim to this benefit."""

    def __init__(self, code: str) -> None:
        super().__init__(
            "benefit_not_granted", _("The member does not have this benefit."), 403, benefit=code
        )


class BenefitExhaustedError(DomainError):
    """Not enough uses are left."""

    def __init__(self, code: str, left: int, asked: int) -> None:
        super().__init__(
            "benefit_exhausted", _("Not enough uses of this benefit are left."), 409,
            benefit=code, left=left, asked=asked,
        )  # fmt: skip


class UseNotFoundError(DomainError):
    """There is no use of a benefit under this id."""

    def __init__(self) -> None:
        super().__init__("benefit_use_not_found", _("There is no such use of a benefit."), 404)


class UseHeldError(DomainError):
    """The use is held by a reservation: that one is released, not the use alone."""

    def __init__(self) -> None:
        super().__init__(
            "benefit_use_held", _("A reservation holds this use; release the reservation."), 409
        )


class _Taking(NamedTuple):
    """Uses taken from one claim in one period."""

    code: str
    entitlement: int
    starts_on: date
    quota: int | None
    uses: int


@dataclass(frozen=True, slots=True)
class _Moment:
    """Who takes uses, when and where, and whether they are only held."""

    member: int
    at: datetime
    actor: str
    touchpoint: Touchpoint | None
    reservation: UUID | None = None

    @property
    def status(self) -> UseStatus:
        return UseStatus.USED if self.reservation is None else UseStatus.HELD


# A claim that others have used up meanwhile gives no row, and the caller takes nothing at all.
_TAKE = """
WITH wanted AS (
    SELECT * FROM json_to_recordset(%(rows)s::json)
        AS t (public_id uuid, entitlement bigint, starts_on date, quota int, uses int)
), counted AS (
    INSERT INTO tiers_entitlementperiod AS p (entitlement_id, starts_on, quota, held, used)
    SELECT entitlement, starts_on, quota,
           CASE WHEN %(is_held)s THEN uses ELSE 0 END, CASE WHEN %(is_held)s THEN 0 ELSE uses END
    FROM wanted ORDER BY entitlement
    ON CONFLICT (entitlement_id, starts_on) DO UPDATE
    SET held = p.held + EXCLUDED.held, used = p.used + EXCLUDED.used
    WHERE p.quota IS NULL OR p.held + p.used + EXCLUDED.held + EXCLUDED.used <= p.quota
    RETURNING id, entitlement_id
)
INSERT INTO tiers_entitlementuse
    (public_id, member_id, period_id, uses, status, reservation, touchpoint_id, actor, used_at)
SELECT w.public_id, %(member)s, c.id, w.uses, %(status)s, %(reservation)s, %(touchpoint)s,
       %(actor)s, %(at)s
FROM wanted w JOIN counted c ON c.entitlement_id = w.entitlement
ORDER BY c.id
RETURNING id
"""

_SETTLE = """
WITH closed AS (
    UPDATE tiers_entitlementuse
    SET status = CASE WHEN %(used)s THEN 'used' ELSE 'returned' END,
        used_at = CASE WHEN %(used)s THEN %(at)s ELSE used_at END,
        closed_at = CASE WHEN %(used)s THEN NULL ELSE %(at)s::timestamptz END
    WHERE reservation = ANY(%(reservations)s) AND status = 'held'
    RETURNING member_id, period_id, uses, public_id
), counted AS (
    UPDATE tiers_entitlementperiod p
    SET held = p.held - c.uses, used = p.used + CASE WHEN %(used)s THEN c.uses ELSE 0 END
    FROM (SELECT period_id, sum(uses) AS uses FROM closed GROUP BY period_id) c
    WHERE p.id = c.period_id
)
SELECT c.member_id, b.code, c.uses, c.public_id
FROM closed c JOIN tiers_entitlementperiod p ON p.id = c.period_id
JOIN tiers_entitlement e ON e.id = p.entitlement_id JOIN tiers_benefit b ON b.id = e.benefit_id
ORDER BY c.public_id
"""

_GIVE_BACK = """
WITH closed AS (
    UPDATE tiers_entitlementuse SET status = 'returned', closed_at = %(at)s
    WHERE id = %(use)s AND status = 'used'
    RETURNING period_id, uses
)
UPDATE tiers_entitlementperiod p SET used = p.used - c.uses
FROM closed c WHERE p.id = c.period_id
"""


@transaction.atomic
def grant(  # noqa: PLR0913 - what a row says
    *,
    member: int,
    benefit: Benefit,
    quota: int | None,
    period: str,
    from_at: datetime,
    until_at: datetime | None,
    source: str,
    source_ref: str,
    actor: str = "system",
) -> Entitlement:
    """Give a member a benefit from something other than a tier, once for each that gives it.

    What was revoked may be given again by the same source; it is then as new.
    """
    terms = {"quota": quota, "period": period, "from_at": from_at, "until_at": until_at}
    entitlement, is_new = Entitlement.objects.get_or_create(
        member_id=member, benefit=benefit, source=source, source_ref=source_ref, defaults=terms
    )
    if entitlement.end_reason == REVOKED:
        renewed = {**terms, "ended_at": None, "end_reason": ""}
        is_new = (
            Entitlement.objects.filter(pk=entitlement.pk, end_reason=REVOKED).update(**renewed) > 0
        )
        entitlement.refresh_from_db()
    if is_new:
        payload = {"benefits": [benefit.code], "reason": source}
        events.append([NewEvent(member, GRANTED, from_at, from_at, payload, actor)])
    return entitlement


@transaction.atomic
def end_of(
    *, source: str, refs: Collection[str], at: datetime, actor: str, reason: str
) -> tuple[int, list[Entitlement]]:
    """End what these sources gave; returns how many were open, and which had been used."""
    given = Entitlement.objects.filter(source=source, source_ref__in=refs)
    rows = list(given.select_for_update(of=("self",), no_key=True).select_related("benefit"))
    open_ones = [row for row in rows if row.ended_at is None]
    for row in open_ones:
        row.ended_at, row.end_reason = max(at, row.from_at), reason
    Entitlement.objects.bulk_update(open_ones, ["ended_at", "end_reason"])
    payloads = [(row, {"benefits": [row.benefit.code], "reason": reason}) for row in open_ones]
    events.append([NewEvent(r.member_id, ENDED, at, at, told, actor) for r, told in payloads])
    used = Entitlement.objects.filter(pk__in=[row.pk for row in rows], periods__used__gt=0)
    return len(open_ones), list(used.select_related("benefit").distinct())


def hold(
    *,
    member: int,
    uses: Sequence[tuple[str, int]],
    reservation: UUID,
    at: datetime,
    actor: str,
    touchpoint: Touchpoint | None,
) -> list[EntitlementUse]:
    """Hold uses of benefits for a purchase, all or none.

    Raises: BenefitNotFoundError, BenefitNotGrantedError, BenefitExhaustedError.
    """
    return _take(_Moment(member, at, actor, touchpoint, reservation), uses)


def use(
    *,
    member: int,
    code: str,
    uses: int,
    at: datetime,
    actor: str,
    touchpoint: Touchpoint | None = None,
) -> list[EntitlementUse]:
    """Use a benefit now; several rows where several claims give it.

    Raises: BenefitNotFoundError, BenefitNotGrantedError, BenefitExhaustedError.
    """
    return _take(_Moment(member, at, actor, touchpoint), [(code, uses)])


@transaction.atomic
def _take(moment: _Moment, uses: Sequence[tuple[str, int]]) -> list[EntitlementUse]:
    wanted: dict[str, int] = {}
    for code, count in uses:
        wanted[code] = wanted.get(code, 0) + count
    follow_due_overrides(at=moment.at, members=[moment.member])
    claims = queries.claims([moment.member], at=moment.at).get(moment.member, {})
    takings = [
        _Taking(code, claim.entitlement, claim.starts_on, claim.quota, count)
        for code, asked in wanted.items()
        for claim, count in _allocated(code, asked, claims)
    ]
    if not takings:
        return []
    made = _write(moment, takings)
    if moment.reservation is None:
        events.append([_used(each, moment) for each in made])
    return made


def _allocated(
    code: str, asked: int, claims: Mapping[str, Sequence[Claim]]
) -> list[tuple[Claim, int]]:
    mine = claims.get(code, ())
    if not mine:
        if not Benefit.objects.filter(code=code).exists():
            raise BenefitNotFoundError(code)
        raise BenefitNotGrantedError(code)
    shares = allocate(mine, asked)
    if shares is None:
        raise BenefitExhaustedError(code, total_left(mine) or 0, asked)
    return shares


def _write(moment: _Moment, takings: Sequence[_Taking]) -> list[EntitlementUse]:
    rows = [{"public_id": str(new_public_id(moment.at)), **taking._asdict()} for taking in takings]
    parameters: dict[str, Any] = {
        "rows": orjson.dumps(rows).decode(),
        "is_held": moment.status is UseStatus.HELD,
        "status": moment.status.value,
        "member": moment.member,
        "reservation": moment.reservation,
        "touchpoint": moment.touchpoint and moment.touchpoint.pk,
        "actor": moment.actor,
        "at": moment.at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, parameters)
        made = [row[0] for row in cursor.fetchall()]
    if len(made) < len(takings):
        # Another call has taken the last ones since they were counted.
        code = takings[0].code
        raise BenefitExhaustedError(code, 0, sum(taking.uses for taking in takings))
    found = EntitlementUse.objects.select_related("period__entitlement__benefit")
    return list(found.filter(pk__in=made).order_by("pk"))


def _used(each: EntitlementUse, moment: _Moment) -> NewEvent:
    payload = {
        "benefit": each.period.entitlement.benefit.code,
        "uses": each.uses,
        "id": str(each.public_id),
    }
    return NewEvent(moment.member, "benefit.used", moment.at, moment.at, payload, moment.actor)


@transaction.atomic
def settle(
    *, reservations: Collection[UUID], used: bool, at: datetime, actor: str = "system"
) -> None:
    """Let what reservations hold be used, or return it; what is closed already stays as it is."""
    if not reservations:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"reservations": list(reservations), "used": used, "at": at})
        closed = cursor.fetchall()
    if used:
        events.append(
            [
                NewEvent(
                    member, "benefit.used", at, at,
                    {"benefit": code, "uses": uses, "id": str(public_id)}, actor,
                )
                for member, code, uses, public_id in closed
            ]
        )  # fmt: skip


@transaction.atomic
def give_back(*, use: UUID, at: datetime, actor: str) -> EntitlementUse:
    """Give a use back, into the period that it was taken from. Again is the same answer.

    Raises: UseNotFoundError, UseHeldError.
    Source: BEN-08.
    """
    rows = EntitlementUse.objects.select_related("period__entitlement__benefit")
    row = rows.select_for_update(of=("self",), no_key=True).filter(public_id=use).first()
    if row is None:
        raise UseNotFoundError
    if row.status == UseStatus.HELD:
        raise UseHeldError
    if row.status == UseStatus.USED:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, {"use": row.pk, "at": at})
        row.status, row.closed_at = UseStatus.RETURNED, at
        payload = {
            "benefit": row.period.entitlement.benefit.code, "uses": row.uses, "id": str(use),
        }  # fmt: skip
        events.append([NewEvent(row.member_id, "benefit.returned", at, at, payload, actor)])
    return row
