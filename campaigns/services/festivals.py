"""Festivals as operators keep them.

Source: ENG-11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain import festivals
from campaigns.models import Festival
from config.base.errors import DomainError


class FestivalTakenError(DomainError):
    """Another festival has the code."""

    def __init__(self, code: str) -> None:
        super().__init__(
            "festival_taken", _("There is a festival with this code."), 409, festival=code
        )


@dataclass(frozen=True, slots=True)
class FestivalTerms:
    """What a festival is called, when it is, and whether campaigns can be about it."""

    name_zh: str
    name_en: str
    rule: Mapping[str, Any]
    is_enabled: bool = True


@transaction.atomic
def create(*, code: str, terms: FestivalTerms) -> Festival:
    """Add a festival.

    Raises: FestivalRuleError, FestivalTakenError.
    """
    rule = festivals.parse(terms.rule)
    try:
        with transaction.atomic():
            return Festival.objects.create(
                code=code, name_zh=terms.name_zh, name_en=terms.name_en, rule=rule.to_json(),
                is_enabled=terms.is_enabled,
            )  # fmt: skip
    except IntegrityError as error:
        raise FestivalTakenError(code) from error


@transaction.atomic
def change(*, festival_id: int, terms: FestivalTerms) -> Festival:
    """Change a festival; what has been said for it stays said.

    Raises: FestivalRuleError.
    """
    rule = festivals.parse(terms.rule)
    rows = Festival.objects.select_for_update(of=("self",), no_key=True)
    festival = rows.get(pk=festival_id)
    festival.name_zh, festival.name_en = terms.name_zh, terms.name_en
    festival.rule, festival.is_enabled = rule.to_json(), terms.is_enabled
    festival.save(update_fields=["name_zh", "name_en", "rule", "is_enabled"])
    return festival


def calendar(*, first: date, last: date) -> list[tuple[date, Festival]]:
    """Return the days of the festivals that are used, from a day to another, in order."""
    days = [
        (day, festival)
        for festival in Festival.objects.filter(is_enabled=True)
        for day in festivals.parse(festival.rule).days_between(first, last)
    ]
    return sorted(days, key=lambda pair: (pair[0], pair[1].code))
