"""One voice in every channel: names, colours and key texts, kept once and by version."""

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models.append_only import AppendOnly

COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("A colour is written as #rrggbb."))


class Brand(AppendOnly):
    """How the programme presents itself from an instant on; a change is a further version.

    `texts` holds key texts by code, each as {"zh": …, "en": …}.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    effective_from = models.DateTimeField(
        _("effective from"), null=True, blank=True, help_text=_("Empty: since ever.")
    )
    programme_name_zh = models.CharField(_("programme name (Chinese)"), max_length=80)
    programme_name_en = models.CharField(_("programme name (English)"), max_length=80)
    points_name_zh = models.CharField(_("name of points (Chinese)"), max_length=20)
    points_name_en = models.CharField(_("name of points (English)"), max_length=20)
    logo_url = models.CharField(
        _("logo address"), max_length=500, blank=True, validators=[URLValidator(["https"])]
    )
    primary_colour = models.CharField(_("main colour"), max_length=7, validators=[COLOUR])
    accent_colour = models.CharField(_("second colour"), max_length=7, validators=[COLOUR])
    texts = models.JSONField(_("texts"), default=dict)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=64)

    class Meta(AppendOnly.Meta):
        verbose_name = _("brand version")
        verbose_name_plural = _("brand versions")
        constraints = [
            models.UniqueConstraint(
                fields=["effective_from"], name="brand_effective_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme_name_zh} v{self.number}"
