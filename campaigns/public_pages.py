"""Pages for members themselves: opting out, and answering a feedback form, by a message's link.

Whoever has the link may opt out or answer: it is in the message only, so there is nobody to log in
and no cookie that another site could misuse. Looking at a page changes nothing, since mail scanners
follow links; mailboxes post an opt-out without asking for it (RFC 8058).
"""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns import feedback_words
from campaigns.domain.feedback import FeedbackInvalidError, Kind, Question
from campaigns.models import FeedbackAnswer, FeedbackState
from campaigns.services import (
    feedback_answers,
    feedback_forms,
    feedback_links,
    opt_outs,
    prospect_opt_outs,
)
from campaigns.services.feedback_links import FeedbackLinkInvalidError
from campaigns.services.opt_outs import OptOutInvalidError
from config.base import clock
from config.base.errors import DomainError
from members.services import brand

TEMPLATE: Final = "public/opt_out.html"
PROSPECT_TEMPLATE: Final = "public/prospect_opt_out.html"
FEEDBACK: Final = "public/feedback.html"
BY_LINK: Final = "feedback_link"
REMOVE: Final = "remove-"


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to stop, or stop: on the message's channel, or everywhere where that was chosen.

    Source: MEM-11.
    """
    at = clock.now()
    context: dict[str, Any] = {"programme": brand.programme_name(at)}
    try:
        message = opt_outs.message_of(token)
    except OptOutInvalidError:
        return TemplateResponse(request, TEMPLATE, {**context, "is_invalid": True}, status=404)
    is_done = request.method == "POST"
    if is_done:
        opt_outs.opt_out(message=message, everywhere="everywhere" in request.POST, at=at)
    context |= {"channel": message.get_channel_display(), "is_done": is_done}
    return TemplateResponse(request, TEMPLATE, context)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def prospect_opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """Ask a prospect whether to stop, or stop; with `forget` nothing of them is kept either.

    Source: CMP-13, MEM-11, MEM-12.
    """
    at = clock.now()
    context: dict[str, Any] = {"programme": brand.programme_name(at)}
    try:
        address = prospect_opt_outs.address_of(token)
    except OptOutInvalidError:
        return TemplateResponse(
            request, PROSPECT_TEMPLATE, {**context, "is_invalid": True}, status=404
        )
    forget = "forget" in request.POST
    if request.method == "POST":
        prospect_opt_outs.stop(address=address, forget=forget, at=at)
    context |= {"is_done": request.method == "POST", "is_forgotten": forget}
    return TemplateResponse(request, PROSPECT_TEMPLATE, context)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form that the link leads to, and take the answer or what puts it right.

    What was chosen before is shown again; what was written is not, since links are passed on.
    Source: CMP-11.
    """
    at = clock.now()
    context: dict[str, Any] = {"programme": brand.programme_name(at)}
    try:
        row = feedback_links.answer_of(token)
    except FeedbackLinkInvalidError:
        return TemplateResponse(request, FEEDBACK, {**context, "is_invalid": True}, status=404)
    status, given = 200, dict(row.counted)
    if request.method == "POST":
        given = _given(row, request.POST)
        try:
            row = feedback_answers.answer(
                row=row, given=given, actor=BY_LINK, at=at, keeps_texts=True
            )
            context["is_done"] = True
        except FeedbackInvalidError as error:
            status = error.status
            context |= {"error": error.message, "at_question": error.details["field"]}
        except DomainError as error:
            status = error.status
            context["refused"] = error.message
    context |= {
        "title": feedback_words.title(row.form),
        "is_closed": row.form.state != FeedbackState.OPEN,
        "is_answered": row.answered_at is not None,
        "questions": [_shown(each, given, row) for each in feedback_forms.questions_of(row.form)],
    }
    return TemplateResponse(request, FEEDBACK, context, status=status)


def _given(row: FeedbackAnswer, posted: Mapping[str, str]) -> dict[str, Any]:
    """Return what was filled in, numbers as numbers; what is to be removed as nothing at all."""
    given: dict[str, Any] = {}
    for question in feedback_forms.questions_of(row.form):
        value = posted.get(question.code, "")
        if f"{REMOVE}{question.code}" in posted:
            given[question.code] = None
        elif question.kind in {Kind.NPS, Kind.RATING}:
            given[question.code] = int(value) if value in question.values else value
        else:
            given[question.code] = value
    return given


def _shown(question: Question, given: Mapping[str, Any], row: FeedbackAnswer) -> dict[str, Any]:
    """Return a question as the page shows it."""
    said = given.get(question.code)
    names = feedback_words.answers(question)
    is_text = question.kind is Kind.TEXT
    return {
        "code": question.code, "kind": question.kind.value, "is_text": is_text,
        "text": feedback_words.text(question), "is_required": question.is_required,
        "answers": [
            (value, name, value == str(said))
            for value, name in zip(question.values, names, strict=True)
        ],
        "written": said if is_text and said else "",
        "is_kept": is_text and bool(row.sealed),
    }  # fmt: skip
