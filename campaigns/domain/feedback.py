"""Feedback forms: the questions that members are asked, and reading what they answer.

Pure. Source: CMP-11.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

MOST_QUESTIONS: Final = 10
MOST_OPTIONS: Final = 10
LONGEST_LABEL: Final = 200
LONGEST_TEXT: Final = 1_000
SCORE: Final = "score"
"""What the first recommendation score is called in the interaction, as triggers ask for it."""


class Kind(StrEnum):
    """What a question asks for."""

    NPS = "nps"
    RATING = "rating"
    CHOICE = "choice"
    TEXT = "text"


SCALES: Final[Mapping[Kind, range]] = {Kind.NPS: range(11), Kind.RATING: range(1, 6)}

# No database keeps these; line breaks may stand in a text.
_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

PROMOTER_FROM: Final = 9
DETRACTOR_TO: Final = 6


class FeedbackFormError(DomainError):
    """A form cannot be asked in this way; `question` counts from 1."""

    def __init__(self, code: str, question: int = 0) -> None:
        super().__init__(code, _FORM_FAULTS[code], question=question)


class FeedbackInvalidError(DomainError):
    """An answer does not fit its question; `field` names the question."""

    def __init__(self, reason: str, question: str) -> None:
        super().__init__("feedback_invalid", _FAULTS[reason], field=question, reason=reason)


_FORM_FAULTS: Final = {
    "feedback_no_questions": _("The form asks nothing."),
    "feedback_too_many_questions": _("The form asks too much."),
    "feedback_question_unnamed": _("A question needs its Chinese text."),
    "feedback_options_missing": _("A choice needs at least two options, and at most ten."),
}
_FAULTS: Final = {
    "required": _("Please answer this question."),
    "unknown": _("The form has no such question."),
    "value": _("This is none of the answers that can be given."),
    "too_long": _("The text is too long."),
}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice."""

    code: str
    zh: str
    en: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, in both languages; `options` are those of a choice."""

    code: str
    kind: Kind
    zh: str
    en: str = ""
    is_required: bool = True
    options: tuple[Option, ...] = ()

    @property
    def values(self) -> list[str]:
        """Return the answers that can be counted, in order; none of a free text."""
        if self.kind is Kind.CHOICE:
            return [option.code for option in self.options]
        return [str(number) for number in SCALES.get(self.kind, ())]

    def to_json(self) -> dict[str, Any]:
        """Return the question as it is stored; `parse` reads it back."""
        data: dict[str, Any] = {
            "code": self.code, "kind": self.kind.value, "zh": self.zh, "en": self.en,
            "required": self.is_required,
        }  # fmt: skip
        if self.options:
            data["options"] = [{"code": o.code, "zh": o.zh, "en": o.en} for o in self.options]
        return data


@dataclass(frozen=True, slots=True)
class Said:
    """What a member has answered: what is counted, and free texts, by the questions' codes."""

    counted: Mapping[str, int | str]
    texts: Mapping[str, str] = field(repr=False)


def parse(data: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Return stored questions."""
    return tuple(
        Question(
            each["code"], Kind(each["kind"]), each["zh"], each["en"], each["required"],
            tuple(Option(o["code"], o["zh"], o["en"]) for o in each.get("options", ())),
        )
        for each in data
    )  # fmt: skip


def check(questions: Sequence[Question]) -> None:
    """Refuse a form that cannot be asked.

    Raises: FeedbackFormError.
    """
    if not questions:
        raise FeedbackFormError("feedback_no_questions")
    if len(questions) > MOST_QUESTIONS:
        raise FeedbackFormError("feedback_too_many_questions")
    for number, question in enumerate(questions, 1):
        if not question.zh.strip():
            raise FeedbackFormError("feedback_question_unnamed", number)
        is_choice = question.kind is Kind.CHOICE
        if is_choice and not 2 <= len(question.options) <= MOST_OPTIONS:
            raise FeedbackFormError("feedback_options_missing", number)


def read(questions: Sequence[Question], given: Mapping[str, Any]) -> Said:
    """Return what was answered, each answer one that its question offers.

    Raises: FeedbackInvalidError.
    """
    known = {question.code: question for question in questions}
    for code in given:
        if code not in known:
            raise FeedbackInvalidError("unknown", str(code)[:40])
    counted: dict[str, int | str] = {}
    texts: dict[str, str] = {}
    for code, question in known.items():
        value = given.get(code)
        if value is None or (isinstance(value, str) and not value.strip()):
            if question.is_required:
                raise FeedbackInvalidError("required", code)
        elif question.kind is Kind.TEXT:
            texts[code] = _text(question, value)
        else:
            counted[code] = _counted(question, value)
    return Said(counted, texts)


def _text(question: Question, value: Any) -> str:
    if not isinstance(value, str) or _UNSTORABLE.search(value):
        raise FeedbackInvalidError("value", question.code)
    if len(value) > LONGEST_TEXT:
        raise FeedbackInvalidError("too_long", question.code)
    return value.strip()


def _counted(question: Question, value: Any) -> int | str:
    if question.kind is Kind.CHOICE:
        if not isinstance(value, str) or value not in question.values:
            raise FeedbackInvalidError("value", question.code)
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise FeedbackInvalidError("value", question.code)
    if value not in SCALES[question.kind]:
        raise FeedbackInvalidError("value", question.code)
    return value


def told(questions: Sequence[Question], said: Said) -> dict[str, int | str]:
    """Return what the interaction says of an answer: scores by question, and the first of ten.

    Only a score of ten is `score`, which customer value and triggers read; nothing of free texts.
    """
    tens = (
        said.counted[question.code]
        for question in questions
        if question.kind is Kind.NPS and question.code in said.counted
    )
    first = next(tens, None)
    return {**said.counted, **({} if first is None else {SCORE: first})}
