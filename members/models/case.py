"""Matters that a person has to look at, and within which time."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CaseKind(models.TextChoices):
    """What kind of matter it is; the first is opened by the system itself."""

    SYSTEM = "system", _("Exception")
    ENQUIRY = "enquiry", _("Enquiry")
    COMPLAINT = "complaint", _("Complaint")
    SUGGESTION = "suggestion", _("Suggestion")
    SERVICE_REQUEST = "service_request", _("Bespoke service")


class CaseState(models.TextChoices):
    """Where a case stands."""

    OPEN = "open", pgettext_lazy("case", "Open")
    IN_PROGRESS = "in_progress", pgettext_lazy("case", "In progress")
    WAITING_MEMBER = "waiting_member", pgettext_lazy("case", "Waiting for the member")
    RESOLVED = "resolved", pgettext_lazy("case", "Resolved")
    CLOSED = "closed", pgettext_lazy("case", "Closed")


class CasePriority(models.IntegerChoices):
    """How soon a case is to be taken; the lowest number first."""

    URGENT = 1, pgettext_lazy("priority", "Urgent")
    HIGH = 2, pgettext_lazy("priority", "High")
    NORMAL = 3, pgettext_lazy("priority", "Normal")
    LOW = 4, pgettext_lazy("priority", "Low")


UNDONE: Final = (CaseState.OPEN, CaseState.IN_PROGRESS, CaseState.WAITING_MEMBER)


class CaseQuerySet(models.QuerySet["Case"]):
    """The vocabulary of the desk."""

    def undone(self) -> "CaseQuerySet":
        """Return cases that somebody still has to do something about."""
        return self.filter(state__in=UNDONE)

    def breached(self, at: datetime) -> "CaseQuerySet":
        """Return undone cases whose answer or solution is late."""
        late_answer = Q(first_responded_at=None, first_response_due_at__lte=at)
        late_solution = Q(resolve_due_at__lte=at) & ~Q(state=CaseState.WAITING_MEMBER)
        return self.undone().filter(late_answer | late_solution)

    def in_queue_order(self) -> "CaseQuerySet":
        """Return the most pressing first: by priority, then by when it is due, then by age."""
        return self.order_by("priority", models.F("resolve_due_at").asc(nulls_last=True), "id")


class Case(models.Model):
    """One matter of a member or an order, opened by the system, by staff or by a touchpoint.

    What the member said is personal: `sealed` holds title and text under the member's key.
    `escalates_at` is when the next of its clocks runs out; empty where none runs.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="cases",
        verbose_name=_("member"),
    )  # fmt: skip
    kind = models.CharField(
        _("kind"), max_length=16, choices=CaseKind, default=CaseKind.SYSTEM,
        db_default=CaseKind.SYSTEM,
    )  # fmt: skip
    code = models.CharField(_("code"), max_length=40, blank=True)
    channel = models.CharField(_("channel"), max_length=16, blank=True, db_default="")
    sealed = models.TextField(_("sealed text"), blank=True, db_default="")
    reference = models.CharField(
        _("order or redemption"), max_length=100, blank=True, db_default=""
    )
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, related_name="cases",
        db_index=False, verbose_name=_("order"),
    )  # fmt: skip
    fact = models.ForeignKey(
        "members.ReceivedFact", models.PROTECT, null=True, blank=True, related_name="cases",
        verbose_name=_("fact"),
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=16, choices=CaseState, default=CaseState.OPEN)
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=CasePriority, default=CasePriority.NORMAL,
        db_default=CasePriority.NORMAL,
    )  # fmt: skip
    service_level = models.PositiveSmallIntegerField(_("service level"), default=0, db_default=0)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="cases",
        db_index=False, verbose_name=_("owner"),
    )  # fmt: skip
    details = models.JSONField(_("details"), default=dict)
    opened_at = models.DateTimeField(_("opened at"))
    opened_by = models.CharField(_("opened by"), max_length=80, blank=True, db_default="")
    first_response_due_at = models.DateTimeField(_("answer due"), null=True, blank=True)
    resolve_due_at = models.DateTimeField(_("solution due"), null=True, blank=True)
    escalates_at = models.DateTimeField(_("next escalation"), null=True, blank=True)
    first_responded_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    waiting_since_at = models.DateTimeField(_("waiting since"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("escalated at"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    reopened = models.PositiveSmallIntegerField(_("times reopened"), default=0, db_default=0)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        permissions = [
            ("work_case", _("Can work on cases")),
            ("assign_case", _("Can assign cases to colleagues")),
        ]
        indexes = [
            models.Index(fields=["state", "opened_at"], name="case_open"),
            models.Index(
                fields=["priority", "resolve_due_at"],
                condition=Q(state__in=["open", "in_progress", "waiting_member"]),
                name="case_queue",
            ),
            models.Index(
                fields=["escalates_at"],
                condition=Q(escalates_at__isnull=False),
                name="case_escalates",
            ),
            models.Index(
                fields=["owner", "state"], condition=Q(owner__isnull=False), name="case_owner"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CaseKind.values), name="case_kind_known"),
            models.CheckConstraint(
                condition=Q(priority__in=CasePriority.values), name="case_priority_known"
            ),
            models.CheckConstraint(
                condition=(Q(state="closed") & Q(closed_at__isnull=False))
                | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="case_closed_at",
            ),
            models.CheckConstraint(
                condition=(Q(state="resolved") & Q(resolved_at__isnull=False))
                | Q(state="closed")
                | (Q(state__in=UNDONE) & Q(resolved_at__isnull=True)),
                name="case_resolved_at",
            ),
            models.CheckConstraint(
                condition=(Q(state="waiting_member") & Q(waiting_since_at__isnull=False))
                | (~Q(state="waiting_member") & Q(waiting_since_at__isnull=True)),
                name="case_waiting_since",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNDONE) | Q(escalates_at__isnull=True),
                name="case_clock_stops",
            ),
            models.CheckConstraint(
                condition=Q(kind="system") | Q(member__isnull=False), name="case_has_member"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.code or self.kind}"


class NoteKind(models.TextChoices):
    """Who is to read a note, or who has said it."""

    INTERNAL = "internal", _("Note")
    REPLY = "reply", _("Reply to the member")
    MEMBER = "member", _("From the member")


class CaseNote(models.Model):
    """One thing said about a case; never altered. `body` is sealed where the case has a member."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="notes", verbose_name=_("case"))
    member = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("member"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=8, choices=NoteKind)
    body = models.TextField(_("sealed text"))
    author = models.CharField(_("author"), max_length=80)
    at = models.DateTimeField(_("at"))

    append_only = True

    class Meta:
        verbose_name = _("case note")
        verbose_name_plural = _("case notes")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=NoteKind.values), name="case_note_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
