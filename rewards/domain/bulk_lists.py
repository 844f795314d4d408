"""A list of members as people write one: a line each, with points behind it where they differ."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_LINES: Final = 20_000
MOST_POINTS: Final = 1_000_000
_CELLS: Final = re.compile(r"[,;\t，；]")
_POINTS: Final = re.compile(r"\+?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Named:
    """One line: where it stands, whom it names, and points of its own. `code` says what is wrong.

    Units: points.
    """

    line: int
    text: str
    points: int | None = None
    code: str = ""


def read(text: str) -> Iterator[Named]:
    """Yield the lines that name somebody; empty ones and a heading are passed over."""
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        cells = [cell.strip().strip('"').strip() for cell in _CELLS.split(line)]
        if not any(cells) or (number == 1 and not any(map(str.isdigit, line))):
            continue
        yield _named(number, cells)


def _named(number: int, cells: list[str]) -> Named:
    text, amount = cells[0], cells[1] if len(cells) > 1 else ""
    if not text:
        return Named(number, text, code="unknown")
    if not amount:
        return Named(number, text)
    if not _POINTS.fullmatch(amount) or not 0 < int(amount) <= MOST_POINTS:
        return Named(number, text, code="points_invalid")
    return Named(number, text, int(amount))
