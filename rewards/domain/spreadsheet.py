"""Cells that a spreadsheet shows as they are.

Source: OWASP, CSV injection; LEG-09.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

Cell = str | int | Decimal | date | datetime | None

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    shown = text.replace("\x00", "\\0")
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown


def as_text(cell: Cell) -> str:
    """Return a cell as a file of text holds it; texts are made safe, numbers are what they are."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return safe(cell) if isinstance(cell, str) else str(cell)
