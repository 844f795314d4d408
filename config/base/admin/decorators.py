"""Unfold's decorators, with types."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from django.utils.functional import Promise
from unfold.decorators import action, display

F = TypeVar("F", bound=Callable[..., Any])


class _Label(tuple[str, Any]):
    """A code with its text; the page of a row, which shows no colours, writes the text."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(self[1])


def labelled(
    description: "str | Promise", colours: Mapping[str, str]
) -> Callable[[Callable[[Any, Any], tuple[str, Any]]], Callable[[Any, Any], tuple[str, Any]]]:
    """Show a column as a coloured label; the method returns (code, text)."""

    def decorate(
        method: Callable[[Any, Any], tuple[str, Any]],
    ) -> Callable[[Any, Any], tuple[str, Any]]:
        @wraps(method)
        def column(admin: Any, row: Any) -> tuple[str, Any]:
            return _Label(method(admin, row))

        shown: Callable[[Any, Any], tuple[str, Any]] = display(
            description=description, label=dict(colours)
        )(column)
        return shown

    return decorate


def detail_action(
    description: "str | Promise", *, url_path: str, permissions: Sequence[str], icon: str
) -> Callable[[F], F]:
    """Make a method a button at the top of a row's page, for those who have the permissions."""
    decorate: Callable[[F], F] = action(
        description=description, url_path=url_path, permissions=permissions, icon=icon
    )
    return decorate
