"""What members answer: once per form, put right as often as they like until it is closed.

An answer is an interaction of the kind `survey`: it earns, counts and starts campaigns as any
other. Putting it right alters what it said and nothing that it has earned.

Source: CMP-11.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, QuerySet, When
from django.utils.translation import gettext_lazy as _

from campaigns.domain import feedback as domain
from campaigns.domain.feedback import Said
from campaigns.models import FeedbackAnswer, FeedbackForm, FeedbackState
from campaigns.services import feedback_forms
from campaigns.services.referral_checks import survivor_of
from config.base.errors import DomainError
from members.models import Member, MemberStatus
from members.services import identity, notes
from rewards.domain.receipt import FEEDBACK
from rewards.domain.submission import InteractionFact, MemberRef
from rewards.services import intake, loading, restating

SURVEY: Final = "survey"

# A form that is being closed waits for the answers on their way, and they for one another not.
_STATE: Final = "SELECT state FROM campaigns_feedbackform WHERE id = %s FOR SHARE"


class FeedbackClosedError(DomainError):
    """The form takes no more answers."""

    def __init__(self) -> None:
        super().__init__("feedback_closed", _("No more answers are taken."), 409)


class FeedbackNotFoundError(DomainError):
    """The member is asked by no such form."""

    def __init__(self) -> None:
        super().__init__("feedback_not_found", _("There is no such form for the member."), 404)


class FeedbackNotCountedError(DomainError):
    """The programme does not take the answer."""


def asked(member: Member) -> list[FeedbackAnswer]:
    """Return the open forms that ask a member, with what was answered; the newest first.

    What members were asked who were merged into this one is asked of it, once.
    """
    rows = _rows_of(member).filter(form__state=FeedbackState.OPEN)
    return list({row.form_id: row for row in rows}.values())


def find(*, member: Member, form: Any) -> FeedbackAnswer:
    """Return the row in which a member answers a form, named by its public id.

    Raises: FeedbackNotFoundError.
    """
    rows = list(_rows_of(member).filter(form__public_id=form))
    if not rows:
        raise FeedbackNotFoundError
    return rows[-1]


def _rows_of(member: Member) -> QuerySet[FeedbackAnswer]:
    """Return what a person is asked: the newest form first, of one form what is answered last.

    That is the row that was answered first; where none was, the member's own, or else the oldest.
    """
    line = identity.lineage_subquery(member.pk)
    rows = FeedbackAnswer.objects.filter(member__in=line).select_related("form", "member")
    is_own = Case(When(member=member, then=1), default=0, output_field=IntegerField())
    return rows.order_by("-form_id", F("answered_at").desc(nulls_first=True), is_own, "-pk")


@transaction.atomic
def answer(
    *, row: FeedbackAnswer, given: Mapping[str, Any], actor: str, at: datetime,
    keeps_texts: bool = False,
) -> FeedbackAnswer:  # fmt: skip
    """Take a member's answer, or put the one right that there is; the same again changes nothing.

    With `keeps_texts` a text that is left empty stays as it was written before.
    Raises: FeedbackClosedError, FeedbackInvalidError, FeedbackNotFoundError,
    FeedbackNotCountedError.
    """
    member, row = _of_whom(row)
    questions = feedback_forms.questions_of(row.form)
    if keeps_texts:
        given = {**texts_of(row), **{code: each for code, each in given.items() if each != ""}}
    said = domain.read(questions, given)
    told = domain.told(questions, said)
    if row.fact_id is None:
        row.fact_id = _count(row, member, told, at, actor)
        row.answered_at = at
    elif not _differs(row, said):
        return row
    else:
        if row.counted != dict(said.counted):
            restating.restate(fact_id=row.fact_id, data=told, actor=actor, at=at)
        row.changed_at = at
    row.counted, row.sealed = dict(said.counted), _sealed(row, said)
    row.save(update_fields=["fact", "answered_at", "changed_at", "counted", "sealed"])
    return row


def _of_whom(row: FeedbackAnswer) -> tuple[Member, FeedbackAnswer]:
    """Return who answers, locked, and the row as it stands under that lock.

    Who was merged answers as the member that stands for them now.
    """
    member = survivor_of(row.member_id)
    locked = loading.lock([member.pk]).get(member.pk)
    if locked is None or locked.status != MemberStatus.ACTIVE:
        raise FeedbackNotFoundError
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [row.form_id])
        (state,) = cursor.fetchone()
    if state != FeedbackState.OPEN:
        raise FeedbackClosedError
    rows = list(_rows_of(member).filter(form=row.form_id))
    return member, rows[-1]


def _count(
    row: FeedbackAnswer, member: Member, told: Mapping[str, Any], at: datetime, actor: str
) -> int:
    """Let the engine fold the answer like any other interaction; its reference keeps it single."""
    ref = str(row.public_id)
    fact = InteractionFact(
        source=FEEDBACK, ref=ref, member=MemberRef(public_id=member.public_id), kind=SURVEY,
        occurred_at=at, data=dict(told),
    )  # fmt: skip
    (outcome,) = intake.receive([fact], touchpoint=None, at=at, actor=actor, channel=FEEDBACK)
    if outcome.status >= 400:
        raise FeedbackNotCountedError(str(outcome.code), _("The answer was not taken."), 409)
    return intake.fact_ids(source=FEEDBACK, refs=[ref])[ref]


def _differs(row: FeedbackAnswer, said: Said) -> bool:
    return row.counted != dict(said.counted) or texts_of(row) != dict(said.texts)


def _sealed(row: FeedbackAnswer, said: Said) -> str:
    if not said.texts:
        return ""
    return notes.seal(member=row.member_id, text=orjson.dumps(dict(said.texts)).decode())


def texts_of(row: FeedbackAnswer) -> dict[str, str]:
    """Return what a member has written, by question."""
    return texts_of_all([row])[0]


def texts_of_all(rows: Sequence[FeedbackAnswer]) -> list[dict[str, str]]:
    """Return what members have written, each by question. One statement, none without texts."""
    if not any(row.sealed for row in rows):
        return [{} for _row in rows]
    read = notes.read_many([(row.member_id, row.sealed) for row in rows])
    return [orjson.loads(text) if text else {} for text in read]


def own_data(members: Sequence[int]) -> list[dict[str, Any]]:
    """Return all that a person was asked and has answered, in their own words."""
    rows = list(
        FeedbackAnswer.objects.filter(member__in=members).select_related("form").order_by("id")
    )
    return [
        {
            "form": row.form.title_zh, "asked_at": row.asked_at, "answered_at": row.answered_at,
            "changed_at": row.changed_at, "answers": _in_words(row.form, {**row.counted, **texts}),
        }
        for row, texts in zip(rows, texts_of_all(rows), strict=True)
    ]  # fmt: skip


def _in_words(form: FeedbackForm, answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was asked with what was answered, options as they read.

    Two questions may read alike.
    """
    found = []
    for question in feedback_forms.questions_of(form):
        if question.code in answers:
            names = {option.code: option.zh for option in question.options}
            value = answers[question.code]
            found.append({"question": question.zh, "answer": names.get(value, value)})
    return found
