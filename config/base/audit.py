"""The audit: what must hold in the stored data, each invariant a query for the rows that break it.

An app registers its checks; the wiring decides which apps do. A check's query returns one row per
violation: columns that identify the stored rows, then `expected` and `found`. No rows: it holds.
All checks see one snapshot, change nothing, and repair nothing.

Source: design §4, ORG-06.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.utils.functional import Promise

SHOWN_ROWS: Final = 20
# The files are plain SQL: any other percent sign is meant as one.
_PERCENT: Final = re.compile(r"%(?!\()")

Parameters = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: its code, what it says to people, and the query for what breaks it."""

    code: str
    says: str | Promise
    statement: str
    parameters: Parameters | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """Stored rows that break an invariant, by the name of each id, and how."""

    ids: Mapping[str, Any]
    expected: str
    found: str

    def __str__(self) -> str:
        named = " ".join(f"{name}={value}" for name, value in self.ids.items())
        return f"{named}: {self.expected} ≠ {self.found}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found: how many violations in all, and the first of them."""

    check: Check
    count: int
    violations: Sequence[Violation]
    seconds: float


class AuditError(LookupError):
    """A check is asked for, or described, that does not exist."""


_checks: dict[str, Check] = {}


def load(
    folder: Path, texts: Mapping[str, str | Promise], parameters: Mapping[str, Parameters]
) -> list[Check]:
    """Return the checks of a folder: one file per check, named by its code.

    Raises: AuditError when a file has no text for people, or a text no file.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.sql"))}
    if files.keys() != texts.keys():
        raise AuditError(sorted(files.keys() ^ texts.keys()))
    return [
        Check(code, texts[code], path.read_text(encoding="utf-8"), parameters.get(code))
        for code, path in files.items()
    ]


def register(checks: Collection[Check]) -> None:
    """Add checks; a code is registered once, again only by the same app."""
    for check in checks:
        _checks[check.code] = check


def registered() -> list[Check]:
    """Return all checks in the order of their codes."""
    return [_checks[code] for code in sorted(_checks)]


def select(codes: Collection[str]) -> list[Check]:
    """Return the checks of these codes, all of them for none.

    Raises: AuditError for a code that is unknown.
    """
    unknown = set(codes) - _checks.keys()
    if unknown:
        raise AuditError(sorted(unknown))
    return [check for check in registered() if not codes or check.code in codes]


def run(checks: Collection[Check], *, shown: int = SHOWN_ROWS) -> Iterator[Result]:
    """Run the checks on one snapshot of the database, read-only, one result after the other.

    Members go on shopping meanwhile: what commits after the first check is not seen by any.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Sorting a ledger in memory beats sorting it on disk; for this transaction only.
            cursor.execute("SET LOCAL work_mem = '64MB'")
            cursor.execute("SET LOCAL jit = off")
        for check in checks:
            yield run_one(check, shown=shown)


def run_one(check: Check, *, shown: int = SHOWN_ROWS) -> Result:
    """Run one check inside the caller's transaction."""
    started = time.monotonic()
    body, parameters = check.statement, None
    if check.parameters is not None:
        body, parameters = _PERCENT.sub("%%", body), check.parameters()
    statement = (
        f"WITH broken AS MATERIALIZED (\n{body}\n)"  # noqa: S608 - our own files
        f" SELECT *, (SELECT count(*) FROM broken) FROM broken LIMIT {shown:d}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description or ()][:-3]
        rows = cursor.fetchall()
    violations = [
        Violation(dict(zip(names, row[:-3], strict=True)), str(row[-3]), str(row[-2]))
        for row in rows
    ]
    count = rows[0][-1] if rows else 0
    return Result(check, count, violations, time.monotonic() - started)
