"""Cases that members open at touchpoints, and what has become of them. Source: SVC-02, SVC-10."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors
from config.base.api.reading import (
    CONTROL_CHARACTERS,
    CONTROLS,
    NOT_TEXT,
    TOO_LONG,
    ObjectReader,
)
from members.api import openapi_cases as openapi
from members.api.idempotency import idempotent
from members.api.views import BODY, PATH, TouchpointEndpoint, member_of
from members.models import Case, CaseKind, CasePriority, Channel
from members.services import cases, notes
from members.services.cases import MAX_TEXT, MAX_TITLE, NewCase

KINDS: Final = (CaseKind.ENQUIRY, CaseKind.COMPLAINT, CaseKind.SUGGESTION)
KEYS: Final = frozenset({"member", "kind", "channel", "title", "text", "reference"})
MAX_REFERENCE: Final = 100


class CasesView(TouchpointEndpoint):
    """New cases."""

    scopes = {"POST": "cases:write"}
    member_token = {"POST": BODY}

    @openapi.post_case
    @idempotent(required=True)
    def post(self, request: Request) -> Response:
        """Open a case; its clocks follow from the member's tier."""
        caller = self.key_of(request)
        reader = ObjectReader(request.data)
        reader.only(KEYS)
        public_id = reader.uuid("member")
        kind = reader.choice("kind", [each.value for each in KINDS])
        channel = reader.choice("channel", Channel.values, caller.touchpoint.channel)
        title = reader.text("title", MAX_TITLE)
        text = _prose(reader, "text")
        reference = reader.text("reference", MAX_REFERENCE, required=False)
        reader.finish()
        assert public_id is not None
        new = NewCase(
            member_id=member_of(public_id).pk, kind=kind, channel=channel, title=title, text=text,
            reference=reference,
        )  # fmt: skip
        actor = f"touchpoint:{caller.touchpoint.code}"
        case = cases.register(new=new, at=self.at(), actor=actor)
        return Response(_case_json(case, title.strip()), status=201)


class MemberCasesView(TouchpointEndpoint):
    """The cases of one member."""

    scopes = {"GET": "cases:read"}
    member_token = {"GET": PATH}

    @openapi.get_cases
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return what the member has come with, the newest first; what staff note stays theirs."""
        cursors.check_parameters(request.query_params, ("cursor", "limit"))
        position = cursors.read(request.query_params.get("cursor"), 1)
        limit = cursors.limit_of(request.query_params)
        rows = Case.objects.filter(member=member_of(public_id)).exclude(kind=CaseKind.SYSTEM)
        if position is not None:
            rows = rows.filter(pk__lt=position[0])
        page = cursors.page(list(rows.order_by("-pk")[: limit + 1]), limit, _position)
        titles = self._titles(request, page.rows)
        return Response(page.to_json(lambda case: _case_json(case, titles.get(case.pk))))

    def _titles(self, request: Request, found: Sequence[Case]) -> dict[int, str]:
        """Return the members' own words where the key may read what is personal."""
        if not self.may_read_personal(request):
            return {}
        said = notes.read_many([(case.member_id or 0, case.sealed) for case in found])
        return {case.pk: text.partition("\n")[0] for case, text in zip(found, said, strict=True)}


def _position(case: Case) -> Sequence[int]:
    return (case.pk,)


def _case_json(case: Case, title: str | None) -> dict[str, Any]:
    return {
        "id": case.pk,
        "kind": case.kind,
        "state": case.state,
        "priority": CasePriority(case.priority).name.lower(),
        "channel": case.channel,
        "title": title,
        "reference": case.reference or None,
        "opened_at": case.opened_at,
        "first_response_due_at": case.first_response_due_at,
        "first_responded_at": case.first_responded_at,
        "resolve_due_at": case.resolve_due_at,
        "resolved_at": case.resolved_at,
        "closed_at": case.closed_at,
    }


def _prose(reader: ObjectReader, key: str) -> str:
    """Return text that may have several lines; empty where there is none."""
    value = reader.data.get(key)
    if value is None:
        return ""
    if type(value) is not str:
        reader.note(key, "text_expected", NOT_TEXT)
    elif len(value) > MAX_TEXT:
        reader.note(key, "too_long", TOO_LONG)
    elif any(CONTROLS.search(line) for line in value.replace("\r\n", "\n").split("\n")):
        reader.note(key, "control_characters", CONTROL_CHARACTERS)
    else:
        return value.replace("\r\n", "\n")
    return ""
