"""The rejects file: which rows of an import were not taken, and why.

A personal value is masked: the file goes through more hands than the data it is about.
"""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from rewards.domain.spreadsheet import safe

SUFFIX: Final = ".rejects.csv"
COLUMNS: Final = ("line", "code", "field", "value")
MAX_VALUE_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that was not taken: where it stands in the file, and what is wrong with it."""

    line: int
    code: str
    field: str = ""
    value: str = ""


class RejectsFile:
    """`<file>.rejects.csv`, made when the first row is rejected."""

    def __init__(self, path: Path | None, *, keep_bytes: int | None = None) -> None:
        """Write beside the imported file; None counts only.

        `keep_bytes` is how much of what an interrupted run wrote still holds.
        """
        self.path = path
        self.count = 0
        self._keep = keep_bytes or 0
        self._file: TextIO | None = None
        if path is not None and not self._keep:
            path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def add(self, rejects: Sequence[Reject]) -> None:
        """Write rejected rows down."""
        self.count += len(rejects)
        if self.path is None or not rejects:
            return
        writer = csv.writer(self._open(self.path))
        writer.writerows((row.line, row.code, row.field, _text(row.value)) for row in rejects)

    def flush(self) -> int:
        """Bring what is written to disk and return its length in bytes."""
        if self._file is None:
            return self._keep
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def _open(self, path: Path) -> TextIO:
        if self._file is not None:
            return self._file
        is_new = not (self._keep and path.exists())
        if not is_new:
            os.truncate(path, self._keep)
        # With a byte order mark spreadsheets read the file as UTF-8.
        self._file = path.open(
            "w" if is_new else "a", encoding="utf-8-sig" if is_new else "utf-8", newline=""
        )
        if is_new:
            csv.writer(self._file).writerow(COLUMNS)
        return self._file


def rejects_path(path: Path) -> Path:
    """Return where the rejected rows of a file are written down."""
    return path.with_name(path.name + SUFFIX)


def _text(value: str) -> str:
    return safe(value[:MAX_VALUE_LENGTH])
