"""The description of the catalogue and of redemptions."""

from config.base.api import openapi
from config.base.api.openapi import (
    BOOLEAN,
    CURSOR_PARAMETERS,
    ID,
    MONEY,
    POINTS,
    TEXT,
    TIME,
    Answer,
    Body,
    Operation,
    nullable,
)
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME, PUBLIC_ID
from members.api.openapi_presence import PRESENCE, PRESENCE_ERRORS
from rewards.api import examples, schemas
from rewards.api.schemas import REASON
from rewards.models import RedemptionStatus, RewardKind

REWARDS = "Rewards"
CODE = openapi.text(40)
SLOT_CODE = openapi.text(40, 0)
LEVEL = openapi.choice("in_stock", "low", "out")
KIND = openapi.choice(*RewardKind.values)
STATUS = openapi.choice(*RedemptionStatus.values)

REWARD_PATH = openapi.path("code", CODE, "The reward's code.")
REDEMPTION_PATH = openapi.path("redemption_id", ID, "The redemption's id.")
FOR_MEMBER = openapi.query("member", ID, "For whom: adds what may be had, and why not.")

SLOT = openapi.record(
    {"code": TEXT, "place": TEXT, "starts_at": TIME, "ends_at": TIME, "stock": LEVEL}
)
REWARD = openapi.component(
    "Reward",
    openapi.record(
        {
            "code": TEXT,
            "kind": KIND,
            "name": TEXT,
            "description": TEXT,
            "points": POINTS,
            "stock": LEVEL,
            "market_value": nullable(MONEY),
            "available_from": nullable(TIME),
            "available_until": nullable(TIME),
            "min_tier": nullable(TEXT),
            "needs_address": BOOLEAN,
            "slots": openapi.listing(SLOT),
        },
        {"redeemable": BOOLEAN, "reachable": BOOLEAN, "reasons": openapi.listing(REASON)},
    ),
)
REWARD_EXAMPLE = {
    "code": "mug",
    "kind": "goods",
    "name": "会员马克杯",
    "description": "",
    "points": 300,
    "stock": "in_stock",
    "market_value": "39.00",
    "available_from": None,
    "available_until": None,
    "min_tier": None,
    "needs_address": True,
    "slots": [],
    "redeemable": False,
    "reachable": True,
    "reasons": [
        {"code": "insufficient_points", "needed": 300, "available": 128, "text": "还差 172 积分。"}
    ],
}
ISSUED = openapi.component(
    "Issued",
    {
        "type": "object",
        "description": "A coupon, a reward, points or a benefit that was given.",
        "properties": {"kind": openapi.choice("coupon", "reward", "points", "benefit")},
        "required": ["kind"],
    },
)
ADDRESS = openapi.component(
    "Address",
    openapi.record(
        {"name": openapi.text(80), "line": openapi.text(200)},
        {
            "phone": openapi.text(32, 0),
            "country": openapi.text(2, 0),
            "province": openapi.text(40, 0),
            "city": openapi.text(40, 0),
            "district": openapi.text(40, 0),
            "postal_code": openapi.text(16, 0),
            "note": openapi.text(200, 0),
        },
    ),
)
REDEMPTION_REQUEST = openapi.component(
    "RedemptionRequest",
    openapi.record(
        {"member": ID, "reward": CODE},
        {
            "quantity": openapi.integer(1, 1_000),
            "slot": SLOT_CODE,
            "address": ADDRESS,
            **PRESENCE,
        },
    ),
)
REDEMPTION_REQUEST_EXAMPLE = {
    "member": EXAMPLE_ID,
    "reward": "mug",
    "quantity": 1,
    "address": {"name": "张三", "phone": "13800138000", "city": "上海", "line": "南京路 1 号"},
}
REDEMPTION = openapi.component(
    "Redemption",
    openapi.record(
        {
            "id": ID,
            "member": ID,
            "reward": TEXT,
            "name": TEXT,
            "kind": KIND,
            "quantity": POINTS,
            "points": POINTS,
            "slot": nullable(TEXT),
            "status": STATUS,
            "requested_at": TIME,
            "fulfilled_at": nullable(TIME),
            "closed_at": nullable(TIME),
            "carrier": nullable(TEXT),
            "tracking_number": nullable(TEXT),
            "codes": openapi.listing(TEXT),
            "issued": openapi.listing(ISSUED),
        },
        {"balance": schemas.BALANCE},
    ),
)
REDEMPTION_EXAMPLE = {
    "id": "01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b",
    "member": EXAMPLE_ID,
    "reward": "mug",
    "name": "会员马克杯",
    "kind": "goods",
    "quantity": 1,
    "points": 300,
    "slot": None,
    "status": "requested",
    "requested_at": EXAMPLE_TIME,
    "fulfilled_at": None,
    "closed_at": None,
    "carrier": None,
    "tracking_number": None,
    "codes": [],
    "issued": [],
}
WITH_BALANCE = {**REDEMPTION_EXAMPLE, "balance": examples.BALANCE_EXAMPLE}
REFUSALS = (
    "member_not_found",
    "member_frozen",
    "member_not_active",
    "reward_not_found",
    "slot_not_found",
    "slot_required",
    "address_required",
    "reward_not_listed",
    "reward_not_yet_available",
    "reward_over",
    "reward_not_for_tier",
    "reward_conditions_not_met",
    "reward_member_limit",
    "reward_total_limit",
    "out_of_stock",
    "slot_over",
    "insufficient_points",
    "points_debt",
    "programme_missing",
    *PRESENCE_ERRORS,
)

get_rewards = Operation(
    name="getRewards",
    tag=REWARDS,
    summary="Read the catalogue, for a member with what may be had and why not",
    scope="rewards:read",
    member_by="query",
    parameters=[FOR_MEMBER, *CURSOR_PARAMETERS],
    answers=[
        Answer(
            200,
            "One page.",
            openapi.page_of(REWARD),
            {"items": [REWARD_EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["member_not_found", "parameter_invalid", "cursor_invalid"],
)
get_reward = Operation(
    name="getReward",
    tag=REWARDS,
    summary="Read one reward",
    scope="rewards:read",
    member_by="query",
    parameters=[REWARD_PATH, FOR_MEMBER],
    answers=[Answer(200, "The reward.", REWARD, REWARD_EXAMPLE)],
    errors=["member_not_found", "reward_not_found", "parameter_invalid"],
)
post_redemption = Operation(
    name="redeemReward",
    tag=REWARDS,
    summary="Redeem points for a reward",
    scope="redemptions:write",
    member_by="body",
    body=Body(REDEMPTION_REQUEST, REDEMPTION_REQUEST_EXAMPLE),
    answers=[Answer(201, "Redeemed.", REDEMPTION, WITH_BALANCE)],
    errors=REFUSALS,
    idempotency="required",
)
get_redemption = Operation(
    name="getRedemption",
    tag=REWARDS,
    summary="Read a redemption, with the codes it was given",
    scope="rewards:read",
    member_by="row",
    parameters=[REDEMPTION_PATH],
    answers=[Answer(200, "The redemption.", REDEMPTION, REDEMPTION_EXAMPLE)],
    errors=["redemption_not_found", "parameter_invalid"],
)
cancel_redemption = Operation(
    name="cancelRedemption",
    tag=REWARDS,
    summary="Cancel a redemption: points and stock go back where they came from",
    scope="redemptions:write",
    member_by="row",
    parameters=[REDEMPTION_PATH],
    body=Body(openapi.record({}), {}),
    answers=[
        Answer(
            200,
            "Cancelled, or cancelled before.",
            REDEMPTION,
            {**WITH_BALANCE, "status": "cancelled", "closed_at": EXAMPLE_TIME},
        )
    ],
    errors=[
        "redemption_not_found",
        "redemption_not_cancellable",
        "member_frozen",
        "member_not_active",
    ],
    idempotency="required",
)
get_redemptions = Operation(
    name="getMemberRedemptions",
    tag=REWARDS,
    summary="Read what a member has redeemed and was given, newest first",
    scope="rewards:read",
    member_by="path",
    parameters=[PUBLIC_ID, *CURSOR_PARAMETERS],
    answers=[
        Answer(
            200,
            "One page.",
            openapi.page_of(REDEMPTION),
            {"items": [REDEMPTION_EXAMPLE], "next_cursor": None},
        )
    ],
    errors=["member_not_found", "parameter_invalid", "cursor_invalid"],
)
