"""Answers to what goes wrong, as problem documents.

Source: RFC 9457; JSON pointers of RFC 6901 name the fields.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response

from config.base.api import codes
from config.base.errors import DomainError

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is not right; `pointer` leads to it, `detail` is for people."""

    pointer: str
    code: str
    detail: "str | Promise"

    def to_json(self) -> dict[str, str]:
        """Return the error as the problem document holds it."""
        return {"pointer": self.pointer, "code": self.code, "detail": str(self.detail)}


class RequestInvalidError(DomainError):
    """Some fields of the request are not right; all of them are named at once."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("request_invalid", _("Some fields are not right."))
        self.errors = tuple(errors)


def document(
    code: str,
    status: int,
    *,
    detail: "str | Promise" = "",
    errors: Iterable[FieldError] = (),
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the problem document for a code."""
    kind = codes.find(code, status)
    body: dict[str, Any] = {
        "type": kind.type_uri,
        "title": str(kind.title),
        "status": status,
        "code": code,
    }
    if detail:
        body["detail"] = str(detail)
    if found := [error.to_json() for error in errors]:
        body["errors"] = found
    for key, value in (details or {}).items():
        body.setdefault(key, value)
    return body


def of_error(error: DomainError) -> dict[str, Any]:
    """Return the problem document for a refusal."""
    errors = error.errors if isinstance(error, RequestInvalidError) else ()
    return document(
        error.code, error.status, detail=error.message, errors=errors, details=error.details
    )


def response(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that carries a problem document."""
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any exception of an endpoint; only what nobody foresaw is logged as an error."""
    if isinstance(error, DomainError):
        return response(of_error(error), _headers_of(error))
    if isinstance(error, Http404):
        return response(document("not_found", 404))
    if isinstance(error, PermissionDenied):
        return response(document("scope_missing", 403))
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    request = context["request"]._request
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("database did not answer: %s", type(error).__name__)
        return response(
            document("temporarily_unavailable", 503), {"Retry-After": str(RETRY_AFTER_SECONDS)}
        )
    # The signal is what test clients and error trackers listen to.
    got_request_exception.send(sender=handle, request=request)
    logger.exception("unforeseen error at %s", request.resolver_match.route)
    return response(document("internal_error", 500))


def _headers_of(error: DomainError) -> Mapping[str, str]:
    if error.status == 401:
        return {"WWW-Authenticate": 'Bearer realm="api"'}
    return error.headers


def _of_framework(error: exceptions.APIException) -> Response:
    return response(document(str(error.default_code), error.status_code))
