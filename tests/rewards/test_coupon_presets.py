"""The coupons that presets bring along."""

from datetime import timedelta
from decimal import Decimal

import pytest

from rewards.models import CouponTemplate
from rewards.presets import PRESETS
from rewards.services import presets
from tests.factories.console import AT

pytestmark = pytest.mark.django_db


def test_preset_brings_the_coupons_that_its_gifts_need() -> None:
    presets.load(preset=PRESETS["classic"], at=AT)

    amounts = dict(CouponTemplate.objects.values_list("code", "amount"))
    assert amounts == {
        "birthday_20": 20, "birthday_30": 30, "birthday_50": 50, "birthday_100": 100,
        "upgrade_silver_10": 10, "upgrade_gold_30": 30, "upgrade_diamond_100": 100,
        "first_order_10": 10,
    }  # fmt: skip
    inactive = CouponTemplate.objects.filter(is_active=False)
    assert list(inactive.values_list("code", flat=True)) == ["first_order_10"]


def test_preset_loaded_again_changes_nothing() -> None:
    presets.load(preset=PRESETS["classic"], at=AT)

    again = presets.load(preset=PRESETS["classic"], at=AT + timedelta(days=1))

    assert again.changes == []


def test_preset_leaves_terms_alone_once_a_coupon_was_issued() -> None:
    presets.load(preset=PRESETS["classic"], at=AT)
    codes = CouponTemplate.objects.filter(code__in=["birthday_20", "birthday_30"])
    codes.update(amount=Decimal(7))
    CouponTemplate.objects.filter(code="birthday_20").update(issued=1)

    presets.load(preset=PRESETS["classic"], at=AT)

    amounts = dict(codes.values_list("code", "amount"))
    assert amounts == {"birthday_20": 7, "birthday_30": 30}
