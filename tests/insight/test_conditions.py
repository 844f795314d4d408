"""Segments can ask what members are as customers."""

import pytest

from members.services import insight
from tests.engine.shop import Shop, day
from tests.segments.world import found, leaf

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEG-08", "SEG-12", "SEG-13", "SEG-15")]


def test_segments_ask_for_stage_class_bands_value_and_rhythm() -> None:
    shop = Shop()
    gone, usual, never = (shop.join(name) for name in "abc")
    shop.buy(gone, "A1", 3_500, on=1)
    for number, on in enumerate((10, 24, 38, 190)):
        shop.buy(usual, f"B{number}", 100, on=on)
    everybody = (gone, usual, never)
    ids = [member.pk for member in everybody]
    insight.refresh(ids, at=day(200), recorded_at=day(200))

    def who(*given: object) -> list[int]:
        return found(shop, leaf(*given), *everybody, on=200)  # type: ignore[arg-type]

    assert who("stage", "eq", "dormant") == [0]
    assert who("stage", "in", ["won_back", "acquire"]) == [1, 2]
    assert who("class", "eq", "churned") == [0]
    assert who("class", "eq", "potential") == [1, 2]
    assert who("monetary_band", "eq", "high") == [0]
    assert who("frequency_band", "eq", "low") == [0, 1, 2]
    assert who("value_current", "gte", 10) == [0, 1]
    assert who("days_dormant", "gte", 109) == [0]
    assert who("days_dormant", "gte", 110) == []
    assert who("days_until_dormant", "lte", 32) == [1]
    assert who("churn_risk", "gte", 23) == [0, 1]
    assert who("churn_risk", "gte", 24) == [0]
    assert who("days_in_stage", "eq", 10) == [1]
    assert who("median_gap_days", "eq", "14.0") == [1]
    assert who("lifetime_spend", "eq", "400.00") == [1]
