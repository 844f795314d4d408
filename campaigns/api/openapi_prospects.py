"""The description of prospects."""

from config.base.api import openapi
from config.base.api.openapi import Answer, Body, Operation
from members.api.openapi import CONSENT_DECISION, IDENTIFIER
from members.models import InterestKind

PROSPECT = openapi.component(
    "NewProspect",
    openapi.record(
        {"identifiers": openapi.listing(IDENTIFIER, 2, 1)},
        {
            "source": openapi.text(64, 0),
            "interest": openapi.record(
                {"kind": openapi.choice(*InterestKind.values), "code": openapi.text(64)}
            ),
            "language": openapi.choice("zh", "en"),
            "referral_code": openapi.text(64, 0),
            "consent": CONSENT_DECISION,
        },
    ),
)

post_prospects = Operation(
    name="enterProspect",
    tag="Prospects",
    summary="Keep the contact of somebody who is interested and no member yet",
    scope="prospects:write",
    body=Body(
        PROSPECT,
        {
            "identifiers": [{"kind": "phone", "value": "13800138000"}],
            "source": "landing-spring",
            "interest": {"kind": "product", "code": "SKU-1"},
            "consent": {
                "purpose": "marketing",
                "granted": True,
                "text_version": "2026-01",
                "evidence": "form 81723",
            },
        },
    ),
    answers=[
        Answer(
            202,
            "Received; the same whether or not the person was known, also as a member.",
            openapi.record({"status": openapi.choice("received")}),
            {"status": "received"},
        )
    ],
    errors=[
        "prospect_contact_required",
        "prospect_interest_invalid",
        "prospect_consent_purpose",
        "consent_invalid",
    ],
    idempotency="optional",
)
