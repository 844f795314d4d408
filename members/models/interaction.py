"""What members did besides buying."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class InteractionKind(models.Model):
    """A configured kind of interaction: whether it may earn, and for how long it is kept."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=60)
    is_behaviour = models.BooleanField(
        _("behaviour"), default=False, help_text=_("Browsing and app events never earn or qualify.")
    )
    needs_moderation = models.BooleanField(
        _("moderated"),
        default=False,
        db_default=False,
        help_text=_("It earns and qualifies once somebody has approved it."),
    )
    keep_days = models.PositiveIntegerField(_("kept for (days)"), null=True, blank=True)

    class Meta:
        verbose_name = _("interaction kind")
        verbose_name_plural = _("interaction kinds")

    def __str__(self) -> str:
        return self.name_zh


class Interaction(models.Model):
    """One interaction of one member."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="interactions", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    fact = models.OneToOneField(
        "members.ReceivedFact", models.PROTECT, primary_key=True, related_name="interaction",
        verbose_name=_("fact"),
    )  # fmt: skip
    source = models.CharField(_("source"), max_length=64)
    ref = models.CharField(_("reference"), max_length=200)
    kind = models.CharField(_("kind"), max_length=40)
    occurred_at = models.DateTimeField(_("occurred at"))
    data = models.JSONField(_("data"), default=dict, blank=True)

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        indexes = [
            models.Index(fields=["member", "occurred_at"], name="interaction_member_at"),
            models.Index(fields=["kind", "occurred_at"], name="interaction_kind_at"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["ref", "source"], name="interaction_unique"),
            models.CheckConstraint(condition=~Q(kind=""), name="interaction_kind_given"),
        ]

    def __str__(self) -> str:
        return self.kind
