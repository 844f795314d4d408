"""Attributes that somebody has declared: what they hold is checked wherever it is written."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain.attributes import Declared, is_valid
from members.models import AttributeDefinition


class AttributeInvalidError(DomainError):
    """A value is not of the type that was declared for its attribute."""

    def __init__(self, name: str, type_: str) -> None:
        super().__init__(
            "attribute_invalid", _("The attribute cannot have this value."),
            field=f"attributes.{name}", expected=type_,
        )  # fmt: skip


def declared() -> dict[str, Declared]:
    """Return what has been declared, by code."""
    rows = AttributeDefinition.objects.values_list("code", "type", "choices")
    return {code: Declared(type_, tuple(choices)) for code, type_, choices in rows}


def check(attributes: Mapping[str, Any], known: Mapping[str, Declared]) -> None:
    """Refuse values that are not of their declared type; others are free.

    Raises: AttributeInvalidError.
    Source: MEM-06.
    """
    for name, value in attributes.items():
        if name in known and not is_valid(known[name], value):
            raise AttributeInvalidError(name, known[name].type)
