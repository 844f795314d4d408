"""Finding members by their identifiers, and making those that are not there yet.

Below intake and enrolment, which both need it: intake enrols where a touchpoint asks for that,
enrolment lets intake attach what has been waiting for the new identifiers. The number of
statements does not depend on the number of requests.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import enrolment as planning
from members.domain.attributes import Declared
from members.domain.enrolment import Plan, Seat
from members.domain.personal import Personal
from members.models import Member, Touchpoint
from members.services import attributes as declarations
from members.services import consents, events, founding, identity, profile, touchpoints
from members.services.consents import ConsentDecision
from rewards.domain.chain import GENESIS
from rewards.models import PointsAccount
from rewards.services import verification
from rewards.services.joining_requests import (
    CheckedRequest,
    Enrolment,
    EnrolmentRequest,
    check,
)
from tiers.models import Standing, Tier
from tiers.services.entitlements import follow_tiers

ENROLLED: Final = "member.enrolled"
IDENTIFIER_ATTACHED: Final = "member.identifier_attached"
STANDING_REASON: Final = "enrolled"
MAX_TRIES: Final = 8
RACED_CONSTRAINTS: Final = (
    "identifier_unique_while_active",
    "members_member_card_number",
    "members_member_public_id",
)


class IdentifiersConflictError(DomainError):
    """The identifiers belong to more than one member; they are never merged by themselves."""

    def __init__(self) -> None:
        super().__init__(
            "identifiers_conflict", _("These identifiers belong to different members."), 409
        )


class LadderMissingError(DomainError):
    """No tier of rank 0 exists: the programme has not been set up."""

    def __init__(self) -> None:
        super().__init__(
            "ladder_missing", _("The programme has no tiers yet; load a preset first."), 503
        )


class _MemberGoneError(Exception):
    """A member was merged or erased between being found and being locked."""


def find_or_create(
    requests: Sequence[EnrolmentRequest],
    *,
    touchpoint: Touchpoint | None,
    at: datetime,
    verified: Collection[int] = (),
) -> list[Enrolment]:
    """Return the member of each request, made where none of its identifiers leads to one.

    One by one in order, as if each had been sent alone. A known member gets the identifiers that
    are free and what was unknown of the person. Where another transaction makes the same member at
    the same time, the unique constraint lets one of them win and the others find the winner.
    `verified` are members whose phones are known to be still theirs.
    Raises: LadderMissingError.
    Source: MEM-01, MEM-02, MEM-03, MEM-13, design §5.1(7).
    """
    has_attributes = any(request.attributes for request in requests)
    declared = declarations.declared() if has_attributes else {}
    checked = [_checked(request, touchpoint, at, declared) for request in requests]
    for tries_left in reversed(range(MAX_TRIES)):
        try:
            with transaction.atomic():
                done = _attempt(checked, touchpoint, at, verified)
                verification.ask(requests, done.checked, touchpoint=touchpoint, at=at)
                return [_result(done, place) for place in range(len(requests))]
        except _MemberGoneError:
            if not tries_left:
                raise
        except IntegrityError as error:
            if not tries_left or not _is_race(error):
                raise
    raise AssertionError("the last try returns or raises")


def _checked(
    request: EnrolmentRequest, touchpoint: Touchpoint | None, at: datetime,
    declared: Mapping[str, Declared],
) -> CheckedRequest | DomainError:  # fmt: skip
    try:
        declarations.check(request.attributes, declared)
        return check(request, touchpoint=touchpoint, at=at)
    except DomainError as error:
        return error


def _is_race(error: IntegrityError) -> bool:
    diagnostics = getattr(error.__cause__, "diag", None)
    name = getattr(diagnostics, "constraint_name", None) or ""
    return name.startswith(RACED_CONSTRAINTS)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Requests, whom they mean, and the members as far as they are loaded or made."""

    checked: Sequence[CheckedRequest | DomainError]
    plan: Plan
    touchpoint: Touchpoint | None
    at: datetime
    members: dict[int, Member] = field(default_factory=dict)

    def member(self, seat: Seat) -> Member:
        """Return the member who sits there."""
        return self.members[seat.requests[0]]

    def requests(self, seat: Seat) -> list[CheckedRequest]:
        """Return the requests that mean the member of a seat."""
        found = (self.checked[place] for place in seat.requests)
        return [item for item in found if isinstance(item, CheckedRequest)]

    def decisions(self, seat: Seat) -> list[ConsentDecision]:
        """Return what the member allows or refuses, in order."""
        return [decision for item in self.requests(seat) for decision in item.consents]

    def described(self, seat: Seat) -> tuple[Personal, Mapping[str, Any]]:
        """Return what is told of the person: as first told, gaps filled from later requests."""
        personal, attributes = Personal(), dict[str, Any]()
        for item in self.requests(seat):
            personal = personal.filled_from(item.personal)
            attributes = {**item.attributes, **attributes}
        return personal, attributes


def _attempt(
    checked: Sequence[CheckedRequest | DomainError],
    touchpoint: Touchpoint | None,
    at: datetime,
    verified: Collection[int],
) -> _Batch:
    values = {key for item in checked if isinstance(item, CheckedRequest) for key in item.keys}
    identity.lock_values(values)
    known = identity.find(values)
    sure = verification.refuse_doubtful(checked, known, verified=verified, at=at)
    keys = [item.keys if isinstance(item, CheckedRequest) else None for item in sure]
    batch = _Batch(sure, planning.plan(keys, known), touchpoint, at)
    _load_known(batch)
    _attach_identifiers(batch)
    _make_new(batch)
    _fill_gaps(batch)
    _record_consents(batch)
    return batch


def _load_known(batch: _Batch) -> None:
    """Load the known members, all locked where something of one is written later.

    Members are locked before identifiers are, by everyone, so that batches that share both wait for
    each other and never in a circle.
    """
    seats = {seat.member_id: seat for seat in batch.plan.members if seat.member_id is not None}
    if not seats:
        return
    rows = Member.objects.living().filter(id__in=seats).order_by("id")
    if batch.plan.joined or any(batch.decisions(seat) for seat in seats.values()):
        rows = rows.select_for_update(no_key=True, of=("self",))
    found = {member.pk: member for member in rows}
    if len(found) < len(seats):
        raise _MemberGoneError
    batch.members.update({seats[pk].requests[0]: member for pk, member in found.items()})


def _attach_identifiers(batch: _Batch) -> None:
    """Attach further identifiers to known members."""
    joined = [(batch.member(seat), seat) for seat in batch.plan.joined]
    founding.attach([(member, list(seat.brought)) for member, seat in joined], at=batch.at)
    events.append(
        [
            events.NewEvent(member.pk, IDENTIFIER_ATTACHED, batch.at, batch.at, {"kind": kind})
            for member, seat in joined
            for kind, _app, _normal in seat.brought
        ]
    )


def _make_new(batch: _Batch) -> None:
    """Make the new members with their accounts and first standings."""
    seats = batch.plan.new
    if not seats:
        return
    tier = Tier.objects.filter(rank=0).first()
    if tier is None:
        raise LadderMissingError
    made = founding.found(_newcomers(batch, seats), touchpoint=batch.touchpoint, at=batch.at)
    batch.members.update(
        {seat.requests[0]: member for seat, member in zip(seats, made, strict=True)}
    )
    PointsAccount.objects.bulk_create(
        [PointsAccount(member=member, head_hash=GENESIS) for member in made]
    )
    Standing.objects.bulk_create(
        [
            Standing(member=member, tier=tier, from_at=member.joined_at, reason=STANDING_REASON)
            for member in made
        ]
    )
    events.append([_enrolled(member, batch.at) for member in made])
    follow_tiers(members=[member.pk for member in made], at=batch.at, actor=_actor(batch))


def _newcomers(batch: _Batch, seats: Sequence[Seat]) -> list[founding.Newcomer]:
    firsts = [batch.requests(seat)[0] for seat in seats]
    stores = touchpoints.store_ids(first.store for first in firsts)
    default_store = batch.touchpoint.store_id if batch.touchpoint else None
    newcomers = []
    for seat, first in zip(seats, firsts, strict=True):
        personal, attributes = batch.described(seat)
        newcomer = founding.Newcomer(
            keys=list(seat.brought),
            personal=personal,
            attributes=attributes,
            channel=first.channel,
            store_id=stores.get(first.store, default_store),
            staff=first.staff,
            joined_at=first.joined_at,
        )
        newcomers.append(newcomer)
    return newcomers


def _fill_gaps(batch: _Batch) -> None:
    """Add to known members' profiles what was not known yet."""
    gaps = {
        batch.member(seat).pk: batch.described(seat)
        for seat in batch.plan.members
        if not seat.is_new
    }
    told = {pk: told for pk, told in gaps.items() if told[1] or not told[0].is_empty}
    if told:
        profile.fill_gaps(told, at=batch.at, actor=_actor(batch))


def _record_consents(batch: _Batch) -> None:
    decisions = {batch.member(seat).pk: batch.decisions(seat) for seat in batch.plan.members}
    if any(decisions.values()):
        consents.record(decisions, touchpoint=batch.touchpoint, at=batch.at, actor=_actor(batch))


def _actor(batch: _Batch) -> str:
    return f"touchpoint:{batch.touchpoint.code}" if batch.touchpoint else "system"


def _enrolled(member: Member, at: datetime) -> events.NewEvent:
    payload = {"channel": member.channel, "store": member.home_store_id}
    return events.NewEvent(member.pk, ENROLLED, member.joined_at, at, payload)


def _result(batch: _Batch, place: int) -> Enrolment:
    item, seat = batch.checked[place], batch.plan.seats[place]
    if isinstance(item, DomainError):
        return Enrolment(error=item)
    if seat is None:
        return Enrolment(error=IdentifiersConflictError())
    member = batch.member(seat)
    return Enrolment(
        member_id=member.pk,
        public_id=member.public_id,
        card_number=member.card_number,
        created=seat.is_new and seat.requests[0] == place,
        attached=sum(by == place for by in seat.brought.values()),
    )
