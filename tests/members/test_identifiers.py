"""Normal forms of identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.domain import card
from members.domain.identifiers import IdentifierInvalid, normalise, tail_of
from members.domain.masking import mask_name, mask_value


@pytest.mark.req("MEM-03")
@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        " 138 0013 8000 ",
        "138-0013-8000",
        "+86 138 0013 8000",
        "+8613800138000",
        "8613800138000",
        "008613800138000",
        "(+86)138.0013.8000",
        "１３８００１３８０００",
        "＋８６－１３８００１３８０００",
    ],
)
def test_one_mobile_has_one_form_however_it_is_typed(typed: str) -> None:
    assert normalise("phone", typed) == "+8613800138000"


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("010-62345678", "+861062345678"),
        ("021 6234 5678", "+862162345678"),
        ("0755-82345678", "+8675582345678"),
        ("400-812-3123", "+864008123123"),
        ("+1 500 555 0006", "+15005550006"),
        ("+44 7700 900123", "+447700900123"),
        ("+852 9123 4567", "+85291234567"),
        ("16600000000", "+8616600000000"),
    ],
)
def test_landlines_test_numbers_and_foreign_numbers_are_taken(typed: str, normal: str) -> None:
    assert normalise("phone", typed) == normal


@pytest.mark.parametrize(
    "typed", ["", "   ", "abc", "1380013800", "12345678901", "10086", "138001380001", "+", "+86",
              "1-800-FLOWERS", "138+00138000", "13800138000;ext=5", "13800138000\x00", "9" * 300]
)  # fmt: skip
def test_what_is_no_phone_is_refused(typed: str) -> None:
    with pytest.raises(IdentifierInvalid) as refused:
        normalise("phone", typed)
    assert refused.value.code == "identifier_invalid"
    assert refused.value.status == 400


@given(st.integers(0, 10**8 - 1), st.sampled_from(["", "+86", "86", "+86 ", "0086-"]))
def test_normal_phones_stay_as_they_are(number: int, prefix: str) -> None:
    normal = normalise("phone", f"{prefix}139{number:08d}")
    assert normal == f"+86139{number:08d}"
    assert normalise("phone", normal) == normal


@given(
    st.sampled_from(["phone", "email", "card", "external", "wechat_openid", "surprise"]),
    st.text(max_size=300),
    st.sampled_from(["", "app"]),
)
def test_any_text_is_normal_or_refused(kind: str, typed: str, app: str) -> None:
    try:
        normal = normalise(kind, typed, app)
    except IdentifierInvalid as refused:
        told = f"{refused} {refused.details}"
        assert len(typed) < 5 or typed in kind or typed not in told
    else:
        assert normal
        assert "\0" not in normal
        assert normalise(kind, normal, app) == normal


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" Ann.Lee@Example.COM ", "ann.lee@example.com"),
        ("a+b@sub.example.co", "a+b@sub.example.co"),
        ("café@example.com", "café@example.com"),
        ("李@例子.中国", "李@xn--fsqu00a.xn--fiqs8s"),
    ],
)
def test_addresses_are_lower_case(typed: str, normal: str) -> None:
    assert normalise("email", typed) == normal


@pytest.mark.parametrize(
    "typed", ["a", "a@", "@b.co", "a@b", "a@@b.co", "a b@c.co", "a@b..co", "a@-b.co",
              f"{'a' * 65}@b.co", f"a@{'b' * 250}.co", "a@b.co\n.de"]
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(IdentifierInvalid):
        normalise("email", typed)


def test_new_card_numbers_pass_their_own_check() -> None:
    numbers = {card.new_card_number() for _try in range(200)}
    assert len(numbers) == 200
    assert all(len(n) == 16 and n[0] == "6" and card.is_card_number(n) for n in numbers)


@given(st.integers(0, 10**14 - 1), st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_of_a_card_is_noticed(number: int, place: int, change: int) -> None:
    digits = f"6{number:014d}"
    digits += card.check_digit(digits)
    wrong = list(digits)
    wrong[place] = str((int(wrong[place]) + change) % 10)
    assert card.is_card_number(digits)
    assert not card.is_card_number("".join(wrong))


def test_cards_are_typed_with_spaces() -> None:
    number = card.new_card_number()
    spaced = " ".join(number[i : i + 4] for i in range(0, 16, 4))
    assert normalise("card", spaced) == number


@pytest.mark.parametrize(
    ("kind", "app", "reason"),
    [
        ("wechat_openid", "", "app_required"),
        ("marketplace_buyer", "", "app_required"),
        ("phone", "wx1", "app_not_allowed"),
        ("external", "a\0b", "app_invalid"),
        ("external", "a" * 65, "app_invalid"),
        ("passport", "", "kind_unknown"),
    ],
)
def test_apps_belong_to_the_kinds_that_need_them(kind: str, app: str, reason: str) -> None:
    with pytest.raises(IdentifierInvalid) as refused:
        normalise(kind, "13800138000", app)
    assert refused.value.details["reason"] == reason


def test_ids_of_other_systems_keep_their_case() -> None:
    assert normalise("external", " cj-17 ") == "cj-17"
    assert normalise("wechat_openid", "oXyZ_1", "wx1") == "oXyZ_1"
    with pytest.raises(IdentifierInvalid):
        normalise("external", "a" * 129)


def test_composed_and_decomposed_text_is_one_identifier() -> None:
    assert normalise("external", "e\u0301") == normalise("external", "é")


def test_tails_and_masks_tell_little() -> None:
    assert tail_of("phone", "+8613800138000") == "8000"
    assert tail_of("email", "ann@example.com") == ""
    assert tail_of("external", "cj-17") == ""
    assert mask_value("phone", "+8613800138000") == "138****8000"
    assert mask_value("email", "ann@example.com") == "a***@example.com"
    assert mask_value("external", "cj-17") == "…"
    assert (mask_name("张三"), mask_name("欧阳娜娜"), mask_name("")) == ("张*", "欧***", "")
