"""Free text about a member in rows that are never altered: sealed, so that erasure reaches it."""

import base64
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from members.domain import sealing
from members.services import crypto

_NAME: Final = "note"


def seal(*, member: int, text: str) -> str:
    """Return the text under the member's own key, fit for JSON; nothing of an erased member's."""
    keys = crypto.data_keys([member]).get(member)
    if keys is None:
        return ""
    public_id, data_key = keys
    return base64.b64encode(sealing.seal(data_key, text.encode(), public_id, _NAME)).decode()


def read(*, member: int, sealed: str) -> str:
    """Return a sealed text, empty once the member's key is gone."""
    return read_many([(member, sealed)])[0]


def read_many(texts: Sequence[tuple[int, str]]) -> list[str]:
    """Return sealed texts of members, each empty once its member's key is gone. One statement."""
    keys = crypto.data_keys({member for member, sealed in texts if sealed})
    return [_opened(keys.get(member), sealed) for member, sealed in texts]


def _opened(key: tuple[UUID, bytes] | None, sealed: str) -> str:
    if key is None or not sealed:
        return ""
    public_id, data_key = key
    return sealing.unseal(data_key, base64.b64decode(sealed), public_id, _NAME).decode()


def reader(*, member: int) -> Callable[[str], str]:
    """Return how any number of sealed texts about a member are read, its key being read once."""
    key = crypto.data_keys([member]).get(member)
    return lambda sealed: _opened(key, sealed)
