"""Moving in: members bring their points and tiers along, and every point is accounted for.

Each row of the file is received as a fact, once under its `source_ref`, so that a second run
changes nothing and the fold knows the tier that was brought along. Its points are an adjustment
with the reason `opening` and a lot that says so.

Source: MEM-16, design §7 (import_balances).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from config.base import clock
from config.base.bulk import Writes
from members.models import Member, MemberStatus, ReceivedFact
from members.models.fact import FactKind
from members.services import events, identity
from members.services.events import NewEvent
from rewards.domain.import_rows import BALANCE_COLUMNS, BalanceRow, balance_row
from rewards.domain.mapping import ColumnMapping
from rewards.domain.receipt import opening_body
from rewards.domain.submission import InteractionFact, MemberRef, Opening
from rewards.domain.transfers import Cause, FactRef, Grounds
from rewards.services import importing, intake, ledger, loading, tables
from rewards.services.import_files import ImportFile
from rewards.services.importing import Progress
from rewards.services.ledger import MemberWrite
from rewards.services.programme import current_book
from rewards.services.rejects import Reject, RejectsFile
from rewards.services.row_import import RowImport
from tiers.models import Tier

SOURCE: Final = "opening"
KIND: Final = "opening"
REASON: Final = "opening"

Key = tuple[str, str, str]


@dataclass(slots=True)
class Sorted:
    """The rows of a batch by what is to become of them."""

    new: list[BalanceRow] = field(default_factory=list)
    unchanged: list[BalanceRow] = field(default_factory=list)
    rejected: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OpeningTaker:
    """Takes opening balances in; `enrols` makes members of identifiers that lead to nobody."""

    at: datetime
    enrols: bool = False

    def take(self, rows: Sequence[BalanceRow], rejects: RejectsFile) -> Counter[str]:
        """Receive, post and count; in the caller's transaction."""
        if self.enrols:
            importing.enrol_unknown(_unknown(rows, self.at), at=self.at)
        found = self._sort(rows)
        if found.new:
            self._receive(found.new)
        rejects.add(found.rejected)
        return _counts(rows, found, "applied")

    def rehearse(self, rows: Sequence[BalanceRow], rejects: RejectsFile) -> Counter[str]:
        """Count what would become of the rows."""
        unknown = {request.identifiers[0] for request in _unknown(rows, self.at)}
        found = self._sort(rows, {(kind, app, value) for kind, value, app in unknown})
        rejects.add(found.rejected)
        counts = _counts(rows, found, "would_apply")
        if self.enrols:
            counts["would_enrol"] = len(unknown)
        return counts

    def _sort(self, rows: Sequence[BalanceRow], joining: Collection[Key] = ()) -> Sorted:
        """Tell new rows from known and impossible ones."""
        members = identity.find({_key(row) for row in rows})
        spending = _members_that_get_points(members.values())
        stored, tiers, today = _stored(rows), _tier_codes(), clock.local_day(self.at)
        found, seen = Sorted(), set[str]()
        for row in rows:
            before = stored.get(row.source_ref)
            code = _fault(row, tiers, today)
            if row.source_ref in seen:
                code = "source_ref_doubled"
            elif before is not None:
                code = "" if before == opening_body(_opening(row)) else "opening_differs"
            elif not code and not (self.enrols and _key(row) in joining):
                member = members.get(_key(row))
                code = "" if member in spending else _no_points(member)
            seen.add(row.source_ref)
            if code:
                found.rejected.append(Reject(row.row, code, "source_ref", row.source_ref))
            else:
                (found.new if before is None else found.unchanged).append(row)
        return found

    def _receive(self, rows: Sequence[BalanceRow]) -> None:
        """Receive the rows as facts, then post their points."""
        outcomes = intake.receive(
            [self._fact(row) for row in rows],
            touchpoint=None,
            at=self.at,
            actor=importing.ACTOR,
        )
        refused = [outcome.code for outcome in outcomes if outcome.status != 200]
        if refused:
            raise importing.FactsRefusedError(refused)
        self._post([row for row in rows if row.points])

    def _fact(self, row: BalanceRow) -> InteractionFact:
        return InteractionFact(
            source=SOURCE,
            ref=row.source_ref,
            member=MemberRef(kind=row.named.kind, app=row.named.app, value=row.named.value),
            kind=KIND,
            occurred_at=self.at,
            opening=_opening(row),
        )

    def _post(self, rows: Sequence[BalanceRow]) -> None:
        """Post the points of the rows, each as a lot of its own."""
        facts = {fact.ref: fact for fact in facts_of(_refs(rows))}
        by_member: dict[int, list[BalanceRow]] = defaultdict(list)
        for row in rows:
            by_member[facts[row.source_ref].member_id or 0].append(row)
        locked = loading.lock(by_member.keys())
        loading.attach_lots([each.account for each in locked.values()])
        news, policy = list[NewEvent](), current_book().policy_at(self.at)
        for member, brought in by_member.items():
            for row in brought:
                cause = Cause(_ref(facts[row.source_ref]), importing.ACTOR, self.at)
                locked[member].account.adjust(
                    Grounds(None, None, REASON, cause),
                    row.points,
                    self.at,
                    expires_at=_end_of(row.expires_on) or policy.expires_at(self.at),
                )
                payload = {"points": row.points, "source_ref": row.source_ref}
                news.append(NewEvent(member, "points.opening", self.at, self.at, payload))
        writes = Writes()
        changed = [MemberWrite(each, None, each.account, []) for each in locked.values()]
        ledger.write_accounts(writes, changed)
        writes.flush(tables.COPY_ORDER)
        events.append(news)


def opening_import(
    *,
    file: ImportFile,
    taker: OpeningTaker,
    mapping: ColumnMapping,
    progress: Progress = importing.unheard,
) -> RowImport[BalanceRow]:
    """Return the import of a balances file."""
    return RowImport(
        kind="balances",
        file=file,
        at=taker.at,
        columns=BALANCE_COLUMNS,
        parse=balance_row,
        taker=taker,
        mapping=mapping,
        options={"enrol": taker.enrols},
        progress=progress,
    )


def facts_of(refs: Collection[str]) -> Any:
    """Return the facts of the rows with these references."""
    return ReceivedFact.objects.filter(source=SOURCE, kind=FactKind.INTERACTION, ref__in=list(refs))


def _refs(rows: Sequence[BalanceRow]) -> list[str]:
    return [row.source_ref for row in rows]


def _stored(rows: Sequence[BalanceRow]) -> dict[str, dict[str, Any]]:
    return {
        ref: body.get("opening") for ref, body in facts_of(_refs(rows)).values_list("ref", "body")
    }


def _unknown(rows: Sequence[BalanceRow], at: datetime) -> list[Any]:
    """Return enrolment requests for the identifiers that lead to nobody."""
    keys = dict.fromkeys(_key(row) for row in rows)
    known = identity.find(keys.keys())
    return [importing.oldest_fact_request(*key, at) for key in keys if key not in known]


def _members_that_get_points(members: Collection[int]) -> set[int | None]:
    """Return those of the members that are not closed."""
    living = Member.objects.living().exclude(status=MemberStatus.CLOSED)
    return set(living.filter(id__in=members).values_list("id", flat=True))


def _no_points(member: int | None) -> str:
    return "member_not_found" if member is None else "member_not_active"


def _tier_codes() -> set[str]:
    return set(Tier.objects.values_list("code", flat=True))


def _fault(row: BalanceRow, tiers: Collection[str], today: date) -> str:
    if row.tier and row.tier not in tiers:
        return "tier_unknown"
    if row.expires_on is not None and row.expires_on < today:
        return "expired_already"
    if row.tier_until is not None and row.tier_until < today:
        return "tier_ended_already"
    return "" if row.points or row.tier else "nothing_to_open"


def _opening(row: BalanceRow) -> Opening:
    return Opening(row.points, row.expires_on, row.tier, row.tier_until)


def _end_of(day: date | None) -> datetime | None:
    return None if day is None else clock.day_start(day + timedelta(days=1))


def _ref(fact: ReceivedFact) -> FactRef:
    return FactRef(fact.pk, fact.source, fact.kind, fact.ref, fact.version)


def _key(row: BalanceRow) -> Key:
    return (row.named.kind, row.named.app, row.named.value)


def _counts(rows: Sequence[BalanceRow], found: Sorted, applied: str) -> Counter[str]:
    counts = Counter(
        unchanged=len(found.unchanged),
        rejected=len(found.rejected),
        points=sum(row.points for row in found.new),
    )
    counts[applied] = len(found.new)
    return counts
