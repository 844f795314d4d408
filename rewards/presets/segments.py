"""Segments that ready programmes bring along.

Source: SEG-03, SEG-06, SEG-07.
"""

from typing import Any, Final

from rewards.presets.shape import SegmentPreset

INTERACTIONS_OF_THE_CORE: Final = 1
SIZE_ALERT_PERCENT: Final = 20


def _leaf(field: str, op: str, value: object) -> dict[str, Any]:
    return {"field": f"customer.{field}", "op": op, "value": value}


CORE_TARGET: Final = SegmentPreset(
    "core-target", "核心目标客群", "Core target",
    "近一年购买 2 次及以上,客单价高于全体会员均值,近 90 天有互动",
    {
        "all": [
            _leaf("orders_365d", "gte", 2),
            _leaf("aov_above_mean", "eq", True),
            _leaf("interactions_90d", "gte", INTERACTIONS_OF_THE_CORE),
        ]
    },
    SIZE_ALERT_PERCENT,
)  # fmt: skip

LOW_VALUE: Final = SegmentPreset(
    "low-value", "低活跃低价值客群", "Low value and inactive",
    "入会满半年,近一年最多购买 1 次且消费不足 100,近 90 天无互动:营销活动可排除",
    {
        "all": [
            _leaf("tenure_days", "gte", 180),
            _leaf("orders_365d", "lte", 1),
            _leaf("spend_365d", "lt", "100"),
            _leaf("interactions_90d", "eq", 0),
        ]
    },
    SIZE_ALERT_PERCENT,
)  # fmt: skip

PRODUCE_LOVERS: Final = SegmentPreset(
    "produce-lovers", "生鲜偏好客群", "Lovers of fresh produce",
    "近一年购买 2 次及以上,生鲜(PRODUCE)占消费 40% 及以上:品类偏好示例,请按本店品类修改",
    {"all": [_leaf("orders_365d", "gte", 2), _leaf("category_share.PRODUCE", "gte", "40")]},
)  # fmt: skip

SEGMENTS: Final = (CORE_TARGET, LOW_VALUE, PRODUCE_LOVERS)
