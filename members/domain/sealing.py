"""Sealing of personal values: one data key per member, wrapped under the installation's keys.

A sealed value is bound to its member and field as associated data, so that it opens nowhere else.
Destroying a member's data key makes all that was sealed with it unreadable.
"""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
VERSION_BYTES: Final = 2
FORMAT: Final = b"\x01"
WRAPPING: Final = b"loyalty/wrapping/1"
HASHING: Final = b"loyalty/hashing/1"
MAX_VERSION: Final = 32_767


class KeyringInvalidError(ValueError):
    """The configured keys cannot be read; the message names no key."""


class SealBrokenError(ValueError):
    """A sealed value does not open: another key, another member, another field, or damage."""


@dataclass(frozen=True)
class MasterKey:
    """One version of the installation's key, and the two keys derived from it."""

    version: int
    secret: bytes = field(repr=False)

    @cached_property
    def wrapping(self) -> AESGCM:
        """Return the cipher that wraps data keys."""
        return AESGCM(_derived(self.secret, WRAPPING))

    @cached_property
    def hashing(self) -> bytes:
        """Return the key of the look-up hashes."""
        return _derived(self.secret, HASHING)


@dataclass(frozen=True)
class Keyring:
    """The installation's keys; the last one is current, all of them still read."""

    keys: tuple[MasterKey, ...]

    @property
    def current(self) -> MasterKey:
        """Return the key under which new values are written."""
        return self.keys[-1]

    @property
    def newest_first(self) -> tuple[MasterKey, ...]:
        """Return all keys, the current one first."""
        return self.keys[::-1]

    def of(self, version: int) -> MasterKey:
        """Return the key of a version.

        Raises: KeyringInvalidError when it is no longer configured.
        """
        for key in self.keys:
            if key.version == version:
                return key
        raise KeyringInvalidError(f"no key of version {version} is configured")


def parse_keyring(text: str) -> Keyring:
    """Return the keys of `1:base64,2:base64`; the last one is current.

    Raises: KeyringInvalidError.
    """
    keys = tuple(_parse_key(part.strip()) for part in text.split(",") if part.strip())
    if not keys:
        raise KeyringInvalidError("no key is configured")
    if len({key.version for key in keys}) < len(keys):
        raise KeyringInvalidError("a key version is given twice")
    return Keyring(keys)


def new_data_key() -> bytes:
    """Make a member's data key."""
    return os.urandom(KEY_BYTES)


def wrap(key: MasterKey, data_key: bytes, member: UUID) -> bytes:
    """Return the data key sealed under the installation's key, for this member only."""
    return _encrypt(key.wrapping, data_key, _context(member, "key"))


def unwrap(key: MasterKey, wrapped: bytes, member: UUID) -> bytes:
    """Return the member's data key.

    Raises: SealBrokenError.
    """
    return _decrypt(key.wrapping, wrapped, _context(member, "key"))


def wrap_value(key: MasterKey, plain: bytes, owner: UUID, name: str) -> bytes:
    """Return a value of the installation's own, sealed under its key."""
    return _encrypt(key.wrapping, plain, _context(owner, name))


def unwrap_value(key: MasterKey, sealed: bytes, owner: UUID, name: str) -> bytes:
    """Return a value of the installation's own.

    Raises: SealBrokenError.
    """
    return _decrypt(key.wrapping, sealed, _context(owner, name))


def seal(data_key: bytes, plain: bytes, member: UUID, name: str) -> bytes:
    """Return the value sealed for one field of one member."""
    return _encrypt(AESGCM(data_key), plain, _context(member, name))


def unseal(data_key: bytes, sealed: bytes, member: UUID, name: str) -> bytes:
    """Return the value that was sealed for this field of this member.

    Raises: SealBrokenError.
    """
    return _decrypt(AESGCM(data_key), sealed, _context(member, name))


def seal_secret(key: MasterKey, plain: bytes, owner: UUID, name: str) -> bytes:
    """Return a connected system's secret, sealed under the installation's key; it names the key."""
    sealed = _encrypt(key.wrapping, plain, _context(owner, name))
    return key.version.to_bytes(VERSION_BYTES, "big") + sealed


def unseal_secret(ring: Keyring, sealed: bytes, owner: UUID, name: str) -> bytes:
    """Return the secret that was sealed for this owner under this name.

    Raises: SealBrokenError, KeyringInvalidError.
    """
    version = int.from_bytes(sealed[:VERSION_BYTES], "big")
    return _decrypt(ring.of(version).wrapping, sealed[VERSION_BYTES:], _context(owner, name))


def secret_version(sealed: bytes) -> int:
    """Return the version of the key that a secret is sealed under."""
    return int.from_bytes(sealed[:VERSION_BYTES], "big")


def keyed_hash(key: MasterKey, *parts: str) -> bytes:
    """Return the hash under which a value is found without being readable.

    The parts hold no NUL, so that joining them cannot make two values alike.
    """
    message = "\0".join(parts).encode()
    return hmac.digest(key.hashing, message, sha256)


def _parse_key(text: str) -> MasterKey:
    version, separator, encoded = text.partition(":")
    if not separator or not version.isascii() or not version.isdigit():
        raise KeyringInvalidError("a key is written as version:base64")
    if not 1 <= int(version) <= MAX_VERSION:
        raise KeyringInvalidError("key versions are counted from 1")
    try:
        secret = base64.b64decode(encoded.translate({45: 43, 95: 47}), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyringInvalidError(f"key {version} is not base64") from error
    if len(secret) != KEY_BYTES:
        raise KeyringInvalidError(f"key {version} does not have {KEY_BYTES} bytes")
    return MasterKey(int(version), secret)


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(secret)


def _context(member: UUID, name: str) -> bytes:
    return member.bytes + name.encode()


def _encrypt(cipher: AESGCM, plain: bytes, context: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + cipher.encrypt(nonce, plain, context)


def _decrypt(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    if sealed[:1] != FORMAT:
        raise SealBrokenError("unknown format of a sealed value")
    body = 1 + NONCE_BYTES
    try:
        return cipher.decrypt(sealed[1:body], sealed[body:], context)
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError("a sealed value does not open") from error
