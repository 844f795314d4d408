"""What becomes of messages that are owed, by the second reading: the channel, or why there is none.

Consent and the member's channels, the caps on offers, the hours in which nothing is sold, and what
is no news any more, as the guides say. Nothing of the product is used.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from heapq import heapify, heappop, heappush

from tests.triggers.real_people import DAY, Household, at_hour, next_of


@dataclass(frozen=True)
class Outcome:
    """What becomes of a message, on which day: the channel that it goes out by, or why not."""

    household: int
    automation: str
    occurrence: str
    purpose: str
    day: date | None
    outcome: str


@dataclass(frozen=True)
class Owed:
    """A message that is owed since a run of the scheduler."""

    automation: str
    purpose: str
    occurrence: str
    since: datetime
    expires: datetime


def sent(each: Household, owed: Sequence[Owed], runs: Sequence[datetime]) -> Iterator[Outcome]:
    """Yield what becomes of a household's messages, in the order in which they are due."""
    went_out: list[datetime] = []
    queue = [(one.since, one.since, place, one) for place, one in enumerate(owed)]
    queue = [entry for entry in queue if entry[3].purpose]
    heapify(queue)
    while queue:
        run, due, place, one = heappop(queue)
        purpose = one.purpose
        day: date | None = due.date()
        outcome = "stale" if one.expires <= run else each.channel(purpose, run)
        if purpose == "marketing" and outcome in {"sms", "inbox"}:
            if is_capped(went_out, due):
                outcome = "frequency_cap"
            elif morning := _end_of_quiet(due):
                later = next_of(runs, morning)
                if later is not None:
                    heappush(queue, (later, morning, place, one))
                    continue
                day, outcome = None, "quiet_hours"
            else:
                went_out.append(due)
        yield Outcome(each.number, one.automation, one.occurrence, purpose, day, outcome)


def is_capped(went_out: Sequence[datetime], at: datetime) -> bool:
    """Say whether 2 offers within 24 hours or 5 within 7 days have gone out."""
    return (
        sum(each > at - DAY for each in went_out) >= 2
        or sum(each > at - 7 * DAY for each in went_out) >= 5
    )


def _end_of_quiet(at: datetime) -> datetime | None:
    """Return 9:00 after an instant between 21:00 and 9:00."""
    if at.hour < 9:
        return at_hour(at.date(), 9)
    return at_hour(at.date() + DAY, 9) if at.hour >= 21 else None


def by_name(outcomes: Iterable[Outcome]) -> Counter[tuple[object, ...]]:
    """Count what is said of what, to whom, on which day."""
    return Counter(
        (one.household, one.automation, one.occurrence, one.purpose, one.day) for one in outcomes
    )


def by_fate(outcomes: Iterable[Outcome]) -> Counter[tuple[object, ...]]:
    """Count what becomes of a household's messages of a day.

    Which of several offers of one instant is over the cap is nothing that the table says.
    """
    return Counter((one.household, one.purpose, one.day, one.outcome) for one in outcomes)
