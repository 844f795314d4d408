"""Card numbers: sixteen digits that begin with 6 and end with a check digit."""

import re
import secrets
from typing import Final

PREFIX: Final = "6"
RANDOM_DIGITS: Final = 14

_CARD = re.compile(r"[0-9]{8,19}", re.ASCII)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice a digit, with the digits of the result added up."""


def check_digit(digits: str) -> str:
    """Return the digit that makes the number complete.

    Source: ISO/IEC 7812-1 annex B (Luhn).
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _DOUBLED[int(digit)] if place % 2 == 0 else int(digit)
    return str(-total % 10)


def is_card_number(text: str) -> bool:
    """Tell whether the text is a card number, ours or an older one, with a right check digit."""
    return _CARD.fullmatch(text) is not None and check_digit(text[:-1]) == text[-1]


def new_card_number() -> str:
    """Make a card number that cannot be guessed from another one."""
    digits = f"{PREFIX}{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"
    return digits + check_digit(digits)
