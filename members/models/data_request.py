"""What people ask about their own data: to have it, or to have it erased."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class DataRequestKind(models.TextChoices):
    """What the member wants."""

    ACCESS = "access", _("A copy of the data")
    ERASURE = "erasure", _("Erasure")


class DataRequestState(models.TextChoices):
    """Where a request stands."""

    OPEN = "open", pgettext_lazy("case", "Open")
    DONE = "done", _("Done")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REFUSED = "refused", _("Refused")


class DataRequest(models.Model):
    """One request of one member, with the day by which it has to be answered.

    Nothing personal is in it: how the person was recognised is a code, and so is the reason.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="data_requests", verbose_name=_("member")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=DataRequestKind)
    state = models.CharField(
        _("state"), max_length=9, choices=DataRequestState, default=DataRequestState.OPEN
    )
    verified_by = models.CharField(_("identity checked by"), max_length=32)
    requested_at = models.DateTimeField(_("requested at"))
    due_on = models.DateField(_("to be answered by"))
    registered_by = models.CharField(_("registered by"), max_length=80)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=80, blank=True)
    copies = models.PositiveIntegerField(_("copies made"), default=0)

    class Meta:
        verbose_name = _("data request")
        verbose_name_plural = _("data requests")
        permissions = [("handle_datarequest", _("Can answer data requests"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="data_request_closed_has_instant",
            ),
            models.UniqueConstraint(
                fields=["member", "kind"], condition=Q(state="open"), name="data_request_open_once"
            ),
        ]
        indexes = [
            models.Index(fields=["due_on"], condition=Q(state="open"), name="data_request_due")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.due_on}"
