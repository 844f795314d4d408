"""Unfold's decorators, with types."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.utils.functional import Promise
from unfold.decorators import action, display

F = TypeVar("F", bound=Callable[..., Any])


def labelled(description: "str | Promise", colours: Mapping[str, str]) -> Callable[[F], F]:
    """Show a column as a coloured label; the method returns (code, text)."""
    decorate: Callable[[F], F] = display(description=description, label=dict(colours))
    return decorate


def detail_action(
    description: "str | Promise", *, url_path: str, permissions: Sequence[str], icon: str
) -> Callable[[F], F]:
    """Make a method a button at the top of a row's page, for those who have the permissions."""
    decorate: Callable[[F], F] = action(
        description=description, url_path=url_path, permissions=permissions, icon=icon
    )
    return decorate
