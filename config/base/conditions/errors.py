"""The one error of the conditions language."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import Promise


class ConditionError(ValueError):
    """A condition that may not be stored, with the place and the reason.

    `code` is stable and for programs, `path` points into the JSON (`all[0].value`), `message` is
    translated and for people.
    """

    def __init__(self, code: str, path: str, message: str | Promise) -> None:
        super().__init__(code, path)
        self.code = code
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.code} at {self.path or 'top'}"
