"""What the next version of the ladder is going to say, while it is being written."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LadderDraft(models.Model):
    """A ladder that counts for nothing yet; publishing writes a version that says the same.

    `content` is all that would be published, as plain JSON. A row of its own, so that nothing
    that decides can ever meet a draft. Source: TIR-13.
    """

    name = models.CharField(_("what it is about"), max_length=80)
    content = models.JSONField(_("content"))
    starts_at = models.DateTimeField(
        _("takes effect"), null=True, blank=True,
        help_text=_("Empty: at the midnight after it is approved."),
    )  # fmt: skip
    published = models.OneToOneField(
        "tiers.LadderVersion", models.PROTECT, null=True, blank=True, related_name="draft",
        verbose_name=_("published as"),
    )  # fmt: skip
    created_by = models.CharField(_("written by"), max_length=80)
    created_at = models.DateTimeField(_("written at"))
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("ladder draft")
        verbose_name_plural = _("ladder drafts")
        permissions = [("publish_ladder", _("Can publish versions of the ladder"))]

    def __str__(self) -> str:
        return self.name
