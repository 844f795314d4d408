"""Reviews and photos that earn once a moderator has approved them, and no longer once removed.

An approval is a fact of the programme's own, an interaction of the same kind at the moderator's
instant, which earns and qualifies by the ordinary rules; a removal is a fact that takes it back.
So both are folded like everything else, and a recompute comes to the same.

Source: ENG-03.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Moderation, ModerationState, OrderLine
from members.services import events
from members.services.events import NewEvent
from rewards.domain.receipt import MODERATION
from rewards.domain.submission import InteractionFact, MemberRef
from rewards.services import intake, loading

REASONS: Final[Mapping[str, Promise]] = {
    "off_topic": _("Not about the product"),
    "offensive": _("Offensive"),
    "advertising": _("Advertising"),
    "personal_data": _("Shows personal data"),
    "rights": _("Rights of others"),
    "duplicate": _("Said before"),
    "other": _("Other reason"),
}
REFUSED_LINE: Final = "review_line_unknown"
REFUSED_SECOND: Final = "review_line_taken"


class ModerationError(DomainError):
    """A review cannot be decided in this way."""


@dataclass(frozen=True, slots=True)
class Decided:
    """How many reviews earn now, and the codes that kept others from it, by fact."""

    approved: int
    refused: Mapping[int, str]


@transaction.atomic
def approve(*, reviews: Collection[int], at: datetime, actor: str) -> Decided:
    """Approve reviews that wait or were removed; each order line gives its reward once.

    One that cannot be is named with the reason; the others are. One call of the intake, however
    many there are.
    Source: ENG-03.
    """
    found = [row for row in _locked(reviews) if row.state != ModerationState.APPROVED]
    refused = _refused(found)
    rows = [row for row in found if row.pk not in refused]
    facts = [_approval(row, at) for row in rows]
    keys = _receive(facts, at, actor)
    for row, fact in zip(rows, keys, strict=True):
        row.state, row.approval_id, row.number = ModerationState.APPROVED, fact, row.number + 1
        _sign(row, "", at, actor)
    _save(rows, "review.approved", at, actor)
    return Decided(len(rows), refused)


@transaction.atomic
def reject(*, reviews: Collection[int], reason: str, at: datetime, actor: str) -> int:
    """Refuse reviews that wait; they never earn anything.

    Raises: ModerationError.
    """
    _check_reason(reason)
    rows = [row for row in _locked(reviews) if row.state == ModerationState.PENDING]
    for row in rows:
        row.state = ModerationState.REJECTED
        _sign(row, reason, at, actor)
    _save(rows, "review.rejected", at, actor)
    return len(rows)


@transaction.atomic
def remove(*, reviews: Collection[int], reason: str, at: datetime, actor: str) -> int:
    """Take approved reviews down, with all that they have earned and counted for.

    Raises: ModerationError.
    Source: ENG-03.
    """
    _check_reason(reason)
    rows = [row for row in _locked(reviews) if row.state == ModerationState.APPROVED]
    _receive([_removal(row, at) for row in rows], at, actor)
    for row in rows:
        row.state = ModerationState.REMOVED
        _sign(row, reason, at, actor)
    _save(rows, "review.removed", at, actor)
    return len(rows)


def _locked(reviews: Collection[int]) -> list[Moderation]:
    """Return the reviews; their members are locked, so nobody else decides about them."""
    owners = Moderation.objects.filter(pk__in=reviews).values_list("member_id", flat=True)
    loading.lock(set(owners))
    rows = Moderation.objects.filter(pk__in=reviews).select_related("fact__interaction", "member")
    return list(rows.order_by("pk").select_for_update(of=("self",), no_key=True))


def _refused(rows: Sequence[Moderation]) -> dict[int, str]:
    """Return why reviews cannot be approved: the line is not the member's, or has had its reward.

    The unique constraint stands behind it.
    """
    named = [row for row in rows if row.line_no is not None]
    bought = set(
        OrderLine.objects.filter(
            order__order_no__in={row.order_no for row in named},
            member_id__in={row.member_id for row in named},
        ).values_list("order__source", "order__order_no", "line_no", "member_id")
    )
    taken = set(
        Moderation.objects.filter(
            state=ModerationState.APPROVED, order_no__in={row.order_no for row in named}
        ).values_list("order_source", "order_no", "line_no")
    )
    refused = {}
    for row in named:
        line = (row.order_source, row.order_no, row.line_no)
        if (*line, row.member_id) not in bought:
            refused[row.pk] = REFUSED_LINE
        elif line in taken:
            refused[row.pk] = REFUSED_SECOND
        taken.add(line)
    return refused


def _approval(row: Moderation, at: datetime) -> InteractionFact:
    said = row.fact.interaction
    return InteractionFact(
        source=MODERATION,
        ref=f"{row.pk}/{row.number + 1}",
        member=MemberRef(public_id=row.member.public_id),
        kind=said.kind,
        occurred_at=at,
        data={"approves": {"source": said.source, "ref": said.ref}},
        approves=row.pk,
    )


def _removal(row: Moderation, at: datetime) -> InteractionFact:
    said = row.fact.interaction
    return InteractionFact(
        source=MODERATION,
        ref=f"{row.pk}/{row.number}/removed",
        member=MemberRef(public_id=row.member.public_id),
        kind="review_removed",
        occurred_at=at,
        data={"removes": {"source": said.source, "ref": said.ref}},
        withdraws=row.approval_id,
    )


def _receive(facts: Sequence[InteractionFact], at: datetime, actor: str) -> list[int]:
    """Let the engine fold the facts; returns their ids, in their order.

    Raises: ModerationError where one is not taken, and then none is.
    """
    outcomes = intake.receive(facts, touchpoint=None, at=at, actor=actor)
    for outcome in outcomes:
        if outcome.status >= 400:
            raise ModerationError(str(outcome.code), _("The review was not taken."), 409)
    refs = [fact.ref for fact in facts]
    found = intake.fact_ids(source=MODERATION, refs=refs)
    return [found[ref] for ref in refs]


def _check_reason(reason: str) -> None:
    if reason not in REASONS:
        raise ModerationError("reason_unknown", _("There is no such reason."), field="reason")


def _sign(row: Moderation, reason: str, at: datetime, actor: str) -> None:
    row.reason, row.decided_at, row.decided_by = reason, at, actor


def _save(rows: Sequence[Moderation], kind: str, at: datetime, actor: str) -> None:
    Moderation.objects.bulk_update(
        rows, ["state", "approval", "number", "reason", "decided_at", "decided_by"]
    )
    events.append(
        [
            NewEvent(
                row.member_id, kind, at, at,
                {"review": row.pk} | ({"reason": row.reason} if row.reason else {}), actor,
            )
            for row in rows
        ]
    )  # fmt: skip
