"""Whose rows a visitor sees: everybody's, or only those of their part of the organisation.

The console asks here on every way in; an app above says who is limited and to what.
Source: ORG-07.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest


@dataclass(frozen=True, slots=True)
class Scope:
    """Who is limited, which rows they see, and which rows the arguments of pages name.

    `subjects` gives the label of the model for each argument that names a row of somebody.
    """

    is_limited: Callable[[HttpRequest], bool]
    narrow: Callable[[HttpRequest, models.QuerySet[Any]], models.QuerySet[Any]]
    subjects: Mapping[str, str]


_scope: list[Scope] = []


def install(scope: Scope) -> None:
    """Say who sees what; a second time replaces the first."""
    _scope[:] = [scope]


def is_limited(request: HttpRequest) -> bool:
    """Tell whether the visitor sees a part of the organisation only."""
    return bool(_scope) and _scope[0].is_limited(request)


def narrowed(request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Return those of the rows that the visitor may see."""
    return _scope[0].narrow(request, rows) if is_limited(request) else rows


def guard(request: HttpRequest, arguments: Mapping[str, Any], *, is_scoped: bool) -> None:
    """Keep a limited visitor off a page: off foreign rows, and off what nobody has narrowed.

    A page that names somebody's row is narrowed by that; another one has to say that it is.
    Raises: Http404, PermissionDenied.
    """
    if not is_limited(request):
        return
    named = {name: value for name, value in arguments.items() if name in _scope[0].subjects}
    for name, value in named.items():
        model = apps.get_model(_scope[0].subjects[name])
        if not narrowed(request, model._default_manager.filter(pk=value)).exists():
            raise Http404
    if not named and not is_scoped:
        raise PermissionDenied
