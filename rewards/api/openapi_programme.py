"""The description of the published programme."""

from typing import Any

from config.base.api import codes, openapi
from config.base.api.openapi import FREE, TEXT, TIME, Answer, Operation, query
from rewards.api.codes import PROGRAMME_CODES

codes.register(PROGRAMME_CODES)

COUNT = openapi.integer(0, 1 << 31)
DECIMAL = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}
WHEN = openapi.nullable(TIME)
_WORDS = {"text": TEXT, "zh": TEXT, "en": TEXT}
WORDS = openapi.component("Words", openapi.record(_WORDS))
SENTENCES = openapi.listing(WORDS)
BRAND = openapi.component(
    "Brand",
    openapi.record(
        {
            "version": COUNT,
            "effective_from": WHEN,
            "programme_name": WORDS,
            "points_name": WORDS,
            "logo_url": openapi.nullable(TEXT),
            "colours": openapi.record({"primary": TEXT, "accent": TEXT}),
            "texts": openapi.listing(openapi.record({"code": TEXT, **_WORDS})),
        }
    ),
)
THRESHOLD = openapi.record(
    {
        "metric": TEXT,
        "window": TEXT,
        "window_days": openapi.nullable(COUNT),
        "threshold": DECIMAL,
        "from_tier": openapi.nullable(TEXT),
        "attribute": openapi.nullable(TEXT),
        "value": openapi.nullable(TEXT),
    }
)
WAYS = openapi.listing(openapi.record({"all": openapi.listing(THRESHOLD), "sentence": WORDS}))
TIER = openapi.component(
    "PublishedTier",
    openapi.record(
        {
            "code": TEXT,
            "rank": COUNT,
            "name": WORDS,
            "multiplier": DECIMAL,
            "discount_percent": DECIMAL,
            "entry": WAYS,
            "retention": WAYS,
            "benefits": openapi.listing(
                openapi.record(
                    {
                        "code": TEXT,
                        "version": COUNT,
                        "name": WORDS,
                        "description": WORDS,
                        "quota": openapi.nullable(COUNT),
                        "period": TEXT,
                        "sentence": WORDS,
                    }
                )
            ),
        }
    ),
)
LADDER = openapi.record(
    {
        "version": COUNT,
        "effective_from": WHEN,
        "validity_days": COUNT,
        "grace_days": COUNT,
        "review": TEXT,
        "refund_policy": TEXT,
        "qualifying_kinds": openapi.listing(TEXT),
        "sentences": SENTENCES,
        "tiers": openapi.listing(TIER),
    }
)
RULE = openapi.component(
    "PublishedRule",
    openapi.record(
        {
            "code": TEXT,
            "version": COUNT,
            "name": WORDS,
            "trigger": TEXT,
            "effect": TEXT,
            "points": {"type": "integer"},
            "per_amount": openapi.nullable(DECIMAL),
            "factor": openapi.nullable(DECIMAL),
            "factor_source": openapi.nullable(TEXT),
            "conditions": openapi.nullable(FREE),
            "line_conditions": openapi.nullable(FREE),
            "max_points": openapi.nullable({"type": "integer"}),
            "cap": openapi.nullable(
                openapi.record({"points": {"type": "integer"}, "period": TEXT})
            ),
            "valid_from": WHEN,
            "valid_until": WHEN,
            "sentence": WORDS,
        }
    ),
)
POLICY = openapi.record(
    {
        "version": COUNT,
        "effective_from": WHEN,
        "expiry": openapi.record({"kind": TEXT, "after": COUNT, "on": openapi.nullable(TEXT)}),
        "return_window_days": {"type": "object", "additionalProperties": COUNT},
        "activate_on": TEXT,
        "pay": openapi.record(
            {
                "points": COUNT,
                "amount": DECIMAL,
                "min_points": COUNT,
                "step_points": COUNT,
                "max_percent": DECIMAL,
            }
        ),
        "sentences": SENTENCES,
    }
)
CAMPAIGN = openapi.component(
    "CampaignTerms",
    openapi.record(
        {
            "code": TEXT,
            "version": COUNT,
            "name": WORDS,
            "terms_version": TEXT,
            "terms": WORDS,
            "published_at": TIME,
            "starts_at": WHEN,
            "ends_at": WHEN,
        }
    ),
)
PROGRAMME = openapi.component(
    "Programme",
    openapi.record(
        {
            "version": COUNT,
            "effective_from": WHEN,
            "effective_until": WHEN,
            "upcoming": openapi.nullable(
                openapi.record({"version": COUNT, "effective_from": WHEN})
            ),
            "currency": TEXT,
            "time_zone": TEXT,
            "brand": openapi.nullable(BRAND),
            "ladder": LADDER,
            "earning": openapi.listing(RULE),
            "points": POLICY,
            "campaigns": openapi.listing(CAMPAIGN),
        }
    ),
)


def _words(zh: str, en: str) -> dict[str, str]:
    return {"text": zh, "zh": zh, "en": en}


_SPEND = {
    "metric": "spend", "window": "rolling_days", "window_days": 365, "threshold": "1000",
    "from_tier": None, "attribute": None, "value": None,
}  # fmt: skip
_WAY = {
    "all": [_SPEND],
    "sentence": _words(
        "消费额(最近 365 天)不低于 1,000.00", "Spend (last 365 days) at least 1,000.00"
    ),
}
EXAMPLE: dict[str, Any] = {
    "version": 1,
    "effective_from": None,
    "effective_until": None,
    "upcoming": None,
    "currency": "CNY",
    "time_zone": "Asia/Shanghai",
    "brand": {
        "version": 1,
        "effective_from": None,
        "programme_name": _words("会员计划", "Member programme"),
        "points_name": _words("积分", "points"),
        "logo_url": None,
        "colours": {"primary": "#0d9488", "accent": "#f59e0b"},
        "texts": [],
    },
    "ladder": {
        "version": 1,
        "effective_from": None,
        "validity_days": 365,
        "grace_days": 0,
        "review": "one_level",
        "refund_policy": "withdraw",
        "qualifying_kinds": ["review", "survey"],
        "sentences": [],
        "tiers": [
            {
                "code": "silver",
                "rank": 1,
                "name": _words("银卡会员", "Silver"),
                "multiplier": "1.1",
                "discount_percent": "2",
                "entry": [_WAY],
                "retention": [_WAY],
                "benefits": [],
            }
        ],
    },
    "earning": [
        {
            "code": "base",
            "version": 1,
            "name": _words("基础积分", "Base points"),
            "trigger": "order",
            "effect": "per_amount",
            "points": 1,
            "per_amount": "1",
            "factor": None,
            "factor_source": None,
            "conditions": None,
            "line_conditions": None,
            "max_points": None,
            "cap": None,
            "valid_from": None,
            "valid_until": None,
            "sentence": _words("每实付 1 得 1 积分。", "Gives 1 points per 1 paid."),
        }
    ],
    "points": {
        "version": 1,
        "effective_from": None,
        "expiry": {"kind": "month_end", "after": 12, "on": None},
        "return_window_days": {},
        "activate_on": "paid",
        "pay": {
            "points": 100,
            "amount": "1.00",
            "min_points": 100,
            "step_points": 100,
            "max_percent": "50",
        },
        "sentences": [],
    },
    "campaigns": [
        {
            "code": "gold-doubles",
            "version": 1,
            "name": _words("金卡双倍", "Gold doubles"),
            "terms_version": "2026-05",
            "terms": _words("活动规则……", "Terms …"),
            "published_at": "2026-04-28T10:00:00+08:00",
            "starts_at": "2026-05-01T00:00:00+08:00",
            "ends_at": "2026-06-01T00:00:00+08:00",
        }
    ],
}

get_programme = Operation(
    name="getProgramme",
    tag="Programme",
    summary="Read the programme: ladder, earning rules, points, benefits, brand, campaign terms",
    scope="",
    parameters=[
        query("at", TIME, "The programme at an instant, instead of now."),
        query("version", openapi.integer(1, 999_999_999), "A version, instead of the present one."),
    ],
    answers=[Answer(200, "The programme.", PROGRAMME, EXAMPLE)],
    errors=["parameter_invalid", "programme_version_unknown", "programme_missing"],
)
