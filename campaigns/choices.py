"""What campaigns may name by a code, with the words for it: for forms and for sentences.

Source: CMP-01.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext

from campaigns.models import Festival, MessageTemplate
from config.base.names import name_of
from members.customer_words import LifecycleStage
from members.models import Channel, InteractionKind, Segment
from members.models.case import CaseKind
from members.models.segment import SegmentKind
from tiers.models import Tier

Choices = list[tuple[str, str | Promise]]


def segments() -> QuerySet[Segment]:
    """Return the segments that a campaign may be for, with those that are retired."""
    return Segment.objects.exclude(kind=SegmentKind.CAMPAIGN)


def templates() -> QuerySet[MessageTemplate]:
    """Return the messages that a campaign may send, with those that are retired."""
    return MessageTemplate.objects.order_by("code")


def named(rows: Iterable[Any]) -> Choices:
    """Return rows by code and name."""
    return [(row.code, name_of(row)) for row in rows]


def names(codes: Collection[str], rows: QuerySet[Any]) -> dict[str, str]:
    """Return what some of the rows are called, by code."""
    return {code: str(name) for code, name in named(rows.filter(code__in=codes))} if codes else {}


def with_stored(offered: Choices, stored: Iterable[str], rows: QuerySet[Any]) -> Choices:
    """Return what is offered, and what is stored and offered no more.

    A form that did not show it would drop it, and an audience without segments is everybody.
    """
    known = {code for code, _label in offered}
    gone = [code for code in stored if code and code not in known]
    called = names(gone, rows)
    return [
        *offered,
        *((code, f"{called.get(code, code)} ({gettext('Retired')})") for code in gone),
    ]


def trigger_choices(fields: Iterable[str], stored: Mapping[str, Any]) -> dict[str, Choices]:
    """Return what fields of a trigger may name, with what a stored one names already."""
    found = {}
    for name in _OF_TRIGGER.keys() & set(fields):
        if name in _ENDING:
            rows, still = _ENDING[name]
            offered = with_stored(named(rows().filter(**still)), [stored.get(name, "")], rows())
        else:
            offered = _OF_TRIGGER[name]()
        found[name] = [("", ""), *offered] if name in _ONE else offered
    return found


def trigger_labels(fields: Iterable[str] | None = None) -> dict[str, dict[str, str]]:
    """Return the names of what the codes in fields of triggers stand for; None: in all."""
    wanted = _OF_TRIGGER.keys() if fields is None else _OF_TRIGGER.keys() & set(fields)
    return {name: {code: str(label) for code, label in _OF_TRIGGER[name]()} for name in wanted}


def _kinds_of_interaction() -> Choices:
    return named(InteractionKind.objects.order_by("code"))


def _listed(kinds: Any) -> Callable[[], Choices]:
    return lambda: [(str(code), label) for code, label in kinds.choices]


_OF_TRIGGER: Final[Mapping[str, Callable[[], Choices]]] = {
    "interactions": _kinds_of_interaction,
    "survey": _kinds_of_interaction,
    "channels": _listed(Channel),
    "tiers": lambda: named(Tier.objects.order_by("rank")),
    "segment": lambda: named(segments()),
    "stages": _listed(LifecycleStage),
    "kinds": _listed(CaseKind),
    "festival": lambda: named(Festival.objects.all()),
}
_ONE: Final = frozenset({"survey", "segment", "festival"})
# What is stored may be offered no more.
_ENDING: Final[Mapping[str, tuple[Callable[[], QuerySet[Any]], Mapping[str, Any]]]] = {
    "segment": (segments, {"retired_at": None}),
    "festival": (Festival.objects.all, {"is_enabled": True}),
}
