"""Coupon codes: their form, and what a typing error does to one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.domain import coupon_codes
from rewards.domain.coupon_codes import ALPHABET, LENGTH

CODE = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1).map(
    lambda content: content + coupon_codes.check_character(content)
)


@pytest.mark.req("RWD-01")
def test_code_holds_at_least_60_random_bits() -> None:
    codes = {coupon_codes.generate() for _number in range(1_000)}

    assert len(codes) == 1_000
    assert len(ALPHABET) ** coupon_codes.RANDOM_LENGTH >= 2**60
    assert all(len({code[place] for code in codes}) == len(ALPHABET) for place in range(LENGTH))
    assert not any(coupon_codes.is_mistyped(code) for code in codes)


@given(CODE, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_wrong_character_is_noticed(code: str, place: int, other: str) -> None:
    wrong = code[:place] + other + code[place + 1 :]

    assert coupon_codes.is_mistyped(wrong) is (wrong != code)


@given(CODE, st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1))
def test_exchanged_characters_are_noticed(code: str, one: int, other: int) -> None:
    letters = list(code)
    letters[one], letters[other] = letters[other], letters[one]
    wrong = "".join(letters)

    assert coupon_codes.is_mistyped(wrong) is (wrong != code)


@given(CODE)
def test_printed_code_is_read_back(code: str) -> None:
    printed = coupon_codes.for_people(code)

    assert coupon_codes.normalise(printed) == code
    assert coupon_codes.normalise(printed.lower().replace("-", " ")) == code


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("save-10", "SAVE10"), ("SAVE1O", "SAVE10"), ("l0ve", "10VE"), ("hi there", "H1THERE"),
        ("ＡＢ－１２", "AB12"), ("a–b—c", "ABC"), ("  ", ""), ("春节-8折", "春节8折"),
    ],
)  # fmt: skip
def test_case_spaces_dashes_and_look_alikes_do_not_matter(written: str, normal: str) -> None:
    assert coupon_codes.normalise(written) == normal


@given(st.text(max_size=60))
def test_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    once = coupon_codes.normalise(text)

    assert coupon_codes.normalise(once) == once


def test_code_of_others_is_never_called_mistyped() -> None:
    assert not coupon_codes.is_mistyped(coupon_codes.normalise("SUMMER-2026"))


@pytest.mark.parametrize("code", ["", "A" * 41, "A\x00B", "A\nB"])
def test_what_no_column_holds_is_not_storable(code: str) -> None:
    assert not coupon_codes.is_storable(code)
