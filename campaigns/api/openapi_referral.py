"""The description of referrals."""

from campaigns.models import RewardKind
from campaigns.referral_queries import MOST, STATES
from config.base.api import openapi
from config.base.api.openapi import MONEY, TEXT, TIME, Answer, Operation
from members.api.openapi import EXAMPLE_TIME, MEMBERS, PUBLIC_ID

DAYS = openapi.integer(0, 10_000)
OFFER = openapi.component(
    "ReferralOffer",
    openapi.record(
        {
            "reward": openapi.choice(*RewardKind.values),
            "points": openapi.nullable(openapi.integer(1, 1 << 53)),
            "coupon": openapi.nullable(TEXT),
            "amount": openapi.nullable(MONEY),
            "friend_coupon": openapi.nullable(TEXT),
            "min_amount": MONEY,
            "valid_days": DAYS,
            "return_window_days": DAYS,
        }
    ),
)
BROUGHT = openapi.component(
    "Brought",
    openapi.record(
        {
            "state": openapi.choice(*STATES),
            "joined_at": TIME,
            "rewarded_at": openapi.nullable(TIME),
        }
    ),
)
REFERRAL = openapi.component(
    "MemberReferral",
    openapi.record(
        {
            "code": openapi.nullable(TEXT),
            "link": openapi.nullable(TEXT),
            "offer": openapi.nullable(OFFER),
            "counts": openapi.record({state: openapi.integer(0, 1 << 31) for state in STATES}),
            "referrals": openapi.listing(BROUGHT, MOST),
        }
    ),
)

get_referral = Operation(
    name="getReferral",
    tag=MEMBERS,
    summary="The member's referral code, what it offers, and how far the friends brought have come",
    scope="members:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[
        Answer(
            200,
            "`code` and `link` are null where no programme runs or the member is not active."
            " `referrals` are the last 50, without any personal value.",
            REFERRAL,
            {
                "code": "7K3M-Q2XA",
                "link": "https://shop.example/join?code=7K3MQ2XA",
                "offer": {
                    "reward": "points",
                    "points": 300,
                    "coupon": None,
                    "amount": None,
                    "friend_coupon": "welcome",
                    "min_amount": "100.00",
                    "valid_days": 90,
                    "return_window_days": 7,
                },
                "counts": {"joined": 1, "waiting": 0, "rewarded": 1, "over": 0},
                "referrals": [
                    {"state": "joined", "joined_at": EXAMPLE_TIME, "rewarded_at": None},
                    {"state": "rewarded", "joined_at": EXAMPLE_TIME, "rewarded_at": EXAMPLE_TIME},
                ],
            },
        )
    ],
    errors=["member_not_found", "parameter_invalid"],
)
