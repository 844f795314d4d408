"""Bulk imports: a job per file that goes on where it was cut off, and the loop that loads it.

Whatever is imported comes as batches, each with the position that the file is loaded up to when
the batch is. Position and batch are committed together, so a killed import loses and doubles
nothing; a file that was loaded before is recognised by its digest.

Source: MEM-13, MEM-16, INT-10, design §7, §9.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Channel
from rewards.models import ImportJob
from rewards.models.importing import ImportState
from rewards.services import enrolment
from rewards.services.joining_requests import EnrolmentRequest
from rewards.services.rejects import RejectsFile

ACTOR: Final = "import"
# Changes when the same file would be cut into other batches: a position means nothing then.
FORMAT: Final = 1
IMPORT_LOCK_SPACE: Final = 0x49_4D
ENROL_AT_ONCE: Final = 1_000

T = TypeVar("T")


class Progress(Protocol):
    """Told how far a phase of an import has come."""

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Take note; `total` is 0 where it is not known."""


def unheard(phase: str, done: int, total: int) -> None:
    """Be told, and tell nobody."""


class ImportRunningError(DomainError):
    """Another process is importing the same file at this moment."""

    def __init__(self) -> None:
        super().__init__(
            "import_running", _("This file is being imported by another process."), 409
        )


class FactsRefusedError(DomainError):
    """The intake refused what had been checked; the batch is not taken, and tried again later."""

    def __init__(self, codes: Iterable[str | None]) -> None:
        super().__init__(
            "facts_refused",
            _("Rows that had been checked were refused."),
            codes=sorted({str(code) for code in codes}),
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """What is imported: recognised by its kind, its digest and the options that matter."""

    kind: str
    file_name: str
    digest: bytes
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def recognised_by(self) -> dict[str, Any]:
        """Return the options as they are stored with the job."""
        return {"format": FORMAT, **self.options}


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Some of what a file holds, and the position that the file is done up to with it."""

    items: Sequence[T]
    position: int


def finished_before(origin: Origin) -> ImportJob | None:
    """Return the job that loaded this file completely, refusing nothing; a repeat can be skipped.

    What was refused might be taken now, so such a file is read again.
    """
    job = _jobs(origin).filter(state=ImportState.FINISHED).order_by("-id").first()
    return job if job is not None and not job.report.get("rejected") else None


def _jobs(origin: Origin) -> Any:
    return ImportJob.objects.filter(
        kind=origin.kind, digest=origin.digest, options=origin.recognised_by
    )


@contextmanager
def job_for(origin: Origin, *, at: datetime) -> Iterator[ImportJob]:
    """Give the job of a file, the unfinished one where there is one; mark how it ends.

    Raises: ImportRunningError.
    """
    key = int.from_bytes(origin.digest[:4], "big", signed=True) ^ _share(origin.options)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [IMPORT_LOCK_SPACE, key])
        if cursor.fetchone() != (True,):
            raise ImportRunningError
    try:
        job = _unfinished_or_new(origin, at)
        try:
            yield job
        except BaseException:
            # The connection may be what failed. Whatever the state says, the job goes on from its
            # position.
            with suppress(DatabaseError):
                _jobs(origin).filter(pk=job.pk).update(state=ImportState.FAILED)
            raise
        job.state, job.finished_at = ImportState.FINISHED, at
        job.save(update_fields=["state", "finished_at", "report"])
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [IMPORT_LOCK_SPACE, key])


def _share(options: Mapping[str, Any]) -> int:
    """Return a number for the share of a file that options name: shares run side by side."""
    share = options.get("share")
    return 0 if share is None else int(share[0]) + 1


def _unfinished_or_new(origin: Origin, at: datetime) -> ImportJob:
    job = _jobs(origin).exclude(state=ImportState.FINISHED).order_by("-id").first()
    if job is None:
        return ImportJob.objects.create(
            kind=origin.kind, file_name=origin.file_name[-200:], digest=origin.digest,
            options=origin.recognised_by, started_at=at, heartbeat_at=at,
        )  # fmt: skip
    job.state, job.heartbeat_at = ImportState.RUNNING, at
    job.save(update_fields=["state", "heartbeat_at"])
    assert isinstance(job, ImportJob)
    return job


@dataclass(slots=True)
class Loading:
    """One run of a job: where it reports to, and what is written down of refused rows."""

    job: ImportJob
    rejects: RejectsFile
    progress: Progress = unheard
    clock: Callable[[], datetime] | None = None

    def load(
        self, batches: Iterable[Batch[T]], take: Callable[[Sequence[T]], Counter[str]], total: int
    ) -> None:
        """Load batch after batch, each with its position in one transaction.

        `take` writes the items and counts what became of them.
        """
        self.job.total = total
        self.progress("load", self.job.position, total)
        with _garbage_collected_by_batch() as collect:
            for batch in batches:
                self._load_batch(batch, take)
                collect()
                self.progress("load", batch.position, total)

    def _load_batch(self, batch: Batch[T], take: Callable[[Sequence[T]], Counter[str]]) -> None:
        job = self.job
        with transaction.atomic():
            counts = take(batch.items)
            job.position = batch.position
            job.report = dict(Counter(job.report) + counts)
            job.report["rejects_bytes"] = self.rejects.flush()
            if self.clock is not None:
                job.heartbeat_at = self.clock()
            job.save(update_fields=["position", "total", "report", "heartbeat_at"])


@contextmanager
def _garbage_collected_by_batch() -> Iterator[Callable[[], int]]:
    """Let garbage be looked for once a batch, among what the batches have made.

    A batch makes a million objects that live as long as it does; looking through them again and
    again takes a quarter of an import's time.
    """
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield gc.collect
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def enrol_unknown(
    requests: Sequence[EnrolmentRequest], *, at: datetime, progress: Progress = unheard
) -> int:
    """Enrol those whom no identifier leads to; returns how many are new.

    Raises: DomainError for the first request that cannot be taken.
    """
    created = 0
    for start in range(0, len(requests), ENROL_AT_ONCE):
        part = requests[start : start + ENROL_AT_ONCE]
        for done in enrolment.enrol_members(part, touchpoint=None, at=at):
            if done.error is not None:
                raise done.error
            created += done.created
        progress("enrol", min(start + ENROL_AT_ONCE, len(requests)), len(requests))
    return created


def oldest_fact_request(
    kind: str, app: str, value: str, joined_at: datetime, store: str = ""
) -> EnrolmentRequest:
    """Return the request that enrols an identifier as of its oldest fact."""
    return EnrolmentRequest(
        identifiers=((kind, value, app),),
        channel=Channel.IMPORT.value,
        store=store,
        joined_at=joined_at,
    )
