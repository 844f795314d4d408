"""The description of members' cases."""

from config.base.api import codes, openapi
from config.base.api.openapi import ID, TEXT, TIME, Answer, Body, Operation
from members.api.codes import CASE_CODES
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, MEMBERS, PUBLIC_ID
from members.models import CasePriority, CaseState, Channel

codes.register(CASE_CODES)

KIND = openapi.choice("enquiry", "complaint", "suggestion")
CASE = openapi.component(
    "Case",
    openapi.record(
        {
            "id": {"type": "integer"},
            "kind": openapi.choice("enquiry", "complaint", "suggestion", "service_request"),
            "state": openapi.choice(*CaseState.values),
            "priority": openapi.choice(*(each.name.lower() for each in CasePriority)),
            "channel": TEXT,
            "title": openapi.nullable(TEXT),
            "reference": openapi.nullable(TEXT),
            "opened_at": TIME,
            "first_response_due_at": openapi.nullable(TIME),
            "first_responded_at": openapi.nullable(TIME),
            "resolve_due_at": openapi.nullable(TIME),
            "resolved_at": openapi.nullable(TIME),
            "closed_at": openapi.nullable(TIME),
        }
    ),
)
EXAMPLE = {
    "id": 204,
    "kind": "complaint",
    "state": "open",
    "priority": "high",
    "channel": "app",
    "title": "包裹破损",
    "reference": "SO-20260308-1",
    "opened_at": EXAMPLE_TIME,
    "first_response_due_at": "2026-03-08T14:30:00+08:00",
    "first_responded_at": None,
    "resolve_due_at": "2026-03-10T12:30:00+08:00",
    "resolved_at": None,
    "closed_at": None,
}

post_case = Operation(
    name="openCase",
    tag=MEMBERS,
    summary="Open an enquiry, a complaint or a suggestion of a member",
    scope="cases:write",
    member_by="body",
    body=Body(
        openapi.record(
            {"member": ID, "kind": KIND, "title": openapi.text(120)},
            {
                "channel": openapi.choice(*Channel.values),
                "text": openapi.text(4_000, 0),
                "reference": openapi.text(100, 0),
            },
        ),
        {
            "member": EXAMPLE_ID,
            "kind": "complaint",
            "channel": "app",
            "title": "包裹破损",
            "reference": "SO-20260308-1",
        },
    ),
    answers=[Answer(201, "The case, with its clocks.", CASE, EXAMPLE)],
    errors=["member_not_found", "case_title_needed"],
    idempotency="required",
)
get_cases = Operation(
    name="listMemberCases",
    tag=MEMBERS,
    summary="List the cases of a member, newest first",
    scope="cases:read",
    member_by="path",
    parameters=[PUBLIC_ID, *openapi.CURSOR_PARAMETERS],
    answers=[
        Answer(
            200,
            "One page of cases; titles where the key may read personal values.",
            openapi.page_of(CASE),
            {"items": [EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["member_not_found", "cursor_invalid", "parameter_invalid"],
)
