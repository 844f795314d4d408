"""The description of where shops' own webhooks arrive."""

from config.base.api import codes, openapi
from config.base.api.openapi import FREE, ID, TEXT, Answer, Body, Operation
from members.api.openapi import EXAMPLE_ID
from rewards.api.codes import INBOUND_CODES
from rewards.models import InboundState

codes.register(INBOUND_CODES)

INBOUND_RESULT = openapi.component(
    "InboundResult",
    openapi.record(
        {
            "id": ID,
            "status": openapi.choice(*InboundState.values),
            "reason": openapi.nullable(TEXT),
            "facts": openapi.listing(
                openapi.record(
                    {"status": openapi.integer(200, 599), "code": openapi.nullable(TEXT)},
                    {"source": TEXT, "order_no": TEXT},
                )
            ),
            "replayed": openapi.BOOLEAN,
        },
        {"code": openapi.integer(0, 0), "msg": TEXT},
    ),
)

post_inbound = Operation(
    name="receiveShopMessage",
    tag="Shops",
    summary="Receive a shop's own webhook; signed by Shopify's, Youzan's or the standard scheme",
    scope="",
    parameters=[openapi.path("code", openapi.text(40), "Code of the shop connection.")],
    body=Body(FREE, {"id": 820982911946154508, "financial_status": "paid"}),
    answers=[
        Answer(
            200,
            "Done, of no interest, or parked for a person; the same id again is not done again.",
            INBOUND_RESULT,
            {
                "id": EXAMPLE_ID,
                "status": "done",
                "reason": None,
                "facts": [
                    {
                        "status": 200,
                        "code": None,
                        "source": "myshop",
                        "order_no": "820982911946154508",
                    }
                ],
                "replayed": False,
            },
        )
    ],
    errors=[
        "inbound_unknown", "signature_invalid", "inbound_envelope_invalid", "inbound_differs",
        "programme_missing",
    ],
)  # fmt: skip
