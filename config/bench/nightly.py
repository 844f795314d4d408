"""What a night brings about: reviews of tiers and expiry of points, beside plain SQL.

The review's reference recomputes every member's tier from the progress of the last 365 days, which
is what a nightly statement has to do that does not know whose window has changed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from config.bench import databases, population
from config.bench.measure import Ratio, alternate, timed
from config.bench.scale import Scale
from rewards.services import due

REVIEW_SQL: Final = (Path(__file__).parent / "sql" / "tier_review.sql").read_text()
FIRST_DAY: Final = datetime(2025, 3, 1, 4, tzinfo=UTC)
DAYS: Final = 365
SILVER: Final = 120_000
NIGHT: Final = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
LOTS_OVER: Final = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)

_EXPIRE = """
UPDATE rewards_lot SET expired = expired + remaining, remaining = 0
WHERE expires_at <= %s AND remaining > 0
"""
_STANDINGS = """
SELECT count(*) FILTER (WHERE reason = 'review_downgrade'), count(*) FROM tiers_standing
"""
_LEFT = "SELECT coalesce(sum(remaining), 0), sum(expired) FROM rewards_lot"


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure a typical night, a night on which every tier is due, and one of expiry."""
    yield review(template, scale)
    yield from everything_at_once(template, scale)


def review(template: str, scale: Scale) -> Ratio:
    """Measure a night among members who bought on any day of the year before."""
    with databases.clone(template) as full:
        orders = [(FIRST_DAY + timedelta(days=day), SILVER) for day in range(DAYS)]
        members = population.populate(orders, scale.due // DAYS - 1)
        due.settle_due(at=NIGHT - timedelta(days=1), recorded_at=NIGHT)
        databases.settle()
        results: set[tuple[int, int]] = set()
        ours, reference = alternate(
            lambda: _reviewed(full, results, by_hand=False, night=NIGHT),
            lambda: _reviewed(full, results, by_hand=True, night=NIGHT),
            scale.rounds,
        )
    assert len(results) == 1, f"the two sides disagree: {results}"
    ((downgraded, _standings),) = results
    notes = {"members": members, "downgraded": downgraded}
    return Ratio("tier_review", ours, reference, "s", 1.5, 0.1, is_time=True, notes=notes)


def everything_at_once(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure the review, then the expiry, of members who all bought on one day."""
    with databases.clone(template) as full:
        members = population.populate([(FIRST_DAY, SILVER)], scale.due - 1)
        results: set[tuple[int, int]] = set()
        ours, reference = alternate(
            lambda: _reviewed(full, results, by_hand=False, night=NIGHT),
            lambda: _reviewed(full, results, by_hand=True, night=NIGHT),
            1,
        )
        assert results == {(members, members * 3)}, results
        notes = {"members": members, "downgraded": members}
        yield Ratio("tier_review_all_due", ours, reference, "s", None, None, True, notes)
        # Reviews are done before: a night of expiry alone is measured.
        due.settle_due(at=NIGHT, recorded_at=NIGHT)
        databases.settle()
        ours, reference = alternate(
            lambda: _expired(full, by_hand=False),
            lambda: _expired(full, by_hand=True),
            scale.rounds,
        )
        yield Ratio("expiry", ours, reference, "s", 3.0, 1.3, True, {"lots": members})


def _reviewed(full: str, results: set[tuple[int, int]], *, by_hand: bool, night: datetime) -> float:
    with databases.clone(full):
        if by_hand:
            seconds = timed(lambda: databases.execute(REVIEW_SQL, {"night": night}))
        else:
            seconds = timed(lambda: due.settle_due(at=night, recorded_at=night))
        results.update(databases.execute(_STANDINGS))
    return seconds


def _expired(full: str, *, by_hand: bool) -> float:
    with databases.clone(full):
        if by_hand:
            seconds = timed(lambda: databases.execute(_EXPIRE, [LOTS_OVER]))
        else:
            seconds = timed(lambda: due.settle_due(at=LOTS_OVER, recorded_at=LOTS_OVER))
        ((left, _expired_points),) = databases.execute(_LEFT)
    assert left == 0
    return seconds
