"""The description of check-ins."""

from config.base.api import openapi
from config.base.api.openapi import DAY, POINTS, Answer, Body, Operation
from members.api.openapi import PUBLIC_ID
from rewards.api.openapi import FACTS

CHECK_IN = openapi.component(
    "CheckIn",
    openapi.record(
        {
            "on": DAY,
            "streak": openapi.integer(1, 100_000),
            "points": POINTS,
            "already": openapi.BOOLEAN,
        }
    ),
)
EXAMPLE = {"on": "2026-03-08", "streak": 7, "points": 11, "already": False}

post_check_in = Operation(
    name="checkIn",
    tag=FACTS,
    summary="Check a member in for today, once per local day",
    scope="interactions:write",
    parameters=[PUBLIC_ID],
    body=Body(openapi.component("CheckInRequest", openapi.record({}, {"on": DAY})), {}),
    answers=[
        Answer(200, "Checked in before.", CHECK_IN, {**EXAMPLE, "already": True}),
        Answer(201, "Checked in; `streak` counts the days in a row.", CHECK_IN, EXAMPLE),
    ],
    errors=[
        "member_not_found",
        "member_frozen",
        "member_not_active",
        "check_in_day_closed",
        "programme_missing",
    ],
    idempotency="optional",
)
