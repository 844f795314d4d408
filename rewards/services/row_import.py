"""Import files whose rows stand alone: read, check, and take in batches with their positions."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from config.base import clock
from rewards.domain.import_rows import RowError
from rewards.domain.mapping import ColumnMapping, Columns, Picker, row_reader
from rewards.services import importing
from rewards.services.import_files import BrokenRow, ImportFile
from rewards.services.importing import Batch, Loading, Origin, Progress
from rewards.services.rejects import Reject, RejectsFile, rejects_path

ROWS_AT_ONCE: Final = 1_000

T = TypeVar("T")
In_contra = TypeVar("In_contra", contravariant=True)


class Taker(Protocol[In_contra]):
    """Takes checked rows in."""

    def take(self, rows: Sequence[In_contra], rejects: RejectsFile) -> Counter[str]:
        """Write the rows, in the caller's transaction, and count what became of them."""

    def rehearse(self, rows: Sequence[In_contra], rejects: RejectsFile) -> Counter[str]:
        """Count what would become of the rows."""


@dataclass(frozen=True, slots=True)
class RowImport(Generic[T]):
    """One file, what its rows are, and who takes them.

    `options` are those that make another import of the same file.
    """

    kind: str
    file: ImportFile
    at: datetime
    columns: Columns
    parse: Callable[[int, tuple[str, ...]], T]
    taker: Taker[T]
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    options: dict[str, Any] = field(default_factory=dict)
    progress: Progress = importing.unheard

    @property
    def origin(self) -> Origin:
        """Return how an import of this file is recognised."""
        options = {"mapping": self.mapping.as_json(), **self.options}
        return Origin(self.kind, self.file.path.name, self.file.digest, options)

    def picker(self) -> Picker:
        """Return what picks the columns out of a row.

        Raises: MappingError, so ask before anything is written.
        """
        return row_reader(self.columns, self.mapping, self.file.header)

    def cells(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield where each row stands and its cells, unchecked; what is no row is left out."""
        pick = self.picker()
        for row in self.file.rows():
            if not isinstance(row, BrokenRow):
                yield row[0], pick(row[1])


@dataclass(slots=True)
class _Rows(Generic[T]):
    """The good rows of a stretch of the file, and the bad ones."""

    good: list[T] = field(default_factory=list)
    rejected: list[Reject] = field(default_factory=list)
    bad_rows: int = 0


def load(row_import: RowImport[T]) -> dict[str, int]:
    """Load the file and return what became of it; rejected rows are written beside it.

    Raises: MappingError, ImportRunningError.
    """
    before = importing.finished_before(row_import.origin)
    if before is not None:
        return {"loaded_before": before.total}
    pick = row_import.picker()
    with importing.job_for(row_import.origin, at=row_import.at) as job:
        kept = job.report.get("rejects_bytes") if job.position else None
        with RejectsFile(rejects_path(row_import.file.path), keep_bytes=kept) as rejects:

            def take(stretch: Sequence[_Rows[T]]) -> Counter[str]:
                counts: Counter[str] = Counter()
                for rows in stretch:
                    rejects.add(rows.rejected)
                    counts["rows"] += len(rows.good) + rows.bad_rows
                    counts["rejected"] += rows.bad_rows
                    if rows.good:
                        counts += row_import.taker.take(rows.good, rejects)
                return counts

            loading = Loading(job, rejects, row_import.progress, clock.now)
            loading.load(_stretches(row_import, pick, job.position), take, row_import.file.length)
        return dict(job.report)


def rehearse(row_import: RowImport[T]) -> dict[str, int]:
    """Return what loading the file would do, without doing it; rejected rows are written down.

    Raises: MappingError.
    """
    counts: Counter[str] = Counter()
    with RejectsFile(rejects_path(row_import.file.path)) as rejects:
        for batch in _stretches(row_import, row_import.picker(), 0):
            for rows in batch.items:
                rejects.add(rows.rejected)
                counts["rows"] += len(rows.good) + rows.bad_rows
                counts["rejected"] += rows.bad_rows
                counts += row_import.taker.rehearse(rows.good, rejects)
            row_import.progress("check", batch.position, row_import.file.length)
    return dict(counts)


def _stretches(row_import: RowImport[T], pick: Picker, done: int) -> Iterator[Batch[_Rows[T]]]:
    """Yield the rows after a position. Units: a position counts lines, or rows of Parquet."""
    rows, line = _Rows[T](), 0
    for row in row_import.file.rows():
        line = row.line if isinstance(row, BrokenRow) else row[0]
        if line <= done:
            continue
        _check(row_import, pick, row, rows)
        if len(rows.good) + rows.bad_rows >= ROWS_AT_ONCE:
            yield Batch([rows], line)
            rows = _Rows()
    if rows.good or rows.bad_rows:
        yield Batch([rows], line)


def _check(
    row_import: RowImport[T],
    pick: Picker,
    row: tuple[int, list[str]] | BrokenRow,
    rows: _Rows[T],
) -> None:
    if isinstance(row, BrokenRow):
        rows.rejected.append(Reject(row.line, row.code))
        rows.bad_rows += 1
        return
    line, cells = row
    try:
        rows.good.append(row_import.parse(line, pick(cells)))
    except RowError as error:
        rows.rejected += [Reject(line, f.code, f.field, f.value) for f in error.faults]
        rows.bad_rows += 1
