"""Files that staff bring in: kept, rehearsed, and loaded by a worker.

The row says what has to be done, a message only makes it soon: a worker that dies is followed by
another one, which goes on where the import stood.

Source: MEM-08, MEM-13, INT-10, design §9 (files).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from rewards.domain.import_rows import (
    BALANCE_COLUMNS,
    MEMBER_COLUMNS,
    ORDER_COLUMNS,
    STOCK_COLUMNS,
)
from rewards.domain.mapping import ColumnMapping, Columns, mapping_of, row_reader
from rewards.domain.prospect_rows import PROSPECT_COLUMNS
from rewards.models import CouponTemplate, Upload
from rewards.models.files import AT_WORK, UploadKind, UploadState
from rewards.services import coupon_batches, file_store, import_files, order_import, row_import
from rewards.services.import_files import BrokenRow, ImportFile
from rewards.services.importing import Progress
from rewards.services.member_import import member_import
from rewards.services.opening import OpeningTaker, opening_import
from rewards.services.prospect_import import ProspectTaker, prospect_import
from rewards.services.stock_import import StockTaker, stock_import

AREA: Final = "uploads"
KEPT_FOR: Final = timedelta(days=30)
STALE_AFTER: Final = timedelta(minutes=2)
SAMPLE_ROWS: Final = 5
TOLD_EVERY: Final = timedelta(seconds=1)
MEGABYTE: Final = 1024 * 1024

COLUMNS: Final[Mapping[str, Columns]] = {
    UploadKind.MEMBERS: MEMBER_COLUMNS,
    UploadKind.ORDERS: ORDER_COLUMNS,
    UploadKind.BALANCES: BALANCE_COLUMNS,
    UploadKind.STOCK: STOCK_COLUMNS,
    UploadKind.PROSPECTS: PROSPECT_COLUMNS,
}


class UploadError(DomainError):
    """A file cannot be taken, or not in this state."""


def receive(  # noqa: PLR0913 - one keyword for each thing that is said of a file
    *,
    kind: str,
    file_name: str,
    size: int,
    chunks: Iterable[bytes],
    actor: str,
    at: datetime,
    template: CouponTemplate | None = None,
) -> Upload:
    """Keep a file and look through it.

    Raises: UploadError, FileUnreadableError.
    """
    if size > settings.LOYALTY_UPLOAD_MEGABYTES * MEGABYTE:
        raise UploadError(
            "file_too_large", _("The file is too large."), 413,
            megabytes=settings.LOYALTY_UPLOAD_MEGABYTES,
        )  # fmt: skip
    if kind == UploadKind.COUPONS and template is None:
        raise UploadError("coupon_template_required", _("Choose the coupon template."))
    stored = file_store.new_place(AREA, file_name)
    try:
        file = import_files.opened(file_store.keep(stored, chunks))
    except BaseException:
        file_store.forget(stored)
        raise
    return Upload.objects.create(
        kind=kind, file_name=file_name[-200:], stored=stored, coupon_template=template,
        total=file.length, uploaded_by=actor, uploaded_at=at,
    )  # fmt: skip


def file_of(upload: Upload) -> ImportFile:
    """Return the file of an upload.

    Raises: UploadError once it is forgotten, FileUnreadableError.
    """
    if not upload.stored:
        raise UploadError("file_forgotten", _("The file is not kept any more."), 410)
    return import_files.opened(file_store.path_of(upload.stored))


def sample_of(file: ImportFile) -> list[Sequence[str]]:
    """Return the first rows of a file, for people."""
    good = (row[1] for row in file.rows() if not isinstance(row, BrokenRow))
    skipped = 0 if file.is_parquet else 1
    return list(islice(good, skipped, skipped + SAMPLE_ROWS))


def check(
    *, upload: Upload, columns: Mapping[str, str], enrols: bool = False, is_history: bool = False
) -> Upload:
    """Say which column is what, and have the file rehearsed.

    Raises: UploadError, MappingError, FileUnreadableError.
    """
    if upload.state in (*AT_WORK, UploadState.LOADED):
        raise _wrong_state(upload)
    mapping = ColumnMapping({ours: theirs for ours, theirs in columns.items() if theirs})
    if upload.kind in COLUMNS:
        row_reader(COLUMNS[upload.kind], mapping, file_of(upload).header)
    upload.mapping = mapping.as_json()
    upload.enrols, upload.is_history = enrols, is_history
    return _begin(upload, UploadState.CHECKING)


def load(*, upload: Upload) -> Upload:
    """Have a file loaded that was rehearsed.

    Raises: UploadError.
    """
    if upload.state != UploadState.CHECKED:
        raise _wrong_state(upload)
    return _begin(upload, UploadState.LOADING)


def _begin(upload: Upload, state: UploadState) -> Upload:
    upload.state, upload.done, upload.error, upload.report = state, 0, "", {}
    upload.heartbeat_at = None
    upload.save()
    return upload


def _wrong_state(upload: Upload) -> UploadError:
    return UploadError(
        "upload_state", _("The file cannot be taken as it stands."), 409, state=upload.state
    )


def work_on(*, upload_id: int, at: datetime) -> Upload:
    """Rehearse or load a file, whichever it waits for; what fails is said on the row.

    Two workers at once do no harm: imports lock their file.
    """
    upload = Upload.objects.select_related("coupon_template").get(pk=upload_id)
    if upload.state not in AT_WORK:
        return upload
    is_rehearsal = upload.state == UploadState.CHECKING
    try:
        report = _runner(upload, at, is_rehearsal=is_rehearsal)()
    except DomainError as error:
        upload.state, upload.error = UploadState.FAILED, str(error.message)[:300]
        upload.report = {"code": error.code}
    else:
        upload.state = UploadState.CHECKED if is_rehearsal else UploadState.LOADED
        upload.report, upload.done = dict(report), upload.total
    upload.finished_at = at
    upload.save(update_fields=["state", "report", "error", "done", "finished_at"])
    return upload


def _runner(upload: Upload, at: datetime, *, is_rehearsal: bool) -> Callable[[], Mapping[str, int]]:
    """Return what rehearses or loads a file of its kind."""
    file, progress = file_of(upload), _teller(upload)
    mapping = mapping_of(upload.mapping)
    if upload.kind == UploadKind.COUPONS:
        assert upload.coupon_template is not None
        template, path = upload.coupon_template, file.path
        return lambda: coupon_batches.load(
            template=template, path=path, at=at, actor=upload.uploaded_by, is_dry_run=is_rehearsal
        )
    if upload.kind == UploadKind.ORDERS:
        orders = order_import.OrderImport(
            file, at, mapping, upload.enrols, upload.is_history, progress
        )
        run = order_import.rehearse if is_rehearsal else order_import.load
        return lambda: run(orders)
    rows = _row_import(upload, file, at, mapping, progress)
    take = row_import.rehearse if is_rehearsal else row_import.load
    return lambda: take(rows)


def _row_import(
    upload: Upload, file: ImportFile, at: datetime, mapping: ColumnMapping, progress: Progress
) -> Any:
    if upload.kind == UploadKind.MEMBERS:
        return member_import(file=file, at=at, mapping=mapping, progress=progress)
    if upload.kind == UploadKind.BALANCES:
        opening = OpeningTaker(at=at, enrols=upload.enrols)
        return opening_import(file=file, taker=opening, mapping=mapping, progress=progress)
    if upload.kind == UploadKind.PROSPECTS:
        taker = ProspectTaker(at, upload.uploaded_by)
        return prospect_import(file=file, taker=taker, mapping=mapping, progress=progress)
    stock = StockTaker(at, upload.uploaded_by)
    return stock_import(file=file, taker=stock, mapping=mapping, progress=progress)


def _teller(upload: Upload) -> Progress:
    """Return what writes the progress down, once a second at most."""

    def tell(phase: str, done: int, total: int) -> None:
        # While orders are read they are copied through this connection: it is not to be had.
        if phase == "read":
            return
        now = clock.now()
        is_early = upload.heartbeat_at is not None and now - upload.heartbeat_at < TOLD_EVERY
        if is_early and done != total:
            return
        upload.done, upload.heartbeat_at = done, now
        upload.total = total or upload.total
        Upload.objects.filter(pk=upload.pk).update(
            done=upload.done, total=upload.total, heartbeat_at=now
        )

    return tell


def waiting(*, at: datetime) -> list[int]:
    """Return the files that no worker has shown progress on for a while."""
    silent = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=at - STALE_AFTER)
    return list(Upload.objects.filter(silent, state__in=AT_WORK).values_list("pk", flat=True))


def forget_old(*, before: datetime) -> int:
    """Remove files that were uploaded before an instant; what became of them stays."""
    rows = list(Upload.objects.filter(uploaded_at__lt=before).exclude(stored=""))
    for row in rows:
        file_store.forget(row.stored)
        row.stored = ""
        row.save(update_fields=["stored"])
    return len(rows)
