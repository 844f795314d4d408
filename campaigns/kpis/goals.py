"""Goals as they stand: the figure that each is about, and its way to the target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from campaigns.domain.goals import Path, Status, status
from campaigns.kpis import metrics, reading, registry
from campaigns.kpis.metrics import Value
from campaigns.models import Goal, MetricValue
from config.base import clock


@dataclass(frozen=True, slots=True)
class GoalStanding:
    """Where a goal stands on a day. Units: as people write them, shares in per cent."""

    goal: Goal
    path: Path
    value: Decimal | None
    status: Status
    on: date

    @property
    def expected(self) -> Decimal:
        """Return what the straight line asks for on the day."""
        return self.path.expected(self.on)

    @property
    def progress_percent(self) -> int:
        """Return how much of the way is done, in per cent, between 0 and 100."""
        if self.value is None:
            return 0
        return int(max(Decimal(0), min(Decimal(1), self.path.progress(self.value))) * 100)


def path_of(goal: Goal) -> Path:
    """Return the straight line of a goal."""
    return Path(goal.baseline, goal.target, goal.starts_on, goal.ends_on)


def current(*, at: datetime) -> list[GoalStanding]:
    """Return the goals that run or have lately ended, with figures at most a minute old."""
    today = clock.local_day(at)
    open_goals = list(_followed(today))
    running = [goal for goal in open_goals if goal.ends_on >= today]
    now = registry.current(sorted({goal.metric for goal in running}), at=at)
    return [
        _standing(goal, now[goal.metric], today)
        if goal.ends_on >= today
        else _standing(goal, _at_end(goal), today)
        for goal in open_goals
    ]


def standing_of(goal: Goal, *, at: datetime) -> GoalStanding:
    """Return where one goal stands; one that is over stands where its last day left it."""
    today = clock.local_day(at)
    if goal.ends_on < today:
        return _standing(goal, _at_end(goal), today)
    return _standing(goal, registry.current([goal.metric], at=at)[goal.metric], today)


def standings(*, on: date) -> list[GoalStanding]:
    """Return the goals that run on a day, with their figures at its end."""
    goals = list(Goal.objects.filter(closed_at=None, starts_on__lte=on, ends_on__gte=on))
    values = registry.read(sorted({goal.metric for goal in goals}), until=reading.day_end(on))
    return [_standing(goal, values[goal.metric], on) for goal in goals]


def history(goal: Goal) -> Sequence[tuple[date, Decimal | None]]:
    """Return the measured figures of a goal's term, day by day as far as there are any."""
    rows = MetricValue.objects.filter(
        metric=goal.metric, day__gte=goal.starts_on, day__lte=goal.ends_on
    ).order_by("day")
    return [(row.day, _written(goal, Value(row.numerator, row.denominator))) for row in rows]


def trends(codes: Sequence[str], *, today: date, days: int) -> Mapping[str, list[Value]]:
    """Return the measured values of the last closed days, oldest first, per metric."""
    found: dict[str, list[Value]] = {code: [] for code in codes}
    rows = MetricValue.objects.filter(metric__in=codes, day__lt=today).order_by("-day")
    for row in rows[: days * len(codes)]:
        found[row.metric].insert(0, Value(row.numerator, row.denominator))
    return found


def _followed(today: date) -> QuerySet[Goal]:
    lately = Q(ends_on__gte=clock.add_months(today, -1))
    return Goal.objects.filter(lately, closed_at=None).select_related("owner")


def _at_end(goal: Goal) -> Value:
    until = reading.day_end(goal.ends_on)
    return registry.at_day_end([goal.metric], until=until)[goal.metric]


def _standing(goal: Goal, value: Value, on: date) -> GoalStanding:
    number = _written(goal, value)
    path = path_of(goal)
    return GoalStanding(goal, path, number, status(path, number, on=on), on)


def _written(goal: Goal, value: Value) -> Decimal | None:
    if value.number is None:
        return None
    return metrics.scaled(registry.METRICS[goal.metric].unit, value.number)
