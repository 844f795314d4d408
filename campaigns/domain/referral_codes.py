"""Referral codes: said aloud and typed by friends; a check character finds what is mistyped."""

import secrets
from typing import Final

from rewards.domain import coupon_codes

RANDOM_LENGTH: Final = 7
LENGTH: Final = RANDOM_LENGTH + 1


def generate() -> str:
    """Return a new code in its normal form.

    Source: ENG-04.
    """
    content = "".join(secrets.choice(coupon_codes.ALPHABET) for _place in range(RANDOM_LENGTH))
    return content + coupon_codes.check_character(content)


def normalise(text: str) -> str:
    """Return the form in which codes are compared; empty for what cannot be one."""
    code = coupon_codes.normalise(text)
    is_shaped = len(code) == LENGTH and set(code) <= set(coupon_codes.ALPHABET)
    return code if is_shaped and coupon_codes.check_character(code[:-1]) == code[-1] else ""


def for_people(code: str) -> str:
    """Return a code as it is shown."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"
