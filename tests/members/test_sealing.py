"""Sealing, wrapping and hashing."""

import base64
import uuid

import pytest

from members.domain import sealing

MEMBER = uuid.UUID(int=1)
KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in range(1, 4)]
RING = sealing.parse_keyring(f"1:{KEYS[0]},2:{KEYS[1]}")


def test_what_is_sealed_opens_for_the_same_field_of_the_same_member_only() -> None:
    data_key = sealing.new_data_key()
    sealed = sealing.seal(data_key, "张三".encode(), MEMBER, "profile")
    assert sealing.unseal(data_key, sealed, MEMBER, "profile").decode() == "张三"
    for key, member, field in [
        (sealing.new_data_key(), MEMBER, "profile"),
        (data_key, uuid.UUID(int=2), "profile"),
        (data_key, MEMBER, "other"),
    ]:
        with pytest.raises(sealing.SealBrokenError):
            sealing.unseal(key, sealed, member, field)


def test_every_damaged_byte_is_noticed() -> None:
    data_key = sealing.new_data_key()
    sealed = sealing.seal(data_key, b"value", MEMBER, "profile")
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(sealing.SealBrokenError):
            sealing.unseal(data_key, bytes(damaged), MEMBER, "profile")
    for length in range(len(sealed)):
        with pytest.raises(sealing.SealBrokenError):
            sealing.unseal(data_key, sealed[:length], MEMBER, "profile")


def test_equal_values_do_not_look_alike() -> None:
    data_key = sealing.new_data_key()
    sealed = {sealing.seal(data_key, b"same", MEMBER, "profile") for _try in range(20)}
    assert len(sealed) == 20


def test_a_wrapped_key_opens_under_its_own_version_and_member() -> None:
    data_key = sealing.new_data_key()
    wrapped = sealing.wrap(RING.of(1), data_key, MEMBER)
    assert sealing.unwrap(RING.of(1), wrapped, MEMBER) == data_key
    with pytest.raises(sealing.SealBrokenError):
        sealing.unwrap(RING.of(2), wrapped, MEMBER)
    with pytest.raises(sealing.SealBrokenError):
        sealing.unwrap(RING.of(1), wrapped, uuid.UUID(int=2))


def test_hashes_depend_on_the_key_and_on_every_part() -> None:
    one, two = RING.keys
    hashes = {
        sealing.keyed_hash(one, "identifier", "phone", "", "1"),
        sealing.keyed_hash(two, "identifier", "phone", "", "1"),
        sealing.keyed_hash(one, "identifier", "phone", "1", ""),
        sealing.keyed_hash(one, "identifier", "phone1", "", ""),
        sealing.keyed_hash(one, "name", "phone", "", "1"),
    }
    assert len(hashes) == 5


def test_the_last_configured_key_is_current() -> None:
    assert RING.current.version == 2
    assert [key.version for key in RING.newest_first] == [2, 1]


def test_url_safe_base64_is_the_same_key() -> None:
    secret = bytes(range(224, 256))
    plain = base64.b64encode(secret).decode()
    safe = base64.urlsafe_b64encode(secret).decode()
    assert plain != safe
    assert sealing.parse_keyring(f"1:{plain}") == sealing.parse_keyring(f"1:{safe}")


@pytest.mark.parametrize(
    "text",
    ["", " , ", "1", KEYS[0], f"0:{KEYS[0]}", f"-1:{KEYS[0]}", f"99999:{KEYS[0]}", "1:short",
     "1:####", f"1:{KEYS[0]},1:{KEYS[1]}", f"1:{KEYS[0]}{KEYS[1]}", f"²:{KEYS[0]}"],
)  # fmt: skip
def test_keys_that_cannot_be_read_are_refused_without_telling_them(text: str) -> None:
    with pytest.raises(sealing.KeyringInvalidError) as refused:
        sealing.parse_keyring(text)
    assert not any(key in str(refused.value) for key in KEYS)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(sealing.KeyringInvalidError):
        RING.of(7)


def test_keys_do_not_show_in_their_representation() -> None:
    assert repr(RING.keys[0].secret) not in repr(RING)
