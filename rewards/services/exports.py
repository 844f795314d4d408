"""Lists that staff take out: with a reason, a number of rows, and a mark of who did.

A worker writes the file; the row says how far it is. Cells are safe in spreadsheets.

Source: MEM-08, LEG-09.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook

from config.base import clock
from config.base.errors import DomainError
from rewards.domain.spreadsheet import Cell, as_text, safe
from rewards.models import Export, ExportFormat, ExportState
from rewards.services import file_store
from rewards.services.export_kinds import KINDS, ExportKind

AREA: Final = "exports"
KEPT_FOR: Final = timedelta(days=7)
STALE_AFTER: Final = timedelta(minutes=2)
TOLD_EVERY: Final = 2_000
# What a sheet holds; more goes into a text file.
XLSX_ROWS: Final = 1_048_575


class ExportError(DomainError):
    """A list cannot be taken out."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which list is wanted, of which local days, and how."""

    kind: str
    format: str
    language: str
    reason: str
    since_on: date | None = None
    until_on: date | None = None


def request(*, wish: Wish, actor: str, at: datetime) -> Export:
    """Ask for a list; a worker writes it.

    Raises: ExportError.
    """
    if wish.kind not in KINDS:
        raise ExportError("export_unknown", _("There is no such list."), field="kind")
    if not wish.reason.strip():
        raise ExportError("reason_required", _("A reason is required."), field="reason")
    if wish.since_on and wish.until_on and wish.since_on > wish.until_on:
        raise ExportError(
            "period_invalid", _("The period ends before it begins."), field="until_on"
        )
    total = KINDS[wish.kind].within(wish.since_on, wish.until_on).order_by().count()
    if wish.format == ExportFormat.XLSX and total > XLSX_ROWS:
        raise ExportError(
            "too_many_rows", _("So many rows do not fit into a sheet; choose CSV."), field="format"
        )
    return Export.objects.create(
        kind=wish.kind, format=wish.format, language=wish.language, reason=wish.reason.strip(),
        since_on=wish.since_on, until_on=wish.until_on, total=total,
        requested_by=actor, requested_at=at,
    )  # fmt: skip


def make(*, export_id: int, at: datetime) -> Export:
    """Write the file of an export that waits for it; what fails is said on the row, and raised."""
    export = Export.objects.get(pk=export_id)
    if export.state in (ExportState.READY, ExportState.FAILED):
        return export
    name = f"{export.kind}-{clock.local_day(export.requested_at)}.{export.format}"
    stored = file_store.new_place(AREA, name)
    try:
        with translation.override(export.language):
            rows = _write(export, file_store.path_of(stored))
    except Exception:
        file_store.forget(stored)
        Export.objects.filter(pk=export.pk).update(state=ExportState.FAILED)
        raise
    export.state, export.rows, export.stored, export.ready_at = (
        ExportState.READY, rows, stored, at,
    )  # fmt: skip
    export.save(update_fields=["state", "rows", "stored", "ready_at"])
    return export


def _write(export: Export, path: Path) -> int:
    kind = KINDS[export.kind]
    with _sheet(export, kind, path) as sheet:
        count = 0
        for cells in kind.cells(kind.within(export.since_on, export.until_on)):
            sheet.add(cells)
            count += 1
            if count % TOLD_EVERY == 1:
                _tell(export, count)
        sheet.sign(_mark(export, count))
    return count


def _tell(export: Export, rows: int) -> None:
    Export.objects.filter(pk=export.pk).update(
        state=ExportState.RUNNING, rows=rows, heartbeat_at=clock.now()
    )


def _mark(export: Export, rows: int) -> str:
    """Return who took the list out, when, why, and how much it was."""
    return gettext("Taken out by %(who)s on %(at)s: %(rows)s rows. Reason: %(why)s") % {
        "who": export.requested_by,
        "at": export.requested_at.astimezone(clock.zone()).strftime("%Y-%m-%d %H:%M"),
        "rows": rows,
        "why": export.reason,
    }


class _Sheet(Protocol):
    def add(self, cells: Sequence[Cell]) -> None: ...

    def sign(self, mark: str) -> None: ...


@dataclass(slots=True)
class _Text:
    """A file of text that spreadsheets read as UTF-8."""

    writer: Any

    def add(self, cells: Sequence[Cell]) -> None:
        self.writer.writerow([as_text(cell) for cell in cells])

    def sign(self, mark: str) -> None:
        self.writer.writerow([safe(mark)])


@dataclass(slots=True)
class _Book:
    """A workbook whose second sheet says where it is from."""

    book: Workbook
    sheet: Any

    def add(self, cells: Sequence[Cell]) -> None:
        self.sheet.append([safe(cell) if isinstance(cell, str) else cell for cell in cells])

    def sign(self, mark: str) -> None:
        self.book.create_sheet(gettext("About")).append([safe(mark)])


@contextmanager
def _sheet(export: Export, kind: ExportKind, path: Path) -> Iterator[_Sheet]:
    """Give what rows are added to, with its header; the file is there at the end."""
    header = [str(label) for label in kind.columns]
    if export.format == ExportFormat.CSV:
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            text = _Text(csv.writer(file))
            text.add(header)
            yield text
        return
    book = Workbook(write_only=True)
    book.properties.creator = export.requested_by
    sheet = _Book(book, book.create_sheet(str(kind.title)))
    sheet.add(header)
    yield sheet
    book.save(path)


def download(*, export: Export) -> Path:
    """Return the file and count that it was taken.

    Raises: ExportError where it is not ready, or not kept any more.
    """
    if export.state != ExportState.READY or not export.stored:
        raise ExportError("export_not_kept", _("The file is not there, or not any more."), 410)
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1)
    return file_store.path_of(export.stored)


def waiting(*, at: datetime) -> list[int]:
    """Return the exports that no worker has shown progress on for a while."""
    silent = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=at - STALE_AFTER)
    open_states = (ExportState.REQUESTED, ExportState.RUNNING)
    rows = Export.objects.filter(silent, state__in=open_states)
    return list(rows.values_list("pk", flat=True))


def forget_old(*, before: datetime) -> int:
    """Remove files that were asked for before an instant; who took what stays."""
    rows = list(Export.objects.filter(requested_at__lt=before).exclude(stored=""))
    for row in rows:
        file_store.forget(row.stored)
        row.stored = ""
        row.save(update_fields=["stored"])
    return len(rows)
