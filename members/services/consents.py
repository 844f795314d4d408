"""What members allow: recorded as a history, of which the latest decision counts."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain.sealing import seal
from members.models import Consent, Member, Touchpoint
from members.services import crypto, events

CHANGED: Final = "consent.changed"
EVIDENCE: Final = "consent"

_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_CHANNEL = re.compile(r"[a-z0-9_]{0,16}", re.ASCII)


class ConsentInvalidError(DomainError):
    """A purpose or channel is not a code."""

    def __init__(self, name: str) -> None:
        super().__init__("consent_invalid", _("This is not a valid consent."), field=name)


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """What a member decided for one purpose and channel ("" = every channel)."""

    purpose: str
    granted: bool
    channel: str = ""
    text_version: str = ""
    source: str = ""
    evidence: str = field(default="", repr=False)
    given_at: datetime | None = None

    def checked(self) -> "ConsentDecision":
        """Return the decision.

        Raises: ConsentInvalidError.
        """
        if not _CODE.fullmatch(self.purpose):
            raise ConsentInvalidError("purpose")
        if not _CHANNEL.fullmatch(self.channel):
            raise ConsentInvalidError("channel")
        if len(self.text_version) > 32 or "\0" in self.text_version:
            raise ConsentInvalidError("text_version")
        if len(self.source) > 64 or "\0" in self.source:
            raise ConsentInvalidError("source")
        return self


class _Told(NamedTuple):
    purpose: str
    channel: str
    granted: bool
    text_version: str
    given_at: datetime


def current(member_ids: Collection[int]) -> dict[int, dict[tuple[str, str], Consent]]:
    """Return each member's latest decision per purpose and channel."""
    latest = (
        Consent.objects.filter(member_id__in=member_ids)
        .order_by("member_id", "purpose", "channel", "-given_at", "-id")
        .distinct("member_id", "purpose", "channel")
    )
    found: dict[int, dict[tuple[str, str], Consent]] = {}
    for consent in latest:
        found.setdefault(consent.member_id, {})[consent.purpose, consent.channel] = consent
    return found


@transaction.atomic
def record(
    decisions: Mapping[int, Sequence[ConsentDecision]],
    *,
    touchpoint: Touchpoint | None,
    at: datetime,
    actor: str = "",
) -> int:
    """Record the decisions of members and return how many were news.

    A decision that was told before, or that repeats the one in force, leaves no row: sending it
    again changes nothing. Members are locked, so that two decisions at once are both judged
    against what was in force before them.
    Raises: ConsentInvalidError.
    Source: MEM-11.
    """
    wanted = {
        member: [decision.checked() for decision in made]
        for member, made in decisions.items()
        if made
    }
    if not wanted:
        return 0
    members = Member.objects.filter(id__in=wanted).order_by("id")
    list(members.select_for_update(no_key=True).values_list("id"))
    known = _histories(wanted)
    rows = [
        (member, decision)
        for member, made in wanted.items()
        for decision in _news(known.get(member, []), made, at)
    ]
    write(rows, touchpoint=touchpoint, at=at, actor=actor)
    return len(rows)


def write(
    rows: Sequence[tuple[int, ConsentDecision]],
    *,
    touchpoint: Touchpoint | None,
    at: datetime,
    actor: str = "",
) -> None:
    """Write decisions that are known to be news, with an event for each."""
    sealed = _sealed_evidence(rows)
    Consent.objects.bulk_create(
        [
            Consent(
                member_id=member,
                purpose=decision.purpose,
                channel=decision.channel,
                granted=decision.granted,
                text_version=decision.text_version,
                touchpoint=touchpoint,
                source=decision.source,
                sealed_evidence=evidence,
                given_at=decision.given_at or at,
                recorded_at=at,
            )
            for (member, decision), evidence in zip(rows, sealed, strict=True)
        ]
    )
    events.append([_event(member, decision, at, actor) for member, decision in rows])


def _histories(member_ids: Collection[int]) -> dict[int, list[_Told]]:
    """Return what each member has decided so far, oldest first."""
    found: dict[int, list[_Told]] = {}
    rows = Consent.objects.filter(member_id__in=member_ids).order_by("given_at", "id")
    for row in rows:
        told = _Told(row.purpose, row.channel, row.granted, row.text_version, row.given_at)
        found.setdefault(row.member_id, []).append(told)
    return found


def _news(
    history: Sequence[_Told], decisions: Sequence[ConsentDecision], at: datetime
) -> list[ConsentDecision]:
    """Return the decisions that say something new, judged one after the other."""
    told = list(history)
    news = []
    for decision in decisions:
        same_matter = [t for t in told if t[:2] == (decision.purpose, decision.channel)]
        given_at = decision.given_at or at
        # Of what was decided before: a report that comes again is judged as it was the first time.
        earlier = [t.text_version for t in same_matter if t.given_at <= given_at]
        version = decision.text_version or (earlier[-1] if earlier else "")
        new = _Told(decision.purpose, decision.channel, decision.granted, version, given_at)
        in_force = max(same_matter, key=lambda t: t.given_at, default=None)
        repeats = in_force is not None and in_force[:4] == new[:4] and decision.given_at is None
        if new not in same_matter and not repeats:
            told.append(new)
            news.append(decision)
    return news


def _sealed_evidence(rows: Sequence[tuple[int, ConsentDecision]]) -> list[bytes | None]:
    members = {member for member, decision in rows if decision.evidence}
    keys = crypto.data_keys(members) if members else {}
    sealed: list[bytes | None] = []
    for member, decision in rows:
        if decision.evidence and member in keys:
            public_id, data_key = keys[member]
            sealed.append(seal(data_key, decision.evidence.encode(), public_id, EVIDENCE))
        else:
            sealed.append(None)
    return sealed


def _event(member: int, decision: ConsentDecision, at: datetime, actor: str) -> events.NewEvent:
    return events.NewEvent(
        member_id=member,
        kind=CHANGED,
        occurred_at=decision.given_at or at,
        recorded_at=at,
        payload={
            "purpose": decision.purpose,
            "channel": decision.channel,
            "granted": decision.granted,
            "actor": actor,
        },
    )
