"""Names that are kept in Chinese and in English."""

from typing import Protocol

from django.utils.translation import get_language


class Named(Protocol):
    """A row with a name in both languages."""

    name_zh: str
    name_en: str


def name_of(row: Named) -> str:
    """Return the name in the active language, or in the other one where it is missing."""
    if (get_language() or "").startswith("en"):
        return row.name_en or row.name_zh
    return row.name_zh or row.name_en
