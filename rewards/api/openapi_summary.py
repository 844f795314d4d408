"""The description of the summary of a member."""

from config.base.api import openapi
from config.base.api.openapi import DAY, ID, POINTS, TEXT, TIME, Answer, Operation
from members.api.openapi import CURRENT_TIER, EXAMPLE_ID, EXAMPLE_TIME, MEMBERS, PUBLIC_ID
from members.models import MemberStatus
from rewards.api import examples, schemas
from rewards.api.openapi_benefits import BENEFIT, BENEFIT_EXAMPLE

IF_NONE_MATCH = openapi.header("If-None-Match", TEXT, "The ETag of the answer that you have.")
COUNT = openapi.integer(0, 1 << 31)

SUMMARY = openapi.component(
    "MemberSummary",
    openapi.record(
        {
            "member": openapi.record(
                {
                    "id": ID,
                    "card_number": TEXT,
                    "status": openapi.choice(*MemberStatus.values),
                    "name": TEXT,
                    "phone_tail": openapi.nullable(TEXT),
                    "joined_at": TIME,
                }
            ),
            "tier": openapi.nullable(
                openapi.record(
                    {
                        "current": CURRENT_TIER,
                        "progress": openapi.listing(schemas.GAP),
                        "risks": schemas.RISKS,
                        "opportunities": schemas.OPPORTUNITIES,
                    }
                )
            ),
            "benefits": openapi.listing(BENEFIT),
            "open_cases": COUNT,
            "account_manager": openapi.nullable(openapi.record({"name": TEXT})),
            "events": openapi.listing(
                openapi.record({"kind": TEXT, "text": TEXT, "occurred_at": TIME}), 5
            ),
            "warnings": openapi.listing(openapi.record({"code": TEXT, "text": TEXT})),
        },
        {
            "points": openapi.record(
                {
                    **schemas.POINTS_KEYS,
                    "next_expiry": openapi.nullable(openapi.record({"on": DAY, "points": POINTS})),
                }
            ),
            "coupons": openapi.listing(
                openapi.record(
                    {
                        "code": TEXT,
                        "template": TEXT,
                        "name": TEXT,
                        "kind": TEXT,
                        "expires_at": openapi.nullable(TIME),
                    }
                )
            ),
        },
    ),
)
EXAMPLE = {
    "member": {
        "id": EXAMPLE_ID,
        "card_number": "6000000000000001",
        "status": "active",
        "name": "张*",
        "phone_tail": "8000",
        "joined_at": EXAMPLE_TIME,
    },
    "tier": {
        key: examples.TIER_READING_EXAMPLE[key]
        for key in ("current", "progress", "risks", "opportunities")
    },
    "points": {
        **examples.POINTS_EXAMPLE,
        "next_expiry": {"on": "2027-03-31", "points": 128},
    },
    "benefits": [BENEFIT_EXAMPLE],
    "coupons": [
        {
            "code": "7Q4MZK2XW9RT",
            "template": "birthday-20",
            "name": "生日券 20 元",
            "kind": "amount",
            "expires_at": "2026-04-01T00:00:00+08:00",
        }
    ],
    "open_cases": 0,
    "account_manager": {"name": "李娜"},
    "events": [{"kind": "member.enrolled", "text": "入会", "occurred_at": EXAMPLE_TIME}],
    "warnings": [{"code": "no_marketing", "text": "未同意接收营销消息"}],
}

get_summary = Operation(
    name="getMemberSummary",
    tag=MEMBERS,
    summary="Read all that a till or a desk needs to know of a member, in one call",
    scope="members:read",
    member_by="path",
    parameters=[PUBLIC_ID, IF_NONE_MATCH],
    answers=[Answer(200, "The member, masked.", SUMMARY, EXAMPLE)],
    is_conditional=True,
    errors=["member_not_found", "parameter_invalid", "programme_missing"],
)
