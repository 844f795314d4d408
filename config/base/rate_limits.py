"""Counting requests across the processes of a host, without a database and without a broker.

Counters stand in a file that the processes share as memory. A counter belongs to one name and one
minute of the wall clock; it is read and raised under a lock, so within a minute no request too many
is let through on this host. Where the file cannot be used every process counts for itself.

Source: ADR 11.
"""

import fcntl
import hashlib
import logging
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WINDOW_SECONDS: Final = 60
SETS: Final = 8_192
WAYS: Final = 8
"""A name may stand in any of the places of its set; the one longest out of use makes room."""

logger = logging.getLogger(__name__)

_SLOT = struct.Struct("<QII")
_SET_BYTES: Final = _SLOT.size * WAYS
_FILE_BYTES: Final = _SET_BYTES * SETS


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may go on, and what is left of its minute."""

    is_allowed: bool
    limit: int
    remaining: int
    reset_seconds: int


class Counters:
    """Counters per name and minute in a file of a fixed size."""

    def __init__(self, path: Path | None) -> None:
        self._file = _opened(path)
        fileno = -1 if self._file is None else self._file
        self._memory = mmap.mmap(fileno, _FILE_BYTES)
        # Locks of the file are the process's; its threads need one of their own.
        self._threads = threading.Lock()

    def take(self, name: str, limit: int, now: float) -> Verdict:
        """Count one request of a name against so many a minute, unless they are used up."""
        return self._change(name, limit, now, 1)

    def give_back(self, name: str, limit: int, now: float) -> None:
        """Take back what was counted before it turned out not to count."""
        self._change(name, limit, now, -1)

    def _change(self, name: str, limit: int, now: float, step: int) -> Verdict:
        minute, into = divmod(int(now), WINDOW_SECONDS)
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        number, tag = int.from_bytes(digest[:8], "little") % SETS, _tag(digest)
        with self._held(number):
            place, used = self._find(number, tag, minute)
            is_allowed = used + step <= limit
            if is_allowed:
                used = max(0, used + step)
                _SLOT.pack_into(self._memory, place, tag, minute, used)
        return Verdict(is_allowed, limit, max(0, limit - used), WINDOW_SECONDS - into)

    def _find(self, number: int, tag: int, minute: int) -> tuple[int, int]:
        """Return the place of a name in its set, and how often it was counted in the minute."""
        start = number * _SET_BYTES
        places = range(start, start + _SET_BYTES, _SLOT.size)
        oldest, oldest_place = minute + 1, start
        for place in places:
            found, counted_in, used = _SLOT.unpack_from(self._memory, place)
            if found == tag:
                return place, used if counted_in == minute else 0
            # What was written under a clock that was ahead is as good as never written.
            age = counted_in if counted_in <= minute else 0
            if age < oldest:
                oldest, oldest_place = age, place
        return oldest_place, 0

    @contextmanager
    def _held(self, number: int) -> Iterator[None]:
        with self._threads:
            if self._file is None:
                yield
                return
            start = number * _SET_BYTES
            fcntl.lockf(self._file, fcntl.LOCK_EX, _SET_BYTES, start)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, _SET_BYTES, start)


def _tag(digest: bytes) -> int:
    # Zero is a place that nobody has used.
    return int.from_bytes(digest[8:], "little") or 1


def _opened(path: Path | None) -> int | None:
    """Return the file at its full size; None where it cannot be had."""
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(number, _FILE_BYTES)
    except OSError as error:
        logger.warning("rate limits are counted per process: %s", type(error).__name__)
        return None
    return number
