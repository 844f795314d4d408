"""Coupon codes: made by chance, said on the phone, typed at a till.

A code of ours is fifteen random characters (75 bits) and one that checks them, of an alphabet
without look-alikes. The check is a polynomial over the field of 32 elements, so that every wrong
character and every two exchanged ones are noticed. Codes that others made have shapes of their own;
all are compared in one normal form.
"""

import secrets
import unicodedata
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_LENGTH: Final = 15
LENGTH: Final = RANDOM_LENGTH + 1
GROUP: Final = 4
MAX_LENGTH: Final = 40

_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_LOOK_ALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
# x⁵ + x² + 1, under which 2 generates all 31 elements but zero.
_MODULUS: Final = 0b100101
_OVERFLOW: Final = 0b100000


def generate() -> str:
    """Return a new code in its normal form.

    Source: RWD-01 (at least 60 random bits).
    """
    content = "".join(secrets.choice(ALPHABET) for _place in range(RANDOM_LENGTH))
    return content + check_character(content)


def normalise(text: str) -> str:
    """Return the form in which codes are stored and compared; empty where nothing is left.

    Case, spaces, dashes and full-width forms do not matter, nor O for 0, I and L for 1.
    """
    folded = _folded(text)
    # What was kept apart by a dash may compose, and what composes may be folded further.
    while (again := _folded(folded)) != folded:
        folded = again
    return folded


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).upper()
    kept = (each for each in plain if not each.isspace() and unicodedata.category(each) != "Pd")
    return "".join(kept).translate(_LOOK_ALIKES)


def is_storable(code: str) -> bool:
    """Say whether a normal form can be the code of a coupon."""
    return 0 < len(code) <= MAX_LENGTH and code.isprintable() and "\ufffd" not in code


def has_own_shape(code: str) -> bool:
    """Say whether a normal form looks like a code of ours, right or wrong."""
    return len(code) == LENGTH and all(each in _VALUES for each in code)


def is_mistyped(code: str) -> bool:
    """Say whether a normal form looks like a code of ours but cannot be one."""
    return has_own_shape(code) and check_character(code[:-1]) != code[-1]


def for_people(code: str) -> str:
    """Return a code as it is printed: ours in groups, those of others as they are."""
    if not has_own_shape(code):
        return code
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def check_character(content: str) -> str:
    """Return the character that makes a content of the alphabet complete."""
    total = 0
    for character in content:
        total = _doubled(total ^ _VALUES[character])
    return ALPHABET[total]


def _doubled(value: int) -> int:
    value <<= 1
    return value ^ _MODULUS if value & _OVERFLOW else value
