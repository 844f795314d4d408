"""What messages said, sealed under their members' own keys."""

from collections.abc import Sequence
from typing import Final

import orjson

from campaigns.domain.templating import Rendered
from campaigns.models import Message
from campaigns.services.message_facts import Person
from members.domain import sealing
from members.services import crypto

_NAME: Final = "message"


def seal(person: Person, text: Rendered) -> bytes | None:
    """Return a text as it is kept; nothing of a member without a key."""
    if person.data_key is None:
        return None
    said = orjson.dumps([text.subject, text.body])
    return sealing.seal(person.data_key, said, person.public_id, _NAME)


def read(messages: Sequence[Message]) -> dict[int, Rendered]:
    """Return what messages said, by their ids; what is no longer kept is absent. One statement."""
    kept = [message for message in messages if message.sealed is not None]
    keys = crypto.data_keys({message.member_id for message in kept}) if kept else {}
    found = {}
    for message in kept:
        if message.member_id in keys:
            public_id, data_key = keys[message.member_id]
            said = sealing.unseal(data_key, bytes(message.sealed or b""), public_id, _NAME)
            found[message.pk] = Rendered(*orjson.loads(said))
    return found
