"""What members have answered to a form, counted: two statements, however many answers there are.

Source: CMP-11.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from campaigns.domain import feedback_results
from campaigns.domain.feedback_results import Difference, QuestionResult, Turnout
from campaigns.kpis import reading
from campaigns.models import Arm, FeedbackForm
from campaigns.services import feedback_forms

_TURNOUT: Final = """
SELECT arm, count(*), count(answered_at) FROM campaigns_feedbackanswer
WHERE form_id = %(form)s GROUP BY arm
"""
_COUNTS: Final = """
SELECT a.arm, said.key, said.value, count(*)
FROM campaigns_feedbackanswer a CROSS JOIN LATERAL jsonb_each_text(a.counted) said
WHERE a.form_id = %(form)s AND a.answered_at IS NOT NULL
GROUP BY a.arm, said.key, said.value
"""


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a form: who was asked and has answered, and what was said to each question."""

    treated: Turnout
    holdout: Turnout
    turnout: Difference
    questions: list[QuestionResult]


def assess(form: FeedbackForm) -> Results:
    """Return what those addressed and the hold-out have answered, side by side."""
    values: dict[str, Any] = {"form": form.pk}
    turnouts = {arm: Turnout(*rest) for arm, *rest in reading.rows(_TURNOUT, values)}
    counts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for arm, code, value, count in reading.rows(_COUNTS, values):
        counts[arm][code][value] = count
    treated = turnouts.get(Arm.TREATED, Turnout())
    holdout = turnouts.get(Arm.HOLDOUT, Turnout())
    questions = feedback_forms.questions_of(form)
    return Results(
        treated, holdout, feedback_results.turnout(treated, holdout),
        feedback_results.compare(questions, counts[Arm.TREATED], counts[Arm.HOLDOUT]),
    )  # fmt: skip
