"""What those addressed say against what the hold-out says, with how sure the difference is.

Everybody's answer counts once, so whoever asks both arms the same compares like with like. Pure.

Source: CMP-11.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from campaigns.domain.feedback import DETRACTOR_TO, PROMOTER_FROM, SCALES, Kind, Question
from campaigns.domain.lift import (
    Estimate,
    Moments,
    Share,
    difference_of_means,
    difference_of_shares,
)

Counts = Mapping[str, int]
"""How many members of an arm gave which answer to a question."""


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many members of an arm were asked, and how many have answered."""

    asked: int = 0
    answered: int = 0

    @property
    def share(self) -> Share:
        """Return the share that has answered."""
        return Share(self.asked, self.answered)


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both arms; None where nobody has answered, or too few to tell them apart.

    Units: shares of one, or points of the question's scale.
    """

    treated: float | None
    holdout: float | None
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question: how often each answer was given in each arm, and what differs.

    `mean` is of a scale; `net` the promoters less the detractors; `options` of a choice, in order.
    """

    question: Question
    treated: Counts
    holdout: Counts
    mean: Difference | None = None
    net: Difference | None = None
    options: Mapping[str, Difference] | None = None

    def answered(self, counts: Counts) -> int:
        """Return how many members of an arm have answered the question."""
        return sum(counts.values())


_NOBODY: Final[Counts] = {}


def compare(
    questions: Sequence[Question], treated: Mapping[str, Counts], holdout: Mapping[str, Counts]
) -> list[QuestionResult]:
    """Return the results of the questions that are counted, from the counts of both arms."""
    return [
        _result(each, treated.get(each.code, _NOBODY), holdout.get(each.code, _NOBODY))
        for each in questions
        if each.kind is not Kind.TEXT
    ]


def turnout(treated: Turnout, holdout: Turnout) -> Difference:
    """Return the shares of both arms that have answered."""
    return _of_shares(treated.share, holdout.share)


def _result(question: Question, treated: Counts, holdout: Counts) -> QuestionResult:
    if question.kind is Kind.CHOICE:
        shares = {
            value: _of_shares(_share(treated, value), _share(holdout, value))
            for value in question.values
        }
        return QuestionResult(question, treated, holdout, options=shares)
    points = {str(number): float(number) for number in SCALES[question.kind]}
    net = None
    if question.kind is Kind.NPS:
        sides = {value: _side(int(value)) for value in points}
        net = _of_means(treated, holdout, sides)
    return QuestionResult(question, treated, holdout, _of_means(treated, holdout, points), net)


def _side(score: int) -> float:
    return float((score >= PROMOTER_FROM) - (score <= DETRACTOR_TO))


def _share(counts: Counts, value: str) -> Share:
    return Share(sum(counts.values()), counts.get(value, 0))


def _of_shares(treated: Share, holdout: Share) -> Difference:
    return Difference(
        treated.value if treated.members else None,
        holdout.value if holdout.members else None,
        difference_of_shares(treated, holdout),
    )


def _of_means(treated: Counts, holdout: Counts, worth: Mapping[str, float]) -> Difference:
    one, other = _moments(treated, worth), _moments(holdout, worth)
    return Difference(
        one.mean if one.members else None,
        other.mean if other.members else None,
        difference_of_means(one, other),
    )


def _moments(counts: Counts, worth: Mapping[str, float]) -> Moments:
    return Moments(
        sum(counts.values()),
        sum(worth[value] * count for value, count in counts.items()),
        sum(worth[value] ** 2 * count for value, count in counts.items()),
    )
