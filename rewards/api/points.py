"""Points: balances, entries and why, statements."""

import re
import uuid
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base import clock
from config.base.api import conditional, cursors
from config.base.api.cursors import ParameterInvalidError
from config.base.api.reading import parse_time
from config.base.errors import DomainError
from members.api.views import PATH, ROW, TouchpointEndpoint, member_of
from rewards import balances, queries
from rewards.api import openapi, representation

MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
# How far ahead a balance may be asked for: further than any points of a preset last.
MAX_AHEAD: Final = timedelta(days=3_660)


class EntryNotFoundError(DomainError):
    """No entry has this id."""

    def __init__(self) -> None:
        super().__init__("entry_not_found", _("There is no such entry."), status=404)


class PointsView(TouchpointEndpoint):
    """Balances of one member, what is due included."""

    scopes = {"GET": "points:read"}
    member_token = {"GET": PATH}

    @openapi.get_points
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return balances, expiring points and lifetime counters."""
        cursors.check_parameters(request.query_params, ("as_of", "known_at"))
        at = self.at()
        as_of = _instant(request, "as_of", at)
        known_at = _instant(request, "known_at", at)
        member = member_of(public_id)
        points = balances.points_of(member.pk, at=at, as_of=as_of, known_at=known_at)
        return conditional.answer(request, representation.points_json(points))


class EntriesView(TouchpointEndpoint):
    """Entries of one member's account."""

    scopes = {"GET": "points:read"}
    member_token = {"GET": PATH}

    @openapi.get_entries
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return entries, newest first."""
        cursors.check_parameters(request.query_params, ("cursor", "limit"))
        position = cursors.read(request.query_params.get("cursor"), 1)
        limit = cursors.limit_of(request.query_params)
        rows = queries.entries_of(
            member_of(public_id), before_seq=position[0] if position else None, limit=limit
        )
        page = cursors.page(rows, limit, lambda entry: (entry.seq,))
        return Response(page.to_json(representation.entry_json))


class ExplanationView(TouchpointEndpoint):
    """Why an entry was posted."""

    scopes = {"GET": "points:read"}
    member_token = {"GET": ROW}

    @openapi.get_explanation
    def get(self, request: Request, entry_id: int) -> Response:
        """Return the decision behind an entry, in the reader's language."""
        cursors.check_parameters(request.query_params, ())
        entry = queries.entry_of(entry_id) if entry_id < 1 << 63 else None
        if entry is None:
            raise EntryNotFoundError
        self.check_owner(request, member=entry.member_id)
        return Response(
            representation.explanation_json(
                entry, queries.evaluation_behind(entry), queries.lot_uses_of(entry)
            )
        )


class StatementView(TouchpointEndpoint):
    """The monthly statement. Source: PTS-14."""

    scopes = {"GET": "points:read"}
    member_token = {"GET": PATH}

    @openapi.get_statement
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return opening + earned - spent - expired + adjusted = closing of one month."""
        cursors.check_parameters(request.query_params, ("month", "known_at"))
        at = self.at()
        month = _month(request.query_params.get("month", ""), at)
        known_at = _instant(request, "known_at", at)
        member = member_of(public_id)
        statement = balances.statement_of(member.pk, month=month, at=at, known_at=known_at)
        return Response(representation.statement_json(month, statement))


def _instant(request: Request, name: str, at: datetime) -> datetime | None:
    """Return the instant of a query parameter.

    Raises: ParameterInvalidError. A plus sign that was not percent-encoded arrives as a space.
    """
    value: Any = request.query_params.get(name)
    if value is None:
        return None
    instant = parse_time(value.replace(" ", "+"))
    if instant is None or instant > at + MAX_AHEAD:
        raise ParameterInvalidError(name)
    return instant


def _month(text: str, at: datetime) -> date:
    found = MONTH.fullmatch(text)
    if found is None:
        raise ParameterInvalidError("month")
    year, number = int(found[1]), int(found[2])
    if not 1970 <= year <= clock.local_day(at).year:
        raise ParameterInvalidError("month")
    month = date(year, number, 1)
    if month > clock.local_day(at):
        raise ParameterInvalidError("month")
    return month
