"""Feedback forms that ask a member, and what the member answers. Source: CMP-11."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api import openapi_feedback as openapi
from campaigns.domain.feedback import Option, Question
from campaigns.models import FeedbackAnswer
from campaigns.services import feedback_answers, feedback_forms
from config.base.api import cursors
from config.base.api.reading import ObjectReader
from members.api.views import PATH, TouchpointEndpoint, member_of


class FeedbackListView(TouchpointEndpoint):
    """The open forms that ask one member."""

    scopes = {"GET": "members:read"}
    member_token = {"GET": PATH}

    @openapi.get_feedback
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return the forms with their questions, and what was answered, the newest form first."""
        cursors.check_parameters(request.query_params, ())
        rows = feedback_answers.asked(member_of(public_id))
        return Response({"items": _all(rows, with_texts=self.may_read_personal(request))})


class FeedbackView(TouchpointEndpoint):
    """What one member answers to one form."""

    scopes = {"PUT": "feedback:write"}
    member_token = {"PUT": PATH}

    @openapi.put_feedback
    def put(self, request: Request, public_id: uuid.UUID, form_id: uuid.UUID) -> Response:
        """Take the whole answer, or put right the one that there is."""
        reader = ObjectReader(request.data)
        reader.only({"answers"})
        given = reader.free("answers")
        reader.finish()
        row = feedback_answers.find(member=member_of(public_id), form=form_id)
        row = feedback_answers.answer(
            row=row, given=given, actor=self.key_of(request).actor, at=self.at()
        )
        (body,) = _all([row], with_texts=self.may_read_personal(request))
        return Response(body)


def _all(rows: list[FeedbackAnswer], *, with_texts: bool) -> list[dict[str, Any]]:
    texts = feedback_answers.texts_of_all(rows) if with_texts else [{} for _row in rows]
    return [_json(row, said) for row, said in zip(rows, texts, strict=True)]


def _json(row: FeedbackAnswer, texts: dict[str, str]) -> dict[str, Any]:
    form = row.form
    return {
        "id": form.public_id,
        "title": _words(form.title_zh, form.title_en),
        "state": form.state,
        "questions": [_question(each) for each in feedback_forms.questions_of(form)],
        "answered_at": row.answered_at,
        "changed_at": row.changed_at,
        "answers": {**row.counted, **texts},
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "code": question.code,
        "kind": question.kind.value,
        "text": _words(question.zh, question.en),
        "required": question.is_required,
        "options": [_option(each) for each in question.options],
    }


def _option(option: Option) -> dict[str, Any]:
    return {"code": option.code, "text": _words(option.zh, option.en)}


def _words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en or zh}
