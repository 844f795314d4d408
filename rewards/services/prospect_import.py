"""Import a file of prospects: each is entered as a storefront would enter them.

Source: CMP-13, design §9 (files).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.base.errors import DomainError
from members.domain.enrolment import Key
from members.services import prospects
from members.services.consents import ConsentDecision
from members.services.prospects import MARKETING, NewProspect
from rewards.domain.mapping import ColumnMapping
from rewards.domain.prospect_rows import PROSPECT_COLUMNS, ProspectRow, prospect_row
from rewards.services import importing
from rewards.services.import_files import ImportFile
from rewards.services.importing import Progress
from rewards.services.rejects import Reject, RejectsFile
from rewards.services.row_import import RowImport


@dataclass(frozen=True, slots=True)
class ProspectTaker:
    """Enters the people of a file; who did not agree is kept and never addressed."""

    at: datetime
    actor: str

    def take(self, rows: Sequence[ProspectRow], rejects: RejectsFile) -> Counter[str]:
        """Enter the people; in the caller's transaction."""
        counts: Counter[str] = Counter()
        prospects.lock_known([key for row in rows for key in _contacts(row)])
        for row in rows:
            try:
                done = prospects.enter(
                    wanted=_wanted(row), touchpoint=None, actor=self.actor, at=self.at
                )
            except DomainError as error:
                counts["rejected"] += 1
                rejects.add([Reject(row.row, error.code, str(error.details.get("field", "")))])
            else:
                counts[done.value] += 1
        return counts

    def rehearse(self, rows: Sequence[ProspectRow], rejects: RejectsFile) -> Counter[str]:
        """Enter the people, and take it all back."""
        with transaction.atomic():
            counts = self.take(rows, rejects)
            transaction.set_rollback(True)
        return counts


def prospect_import(
    *,
    file: ImportFile,
    taker: ProspectTaker,
    mapping: ColumnMapping,
    progress: Progress = importing.unheard,
) -> RowImport[ProspectRow]:
    """Return the import of a file of prospects."""
    return RowImport(
        kind="prospects",
        file=file,
        at=taker.at,
        columns=PROSPECT_COLUMNS,
        parse=prospect_row,
        taker=taker,
        mapping=mapping,
        progress=progress,
    )


def _contacts(row: ProspectRow) -> tuple[Key, ...]:
    return tuple((each.kind, each.app, each.value) for each in row.contacts)


def _wanted(row: ProspectRow) -> NewProspect:
    consent = None
    if row.consented_at is not None:
        consent = ConsentDecision(
            MARKETING, granted=True, text_version=row.text_version, source=row.source,
            evidence=row.evidence, given_at=row.consented_at,
        )  # fmt: skip
    return NewProspect(
        contacts=_contacts(row),
        source=row.source, interest_kind=row.interest_kind, interest=row.interest,
        language=row.language, consent=consent,
    )  # fmt: skip
