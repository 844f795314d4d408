"""The coupons that the gifts of the presets are made of.

Source: design §5.5; BEN-02, RWD-06.
"""

from decimal import Decimal
from typing import Final

from rewards.presets.shape import CouponPreset

VALID_DAYS: Final = 30


def _amount_off(
    code: str, name: tuple[str, str], amount: int, *, is_active: bool = True, **values: object
) -> CouponPreset:
    name_zh, name_en = name
    said = {"kind": "amount", "amount": Decimal(amount), "expires_after_days": VALID_DAYS}
    return CouponPreset(code, name_zh, name_en, {**said, **values}, is_active)


def _birthday(amount: int) -> CouponPreset:
    names = (f"生日礼券{amount}元", f"Birthday coupon {amount}")
    return _amount_off(f"birthday_{amount}", names, amount)


def _upgrade(tier: str, amount: int) -> CouponPreset:
    names = (f"升级礼券{amount}元", f"Upgrade coupon {amount}")
    return _amount_off(f"upgrade_{tier}_{amount}", names, amount)


COUPONS: Final = (
    *(_birthday(amount) for amount in (20, 30, 50, 100)),
    _upgrade("silver", 10),
    _upgrade("gold", 30),
    _upgrade("diamond", 100),
    _amount_off(
        "first_order_10", ("新客首单礼券10元", "First-order coupon 10"), 10,
        is_active=False, is_first_order_only=True, is_claimable=True,
    ),
)  # fmt: skip
