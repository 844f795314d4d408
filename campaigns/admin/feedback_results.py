"""The results of a feedback form as the page shows them: tables, charts and differences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import feedback_words
from campaigns.admin.results import Interval, interval, interval_of_shares
from campaigns.domain.feedback_results import Counts, Difference, QuestionResult
from campaigns.kpis import feedback as kpi
from campaigns.models import Arm, FeedbackAnswer, FeedbackForm
from config.base.admin import charts, formats

ARMS: Final = {Arm.TREATED: _("Addressed"), Arm.HOLDOUT: _("Hold-out")}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of both arms, and what differs."""

    label: str
    treated: str
    holdout: str
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One question: its figures, and how often each answer was given as a chart and a table."""

    title: str
    kind: str
    lines: Sequence[Line]
    rows: Sequence[Sequence[Any]]
    chart: Any


@dataclass(frozen=True, slots=True)
class Page:
    """All that the page shows of the answers."""

    answered: str
    is_compared: bool
    turnout: Line
    questions: Sequence[Shown]


def arm(row: FeedbackAnswer) -> str:
    """Return in which arm somebody was asked."""
    return str(ARMS[Arm(row.arm)])


def shown(form: FeedbackForm) -> Page:
    """Return the results of a form."""
    results = kpi.assess(form)
    treated, holdout = results.treated, results.holdout
    return Page(
        gettext("%(answered)s of %(asked)s members have answered")
        % {
            "answered": formats.points(treated.answered + holdout.answered),
            "asked": formats.points(treated.asked + holdout.asked),
        },
        bool(holdout.asked),
        _share_line(gettext("Have answered"), results.turnout),
        [_question(each) for each in results.questions],
    )


def _question(result: QuestionResult) -> Shown:
    names, values = feedback_words.answers(result.question), result.question.values
    lines = []
    if result.net is not None:
        lines.append(_share_line(gettext("Net promoter score"), result.net))
    if result.mean is not None:
        lines.append(_mean_line(gettext("Mean"), result.mean))
    for name, difference in zip(names, (result.options or {}).values(), strict=False):
        lines.append(_neutral(_share_line(name, difference)))
    arms = ((ARMS[Arm.TREATED], result.treated), (ARMS[Arm.HOLDOUT], result.holdout))
    chart = charts.bars(
        names,
        [
            (str(arm), [_percent(counts, value) for value in values], colour)
            for (arm, counts), colour in zip(arms, charts.PALETTE, strict=False)
            if counts
        ],
    )
    return Shown(
        feedback_words.text(result.question),
        str(feedback_words.KINDS[result.question.kind]),
        lines,
        [
            (name, result.treated.get(value, 0), result.holdout.get(value, 0))
            for name, value in zip(names, values, strict=True)
        ],
        chart if result.treated or result.holdout else None,
    )


def _neutral(line: Line) -> Line:
    """Return the line without a colour: that more choose an option is neither good nor bad."""
    if line.interval is None:
        return line
    return replace(line, interval=replace(line.interval, tone=""))


def _percent(counts: Counts, value: str) -> float:
    return round(100 * counts.get(value, 0) / sum(counts.values()), 1)


def _share_line(label: str, difference: Difference) -> Line:
    return Line(
        label, _as_share(difference.treated), _as_share(difference.holdout),
        interval_of_shares(difference.estimate),
    )  # fmt: skip


def _mean_line(label: str, difference: Difference) -> Line:
    return Line(
        label, _as_mean(difference.treated), _as_mean(difference.holdout),
        interval(difference.estimate, lambda value: f"{value:+.2f}".replace("-", "−")),
    )  # fmt: skip


def _as_share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %".replace("-", "−")


def _as_mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
