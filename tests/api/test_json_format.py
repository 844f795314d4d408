"""JSON that could be understood in two ways is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.base.api import json_format
from config.base.api.json_format import JsonInvalidError
from config.base.api.problems import RequestInvalidError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXT, below, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_plain_values_are_read_as_they_were_written(value: object) -> None:
    assert json_format.read(json.dumps(value).encode()) == value
    assert json_format.read(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a":1}x',
        b'{"a":1,"a":2}',
        b'[{"b":{"c":1,"c":1}}]',
        b"NaN",
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":01}',
        b"{'a':1}",
        b'\xef\xbb\xbf{"a":1}',
        b'"\xff"',
        '"中"'.encode("gbk"),
        b'"\x00"',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"9" * 5_000,
    ],
)
def test_what_is_not_one_clear_value_is_refused(raw: bytes) -> None:
    with pytest.raises(JsonInvalidError):
        json_format.read(raw)


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"name":"a\\u0000b"}', "/name"),
        (b'{"lines":[{"sku":"\\ud800"}]}', "/lines/0/sku"),
        (b'{"a/b~":"\\udfff"}', "/a~1b~0"),
    ],
)
def test_text_that_cannot_be_stored_is_named(raw: bytes, pointer: str) -> None:
    with pytest.raises(RequestInvalidError) as refused:
        json_format.read(raw)
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_whole_surrogate_pairs_are_text() -> None:
    assert json_format.read(b'"\\ud83d\\ude00"') == "😀"


def test_fractions_are_read_exactly() -> None:
    assert json_format.read(b"[1.10]") == [Decimal("1.10")]


def test_times_are_written_in_programme_time_with_their_offset() -> None:
    written = json_format.write({"at": datetime(2026, 3, 7, 16, tzinfo=UTC), "n": Decimal("1.50")})
    assert json.loads(written) == {"at": "2026-03-08T00:00:00+08:00", "n": "1.50"}


def test_a_number_beyond_64_bits_has_a_digest_too() -> None:
    assert json_format.write_sorted({"b": 1 << 70, "a": "é"}) == (
        f'{{"a":"é","b":{1 << 70}}}'.encode()
    )
