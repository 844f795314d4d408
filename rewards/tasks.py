"""Background work about what staff have asked for: files, lists, and grants to many members."""

from celery import shared_task

from config.base import clock
from rewards.models import Reward, RewardSlot
from rewards.services import bulk_grants, calling_off, exports, uploads


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


@shared_task(name="rewards.call_off", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def call_off(reward_id: int, slot_id: int | None, actor: str) -> None:
    """Cancel what stands of a reward, or of one date of it; again goes on with what is left."""
    at = clock.now()
    if slot_id is None:
        reward = Reward.objects.get(pk=reward_id)
        calling_off.cancel_reward(reward=reward, at=at, actor=actor)
    else:
        slot = RewardSlot.objects.get(pk=slot_id, reward_id=reward_id)
        calling_off.cancel_slot(slot=slot, at=at, actor=actor)
