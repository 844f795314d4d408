"""Codes made or loaded many at a time: for whoever has them, or for a pool."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.bulk import Table, Writes
from config.base.errors import DomainError
from members.domain.public_id import new_public_id
from rewards.domain import coupon_codes
from rewards.models import CouponBatch, CouponTemplate
from rewards.services import import_files
from rewards.services.coupon_issue import count_issued, expiry_of
from rewards.services.coupon_terms import first_end
from rewards.services.import_files import BrokenRow, ImportFile, Row
from rewards.services.rejects import Reject, RejectsFile, rejects_path
from rewards.services.tables import BIGINT, TEXT, TIME

MAX_BATCH: Final = 1_000_000
ROWS_AT_ONCE: Final = 10_000
HEADERS: Final = frozenset({"code", "coupon", "coupon_code", "券码"})
EXPIRY_HEADER: Final = "expires_on"

_COLUMNS: Final = (
    "public_id", "template_id", "batch_id", "code", "max_uses", "held", "used", "issued_at",
    "valid_from", "expires_at", "revoke_reason",
)  # fmt: skip
CODES: Final = Table(
    "rewards_coupon",
    _COLUMNS,
    ("uuid", BIGINT, BIGINT, TEXT, BIGINT, BIGINT, BIGINT, TIME, TIME, TIME, TEXT),
)

# A code that exists already, of whatever batch or template, is passed over.
_LOAD: Final = CODES.insert() + " ON CONFLICT (code) DO NOTHING"


class CouponBatchSizeError(DomainError):
    """No codes, or more than can be made at a time."""

    def __init__(self) -> None:
        super().__init__(
            "coupon_batch_size", _("A batch has at least one code, and not too many."), 400,
            most=MAX_BATCH,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Codes:
    """What the codes of one batch have in common."""

    template: CouponTemplate
    batch: int
    issued_at: datetime | None
    expires_at: datetime | None
    at: datetime

    def row(self, code: str, expires_at: datetime | None = None) -> tuple[Any, ...]:
        """Return one code as it is stored."""
        template = self.template
        return (
            new_public_id(self.at), template.pk, self.batch, code, template.uses_per_code, 0, 0,
            self.issued_at, template.valid_from, first_end(self.expires_at, expires_at), "",
        )  # fmt: skip


@transaction.atomic
def generate(
    *, template: CouponTemplate, count: int, name: str, at: datetime, actor: str
) -> CouponBatch:
    """Make codes: for whoever has them where the template says so, else for its pool.

    Raises: CouponBatchSizeError, CouponTemplateInactiveError, CouponTemplateExhaustedError.
    Source: RWD-01.
    """
    if not 0 < count <= MAX_BATCH:
        raise CouponBatchSizeError
    if template.is_bearer:
        count_issued(template, count, at)
    batch = CouponBatch.objects.create(
        template=template, name=name, count=count, created_by=actor, created_at=at
    )
    codes = _codes(template, batch.pk, at)
    left = count
    while left:
        writes = Writes()
        for _number in range(min(left, ROWS_AT_ONCE)):
            writes.insert(CODES, codes.row(coupon_codes.generate()))
        writes.flush()
        left -= min(left, ROWS_AT_ONCE)
    return batch


def load(
    *, template: CouponTemplate, path: Path, at: datetime, actor: str, is_dry_run: bool = False
) -> Counter[str]:
    """Load codes that others have made, one a line, or in a column `code` beside `expires_on`.

    Codes are folded into their normal form; those that are known, from this file or any batch, are
    counted and passed over, so that the same file again changes nothing. Bad rows go to the rejects
    file with their line numbers.
    Raises: FileUnreadableError, CouponTemplateInactiveError, CouponTemplateExhaustedError.
    Source: RWD-01.
    """
    file = import_files.opened(path)
    rejects = RejectsFile(None if is_dry_run else rejects_path(path))
    with rejects, transaction.atomic():
        report = _load(template, file, rejects, at, actor)
        if is_dry_run:
            transaction.set_rollback(True)
    return report


def _load(
    template: CouponTemplate, file: ImportFile, rejects: RejectsFile, at: datetime, actor: str
) -> Counter[str]:
    CouponTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    batch = CouponBatch.objects.create(
        template=template, name=file.path.name[:80], is_imported=True, created_by=actor,
        created_at=at,
    )  # fmt: skip
    codes, report = _codes(template, batch.pk, at), Counter[str]()
    rows = _Rows(file, rejects)
    while part := list(islice(rows, ROWS_AT_ONCE)):
        loaded = _insert(codes.row(code, expires_at) for code, expires_at in dict(part).items())
        report["loaded"] += loaded
        report["skipped"] += len(part) - loaded
    report["rejected"] = rejects.count
    if template.is_bearer and report["loaded"]:
        count_issued(template, report["loaded"], at)
    if report["loaded"]:
        batch.count, batch.skipped = report["loaded"], report["skipped"]
        batch.save(update_fields=["count", "skipped"])
    else:
        batch.delete()
    return report


def _codes(template: CouponTemplate, batch: int, at: datetime) -> Codes:
    if template.is_bearer:
        return Codes(template, batch, at, expiry_of(template, at, None), at)
    return Codes(template, batch, None, None, at)


def _insert(rows: Iterable[tuple[Any, ...]]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [CODES.document(list(rows))])
        count: int = cursor.rowcount
    return count


class _Rows:
    """The good rows of a file, code and end; the bad ones are rejected on the way."""

    def __init__(self, file: ImportFile, rejects: RejectsFile) -> None:
        names = [cell.strip().lower() for cell in file.header]
        self.has_header = bool(HEADERS & set(names))
        self.code_at = next((n for n, name in enumerate(names) if name in HEADERS), 0)
        self.expiry_at = names.index(EXPIRY_HEADER) if EXPIRY_HEADER in names else None
        self.rejects = rejects
        self._rows = self._read(file)

    def __iter__(self) -> Iterator[tuple[str, datetime | None]]:
        return self._rows

    def _read(self, file: ImportFile) -> Iterator[tuple[str, datetime | None]]:
        for row in chain(self._first_row(file), file.rows()):
            if isinstance(row, BrokenRow):
                self.rejects.add([Reject(row.line, row.code)])
                continue
            read = self._one(*row)
            if isinstance(read, Reject):
                self.rejects.add([read])
            else:
                yield read

    def _first_row(self, file: ImportFile) -> list[Row]:
        """Return the first line where it is a code as well, not a name of columns."""
        return [] if self.has_header or file.is_parquet else [(1, list(file.header))]

    def _one(self, line: int, cells: list[str]) -> tuple[str, datetime | None] | Reject:
        written = cells[self.code_at]
        code = coupon_codes.normalise(written)
        if not coupon_codes.is_storable(code):
            return Reject(line, "code_invalid", "code", written)
        if self.expiry_at is None or not cells[self.expiry_at].strip():
            return code, None
        try:
            last = date.fromisoformat(cells[self.expiry_at].strip())
            return code, clock.day_start(last + timedelta(days=1))
        except (ValueError, OverflowError):
            return Reject(line, "date_invalid", EXPIRY_HEADER, cells[self.expiry_at])
