"""A report as sections of text and tables: what its page and its PDF both show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from campaigns import words
from campaigns.domain.goals import Status
from campaigns.domain.month_end import Column
from campaigns.kpis import registry
from campaigns.kpis.metrics import Group, Unit
from campaigns.models import Report, ReportKind
from config.base.names import in_active_language


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a heading; the first column is text, the others are numbers."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


_PERIOD: Final = (
    ("net", _("Net sales to members"), Unit.MONEY),
    ("orders", _("Orders of members"), Unit.COUNT),
    ("buyers", _("Members who bought"), Unit.COUNT),
    ("per_buyer", _("Spend per buyer"), Unit.MONEY),
    ("per_order", _("Average order value"), Unit.MONEY),
    ("joined", _("New members"), Unit.COUNT),
)


def title_of(report: Report) -> str:
    """Return the report's name in the active language."""
    text = (
        gettext("Weekly report %(first)s to %(last)s")
        if report.kind == ReportKind.WEEKLY
        else gettext("Monthly report %(first)s to %(last)s")
    )
    return text % {"first": report.starts_on.isoformat(), "last": report.ends_on.isoformat()}


def sections(report: Report) -> list[Section]:
    """Return the report's sections in the active language, from its frozen figures alone."""
    figures = report.figures
    found = [_period(figures)]
    found += [
        section
        for group in (Group.MEMBERS, Group.COMMERCE, Group.TIERS, Group.POINTS)
        if (section := _metrics(figures, group)) is not None
    ]
    found += [_tiers(figures), _points(figures)]
    return [*found, _goals(figures)] if figures["goals"] else found


def _period(figures: Mapping[str, Any]) -> Section:
    now, before = (_with_quotients(figures[name]) for name in ("period", "period_before"))
    return Section(
        gettext("This period"),
        ("", gettext("This period"), gettext("Period before")),
        [
            (str(title), words.written(unit, now[name]), words.written(unit, before[name]))
            for name, title, unit in _PERIOD
        ],
    )


def _with_quotients(period: Mapping[str, Any]) -> dict[str, Decimal | None]:
    numbers: dict[str, Decimal | None] = {
        name: Decimal(period[name]) for name in ("net", "orders", "buyers", "joined")
    }
    net, orders, buyers = (Decimal(period[name]) for name in ("net", "orders", "buyers"))
    numbers["per_buyer"] = net / buyers if buyers else None
    numbers["per_order"] = net / orders if orders else None
    return numbers


def _metrics(figures: Mapping[str, Any], group: Group) -> Section | None:
    rows, notes = [], []
    for metric in registry.of_group(group):
        if metric.code not in figures["metrics"]:
            continue
        now, before = (
            _number(figures[name][metric.code]) for name in ("metrics", "metrics_before")
        )
        moved, _direction = words.change(metric, now, before)
        shown = (words.shown(metric.unit, now), words.shown(metric.unit, before))
        rows.append((str(metric.title), *shown, moved or words.NOTHING))
        notes.append(f"{metric.title}: {metric.definition}")
    if not rows:
        return None
    headings = ("", gettext("End of period"), gettext("Period before"), pgettext("size", "Change"))
    return Section(str(words.GROUPS[group]), headings, rows, notes)


def _tiers(figures: Mapping[str, Any]) -> Section:
    total = sum(members for *_names, members in figures["tiers"])
    return Section(
        gettext("Members by tier"),
        (gettext("Tier"), gettext("Members"), gettext("Share")),
        [
            (
                in_active_language(zh=zh, en=en), words.written(Unit.COUNT, Decimal(members)),
                words.shown(Unit.PERCENT, Decimal(members) / total if total else None),
            )
            for _rank, zh, en, members in figures["tiers"]
        ],
    )  # fmt: skip


def _points(figures: Mapping[str, Any]) -> Section:
    points, cost = figures["points"], Decimal(figures["unit_cost"])
    names = [("opening", gettext("Opening"))]
    names += [(str(column), str(words.COLUMNS[column])) for column in Column]
    names += [("closing", gettext("Closing"))]
    return Section(
        gettext("Points of the period"),
        ("", gettext("Points"), gettext("At unit cost")),
        [
            (
                title, words.written(Unit.POINTS, Decimal(points[name])),
                words.written(Unit.MONEY, points[name] * cost),
            )
            for name, title in names
        ],
        [gettext("Unit cost of a point: %(cost)s") % {"cost": f"{cost.normalize():f}"}],
    )  # fmt: skip


def _goals(figures: Mapping[str, Any]) -> Section:
    rows = []
    for goal in figures["goals"]:
        metric = registry.METRICS.get(goal["metric"])
        unit = metric.unit if metric else Unit.TIMES
        rows.append((
            goal["name"], words.written(unit, _number(goal["value"])),
            words.written(unit, Decimal(goal["target"])), goal["ends_on"],
            str(words.STATUSES[Status(goal["status"])][0]),
        ))  # fmt: skip
    headings = (
        gettext("Goal"), gettext("Figure"), gettext("Target"), gettext("Until"), gettext("Status"),
    )  # fmt: skip
    return Section(gettext("Goals"), headings, rows)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
