"""The one error of the conditions language."""

from __future__ import annotations

from django.utils.functional import Promise

from config.base.errors import DomainError


class ConditionError(DomainError):
    """A condition that may not be stored, with the place and the reason.

    `path` points into the JSON: `all[0].value`.
    """

    def __init__(self, code: str, path: str, message: str | Promise) -> None:
        super().__init__(code, message, path=path)
        self.path = path
