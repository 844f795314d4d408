"""The Chinese lunar calendar: days of its years, and solar terms, as days of ours.

Pure. Almanacs differ by a day where a new moon falls within a minute of midnight (in 2057, 2089
and 2097) and nowhere else. Source: ENG-11.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from lunar_python import Lunar, LunarMonth

LAST_DAY_OF_YEAR: Final = -1
LAST_MONTH: Final = 12
TERMS: Final[dict[str, str]] = {"qingming": "清明", "dongzhi": "冬至"}
_MIDYEAR: Final = (6, 1)


def day_of(year: int, month: int, day: int) -> date | None:
    """Return the day of an ordinary (never a leap) month of the lunar year that begins in a year.

    Day -1 is the last of its month. None where a month has no such day.
    """
    if day == LAST_DAY_OF_YEAR:
        if month == LAST_MONTH:
            return new_year(year + 1) - timedelta(days=1)
        day = _length(year, month)
    return _solar(year, month, day) if day <= _length(year, month) else None


def new_year(year: int) -> date:
    """Return the first day of the lunar year that begins in a year."""
    return _solar(year, 1, 1)


@lru_cache(maxsize=512)
def solar_term(year: int, term: str) -> date:
    """Return the day of a solar term (a key of `TERMS`) in a year of our calendar."""
    # The table of a lunar year reaches from the winter solstice before it to the one in it, whose
    # names differ; looked up by year so that the right one of two solstices is taken.
    for lunar_year in (year, year + 1):
        found = Lunar.fromYmd(lunar_year, *_MIDYEAR).getJieQiTable()[TERMS[term]]
        if found.getYear() == year:
            return date(found.getYear(), found.getMonth(), found.getDay())
    raise AssertionError(f"a year without {term}: {year}")


@lru_cache(maxsize=2048)
def _solar(year: int, month: int, day: int) -> date:
    found = Lunar.fromYmd(year, month, day).getSolar()
    return date(found.getYear(), found.getMonth(), found.getDay())


@lru_cache(maxsize=512)
def _length(year: int, month: int) -> int:
    length: int = LunarMonth.fromYm(year, month).getDayCount()
    return length
