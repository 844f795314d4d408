"""Attributes of members that somebody has declared: their type, and the values they can have."""

from typing import Final

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

CODE: Final = RegexValidator(
    r"^[a-z][a-z0-9_]{0,63}\Z", _("Small letters, digits and underscores, a letter first.")
)


class AttributeType(models.TextChoices):
    """What values of an attribute are."""

    STRING = "string", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    BOOL = "bool", _("Yes or no")
    CHOICE = "choice", _("One of several values")
    MULTI = "multi", _("Several of several values")


# The type of the field by which conditions ask for it. What a choice can be is kept here.
_FIELD_TYPES: Final = {
    AttributeType.STRING: "string",
    AttributeType.NUMBER: "decimal",
    AttributeType.DATE: "date",
    AttributeType.BOOL: "boolean",
    AttributeType.CHOICE: "string",
    AttributeType.MULTI: "string_set",
}


class AttributeDefinition(models.Model):
    """Says what an attribute holds; one that nobody declared is free text."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[CODE])
    name_zh = models.CharField(_("Chinese name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=60, blank=True)
    type = models.CharField(_("type"), max_length=8, choices=AttributeType)
    choices = models.JSONField(_("values"), default=list, blank=True)

    class Meta:
        verbose_name = _("member attribute")
        verbose_name_plural = _("member attributes")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(type__in=AttributeType.values), name="attribute_type_known"
            )
        ]

    def __str__(self) -> str:
        return self.name_zh

    @property
    def field_type(self) -> str:
        """Return the type of the field by which conditions ask for it."""
        return _FIELD_TYPES[AttributeType(self.type)]

    @property
    def has_choices(self) -> bool:
        """Say whether its values are chosen from a list."""
        return self.type in {AttributeType.CHOICE, AttributeType.MULTI}
