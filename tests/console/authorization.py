"""Who opens which address of the console: read from the data file, asked of the views themselves.

The views are called as the site calls them, with their decorators, but nothing is rendered: what
counts is whether they refuse. A row that does not exist is enough: who may not, is not told so.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from unittest import mock

from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages.storage.base import BaseStorage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter
from django.urls.resolvers import RegexPattern

from config.base.admin import reauth

FILE: Final = Path(__file__).with_name("authorization.toml")
FOLDER: Final = "admin/"
STANDARD: Final = ("changelist", "add", "history", "delete", "change")
# The redirect that Django keeps for each model, and the page for addresses that lead nowhere.
UNNAMED: Final = re.compile(r"(<path:object_id>/|\(\?P<url>\.\*\)\$)$")


class Messages(BaseStorage):
    """Messages that nobody reads."""

    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Any], bool]:
        return [], True

    def _store(self, *args: Any, **kwargs: Any) -> list[Any]:
        return []


class Stub:
    """A row of no table, for pages that look for it before they ask who is asking."""

    pk = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One address and method, and with which of these permissions it opens; "*": with any."""

    name: str
    method: str
    needs: frozenset[str]
    pattern: URLPattern
    query: Mapping[str, str] = field(default_factory=dict)

    def opens_for(self, permissions: frozenset[str]) -> bool:
        """Tell whether somebody with these permissions gets in."""
        return "*" in self.needs or bool(self.needs & permissions)


def listed() -> Mapping[str, Mapping[str, str]]:
    """Return the data file."""
    return tomllib.loads(FILE.read_text())


def patterns() -> Iterator[tuple[str, URLPattern]]:
    """Return every address below the console that has a name of its own, with it."""

    def walk(found: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for pattern in found:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif route.startswith(FOLDER) and (pattern.name or not UNNAMED.search(route)):
                yield pattern.name or route, pattern

    return walk(get_resolver().url_patterns, "")


def cells() -> list[Cell]:
    """Return every cell of the matrix. Raises: KeyError for an address that is not listed."""
    data = listed()
    models = {
        f"{model._meta.app_label}_{model._meta.model_name}_{view}": (model._meta.label_lower, view)
        for model in admin.site._registry
        for view in STANDARD
    }
    made: list[Cell] = []
    for name, pattern in patterns():
        if name in models:
            label, view = models[name]
            offered = set(data["models"][label].split())
            made += [
                replace(cell, needs=_needs({name: "", **data["pages"]}, cell.method, name))
                if f"{cell.method} {name}" in data["pages"]
                else cell
                for cell in _of_model(name, pattern, label, view, offered)
            ]
        elif name not in data["apart"]:
            made += [
                Cell(name, method, _needs(data["pages"], method, name), pattern)
                for method in ("GET", "POST")
            ]
    return made


def _needs(pages: Mapping[str, str], method: str, name: str) -> frozenset[str]:
    """Return what a page asks for; for a method of its own, where the file says so."""
    return frozenset(pages.get(f"{method} {name}", pages[name]).split())


def _of_model(
    name: str, pattern: URLPattern, label: str, view: str, offered: set[str]
) -> Iterator[Cell]:
    app, model = label.split(".")

    def need(*verbs: str) -> frozenset[str]:
        return frozenset(f"{app}.{verb}_{model}" for verb in verbs if verb in offered)

    look = frozenset({f"{app}.view_{model}", f"{app}.change_{model}"})
    match view:
        case "changelist" | "history":
            yield Cell(name, "GET", look, pattern)
        case "change":
            yield Cell(name, "GET", look, pattern)
            yield Cell(name, "POST", need("change"), pattern)
        case _:
            yield from (Cell(name, method, need(view), pattern) for method in ("GET", "POST"))


def request_of(user: User, method: str = "GET", **query: str) -> HttpRequest:
    """Return a request of somebody who is logged in."""
    request = RequestFactory().generic(method, "/admin/")
    request.GET = request.GET.copy()  # type: ignore[assignment]
    request.GET.update(query)
    request.user = user
    request.session = SessionStore()
    reauth.confirm(request)
    request._messages = Messages(request)  # type: ignore[attr-defined]
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    return request


def opens(cell: Cell, user: User) -> bool | None:
    """Tell whether the view lets somebody in; what it answers then does not matter.

    None where it has no such method, for nobody.
    """
    shape = cell.pattern.pattern
    arguments: dict[str, Any] = {
        name: 0 if isinstance(converter, IntConverter) else "0"
        for name, converter in shape.converters.items()
    }
    if isinstance(shape, RegexPattern):
        arguments = dict.fromkeys(shape.regex.groupindex, "members")
    try:
        with _found(cell):
            answer = cell.pattern.callback(request_of(user, cell.method, **cell.query), **arguments)
    except PermissionDenied:
        return False
    except Http404:
        return True
    if answer.status_code == 405:
        return None
    return answer.status_code != 403 and "/login/" not in answer.get("Location", "")


@contextmanager
def _found(cell: Cell) -> Iterator[None]:
    """Let a history find its row: unlike other pages it looks for that first."""
    page = getattr(cell.pattern.callback, "model_admin", None)
    if page is None or not cell.name.endswith("_history"):
        yield
        return
    with mock.patch.object(page, "get_object", return_value=Stub()):
        yield


def differences(user: User, permissions: frozenset[str], among: list[Cell]) -> list[str]:
    """Return the cells that answer otherwise than the permissions say."""
    return [
        f"{cell.method} {cell.name}"
        for cell in among
        if opens(cell, user) not in (cell.opens_for(permissions), None)
    ]


def actions_of(page: Any, user: User) -> set[str]:
    """Return the actions that a list offers somebody."""
    return set(page.get_actions(request_of(user)))
