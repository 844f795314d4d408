"""How feedback forms and their questions are written for people."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.domain.feedback import Kind, Option, Question
from campaigns.models import FeedbackForm, FeedbackState
from config.base.names import in_active_language

KINDS: Final[Mapping[Kind, Promise]] = {
    Kind.NPS: _("Recommendation, 0 to 10"),
    Kind.RATING: _("Rating, 1 to 5"),
    Kind.CHOICE: _("Choice"),
    Kind.TEXT: _("Free text"),
}
COLOURS: Final[Mapping[str, str]] = {
    FeedbackState.DRAFT: "info",
    FeedbackState.OPEN: "success",
    FeedbackState.CLOSED: "",
}


def title(form: FeedbackForm) -> str:
    """Return what a form is called, in the reader's language."""
    return in_active_language(zh=form.title_zh, en=form.title_en)


def text(asked: Question | Option) -> str:
    """Return a question or an option in the reader's language."""
    return in_active_language(zh=asked.zh, en=asked.en)


def answers(question: Question) -> list[str]:
    """Return the answers that can be counted as they read, in the order of their values."""
    return [text(option) for option in question.options] or question.values
