"""Background work about what staff have asked for: files, lists, and grants to many members."""

from celery import shared_task

from config.base import clock
from rewards.services import bulk_grants, exports, uploads


@shared_task(name="rewards.work_on_upload", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def work_on_upload(upload_id: int) -> None:
    """Rehearse or load a file, whichever it waits for."""
    uploads.work_on(upload_id=upload_id, at=clock.now())


@shared_task(name="rewards.make_export", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def make_export(export_id: int) -> None:
    """Write the file of an export."""
    exports.make(export_id=export_id, at=clock.now())


@shared_task(name="rewards.give_in_bulk", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def give_in_bulk(bulk_id: int) -> None:
    """Give to everybody who waits on an approved list."""
    bulk_grants.carry_out(bulk_id=bulk_id, at=clock.now())
