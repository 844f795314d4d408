"""Rows of files of prospects, checked and typed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rewards.domain import import_cells
from rewards.domain.import_rows import MAX_CODE, MAX_SOURCE, Cells, Named, RowError
from rewards.domain.mapping import Columns

CONTACTS: Final = ("phone", "email")
INTERESTS: Final = ("category", "product", "campaign")
LANGUAGES: Final = ("zh", "en")
MAX_TEXT_VERSION: Final = 32
MAX_EVIDENCE: Final = 2_000

PROSPECT_COLUMNS: Final = Columns(
    (
        "phone", "email", "source", "interest_kind", "interest", "language", "consented_at",
        "text_version", "evidence",
    ),
    required=frozenset({"source"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProspectRow:
    """Somebody who is interested, with when they agreed to marketing, if they did."""

    row: int
    contacts: tuple[Named, ...] = field(repr=False)
    source: str
    interest_kind: str
    interest: str
    language: str
    consented_at: datetime | None
    text_version: str
    evidence: str = field(repr=False)


def prospect_row(row: int, cells: tuple[str, ...]) -> ProspectRow:
    """Return a row of a file of prospects.

    Raises: RowError.
    """
    read = Cells(PROSPECT_COLUMNS, cells)
    named = [read.identifier(kind, "", read[kind], kind) for kind in CONTACTS if read[kind]]
    found = ProspectRow(
        row,
        tuple(each for each in named if each.value),
        read.read("source", import_cells.text, MAX_SOURCE, required=True) or "",
        read.maybe("interest_kind", import_cells.choice, INTERESTS) or "",
        read.read("interest", import_cells.text, MAX_CODE) or "",
        read.maybe("language", import_cells.choice, LANGUAGES) or "",
        read.maybe("consented_at", import_cells.instant_or_day),
        read.read("text_version", import_cells.text, MAX_TEXT_VERSION) or "",
        read.read("evidence", import_cells.text, MAX_EVIDENCE) or "",
    )
    if not found.contacts and not read.faults:
        read.note("missing", "phone")
    if read.faults:
        raise RowError(read.faults)
    return found
