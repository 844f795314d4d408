"""Feedback of a campaign: the forms that its members are asked to fill in, and their answers."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class FeedbackState(models.TextChoices):
    """Only a draft is written, only an open form is answered."""

    DRAFT = "draft", pgettext_lazy("feedback", "Draft")
    OPEN = "open", pgettext_lazy("feedback", "Open")
    CLOSED = "closed", pgettext_lazy("feedback", "Closed")


class FeedbackForm(models.Model):
    """What members of one campaign are asked; its questions are fixed once it is open.

    `questions` are read by the module `feedback` of the domain. `template` is the message that
    leads to the form, if one does.
    """

    public_id = models.UUIDField(_("public id"), unique=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(
        "campaigns.Campaign", models.PROTECT, related_name="feedback_forms",
        verbose_name=_("campaign"),
    )  # fmt: skip
    title_zh = models.CharField(_("Chinese title"), max_length=80)
    title_en = models.CharField(_("English title"), max_length=80, blank=True)
    questions = models.JSONField(_("questions"), default=list)
    asks_holdout = models.BooleanField(_("ask the hold-out too"), default=True)
    template = models.ForeignKey(
        "campaigns.MessageTemplate", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("message that asks"),
    )  # fmt: skip
    state = models.CharField(
        _("state"), max_length=6, choices=FeedbackState, default=FeedbackState.DRAFT
    )
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("feedback form")
        verbose_name_plural = _("feedback forms")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft", opened_at__isnull=True, closed_at__isnull=True)
                | Q(state="open", opened_at__isnull=False, closed_at__isnull=True)
                | Q(state="closed", opened_at__isnull=False, closed_at__isnull=False),
                name="feedback_form_state_has_instants",
            )
        ]

    def __str__(self) -> str:
        return self.title_zh


class FeedbackAnswer(models.Model):
    """One member is asked by one form, in which arm, and what they have answered: once.

    `counted` holds scores and choices, `sealed` the free texts under the member's own key; both are
    emptied when the member is erased. `fact` is the interaction that the answer is.
    """

    public_id = models.UUIDField(_("public id"), unique=True, default=uuid.uuid4, editable=False)
    form = models.ForeignKey(
        FeedbackForm, models.PROTECT, related_name="answers", db_index=False,
        verbose_name=_("feedback form"),
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="feedback", verbose_name=_("member")
    )
    arm = models.CharField(_("arm"), max_length=8)
    asked_at = models.DateTimeField(_("asked at"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True)
    counted = models.JSONField(_("answers"), default=dict, blank=True)
    sealed = models.TextField(_("free text"), blank=True)
    fact = models.OneToOneField(
        "members.ReceivedFact", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("interaction"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("feedback answer")
        verbose_name_plural = _("feedback answers")
        permissions = [("export_feedbackanswer", _("Can take answers to feedback forms out"))]
        constraints = [
            models.UniqueConstraint(fields=["form", "member"], name="feedback_answer_once"),
            models.CheckConstraint(
                condition=Q(arm__in=["treated", "holdout"]), name="feedback_answer_of_an_arm"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=False, fact__isnull=False)
                | Q(answered_at__isnull=True, changed_at__isnull=True, fact__isnull=True,
                    counted={}, sealed=""),
                name="feedback_answered_is_a_fact",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.form_id}: {self.member_id}"
