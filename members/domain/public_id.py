"""Public ids of members: time-ordered, made here so that a batch needs no round trip."""

import secrets
import uuid
from datetime import datetime


def new_public_id(at: datetime) -> uuid.UUID:
    """Make a version 7 UUID for an instant.

    Source: RFC 9562 §5.7.
    """
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    random = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62
    return uuid.UUID(int=value | random & (2**62 - 1))
