"""Load the catalogue that comes with the presets: what is there already stays as it is."""

from datetime import datetime, time, timedelta
from typing import Final

from django.db import transaction

from config.base import clock
from rewards.models import CouponTemplate, Reward, RewardSlot
from rewards.presets.catalogue import REWARDS, TEMPLATES, RewardPreset
from rewards.services import stock

ACTOR: Final = "system"
FIRST_SLOT: Final = "first"
STARTS: Final = time(14)
LASTS: Final = timedelta(hours=2)


@transaction.atomic
def load(*, at: datetime) -> list[str]:
    """Add the rewards that are missing, with their stock; returns what was added.

    What staff have changed since is theirs: a second time changes nothing.
    """
    for template in TEMPLATES:
        CouponTemplate.objects.get_or_create(code=template.code, defaults=dict(template.values))
    return [f"reward:{preset.code}" for preset in REWARDS if _load(preset, at)]


def _load(preset: RewardPreset, at: datetime) -> bool:
    template = None
    if preset.template is not None:
        template = CouponTemplate.objects.get(code=preset.template)
    reward, is_new = Reward.objects.get_or_create(
        code=preset.code,
        defaults={
            "kind": preset.kind, "name_zh": preset.name_zh, "name_en": preset.name_en,
            "points": preset.points, "tracks_stock": preset.pieces is not None,
            "coupon_template": template, **preset.values,
        },
    )  # fmt: skip
    if is_new and preset.pieces is not None:
        slot = None if preset.days_ahead is None else _slot(reward, preset.days_ahead, at)
        stock.receive(
            reward=reward, quantity=preset.pieces, reason="preset", at=at, actor=ACTOR,
            place=(slot, None),
        )  # fmt: skip
    return is_new


def _slot(reward: Reward, days_ahead: int, at: datetime) -> RewardSlot:
    """Make the first date, some local days ahead."""
    day = clock.local_day(at) + timedelta(days=days_ahead)
    starts_at = datetime.combine(day, STARTS, clock.zone())
    return RewardSlot.objects.create(
        reward=reward, code=FIRST_SLOT, place="上海旗舰店", starts_at=starts_at,
        ends_at=starts_at + LASTS,
    )  # fmt: skip
