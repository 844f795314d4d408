"""The description of webhooks."""

from config.base.api import codes, openapi
from config.base.api.openapi import ID, TEXT, TIME, Answer, Body, Operation
from members.api.codes import WEBHOOK_CODES
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME
from members.models import SendState, WebhookState

codes.register(WEBHOOK_CODES)

WEBHOOKS = "Webhooks"
SCOPE = "webhooks:write"
PUBLIC_ID = openapi.path("public_id", ID, "Webhook id.")
DELIVERY_ID = openapi.path("delivery_id", ID, "Message id.")

_FIELDS = {
    "id": ID,
    "url": TEXT,
    "kinds": openapi.listing(TEXT),
    "state": openapi.choice(*WebhookState.values),
    "reason": openapi.nullable(TEXT),
    "failing_since": openapi.nullable(TIME),
    "old_secret_until": openapi.nullable(TIME),
    "created_at": TIME,
}
WEBHOOK = openapi.component("Webhook", openapi.record(_FIELDS))
WEBHOOK_WITH_SECRET = openapi.component(
    "WebhookWithSecret", openapi.record({**_FIELDS, "secret": TEXT})
)
DELIVERY = openapi.component(
    "WebhookDelivery",
    openapi.record(
        {
            "id": ID,
            "event": openapi.nullable({"type": "integer"}),
            "kind": TEXT,
            "state": openapi.choice(*SendState.values),
            "attempts": openapi.integer(0, 32_767),
            "status": openapi.nullable(openapi.integer(100, 999)),
            "error": openapi.nullable(TEXT),
            "due_at": openapi.nullable(TIME),
            "created_at": TIME,
            "delivered_at": openapi.nullable(TIME),
        }
    ),
)
URL = openapi.text(2_000)
KINDS = openapi.listing(openapi.text(40), 100, 1)

REQUEST_EXAMPLE = {"url": "https://shop.example/loyalty", "kinds": ["tier.changed", "points.*"]}
WEBHOOK_EXAMPLE = {
    "id": EXAMPLE_ID,
    "url": "https://shop.example/loyalty",
    "kinds": ["points.*", "tier.changed"],
    "state": "active",
    "reason": None,
    "failing_since": None,
    "old_secret_until": None,
    "created_at": EXAMPLE_TIME,
}
SECRET_EXAMPLE = {**WEBHOOK_EXAMPLE, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
DELIVERY_EXAMPLE = {
    "id": "0198c6a2-7d3e-7c41-8a55-2f1d3b9c6e11",
    "event": 17,
    "kind": "tier.changed",
    "state": "delivered",
    "attempts": 1,
    "status": 200,
    "error": None,
    "due_at": None,
    "created_at": EXAMPLE_TIME,
    "delivered_at": EXAMPLE_TIME,
}
PENDING_EXAMPLE = {
    **DELIVERY_EXAMPLE,
    "event": None,
    "kind": "webhook.test",
    "state": "pending",
    "attempts": 0,
    "status": None,
    "due_at": EXAMPLE_TIME,
    "delivered_at": None,
}
_INPUT_ERRORS = ("webhook_url_invalid", "webhook_kind_unknown")
_NOTHING = Body(openapi.record({}), {})

get_webhooks = Operation(
    name="listWebhooks",
    tag=WEBHOOKS,
    summary="List the touchpoint's webhooks",
    scope=SCOPE,
    answers=[
        Answer(
            200,
            "All of them.",
            openapi.record({"items": openapi.listing(WEBHOOK)}),
            {"items": [WEBHOOK_EXAMPLE]},
        )
    ],
    errors=["parameter_invalid"],
)
post_webhooks = Operation(
    name="createWebhook",
    tag=WEBHOOKS,
    summary="Subscribe an address to kinds of event; the secret is shown once",
    scope=SCOPE,
    body=Body(openapi.record({"url": URL, "kinds": KINDS}), REQUEST_EXAMPLE),
    answers=[Answer(201, "The webhook.", WEBHOOK_WITH_SECRET, SECRET_EXAMPLE)],
    errors=[*_INPUT_ERRORS, "webhook_limit"],
    idempotency="required",
)
get_webhook = Operation(
    name="getWebhook",
    tag=WEBHOOKS,
    summary="Read a webhook",
    scope=SCOPE,
    parameters=[PUBLIC_ID],
    answers=[Answer(200, "The webhook.", WEBHOOK, WEBHOOK_EXAMPLE)],
    errors=["webhook_not_found", "parameter_invalid"],
)
patch_webhook = Operation(
    name="changeWebhook",
    tag=WEBHOOKS,
    summary="Change a webhook, or switch it off and on",
    scope=SCOPE,
    parameters=[PUBLIC_ID],
    body=Body(
        openapi.record(
            {}, {"url": URL, "kinds": KINDS, "state": openapi.choice(*WebhookState.values)}
        ),
        {"kinds": ["order.recorded"], "state": "active"},
    ),
    answers=[Answer(200, "The webhook.", WEBHOOK, WEBHOOK_EXAMPLE)],
    errors=["webhook_not_found", *_INPUT_ERRORS],
    idempotency="optional",
)
delete_webhook = Operation(
    name="deleteWebhook",
    tag=WEBHOOKS,
    summary="Delete a webhook",
    scope=SCOPE,
    parameters=[PUBLIC_ID],
    answers=[
        Answer(
            200,
            "It is gone, with all that was owed to it.",
            openapi.record({"id": ID, "deleted": openapi.BOOLEAN}),
            {"id": EXAMPLE_ID, "deleted": True},
        )
    ],
    errors=["webhook_not_found"],
)
post_rotate = Operation(
    name="rotateWebhookSecret",
    tag=WEBHOOKS,
    summary="Give a webhook a new secret; the one before signs too for a day",
    scope=SCOPE,
    parameters=[PUBLIC_ID],
    body=_NOTHING,
    answers=[Answer(200, "The webhook.", WEBHOOK_WITH_SECRET, SECRET_EXAMPLE)],
    errors=["webhook_not_found"],
    idempotency="required",
)
post_test = Operation(
    name="testWebhook",
    tag=WEBHOOKS,
    summary="Send a test message soon",
    scope=SCOPE,
    parameters=[PUBLIC_ID],
    body=_NOTHING,
    answers=[Answer(202, "The message.", DELIVERY, PENDING_EXAMPLE)],
    errors=["webhook_not_found", "webhook_disabled"],
    idempotency="required",
)
get_deliveries = Operation(
    name="listWebhookDeliveries",
    tag=WEBHOOKS,
    summary="List messages, newest first",
    scope=SCOPE,
    parameters=[PUBLIC_ID, *openapi.CURSOR_PARAMETERS],
    answers=[
        Answer(
            200,
            "One page of messages.",
            openapi.page_of(DELIVERY),
            {"items": [DELIVERY_EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["webhook_not_found", "cursor_invalid", "parameter_invalid"],
)
post_replay = Operation(
    name="replayWebhookDelivery",
    tag=WEBHOOKS,
    summary="Send a message again soon, under the same id",
    scope=SCOPE,
    parameters=[PUBLIC_ID, DELIVERY_ID],
    body=_NOTHING,
    answers=[Answer(202, "The message.", DELIVERY, PENDING_EXAMPLE)],
    errors=["webhook_not_found", "webhook_disabled"],
    idempotency="required",
)
