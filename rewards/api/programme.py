"""The programme for everybody: ladder, rules, points and brand, by version. Source: TIR-13."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base import clock
from config.base.api import cursors, json_format
from config.base.api.cursors import ParameterInvalidError
from config.base.api.reading import parse_time
from config.base.api.views import Endpoint
from config.base.errors import DomainError
from rewards import publication
from rewards.api import openapi_programme as openapi
from rewards.publication import Edition

FRESH_FOR: Final = timedelta(minutes=5)


class VersionUnknownError(DomainError):
    """The programme has no such version."""

    def __init__(self, newest: int) -> None:
        super().__init__(
            "programme_version_unknown", _("There is no such version."), 404, newest=newest
        )


class ProgrammeView(Endpoint):
    """What holds now, or at an instant, or in a version."""

    is_public = True

    @openapi.get_programme
    def get(self, request: Request) -> Response:
        """Return the programme; unchanged, it is only said that it is."""
        cursors.check_parameters(request.query_params, ("at", "version"))
        now = clock.now()
        editions = publication.editions()
        edition, at = _chosen(request, editions, now)
        following = editions[edition.number] if edition.number < len(editions) else None
        body = publication.published(edition, at, following)
        headers = {
            "ETag": _etag(body),
            "Cache-Control": f"public, max-age={_seconds(edition, now)}",
            "Content-Language": get_language() or "",
        }
        is_known = headers["ETag"] in request.headers.get("If-None-Match", "")
        answer = Response(None, 304) if is_known else Response(body)
        for name, value in headers.items():
            answer.headers[name] = value
        patch_vary_headers(answer, ["Accept-Language"])
        return answer


def _chosen(request: Request, editions: list[Edition], now: datetime) -> tuple[Edition, datetime]:
    """Return the version that is asked for, and an instant inside of it.

    Raises: ParameterInvalidError, VersionUnknownError.
    """
    version = request.query_params.get("version")
    at_text = request.query_params.get("at")
    if version is not None and at_text is not None:
        raise ParameterInvalidError("version")
    if version is not None:
        if not (version.isascii() and version.isdigit() and len(version) <= 9):
            raise ParameterInvalidError("version")
        if not 1 <= int(version) <= len(editions):
            raise VersionUnknownError(len(editions))
        edition = editions[int(version) - 1]
        return edition, edition.instant(now)
    at = now
    if at_text is not None:
        found = parse_time(at_text)
        if found is None:
            raise ParameterInvalidError("at")
        at = found
    return publication.edition_at(editions, at), at


def _etag(body: dict[str, Any]) -> str:
    content = json_format.write([get_language(), body])
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _seconds(edition: Edition, now: datetime) -> int:
    """Return for how long the answer may be kept: never beyond the next change."""
    fresh = FRESH_FOR
    if edition.until_at is not None and edition.until_at > now:
        fresh = min(fresh, edition.until_at - now)
    return int(fresh.total_seconds())
