"""Two members that turned out to be one person."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class MemberMerge(models.Model):
    """One member was merged into another, and perhaps parted from it again.

    `note` is why, sealed under the survivor's key. `debt_points` are points that the merged member
    owed and the survivor has taken on. `details` says what else has gone over, to be put back.
    """

    away = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="merges_away", db_index=False,
        verbose_name=_("merged member"),
    )  # fmt: skip
    into = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="merges_in", db_index=False,
        verbose_name=_("survivor"),
    )  # fmt: skip
    at = models.DateTimeField(_("merged at"))
    actor = models.CharField(_("merged by"), max_length=80)
    note = models.TextField(_("note"), blank=True)
    moved_points = models.BigIntegerField(_("points moved"), default=0)
    debt_points = models.BigIntegerField(_("debt taken on"), default=0)
    details = models.JSONField(_("what has gone over"), default=dict, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.CharField(_("undone by"), max_length=80, blank=True)
    undone_note = models.TextField(_("note of undoing"), blank=True)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(
                fields=["away"], condition=Q(undone_at__isnull=True), name="merge_away_once"
            ),
            models.CheckConstraint(condition=~Q(away=F("into")), name="merge_of_two_members"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by="")
                | (Q(undone_at__isnull=False) & ~Q(undone_by="")),
                name="merge_undone_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["into", "at"], name="merge_into"),
            models.Index(fields=["away", "at"], name="merge_away"),
        ]
        permissions = [("merge_member", _("Can merge members and undo merges"))]

    def __str__(self) -> str:
        return f"{self.away_id} → {self.into_id}"
