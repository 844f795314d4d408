"""Import a file of order lines: read, stage, enrol if asked to, and load in business order.

Source: INT-10, design §7 (import_orders), §9.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from config.base import clock
from members.services import identity
from rewards.domain.import_rows import ORDER_COLUMNS, OrderRows, RowError, StagedLine
from rewards.domain.mapping import ColumnMapping, Picker, row_reader
from rewards.domain.receipt import FUTURE_TOLERANCE
from rewards.domain.submission import OrderFact
from rewards.services import importing, staging
from rewards.services.import_files import BrokenRow, ImportFile
from rewards.services.importing import Loading, Origin, Progress
from rewards.services.order_loading import OrderTaker
from rewards.services.rejects import Reject, RejectsFile, rejects_path
from rewards.services.staging import Stage, Staged, StagedOrder

KIND = "orders"
LOOKED_UP_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class OrderImport:
    """One file and how it is to be taken.

    `enrols` makes members of identifiers that lead to nobody, as of their oldest order; otherwise
    their orders wait for them. `is_history` has no limit to how late an order may be, and settles
    time only up to each of them.
    """

    file: ImportFile
    at: datetime
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    enrols: bool = False
    is_history: bool = False
    progress: Progress = importing.unheard

    @property
    def origin(self) -> Origin:
        """Return how an import of this file is recognised."""
        options = {
            "mapping": self.mapping.as_json(),
            "enrol": self.enrols,
            "history": self.is_history,
        }
        return Origin(KIND, self.file.path.name, self.file.digest, options)

    def picker(self) -> Picker:
        """Return what picks the columns out of a row.

        Raises: MappingError, so ask before anything is written.
        """
        return row_reader(ORDER_COLUMNS, self.mapping, self.file.header)


def load(order_import: OrderImport) -> dict[str, int]:
    """Load the file and return what became of it; rejected rows are written beside it.

    Raises: FileUnreadableError, MappingError, ImportRunningError.
    """
    origin = order_import.origin
    before = importing.finished_before(origin)
    if before is not None:
        return {"loaded_before": before.total}
    pick, path = order_import.picker(), rejects_path(order_import.file.path)
    with importing.job_for(origin, at=order_import.at) as job:
        kept = job.report.get("rejects_bytes") if job.position else None
        with RejectsFile(path, keep_bytes=kept) as rejects, staging.stage() as stage:
            written_before = job.position > 0
            heard = RejectsFile(None) if written_before else rejects
            counts = _fill(order_import, pick, stage, heard)
            staged = stage.check()
            if not written_before:
                counts["rejected"] += _leave_out(stage, rejects)
                job.report = dict(counts)
                if order_import.enrols:
                    job.report["enrolled"] = _enrol(order_import, stage)
            taker = StagedTaker(order_import, rejects)
            loading = Loading(job, rejects, order_import.progress, clock.now)
            batches = staging.batches(stage.orders(), job.position)
            loading.load(batches, taker.take, staged.orders)
        return dict(job.report)


def rehearse(order_import: OrderImport) -> dict[str, int]:
    """Return what loading the file would do, without doing it; rejected rows are written down.

    Raises: FileUnreadableError, MappingError.
    """
    pick, path = order_import.picker(), rejects_path(order_import.file.path)
    with RejectsFile(path) as rejects, staging.stage() as stage:
        counts = _fill(order_import, pick, stage, rejects)
        staged = stage.check()
        counts["rejected"] += _leave_out(stage, rejects)
        for order in stage.orders():
            faults = order.faults()
            rejects.add(faults)
            counts["rejected"] += len(faults)
            staged = _without(staged, order) if faults else staged
        known = stage.known_orders()
        unknown = sum(1 for _each in _unknown(stage))
        return {
            **counts,
            "orders": staged.orders,
            "lines": staged.lines,
            "would_apply": max(staged.orders - known, 0),
            "unchanged": min(known, staged.orders),
            "would_enrol" if order_import.enrols else "unknown_identifiers": unknown,
        }


def _without(staged: Staged, order: StagedOrder) -> Staged:
    return Staged(staged.orders - 1, staged.lines - len(order.rows))


@dataclass(slots=True)
class StagedTaker:
    """Takes staged orders in, except those whose rows are no order."""

    order_import: OrderImport
    rejects: RejectsFile

    def take(self, orders: Sequence[StagedOrder]) -> Counter[str]:
        """Receive a batch; in the caller's transaction."""
        counts: Counter[str] = Counter()
        facts: list[OrderFact] = []
        of_fact: dict[int, StagedOrder] = {}
        for order in orders:
            if faults := order.faults():
                self.rejects.add(faults)
                counts["rejected"] += len(faults)
            else:
                fact = order.fact()
                facts.append(fact)
                of_fact[id(fact)] = order
        taker = OrderTaker(
            at=self.order_import.at,
            is_history=self.order_import.is_history,
            rejects=self.rejects,
            rows_of=lambda fact, code: of_fact[id(fact)].rejected(code),
        )
        return counts + taker.take(facts)


def _fill(
    order_import: OrderImport, pick: Picker, stage: Stage, rejects: RejectsFile
) -> Counter[str]:
    counts: Counter[str] = Counter()
    stage.fill(_checked(order_import, pick, rejects, counts))
    return counts


def _checked(
    order_import: OrderImport, pick: Picker, rejects: RejectsFile, counts: Counter[str]
) -> Iterator[StagedLine]:
    """Yield the rows as they are staged; write down those that cannot be read."""
    file, total = order_import.file, order_import.file.length
    rows = OrderRows(settings.LOYALTY_CURRENCY, order_import.at + FUTURE_TOLERANCE)
    for row in file.rows(lambda done: order_import.progress("read", done, total)):
        counts["rows"] += 1
        if isinstance(row, BrokenRow):
            counts["rejected"] += 1
            rejects.add([Reject(row.line, row.code)])
            continue
        line, cells = row
        try:
            yield rows.read(line, pick(cells))
        except RowError as error:
            counts["rejected"] += 1
            rejects.add([Reject(line, f.code, f.field, f.value) for f in error.faults])
            if error.staged is not None:
                yield error.staged
    order_import.progress("read", total, total)


def _leave_out(stage: Stage, rejects: RejectsFile) -> int:
    count = 0
    for reject in stage.left_out():
        rejects.add([reject])
        count += 1
    return count


def _enrol(order_import: OrderImport, stage: Stage) -> int:
    requests = [importing.oldest_fact_request(*identifier) for identifier in _unknown(stage)]
    return importing.enrol_unknown(requests, at=order_import.at, progress=order_import.progress)


def _unknown(stage: Stage) -> Iterator[tuple[str, str, str, datetime, str]]:
    """Yield the identifiers that lead to nobody, oldest order first."""
    part: list[tuple[str, str, str, datetime, str]] = []
    for found in stage.identifiers():
        part.append(found)
        if len(part) >= LOOKED_UP_AT_ONCE:
            yield from _without_member(part)
            part = []
    yield from _without_member(part)


def _without_member(
    part: Sequence[tuple[str, str, str, datetime, str]],
) -> Iterator[tuple[str, str, str, datetime, str]]:
    known = identity.find({row[:3] for row in part}) if part else {}
    return (row for row in part if row[:3] not in known)
