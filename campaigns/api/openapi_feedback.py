"""The description of feedback forms and of what members answer."""

from typing import Final

from campaigns.api.codes import CODES
from campaigns.domain.feedback import LONGEST_TEXT, MOST_OPTIONS, MOST_QUESTIONS, Kind
from campaigns.models import FeedbackState
from config.base.api import codes, openapi
from config.base.api.openapi import ID, TEXT, TIME, Answer, Body, Operation
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, MEMBERS, PUBLIC_ID

codes.register(CODES)

FORM_ID: Final = openapi.path("form_id", ID, "The form's id.")
WORDS: Final = openapi.record({"zh": TEXT, "en": TEXT})
ANSWER: Final = {"anyOf": [openapi.integer(0, 10), openapi.text(LONGEST_TEXT, 0)]}
ANSWERS: Final = {
    "type": "object", "additionalProperties": ANSWER, "maxProperties": MOST_QUESTIONS,
}  # fmt: skip
QUESTION = openapi.component(
    "FeedbackQuestion",
    openapi.record(
        {
            "code": TEXT,
            "kind": openapi.choice(*(kind.value for kind in Kind)),
            "text": WORDS,
            "required": {"type": "boolean"},
            "options": openapi.listing(openapi.record({"code": TEXT, "text": WORDS}), MOST_OPTIONS),
        }
    ),
)
FORM = openapi.component(
    "Feedback",
    openapi.record(
        {
            "id": ID,
            "title": WORDS,
            "state": openapi.choice(*FeedbackState.values),
            "questions": openapi.listing(QUESTION, MOST_QUESTIONS),
            "answered_at": openapi.nullable(TIME),
            "changed_at": openapi.nullable(TIME),
            "answers": ANSWERS,
        }
    ),
)
EXAMPLE: Final = {
    "id": EXAMPLE_ID,
    "title": {"zh": "试点反馈", "en": "Pilot feedback"},
    "state": "open",
    "questions": [
        {
            "code": "q1",
            "kind": "nps",
            "text": {"zh": "您会推荐我们吗？", "en": "Would you recommend us?"},
            "required": True,
            "options": [],
        }
    ],
    "answered_at": EXAMPLE_TIME,
    "changed_at": None,
    "answers": {"q1": 9},
}

get_feedback = Operation(
    name="listFeedback",
    tag=MEMBERS,
    summary="List the open feedback forms that ask a member, with what was answered",
    scope="members:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[
        Answer(
            200,
            "The newest form first; free texts where the key may read personal values.",
            openapi.record({"items": openapi.listing(FORM)}),
            {"items": [EXAMPLE]},
        )
    ],
    errors=["member_not_found", "parameter_invalid"],
)
put_feedback = Operation(
    name="answerFeedback",
    tag=MEMBERS,
    summary="Answer a feedback form for a member, or put the answer right until the form is closed",
    scope="feedback:write",
    member_by="path",
    parameters=[PUBLIC_ID, FORM_ID],
    body=Body(openapi.record({}, {"answers": ANSWERS}), {"answers": {"q1": 9}}),
    answers=[
        Answer(
            200,
            "The form with the answer: a number for `nps` (0 to 10) and `rating` (1 to 5), an"
            " option's code for `choice`, text for `text`. The whole answer is replaced.",
            FORM,
            EXAMPLE,
        )
    ],
    errors=["member_not_found", "feedback_not_found", "feedback_closed", "feedback_invalid"],
)
