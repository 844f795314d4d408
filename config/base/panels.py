"""What apps add to the console's pages, registered by the wiring.

A page of a lower app shows panels of upper apps without importing them: it asks here for what has
been registered for a place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.base.admin import scope

T = TypeVar("T")


class Place(StrEnum):
    """Where a panel stands."""

    DASHBOARD_FIGURES = "dashboard_figures"
    DASHBOARD_ASIDE = "dashboard_aside"
    DASHBOARD_CHARTS = "dashboard_charts"
    DASHBOARD_WORK = "dashboard_work"
    MEMBER_BADGES = "member_badges"
    MEMBER_WARNINGS = "member_warnings"
    MEMBER_HEADER = "member_header"
    MEMBER_FIGURES = "member_figures"
    MEMBER_OVERVIEW = "member_overview"
    MEMBER_ASIDE = "member_aside"
    MEMBER_POINTS = "member_points"
    MEMBER_ORDERS = "member_orders"
    MEMBER_TIER = "member_tier"
    MEMBER_PROFILE = "member_profile"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at a page: the request, the instant, and the row it is about (None: no row)."""

    request: HttpRequest
    at: datetime
    subject: Any = None
    _kept: dict[str, Any] = field(default_factory=dict)

    def once(self, key: str, read: Callable[[], T]) -> T:
        """Return what `read` gives, reading it once for all panels of the page."""
        if key not in self._kept:
            self._kept[key] = read()
        kept: T = self._kept[key]
        return kept

    def may(self, permission: str) -> bool:
        """Tell whether the visitor has a permission; an empty one is everybody's."""
        return not permission or self.request.user.has_perm(permission)


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a page; `build` returns the template's context, or None to show nothing.

    On the dashboard a visitor who sees a part of the organisation only gets scoped ones: theirs
    narrow what they show.
    """

    code: str
    place: Place
    template: str
    build: Callable[[Visit], Mapping[str, Any] | None]
    order: int = 0
    permission: str = ""
    is_scoped: bool = False

    def is_for(self, visit: Visit) -> bool:
        """Tell whether the visitor may see the panel."""
        if not visit.may(self.permission):
            return False
        return self.is_scoped or visit.subject is not None or not scope.is_limited(visit.request)


class Group(StrEnum):
    """What the acts of the member page are for, in the order in which they stand there."""

    MAKE_GOOD = "make_good"
    ORDERS = "orders"
    IDENTITY = "identity"
    ACCOUNT = "account"
    MORE = "more"


GROUP_TITLES: Mapping[Group, Promise] = {
    Group.MAKE_GOOD: _("Make good"),
    Group.ORDERS: _("Orders"),
    Group.IDENTITY: _("Phone, card and person"),
    Group.ACCOUNT: _("Status and tier"),
    Group.MORE: _("More"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """An act on the member page."""

    code: str
    title: Promise
    icon: str
    url: Callable[[Visit], str]
    order: int = 0
    permission: str = ""
    group: Group = Group.MORE


@dataclass(frozen=True, slots=True)
class Todo:
    """Something on the start page that waits for somebody; a count of 0 shows nothing."""

    code: str
    title: Promise
    icon: str
    count: Callable[[Visit], int]
    url: Callable[[Visit], str]
    order: int = 0
    permission: str = ""
    tone: str = "warning"
    is_scoped: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the member list; `read` returns its values for all members of a page at once.

    One that is not listed stands only on the cards of the service desk.
    """

    code: str
    title: Promise
    read: Callable[[Sequence[Any], datetime], Mapping[int, Any]]
    order: int = 0
    permission: str = ""
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class Finder:
    """A way in which an app leads from what was typed at the service desk to members.

    `find` returns member ids, few and by index only; `title` says what the text was taken for.
    """

    code: str
    title: Promise
    find: Callable[[str], Sequence[int]]
    order: int = 0
    permission: str = ""


@dataclass(frozen=True, slots=True)
class EventText:
    """What an event of one kind says in the member's timeline, from its payload."""

    kind: str
    details: Callable[[Visit, Mapping[str, Any]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console that belongs to no model's list.

    A visitor who sees a part of the organisation only opens it where its address names a row of
    theirs, or where it says that it is scoped: then its view narrows what it shows.
    """

    route: str
    name: str
    view: Callable[..., HttpResponseBase]
    is_scoped: bool = False


_panels: dict[str, Panel] = {}
_links: dict[str, Link] = {}
_todos: dict[str, Todo] = {}
_columns: dict[str, Column] = {}
_finders: dict[str, Finder] = {}
_event_texts: dict[str, EventText] = {}
_pages: dict[str, Page] = {}
_programme_name: list[Callable[[], str]] = []


def register(*items: Panel | Link | Todo | Column | Finder | EventText | Page) -> None:
    """Add parts of the console; the second of one code replaces the first."""
    for item in items:
        match item:
            case Panel():
                _panels[item.code] = item
            case Link():
                _links[item.code] = item
            case Todo():
                _todos[item.code] = item
            case Column():
                _columns[item.code] = item
            case Finder():
                _finders[item.code] = item
            case EventText():
                _event_texts[item.kind] = item
            case Page():
                _pages[item.name] = item


def name_programme(read: Callable[[], str]) -> None:
    """Let the console show the programme's name; a second time replaces the first."""
    _programme_name[:] = [read]


def programme_name() -> str:
    """Return the programme's name; empty where nobody tells."""
    return _programme_name[0]() if _programme_name else ""


def pages() -> list[Page]:
    """Return the registered pages."""
    return list(_pages.values())


def columns(request: HttpRequest, *, listed: bool = True) -> list[Column]:
    """Return the columns of the member list that the visitor may see, in order.

    Not only the listed ones: all that the service desk shows on its cards.
    """
    found = (
        c
        for c in _columns.values()
        if (c.is_listed or not listed) and (not c.permission or request.user.has_perm(c.permission))
    )
    return sorted(found, key=lambda column: column.order)


def finders(request: HttpRequest) -> list[Finder]:
    """Return the ways to members that the visitor may use, in order."""
    found = (
        f for f in _finders.values() if not f.permission or request.user.has_perm(f.permission)
    )
    return sorted(found, key=lambda finder: finder.order)


def event_details(visit: Visit, kind: str, payload: Mapping[str, Any]) -> Sequence[str] | None:
    """Return what an app says about an event of its own; None where nobody does."""
    text = _event_texts.get(kind)
    return None if text is None else text.details(visit, payload)


def links(visit: Visit) -> list[tuple[Link, str]]:
    """Return the member page's buttons that the visitor may press, with their addresses.

    One without an address has nothing to do with this member.
    """
    allowed = [link for link in _links.values() if visit.may(link.permission)]
    found = [(link, link.url(visit)) for link in sorted(allowed, key=lambda link: link.order)]
    return [(link, address) for link, address in found if address]


def todos(visit: Visit) -> list[tuple[Todo, int, str]]:
    """Return what waits for somebody, as far as the visitor may see it: what, how much, where."""
    limited = scope.is_limited(visit.request)
    allowed = [
        todo
        for todo in _todos.values()
        if visit.may(todo.permission) and (todo.is_scoped or not limited)
    ]
    counted = [(todo, todo.count(visit)) for todo in sorted(allowed, key=lambda todo: todo.order)]
    return [(todo, count, todo.url(visit)) for todo, count in counted if count]


def grouped(found: Sequence[tuple[Link, str]]) -> list[tuple[Promise, list[tuple[Link, str]]]]:
    """Return the acts by what they are for, without empty groups."""
    groups = [(title, [each for each in found if each[0].group is group])
              for group, title in GROUP_TITLES.items()]  # fmt: skip
    return [(title, members) for title, members in groups if members]


def open_to(place: Place, visit: Visit) -> list[Panel]:
    """Return the panels of a place that the visitor may see, in order."""
    found = [p for p in _panels.values() if p.place is place and p.is_for(visit)]
    return sorted(found, key=lambda panel: panel.order)


def render(place: Place, visit: Visit) -> list[SafeString]:
    """Return the panels of a place as HTML, in order, as far as the visitor may see them."""
    built = [(panel, panel.build(visit)) for panel in open_to(place, visit)]
    return [
        render_to_string(panel.template, {**context, "visit": visit}, visit.request)
        for panel, context in built
        if context is not None
    ]
