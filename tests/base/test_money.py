"""Amounts are converted exactly or refused."""

from decimal import Decimal

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from config.base import money


@pytest.mark.parametrize(
    ("text", "minor"),
    [("0", 0), ("12.30", 1230), ("12.3", 1230), ("12", 1200), ("-0.05", -5), ("1.2300", 123)],
)
def test_amount_is_exact(text: str, minor: int) -> None:
    assert money.to_minor(text) == minor


@pytest.mark.parametrize(
    "text",
    ["", "12.305", "1e3", "1,000.00", "+1", ".5", "5.", "١٢", "NaN", "Infinity", "1" * 15, " 1"],
)
def test_what_is_no_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(money.AmountError):
        money.to_minor(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1E+999999", "1E-999999", "0.001"])
def test_decimal_that_no_column_holds_is_refused(number: str) -> None:
    with pytest.raises(money.AmountError):
        money.to_minor(Decimal(number))


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_minor_units_survive_the_way_out_and_back(minor: int) -> None:
    assert money.to_minor(money.to_text(minor)) == minor
    assert money.to_minor(money.from_minor(minor)) == minor


def test_exponent_follows_the_currency(settings: LazySettings) -> None:
    settings.LOYALTY_CURRENCY = "JPY"
    assert money.to_minor("1200") == 1200
    assert money.to_text(1200) == "1200"
    with pytest.raises(money.AmountError):
        money.to_minor("1200.5")
    settings.LOYALTY_CURRENCY = "KWD"
    assert money.to_minor("1.234") == 1234
