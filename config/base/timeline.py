"""One timeline of a member out of what several apps know, the latest first.

Each app registers a source. A page is a merge of the sources' newest items, cut at a place that the
next page goes on from, so that reading costs the same however long the history is.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base.panels import Visit

PAGE: Final = 25

KINDS: Final[dict[str, tuple[Promise, str]]] = {
    "order": (_("Orders"), "receipt_long"),
    "points": (_("Points"), "toll"),
    "tier": (_("Tier"), "workspace_premium"),
    "coupon": (_("Coupons"), "confirmation_number"),
    "reward": (_("Rewards"), "redeem"),
    "benefit": (_("Benefits"), "volunteer_activism"),
    "interaction": (_("Interactions"), "forum"),
    "case": (_("Cases"), "support_agent"),
    "consent": (_("Consents"), "privacy_tip"),
    "member": (_("Member"), "person"),
}
"""What can be chosen to be seen, with its name and icon."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened; `why` are sentences, `copy` a text that is fit for the member."""

    at: datetime
    id: int
    kind: str
    title: str
    details: Sequence[str] = ()
    change: str = ""
    tone: str = ""
    why: Sequence[str] = ()
    copy: str = ""
    url: str = ""
    actor: str = ""

    @property
    def icon(self) -> str:
        """Return the icon of its kind."""
        return KINDS[self.kind][1]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of one source that a page may show: what is older than where the last one ended."""

    limit: int
    kind: str = ""
    before: datetime | None = None
    below_id: int | None = None

    def query(self, field: str) -> Q:
        """Return the condition on a source's instant and id."""
        if self.before is None:
            return Q()
        older = Q(**{f"{field}__lt": self.before})
        if self.below_id is None:
            return older
        return older | Q(**{field: self.before, "pk__lt": self.below_id})


@dataclass(frozen=True, slots=True)
class Source:
    """What one app adds; `read` returns items by (instant, id), newest first."""

    code: str
    kinds: frozenset[str]
    read: Callable[[Visit, Window], Sequence[Item]]
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the timeline, and where the next part begins; empty: nowhere."""

    items: Sequence[Item]
    cursor: str


_sources: dict[str, Source] = {}


def register(*sources: Source) -> None:
    """Add sources; the second of one code replaces the first."""
    _sources.update({source.code: source for source in sources})


def kinds(visit: Visit) -> list[tuple[str, Promise, str]]:
    """Return what the visitor can choose to see: code, name, icon."""
    known = {kind for source in _visible(visit) for kind in source.kinds}
    return [(code, *named) for code, named in KINDS.items() if code in known]


def page(visit: Visit, *, kind: str = "", cursor: str = "") -> Page:
    """Return the next items, all of one kind where it is named.

    The number of statements depends on the sources alone. Source: MEM-09.
    """
    sources = [s for s in _visible(visit) if not kind or kind in s.kinds]
    place = _place(cursor)
    streams = [
        [(item, source.code) for item in source.read(visit, _window(source.code, kind, place))]
        for source in sources
    ]
    merged = list(heapq.merge(*streams, key=_sort_key))
    shown = merged[:PAGE]
    more = len(merged) > PAGE
    return Page([item for item, _code in shown], _cursor(*shown[-1]) if more else "")


def _visible(visit: Visit) -> list[Source]:
    found = [source for source in _sources.values() if visit.may(source.permission)]
    return sorted(found, key=lambda source: source.code)


def _sort_key(pair: tuple[Item, str]) -> tuple[int, str, int]:
    item, code = pair
    return (-_micros(item.at), code, -item.id)


def _window(code: str, kind: str, place: tuple[datetime, str, int] | None) -> Window:
    """Return what a source may still show: at the last instant, only what sorts after."""
    if place is None:
        return Window(PAGE + 1, kind)
    at, last_code, last_id = place
    if code < last_code:
        return Window(PAGE + 1, kind, at)
    if code == last_code:
        return Window(PAGE + 1, kind, at, last_id)
    return Window(PAGE + 1, kind, at + _MICROSECOND)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _cursor(item: Item, code: str) -> str:
    return f"{_micros(item.at)}.{code}.{item.id}"


def _place(cursor: str) -> tuple[datetime, str, int] | None:
    """Return where a page begins; one that cannot be read begins at the top."""
    parts = cursor.split(".")
    try:
        micros, code, number = int(parts[0]), parts[1], int(parts[2])
        return _EPOCH + micros * _MICROSECOND, code, number
    except (ValueError, IndexError, OverflowError):
        return None
