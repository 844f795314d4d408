"""Money at the edges: decimal text outside, whole minor units inside.

Amounts are converted exactly or refused; nothing here rounds.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

# Currencies whose minor unit is not a hundredth (ISO 4217).
EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip
DEFAULT_EXPONENT = 2

COLUMN_DIGITS = 18
COLUMN_DECIMALS = 4

_AMOUNT = re.compile(r"(-?)([0-9]{1,14})(?:\.([0-9]{1,18}))?", re.ASCII)


class AmountError(DomainError):
    """The text is no amount, or has more decimals or digits than the currency holds."""

    def __init__(self) -> None:
        super().__init__(
            "amount_invalid",
            _("Not an amount in the programme's currency."),
            exponent=exponent(),
        )


def exponent() -> int:
    """Return how many decimals the programme's currency has."""
    return EXPONENTS.get(settings.LOYALTY_CURRENCY, DEFAULT_EXPONENT)


def _plain(amount: Decimal) -> str:
    """Write the number without an exponent; one that no column holds is not written at all."""
    if not amount.is_finite() or abs(amount.adjusted()) > COLUMN_DIGITS:
        return ""
    return format(amount, "f")


def to_minor(amount: str | Decimal) -> int:
    """Return the amount in whole minor units; zeros behind the exponent are allowed.

    Units: major units in, minor units out.
    Raises: AmountError where the amount cannot be held exactly.
    """
    match = _AMOUNT.fullmatch(amount if isinstance(amount, str) else _plain(amount))
    if match is None:
        raise AmountError
    sign, whole, decimals = match.groups()
    decimals = (decimals or "").rstrip("0")
    places = exponent()
    if len(decimals) > places:
        raise AmountError
    minor = int(whole + decimals.ljust(places, "0"))
    return -minor if sign else minor


def from_minor(minor: int) -> Decimal:
    """Return the amount in major units, with the currency's decimals.

    Units: minor units in, major units out.
    """
    return Decimal(minor).scaleb(-exponent())


def column_writer() -> Callable[[int], str]:
    """Return what writes amounts as text for numeric columns; quick, for the rows of a bulk load.

    Units: minor units (not negative) in, major units out.
    """
    places = exponent()
    scale = 10**places

    def write(minor: int) -> str:
        return f"{minor // scale}.{minor % scale:0{places}}"

    return write if places else str


def to_text(minor: int) -> str:
    """Return the amount as the interface writes it: `"12.30"`.

    Units: minor units in, major units out.
    """
    return format(from_minor(minor), "f")


def percent_text(hundredths: int) -> str:
    """Return hundredths of a percent as people write them: `"2"`, `"2.5"`."""
    return format((Decimal(hundredths) / 100).normalize(), "f")
