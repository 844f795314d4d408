"""The root of every refusal that the product gives on purpose."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.utils.functional import Promise


class DomainError(Exception):
    """A refusal with a stable code for machines and a sentence for people.

    `status` is the HTTP status that an interface answers with; `details` name what is wrong or
    missing and may be shown to whoever asked, so they hold no personal values. `headers` go with
    the answer of an interface that has any.
    """

    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self, code: str, message: "str | Promise", status: int = 400, **details: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status
        self.details = details

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
