"""Names that are kept in Chinese and in English."""

from typing import Protocol

from django.utils.translation import get_language


class Named(Protocol):
    """A row with a name in both languages."""

    name_zh: str
    name_en: str


def name_of(row: Named) -> str:
    """Return the name in the active language, or in the other one where it is missing."""
    return in_active_language(zh=row.name_zh, en=row.name_en)


def in_active_language(*, zh: str, en: str) -> str:
    """Return one of two names: the active language's, or the other one where it is missing."""
    return (en or zh) if (get_language() or "").startswith("en") else (zh or en)
