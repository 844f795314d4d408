"""Import a file of members: find or enrol each, as any touchpoint would.

Source: MEM-13, MEM-16, design §7 (import_members).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.base.errors import DomainError
from members.models import Channel
from members.services import identity
from rewards.domain.import_rows import MEMBER_COLUMNS, MemberRow, member_row
from rewards.domain.mapping import ColumnMapping
from rewards.services import enrolment, importing, joining_requests
from rewards.services.import_files import ImportFile
from rewards.services.importing import Progress
from rewards.services.joining_requests import EnrolmentRequest
from rewards.services.rejects import Reject, RejectsFile
from rewards.services.row_import import RowImport


@dataclass(frozen=True, slots=True)
class MemberTaker:
    """Enrols the people of a file."""

    at: datetime

    def take(self, rows: Sequence[MemberRow], rejects: RejectsFile) -> Counter[str]:
        """Find or enrol; in the caller's transaction."""
        counts: Counter[str] = Counter()
        requests = [_request(row) for row in rows]
        made = enrolment.enrol_members(requests, touchpoint=None, at=self.at)
        for row, done in zip(rows, made, strict=True):
            if done.error is not None:
                counts["rejected"] += 1
                rejects.add([_reject(row, done.error)])
            else:
                counts["enrolled" if done.created else "known"] += 1
        return counts

    def rehearse(self, rows: Sequence[MemberRow], rejects: RejectsFile) -> Counter[str]:
        """Check the requests and look their identifiers up."""
        counts: Counter[str] = Counter()
        known = identity.find({key for row in rows for key in _keys(row)}) if rows else {}
        seen: set[tuple[str, str, str]] = set()
        for row in rows:
            try:
                joining_requests.check(_request(row), touchpoint=None, at=self.at)
            except DomainError as error:
                counts["rejected"] += 1
                rejects.add([_reject(row, error)])
                continue
            keys = _keys(row)
            is_known = any(key in known or key in seen for key in keys)
            counts["known" if is_known else "would_enrol"] += 1
            seen.update(keys)
        return counts


def member_import(
    *,
    file: ImportFile,
    at: datetime,
    mapping: ColumnMapping,
    progress: Progress = importing.unheard,
) -> RowImport[MemberRow]:
    """Return the import of a members file."""
    return RowImport(
        kind="members",
        file=file,
        at=at,
        columns=MEMBER_COLUMNS,
        parse=member_row,
        taker=MemberTaker(at),
        mapping=mapping,
        progress=progress,
    )


def _keys(row: MemberRow) -> list[tuple[str, str, str]]:
    return [(named.kind, named.app, named.value) for named in row.identifiers]


def _request(row: MemberRow) -> EnrolmentRequest:
    return EnrolmentRequest(
        identifiers=tuple((named.kind, named.value, named.app) for named in row.identifiers),
        name=row.name,
        birthday=row.birthday,
        city=row.city,
        channel=row.channel or Channel.IMPORT.value,
        store=row.store,
        staff=row.staff,
        joined_at=row.joined_at,
    )


def _reject(row: MemberRow, error: DomainError) -> Reject:
    field = str(error.details.get("field", ""))
    return Reject(row.row, str(error.details.get("reason") or error.code), field)
