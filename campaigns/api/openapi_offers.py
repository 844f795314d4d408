"""The description of recommendations."""

from campaigns.domain.offers import MOST_SHOWN
from campaigns.offer_words import SENTENCES
from config.base.api import openapi
from config.base.api.openapi import BOOLEAN, POINTS, TEXT, Answer, Operation
from members.api.openapi import PUBLIC_ID
from rewards.models import RewardKind

SCORE = openapi.integer(-100, 1_000)
REASON = openapi.component(
    "OfferReason",
    openapi.record({"code": openapi.choice(*SENTENCES), "score": SCORE, "text": TEXT}),
)
OFFER = openapi.component(
    "Offer",
    openapi.record(
        {
            "reward": TEXT,
            "kind": openapi.choice(*RewardKind.values),
            "name": TEXT,
            "points": POINTS,
            "score": SCORE,
            "reasons": openapi.listing(REASON),
        }
    ),
)

get_offers = Operation(
    name="listOffers",
    tag="Rewards",
    summary="What is recommended to the member, among what can be had now, and why",
    scope="rewards:read",
    member_by="path",
    parameters=[PUBLIC_ID],
    answers=[
        Answer(
            200,
            "The best first. Every reason says what it adds to the score. Of who has refused the"
            " consent `personalisation` (or `profiling`) nothing is used: `personalised` is false,"
            " and what members redeem most comes first.",
            openapi.record({"personalised": BOOLEAN, "offers": openapi.listing(OFFER, MOST_SHOWN)}),
            {
                "personalised": True,
                "offers": [
                    {
                        "reward": "tea-10",
                        "kind": "coupon",
                        "name": "茶叶满减券",
                        "points": 200,
                        "score": 31,
                        "reasons": [
                            {
                                "code": "affinity",
                                "score": 24,
                                "text": "您近一年的消费有60%是tea",
                            },
                            {
                                "code": "reach",
                                "score": 7,
                                "text": "需要200积分，您有280积分可用",
                            },
                        ],
                    }
                ],
            },
        )
    ],
    errors=["member_not_found", "parameter_invalid"],
)
