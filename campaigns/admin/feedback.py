"""Feedback of a campaign's members: written, opened and closed, and what they have said.

Source: CMP-11.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import feedback_words
from campaigns.admin import csv_files, feedback_results
from campaigns.admin.campaigns import need, page
from campaigns.admin.feedback_form import FeedbackEditor
from campaigns.admin.feedback_list import EDIT, VIEW
from campaigns.admin.reason_form import ReasonForm
from campaigns.models import Campaign, FeedbackAnswer, FeedbackForm, FeedbackState
from campaigns.services import feedback_answers, feedback_forms
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of

READ_TEXTS: Final = "campaigns.view_feedbackanswer"
EXPORT: Final = "campaigns.export_feedbackanswer"
TEXTS_SHOWN: Final = 50
FETCHED_AT_ONCE: Final = 500


def new_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Write a new form for a campaign."""
    need(request, EDIT)
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    return _editor(request, campaign, None)


def edit_page(request: HttpRequest, form_id: int) -> HttpResponse:
    """Change a draft."""
    need(request, EDIT)
    form = _found(form_id)
    if form.state != FeedbackState.DRAFT:
        return redirect("admin:feedback_form", form.pk)
    return _editor(request, form.campaign, form)


def _editor(request: HttpRequest, campaign: Campaign, form: FeedbackForm | None) -> HttpResponse:
    editor = FeedbackEditor(form, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        saved = _saved(request, campaign, form, editor)
        if saved is not None:
            return redirect("admin:feedback_form", saved.pk)
    back = (
        reverse("admin:feedback_form", args=[form.pk])
        if form
        else reverse("admin:campaign", args=[campaign.pk])
    )
    context = {
        "title": gettext("Feedback form"), "subject": name_of(campaign), "editor": editor,
        "back": back,
    }  # fmt: skip
    return page(request, "feedback_edit.html", context)


def _saved(
    request: HttpRequest, campaign: Campaign, form: FeedbackForm | None, editor: FeedbackEditor
) -> FeedbackForm | None:
    terms = editor.read()
    if terms is None:
        return None
    try:
        if form is not None:
            return feedback_forms.save(form_id=form.pk, terms=terms)
        return feedback_forms.create(
            campaign_id=campaign.pk, terms=terms, actor=actor_of(request), at=clock.now()
        )
    except DomainError as error:
        editor.refuse(str(error.message), error.details)
        return None


def form_page(request: HttpRequest, form_id: int) -> HttpResponse:
    """Show a form: what it asks, how far it is, and what those addressed and the hold-out say."""
    need(request, VIEW)
    form = _found(form_id)
    may_edit = request.user.has_perm(EDIT)
    is_draft = form.state == FeedbackState.DRAFT
    context = {
        "title": feedback_words.title(form), "form": form, "subject": name_of(form.campaign),
        "tone": feedback_words.COLOURS[form.state],
        "questions": [
            (feedback_words.text(each), feedback_words.KINDS[each.kind], each.is_required,
             [feedback_words.text(option) for option in each.options])
            for each in feedback_forms.questions_of(form)
        ],
        "may_edit": may_edit, "is_draft": is_draft,
        "verbs": [(verb, VERBS[verb][0]) for verb in _OFFERED[form.state]] if may_edit else [],
        "may_export": request.user.has_perm(EXPORT) and not is_draft,
        "results": None if is_draft else feedback_results.shown(form),
        "texts": _texts(form) if request.user.has_perm(READ_TEXTS) else None,
    }  # fmt: skip
    return page(request, "feedback.html", context)


def _texts(form: FeedbackForm) -> list[tuple[str, str, list[str]]]:
    """Return what was written last, without a name: when, in which arm, and the texts."""
    rows = list(_answered(form).exclude(sealed="").order_by("-answered_at")[:TEXTS_SHOWN])
    read = feedback_answers.texts_of_all(rows)
    return [
        (f"{clock.local(row.answered_at):%Y-%m-%d}", feedback_results.arm(row),
         list(texts.values()))
        for row, texts in zip(rows, read, strict=True)
        if texts and row.answered_at is not None
    ]  # fmt: skip


def _answered(form: FeedbackForm) -> QuerySet[FeedbackAnswer]:
    return FeedbackAnswer.objects.filter(form=form, answered_at__isnull=False)


# Opening and closing


def _open(form: FeedbackForm) -> str:
    return _asked(feedback_forms.open_form(form_id=form.pk, at=clock.now()))


def _ask(form: FeedbackForm) -> str:
    return _asked(feedback_forms.ask_more(form_id=form.pk, at=clock.now()))


def _asked(count: int) -> str:
    return ngettext("%(count)d member asked.", "%(count)d members asked.", count) % {"count": count}


def _close(form: FeedbackForm) -> str:
    feedback_forms.close(form_id=form.pk, at=clock.now())
    return gettext("No more answers are taken.")


def _discard(form: FeedbackForm) -> str:
    feedback_forms.discard(form_id=form.pk)
    return gettext("Thrown away.")


VERBS: Final[Mapping[str, tuple[Promise, Callable[[FeedbackForm], str]]]] = {
    "open": (_("Open and ask"), _open),
    "ask": (_("Ask those who came later"), _ask),
    "close": (_("Close the form"), _close),
    "discard": (_("Throw away"), _discard),
}
_OFFERED: Final[Mapping[str, Sequence[str]]] = {
    FeedbackState.DRAFT: ("open", "discard"),
    FeedbackState.OPEN: ("ask", "close"),
    FeedbackState.CLOSED: (),
}


def verb_page(request: HttpRequest, form_id: int, verb: str) -> HttpResponse:
    """Open a form, ask more members, close it, or throw a draft away, with a reason."""
    need(request, EDIT)
    form = _found(form_id)
    if verb not in _OFFERED[form.state]:
        return redirect("admin:feedback_form", form.pk)
    title, work = VERBS[verb]
    reason = ReasonForm(request.POST or None)
    if request.method == "POST" and reason.is_valid():
        try:
            done = work(form)
        except DomainError as error:
            reason.add_error(None, str(error.message))
        else:
            messages.success(request, done)
            if verb == "discard":
                return redirect("admin:campaign", form.campaign_id)
            return redirect("admin:feedback_form", form.pk)
    context = {
        "title": title, "form": reason, "subject": feedback_words.title(form),
        "back": reverse("admin:feedback_form", args=[form.pk]),
    }  # fmt: skip
    whole = {**site.current().each_context(request), **context}
    return TemplateResponse(request, "admin/console/staff_form.html", whole)


# The file


def answers_file(request: HttpRequest, form_id: int) -> HttpResponseBase:
    """Give the answers as a file, one member a line; free texts to whoever may read them."""
    if not request.user.has_perm(EXPORT):
        raise PermissionDenied
    form = _found(form_id)
    answer: StreamingHttpResponse = csv_files.answer(
        request, f"feedback-{form.pk}", _lines(request, form)
    )
    return answer


def _lines(request: HttpRequest, form: FeedbackForm) -> Iterator[Sequence[object]]:
    questions = feedback_forms.questions_of(form)
    with_texts = request.user.has_perm(READ_TEXTS)
    shown = [each for each in questions if with_texts or each.values]
    yield [gettext("Card number"), gettext("Arm"), gettext("Answered at"),
           *(feedback_words.text(each) for each in shown)]  # fmt: skip
    names = {
        (each.code, option.code): feedback_words.text(option)
        for each in questions
        for option in each.options
    }
    rows = _answered(form).select_related("member").order_by("pk")
    for batch in _batches(rows):
        read = feedback_answers.texts_of_all(batch) if with_texts else [{}] * len(batch)
        for row, texts in zip(batch, read, strict=True):
            said = {**row.counted, **texts}
            yield [
                row.member.card_number, feedback_results.arm(row),
                f"{clock.local(row.answered_at):%Y-%m-%d %H:%M}" if row.answered_at else "",
                *(_cell(names, each.code, said.get(each.code, "")) for each in shown),
            ]  # fmt: skip


def _batches(rows: QuerySet[FeedbackAnswer]) -> Iterator[list[FeedbackAnswer]]:
    after = 0
    while batch := list(rows.filter(pk__gt=after)[:FETCHED_AT_ONCE]):
        yield batch
        after = batch[-1].pk


def _cell(names: Mapping[tuple[str, str], str], code: str, value: object) -> object:
    return names.get((code, value), value) if isinstance(value, str) else value


def _found(form_id: int) -> FeedbackForm:
    return get_object_or_404(
        FeedbackForm.objects.select_related("campaign", "template"), pk=form_id
    )
