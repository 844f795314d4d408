"""Figures of the start page that may be a few minutes old."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache

T = TypeVar("T")

KEPT_SECONDS: Final = 300


def kept(key: str, read: Callable[[], T], *, seconds: int = KEPT_SECONDS) -> T:
    """Return what `read` gave so many seconds ago at most, reading it again after that."""
    found: T | None = cache.get(f"console:{key}")
    if found is None:
        found = read()
        cache.set(f"console:{key}", found, seconds)
    return found
