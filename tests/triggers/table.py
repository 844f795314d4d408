"""A second reading of docs/automations.md as the file stands, for households of a real year.

The file's table says who is told what and when; the retailer's own files say what the households
did; tiers, points and their terms come from the second computation of the year. Nothing of the
product is used.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise, product
from math import ceil
from pathlib import Path
from statistics import median
from typing import Final

from tests.triggers.fates import Outcome, Owed, sent
from tests.triggers.real_people import (
    CHINA,
    DAY,
    SINCE,
    Household,
    at_hour,
    in_year,
    midnight,
    next_of,
)

HOUR: Final = timedelta(hours=1)
TABLE: Final = Path(__file__).resolve().parents[2] / "docs" / "automations.md"
TIERS: Final = ("basic", "silver", "gold", "diamond")
FESTIVALS: Final[Mapping[str, Sequence[date]]] = {
    "new_year": [date(2017, 1, 1), date(2018, 1, 1)],
    "spring_festival": [date(2017, 1, 28), date(2018, 2, 16)],
    "dragon_boat": [date(2017, 5, 30)],
    "mid_autumn": [date(2017, 10, 4)],
    "national_day": [date(2017, 10, 1)],
}


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    automation: str
    starts: str
    later: int | None
    hour: int | None
    stops: bool
    worth: timedelta
    once_in: timedelta
    purpose: str

    def acts_at(self, event: datetime) -> datetime:
        """Return when it acts on an event."""
        if self.hour is None:
            return event
        if self.later is None:
            at = at_hour(event.date(), self.hour)
            return at if at >= event else at + DAY
        return at_hour(event.date() + self.later * DAY, self.hour)


def lines() -> list[Line]:
    """Return the lines of the table in the file."""
    rows = [row.split(" | ") for row in TABLE.read_text().splitlines() if row.startswith("| `")]
    return [_line([cell.strip("| ") for cell in row]) for row in rows]


def _line(cells: Sequence[str]) -> Line:
    name, starts, acts, unless, worth, once_in, _occurrence, says, _channels = cells
    code = re.match(r"`([a-z0-9-]+)`", name)
    assert code is not None
    later, hour = re.search(r"(\d+) days? later", acts), re.search(r"at (\d+):00", acts)
    assert hour or acts == "at once", acts
    assert unless in {"–", "an order by then"}, unless
    return Line(
        code[1], starts, int(later[1]) if later else None, int(hour[1]) if hour else None,
        unless != "–", int(worth.removesuffix(" hours")) * HOUR,
        int(once_in.removesuffix(" days")) * DAY if once_in != "–" else 0 * DAY,
        says.split()[0] if "message" in says else "",
    )  # fmt: skip


@dataclass
class Reading:
    """What the table says, given when the scheduler ran."""

    people: Sequence[Household]
    runs: Sequence[datetime]
    lines: Sequence[Line] = field(default_factory=lines)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what becomes of every message."""
        for each in self.people:
            yield from sent(each, self._owed(each), self.runs)

    def calls(self) -> list[tuple[int, str]]:
        """Return for which orders of which households staff are to call."""
        return [
            (each.number, owed.occurrence)
            for each in self.people
            for owed in self._owed(each)
            if not owed.purpose
        ]

    def _owed(self, each: Household) -> list[Owed]:
        return [one for line in self.lines for one in self._of_line(line, each)]

    def _of_line(self, line: Line, each: Household) -> Iterator[Owed]:
        last: datetime | None = None
        for acts, occurrence, at in sorted(self._due(line, each)):
            if at - acts >= line.worth or (last and acts - last < line.once_in):
                continue
            last = acts
            yield Owed(line.automation, line.purpose, occurrence, at, acts + line.worth)

    def _run(self, at: datetime) -> datetime | None:
        """Return the first run at an instant or after it."""
        return next_of(self.runs, at)

    # Everything that a line could say: when it acts, the occurrence, and the run that does it

    def _due(self, line: Line, each: Household) -> Iterator[tuple[datetime, str, datetime]]:
        for event, occurrence in self._events(line.starts, each):
            acts = line.acts_at(event)
            # A run that does not know of the event yet cannot act on it.
            at = self._run(max(acts, event)) if event >= SINCE else None
            if at and not (line.stops and _has_bought(each, event, occurrence, at)):
                yield acts, occurrence, at
        for day, occurrence, last_order in self._days(line.starts, each):
            acts = at_hour(day, line.hour or 0)
            at = self._run(acts) if acts > SINCE else None
            if at and each.joined <= acts and last_order in {None, each.last_order(at)}:
                yield acts, occurrence, at

    def _events(self, starts: str, each: Household) -> Iterator[tuple[datetime, str]]:
        if starts == "Enrolment":
            yield each.joined, "enrolment"
        elif starts == "the first order":
            yield from ((at, "nth:1") for at in each.placed[:1])
        elif starts.startswith("an order"):
            yield from _orders(starts, each)
        elif starts == "A higher tier":
            for (before, _at), (rank, at) in pairwise(each.year.standings):
                if rank > before:
                    yield at.replace(tzinfo=CHINA), f"{TIERS[rank]}:{at.date()}"
        elif starts == "A tier is about to lapse":
            yield from self._lapses(each)
        elif starts == "the lifecycle stage dormant begins":
            yield from ((at, "change") for at in self._falls_asleep(each))

    def _lapses(self, each: Household) -> Iterator[tuple[datetime, str]]:
        """Yield the runs that find a tier within 30 days of its last day, once per term."""
        warned = set[str]()
        terms = [*each.year.terms, (midnight(self.runs[-1].date() + DAY), 0, None)]
        for (begins, rank, kept_until), (ends, _rank, _kept) in pairwise(terms):
            if kept_until is None:
                continue
            at = self._run(max(begins, midnight(kept_until - 30 * DAY)).replace(tzinfo=CHINA))
            name = f"{TIERS[rank]}:{kept_until}"
            if at and at.replace(tzinfo=None) < ends and at.date() <= kept_until:
                if name not in warned:
                    yield at, name
                warned.add(name)

    def _falls_asleep(self, each: Household) -> Iterator[datetime]:
        """Yield the runs that find nothing bought for 3 times the usual gap between days."""
        gaps: list[int] = []
        before: date | None = None
        for number, placed in enumerate(each.placed):
            if before is not None and placed.date() > before:
                gaps.append((placed.date() - before).days)
            before = placed.date()
            wanted = ceil(3 * median(gaps)) if len(gaps) >= 3 else 90
            asleep_on = before + min(180, max(30, wanted)) * DAY
            at = self._run(midnight(asleep_on).replace(tzinfo=CHINA))
            if at and (number + 1 == len(each.placed) or at < each.placed[number + 1]):
                yield at

    def _days(self, starts: str, each: Household) -> Iterator[tuple[date, str, date | None]]:
        """Yield days of the calendar; of dormancy also which day the last order must be of."""
        years = range(SINCE.year, self.runs[-1].year + 1)
        if starts == "the birthday":
            yield from ((in_year(each.born, year), str(year), None) for year in years)
        elif starts in FESTIVALS:
            yield from ((day, f"{starts}:{day}", None) for day in FESTIVALS[starts])
        elif starts.startswith("Anniversary of"):
            is_enrolment = starts.endswith("enrolment")
            since = each.joined.date() if is_enrolment else each.placed[0].date()
            for year in range(since.year + 1, years.stop):
                yield in_year(since, year), f"years:{year - since.year}", None
        elif starts.startswith("on day"):
            for year, month in product(years, range(1, 13)):
                day = date(year, month, _number(starts))
                yield day, str(day), None
        elif starts.startswith("points expire"):
            ends = {last for last, points in each.year.lots if points > 0}
            yield from ((last - _number(starts) * DAY, str(last), None) for last in ends)
        elif starts.startswith("no order for"):
            for last in {at.date() for at in each.placed}:
                yield last + _number(starts) * DAY, f"since:{last}", last


def _orders(starts: str, each: Household) -> Iterator[tuple[datetime, str]]:
    """Yield the orders of at least an amount, if one is named."""
    least = _number(re.sub("[¥,]", "", starts)) if "¥" in starts else 0
    for basket, at in zip(each.counting, each.placed, strict=True):
        if basket.amount >= least * 100:
            yield at, f"order:{basket.number}"


def _has_bought(each: Household, event: datetime, occurrence: str, at: datetime) -> bool:
    """Say whether there is an order by a run: after the event, for an enrolment any at all."""
    return any(
        placed <= at and (placed > event or occurrence == "enrolment") for placed in each.placed
    )


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    assert found is not None, text
    return int(found[0])
