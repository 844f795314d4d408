"""The description of members' messages and of providers' reports."""

from typing import Final

from campaigns.api.codes import CODES
from campaigns.domain.delivery import CHANNELS
from campaigns.models import MessageState
from campaigns.services.receipts import Kind
from config.base.api import codes, openapi
from config.base.api.openapi import ID, TEXT, TIME, Answer, Body, Operation
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, PUBLIC_ID

codes.register(CODES)

MOST_RECEIPTS: Final = 200
MESSAGES: Final = "Messages"
MESSAGE_ID: Final = openapi.path("message_id", ID, "The message's id.")

MESSAGE = openapi.component(
    "Message",
    openapi.record(
        {
            "id": ID,
            "template": TEXT,
            "trigger": TEXT,
            "channel": openapi.nullable(openapi.choice(*CHANNELS)),
            "state": openapi.choice(*MessageState.values),
            "reason": TEXT,
            "title": openapi.nullable(TEXT),
            "body": openapi.nullable(TEXT),
            "due_at": TIME,
            "sent_at": openapi.nullable(TIME),
            "delivered_at": openapi.nullable(TIME),
            "read_at": openapi.nullable(TIME),
        }
    ),
)
EXAMPLE = {
    "id": EXAMPLE_ID,
    "template": "birthday",
    "trigger": "campaign:birthday",
    "channel": "inbox",
    "state": "delivered",
    "reason": "",
    "title": "生日快乐",
    "body": "祝您生日快乐！",
    "due_at": EXAMPLE_TIME,
    "sent_at": EXAMPLE_TIME,
    "delivered_at": EXAMPLE_TIME,
    "read_at": None,
}

get_messages = Operation(
    name="listMemberMessages",
    tag=MESSAGES,
    summary="List the messages of a member, newest first",
    scope="messages:read",
    member_by="path",
    parameters=[
        PUBLIC_ID,
        openapi.query("channel", openapi.choice(*CHANNELS), "Only those of a channel."),
        *openapi.CURSOR_PARAMETERS,
    ],
    answers=[
        Answer(
            200,
            "One page of messages; texts where the key may read personal values.",
            openapi.page_of(MESSAGE),
            {"items": [EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["member_not_found", "cursor_invalid", "parameter_invalid"],
)
post_read = Operation(
    name="markMessageRead",
    tag=MESSAGES,
    summary="Note that the member has opened a message",
    scope="messages:read",
    member_by="path",
    parameters=[PUBLIC_ID, MESSAGE_ID],
    body=Body(openapi.record({}), {}),
    answers=[Answer(200, "The message.", MESSAGE, {**EXAMPLE, "read_at": EXAMPLE_TIME})],
    errors=["member_not_found", "message_not_found"],
)

RECEIPT = openapi.record(
    {"kind": openapi.choice(*(each.value for each in Kind)), "occurred_at": TIME},
    {
        "message": ID,
        "channel": openapi.choice(*CHANNELS),
        "provider_id": openapi.text(80),
        "phone": openapi.text(32),
        "reason": openapi.text(40, 0),
        "text": openapi.text(1_000, 0),
    },
)
post_receipts = Operation(
    name="reportMessages",
    tag=MESSAGES,
    summary="Report what became of messages, and what members replied",
    scope="messages:write",
    body=Body(
        openapi.record({"receipts": openapi.listing(RECEIPT, MOST_RECEIPTS, 1)}),
        {"receipts": [{"message": EXAMPLE_ID, "kind": "delivered", "occurred_at": EXAMPLE_TIME}]},
    ),
    answers=[
        Answer(
            200,
            "What became of each report, in order.",
            openapi.record(
                {"results": openapi.listing(openapi.choice("recorded", "known", "unknown_message"))}
            ),
            {"results": ["recorded"]},
        )
    ],
    errors=[],
)
