"""The form in which a feedback form is written: titles, whom it asks, and questions as rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import feedback_words
from campaigns.domain.feedback import LONGEST_LABEL, MOST_QUESTIONS, Kind, Option, Question
from campaigns.models import FeedbackForm, MessageTemplate
from campaigns.services import feedback_forms
from campaigns.services.feedback_forms import FormTerms

ROWS: Final = 6
LONGEST_OPTIONS: Final = 2_000
BETWEEN: Final = "|"


class HeadForm(forms.Form):
    """What a form is called and whom it asks."""

    title_zh = forms.CharField(label=_("Chinese title"), max_length=80)
    title_en = forms.CharField(label=_("English title"), max_length=80, required=False)
    asks_holdout = forms.BooleanField(
        label=_("Ask the hold-out too"), required=False, initial=True,
        help_text=_("Only then can the answers be compared. Ask nothing that only those who were"
                    " addressed can know."),
    )  # fmt: skip
    template = forms.ModelChoiceField(
        MessageTemplate.objects.filter(retired_at=None).order_by("code"),
        label=_("Message that asks"), required=False,
        help_text=_("Its text names the variable feedback.link. Without one, members are asked by"
                    " shops and apps only."),
    )  # fmt: skip


class QuestionForm(forms.Form):
    """One question; a row without a kind counts for nothing."""

    kind = forms.ChoiceField(
        label=_("Kind"), required=False,
        choices=[("", "–"), *((kind.value, words) for kind, words in feedback_words.KINDS.items())],
    )  # fmt: skip
    zh = forms.CharField(label=_("Chinese text"), max_length=LONGEST_LABEL, required=False)
    en = forms.CharField(label=_("English text"), max_length=LONGEST_LABEL, required=False)
    is_required = forms.BooleanField(label=_("Has to be answered"), required=False, initial=True)
    options = forms.CharField(
        label=_("Options"), max_length=LONGEST_OPTIONS, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Of a choice, one a line: Chinese | English."),
    )  # fmt: skip

    def question(self, number: int) -> Question | None:
        """Return the question of this row."""
        read = self.cleaned_data
        if not read.get("kind"):
            return None
        kind = Kind(read["kind"])
        options = _options(read["options"]) if kind is Kind.CHOICE else ()
        return Question(
            f"q{number}", kind, read["zh"], read["en"], read["is_required"], options
        )  # fmt: skip


class FeedbackEditor:
    """A form in the making: its head and its questions."""

    def __init__(self, form: FeedbackForm | None, data: QueryDict | None) -> None:
        """Show what is stored, or what was posted."""
        stored = feedback_forms.questions_of(form) if form else ()
        self.head = HeadForm(data, initial=_head(form))
        count = min(MOST_QUESTIONS, max(ROWS, len(stored) + 2))
        if data is not None:
            count = MOST_QUESTIONS
        self.rows = [
            QuestionForm(
                data, prefix=f"question-{number}",
                initial=_shown(stored[number]) if number < len(stored) else {},
            )
            for number in range(count)
        ]  # fmt: skip

    def read(self) -> FormTerms | None:
        """Return what was filled in; None where something is wrong."""
        valid = [self.head.is_valid(), *(row.is_valid() for row in self.rows)]
        if not all(valid):
            return None
        questions: list[Question] = []
        for row in self.rows:
            question = row.question(len(questions) + 1)
            if question is not None:
                questions.append(question)
        head = self.head.cleaned_data
        template = head["template"]
        return FormTerms(
            head["title_zh"], head["title_en"], questions, head["asks_holdout"],
            template.pk if template else None,
        )  # fmt: skip

    def refuse(self, message: str, details: Mapping[str, Any]) -> None:
        """Show why a service did not take it, where it belongs."""
        field = details.get("field")
        number = details.get("question")
        if number:
            text = gettext("Question %(number)d: %(why)s") % {"number": number, "why": message}
            self.head.add_error(None, text)
        else:
            self.head.add_error(field if field in self.head.fields else None, message)


def _head(form: FeedbackForm | None) -> dict[str, Any]:
    if form is None:
        return {}
    return {
        "title_zh": form.title_zh, "title_en": form.title_en, "asks_holdout": form.asks_holdout,
        "template": form.template_id,
    }  # fmt: skip


def _shown(question: Question) -> dict[str, Any]:
    lines = (f"{o.zh} {BETWEEN} {o.en}" if o.en else o.zh for o in question.options)
    return {
        "kind": question.kind.value, "zh": question.zh, "en": question.en,
        "is_required": question.is_required, "options": "\n".join(lines),
    }  # fmt: skip


def _options(text: str) -> tuple[Option, ...]:
    lines: Sequence[str] = [line for line in text.splitlines() if line.strip()]
    parted = (line.partition(BETWEEN) for line in lines)
    return tuple(
        Option(f"o{number}", zh.strip(), en.strip())
        for number, (zh, _between, en) in enumerate(parted, 1)
    )
