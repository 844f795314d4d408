"""Two answers at one moment, and a form that is closed while somebody answers.

The guarantee has its negative control: without reading again under the lock the race must show.
"""

from typing import Any

import pytest

from campaigns.models import FeedbackAnswer, FeedbackForm
from campaigns.services import feedback_answers, feedback_forms
from campaigns.services.feedback_answers import FeedbackNotCountedError
from members.models import Interaction
from tests.engine.shop import Shop, day
from tests.factories import feedback
from tests.staff.test_races import meanwhile

pytestmark = [pytest.mark.req("CMP-11"), pytest.mark.prove]


def asked() -> FeedbackAnswer:
    shop = Shop("retail_cn")
    return feedback.asked(shop.join("ann"), at=shop.now)


def answered(row: FeedbackAnswer, score: int) -> Any:
    return feedback_answers.answer(row=row, given={"q1": score}, actor="t", at=day(1))


def test_of_two_answers_at_once_the_second_puts_the_first_right(own_database: str) -> None:
    row = asked()
    later = meanwhile(lambda: answered(row, 9), lambda: answered(row, 2))
    assert later.changed_at == day(1)
    (said,) = Interaction.objects.all()
    assert said.data["score"] == FeedbackAnswer.objects.get().counted["q1"] == 2


def test_without_reading_again_under_the_lock_the_second_is_lost(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = asked()
    found = feedback_answers._of_whom

    def stale(given: FeedbackAnswer) -> Any:
        seen = FeedbackAnswer.objects.select_related("form").get(pk=given.pk)
        return found(given)[0], seen

    monkeypatch.setattr(feedback_answers, "_of_whom", stale)
    later = meanwhile(lambda: answered(row, 9), lambda: answered(row, 2))
    assert isinstance(later, FeedbackNotCountedError)


def test_a_form_is_closed_after_the_answers_on_their_way(own_database: str) -> None:
    row = asked()
    closed = meanwhile(
        lambda: answered(row, 9), lambda: feedback_forms.close(form_id=row.form_id, at=day(2))
    )
    assert closed.closed_at == day(2)
    assert FeedbackForm.objects.get().state == "closed"
    assert FeedbackAnswer.objects.get().answered_at == day(1)
