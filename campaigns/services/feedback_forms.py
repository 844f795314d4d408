"""Writing feedback forms, opening them to the members of their campaign, and closing them.

Source: CMP-11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain import feedback as domain
from campaigns.domain.feedback import Question
from campaigns.models import (
    Arm,
    Campaign,
    CampaignState,
    FeedbackForm,
    FeedbackState,
    MessageTemplate,
    TemplateVersion,
    VersionState,
)
from campaigns.services import feedback_links, messages
from campaigns.services.messages import Wanted
from config.base.errors import DomainError

ASKED_AT_ONCE: Final = 2_000
NOT_STARTED: Final = (CampaignState.DRAFT, CampaignState.REVIEW)

# Whoever has left the audience since is asked as well: they were addressed, or held out.
_ASK: Final = """
INSERT INTO campaigns_feedbackanswer
    (public_id, form_id, member_id, arm, asked_at, counted, sealed)
SELECT gen_random_uuid(), %(form)s, c.member_id, c.arm, %(at)s, '{}', ''
FROM campaigns_campaignmember c JOIN members_member m ON m.id = c.member_id
WHERE c.campaign_id = %(campaign)s AND c.arm = ANY(%(arms)s) AND m.status = 'active'
  AND c.member_id > %(after)s
  AND NOT EXISTS (SELECT FROM campaigns_feedbackanswer a
                  WHERE a.form_id = %(form)s AND a.member_id = c.member_id)
ORDER BY c.member_id LIMIT %(limit)s
ON CONFLICT ON CONSTRAINT feedback_answer_once DO NOTHING
RETURNING member_id, public_id
"""


class FeedbackError(DomainError):
    """A feedback form cannot be written, opened or closed in this way."""


@dataclass(frozen=True, slots=True)
class FormTerms:
    """What a form says: titles, questions, and whom it asks by which message."""

    title_zh: str
    title_en: str
    questions: Sequence[Question]
    asks_holdout: bool = True
    template_id: int | None = None


def questions_of(form: FeedbackForm) -> tuple[Question, ...]:
    """Return the questions of a form."""
    return domain.parse(form.questions)


@transaction.atomic
def create(*, campaign_id: int, terms: FormTerms, actor: str, at: datetime) -> FeedbackForm:
    """Write the draft of a form for a campaign.

    Raises: FeedbackFormError, FeedbackError.
    """
    domain.check(terms.questions)
    campaign = Campaign.objects.get(pk=campaign_id)
    return FeedbackForm.objects.create(
        campaign=campaign, created_at=at, created_by=actor, **_columns(terms)
    )


@transaction.atomic
def save(*, form_id: int, terms: FormTerms) -> FeedbackForm:
    """Change a draft; what members have seen is never altered.

    Raises: FeedbackFormError, FeedbackError where it is no draft.
    """
    domain.check(terms.questions)
    form = _locked(form_id, FeedbackState.DRAFT)
    columns = _columns(terms)
    for name, value in columns.items():
        setattr(form, name, value)
    form.save(update_fields=list(columns))
    return form


@transaction.atomic
def discard(*, form_id: int) -> None:
    """Throw a draft away.

    Raises: FeedbackError where it is no draft.
    """
    _locked(form_id, FeedbackState.DRAFT).delete()


def open_form(*, form_id: int, at: datetime) -> int:
    """Let members answer, and ask those whom the campaign has addressed or held out.

    Returns how many were asked. What breaks off is gone on with by `ask_more`.
    Raises: FeedbackError.
    """
    _open(form_id, at)
    return _ask(form_id, at)


@transaction.atomic
def _open(form_id: int, at: datetime) -> None:
    form = _locked(form_id, FeedbackState.DRAFT)
    if form.campaign.state in NOT_STARTED:
        raise FeedbackError(
            "feedback_campaign_not_started", _("The campaign has not started yet."), 409
        )
    form.state, form.opened_at = FeedbackState.OPEN, at
    form.save(update_fields=["state", "opened_at"])


def ask_more(*, form_id: int, at: datetime) -> int:
    """Ask those who have come into the campaign since; nobody is asked twice. Returns how many.

    Raises: FeedbackError where the form is not open.
    """
    return _ask(form_id, at)


@transaction.atomic
def close(*, form_id: int, at: datetime) -> FeedbackForm:
    """Take no more answers.

    Raises: FeedbackError where the form is not open.
    """
    form = _locked(form_id, FeedbackState.OPEN)
    form.state, form.closed_at = FeedbackState.CLOSED, at
    form.save(update_fields=["state", "closed_at"])
    return form


def _locked(form_id: int, state: FeedbackState) -> FeedbackForm:
    rows = FeedbackForm.objects.select_related("campaign", "template")
    form = rows.select_for_update(of=("self",), no_key=True).get(pk=form_id)
    if form.state != state:
        raise FeedbackError(
            "feedback_wrong_state", _("The form is not in the state for that any more."), 409,
            state=form.state,
        )  # fmt: skip
    return form


def _columns(terms: FormTerms) -> dict[str, Any]:
    template = None
    if terms.template_id is not None:
        template = MessageTemplate.objects.get(pk=terms.template_id)
        _check_leads_here(template)
    return {
        "title_zh": terms.title_zh, "title_en": terms.title_en,
        "questions": [each.to_json() for each in terms.questions],
        "asks_holdout": terms.asks_holdout, "template": template,
    }  # fmt: skip


def _check_leads_here(template: MessageTemplate) -> None:
    """Refuse a message whose published text does not lead to the form."""
    rows = TemplateVersion.objects.filter(template=template, state=VersionState.PUBLISHED)
    version = rows.order_by("-number").first()
    names = {each["name"] for each in version.variables} if version else set()
    if feedback_links.VARIABLE not in names:
        raise FeedbackError(
            "feedback_template_without_link",
            _("The message's published text does not name the link to the form."), 409,
            field="template",
        )  # fmt: skip


def _ask(form_id: int, at: datetime) -> int:
    """Give each member a row to answer in, and owe them the message; some thousand at a time.

    Each time is a transaction of its own: whoever answers waits for the form.
    """
    count = last = 0
    while asked := _ask_some(form_id, last, at):
        count, last = count + len(asked), max(member for member, _answer in asked)
    return count


@transaction.atomic
def _ask_some(form_id: int, after: int, at: datetime) -> list[tuple[int, UUID]]:
    form = _locked(form_id, FeedbackState.OPEN)
    arms = [Arm.TREATED, Arm.HOLDOUT] if form.asks_holdout else [Arm.TREATED]
    values: dict[str, Any] = {
        "form": form.pk, "campaign": form.campaign_id, "at": at, "limit": ASKED_AT_ONCE,
        "arms": [arm.value for arm in arms], "after": after,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ASK, values)
        asked: list[tuple[int, UUID]] = cursor.fetchall()
    _tell(form, asked, at)
    return asked


def _tell(form: FeedbackForm, asked: Sequence[tuple[int, UUID]], at: datetime) -> None:
    if form.template is None or not asked:
        return
    wanted = [
        Wanted(
            member, form.template.code, f"feedback:{form.pk}", "asked", at,
            context={feedback_links.CONTEXT: str(answer)},
        )
        for member, answer in asked
    ]  # fmt: skip
    messages.enqueue(wanted, at=at, recorded_at=at)
