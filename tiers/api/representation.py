"""Tiers as the API writes them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from config.base import clock, money
from config.base.names import in_active_language, name_of
from tiers import words
from tiers.models import EntitlementUse, MembershipPlan, PaidMembership, TierTerm
from tiers.queries import BenefitLeft, CurrentTier, Outlook
from tiers.services.memberships import refundable_until

_INSTANT = timedelta(microseconds=1)


def current_json(current: CurrentTier) -> dict[str, Any]:
    """Return the tier that counts; `until` is its last day."""
    body: dict[str, Any] = {
        "code": current.tier.code,
        "name": name_of(current.tier),
        "rank": current.tier.rank,
        "since": current.since_at,
        "until": current.until_on,
        "reason": current.reason,
        "reason_text": words.reason(current.reason),
    }
    if current.computed.pk != current.tier.pk:
        body["computed"] = current.computed.code
    return body


def outlook_json(current: CurrentTier, outlook: Outlook | None) -> dict[str, Any]:
    """Return progress, risks and opportunities; nothing of them where they are not known yet."""
    if outlook is None:
        return {"progress": [], "risks": [], "opportunities": []}
    return {
        "progress": gaps_json(outlook.progress),
        "risks": _risks(current, outlook),
        "opportunities": _opportunities(outlook),
    }


def gaps_json(gaps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return gaps with money as decimal text and names of metric and window."""
    return [_gap(gap) for gap in gaps]


def benefits_json(terms: TierTerm | None, left: Iterable[BenefitLeft]) -> list[dict[str, Any]]:
    """Return what the tier gives on every order, and the benefits that the member has."""
    on_orders = [] if terms is None else [
        {"code": "points_multiplier", "value": f"{terms.multiplier.normalize():f}"},
        {"code": "tier_discount", "percent": f"{terms.discount_percent.normalize():f}"},
    ]  # fmt: skip
    return [*on_orders, *(benefit_json(each) for each in left)]


def benefit_json(benefit: BenefitLeft) -> dict[str, Any]:
    """Return a benefit with what is left of it; `until` is the last day it can be used on."""
    until = benefit.until_at
    return {
        "code": benefit.code,
        "name": in_active_language(zh=benefit.name_zh, en=benefit.name_en),
        "description": in_active_language(zh=benefit.description_zh, en=benefit.description_en),
        "quota": benefit.quota,
        "left": benefit.left,
        "period": benefit.period,
        "until": None if until is None else clock.local_day(until - _INSTANT),
    }


def use_json(use: EntitlementUse) -> dict[str, Any]:
    """Return one use of a benefit."""
    return {
        "id": use.public_id,
        "benefit": use.period.entitlement.benefit.code,
        "uses": use.uses,
        "status": use.status,
        "used_at": use.used_at,
    }


def plan_json(plan: MembershipPlan) -> dict[str, Any]:
    """Return a plan that is on sale."""
    return {
        "code": plan.code,
        "name": name_of(plan),
        "tier": plan.tier.code,
        "months": plan.months,
        "price": money.to_text(money.to_minor(plan.price)),
        "refund_days": plan.refund_days,
    }


def membership_json(row: PaidMembership) -> dict[str, Any]:
    """Return a paid membership; `until` is the first instant after it."""
    return {
        "id": row.public_id,
        "plan": row.plan.code,
        "tier": row.plan.tier.code,
        "status": row.status,
        "price": money.to_text(money.to_minor(row.price)),
        "purchase_ref": row.purchase_ref,
        "from": row.from_at,
        "until": row.until_at,
        "refundable_until": refundable_until(row),
    }


def _gap(gap: Mapping[str, Any]) -> dict[str, Any]:
    metric = gap["metric"]
    body = {**gap, "metric_text": words.metric(metric), "window_text": words.window(gap["window"])}
    if metric in words.MONEY_METRICS:
        body |= {key: money.to_text(gap[key]) for key in ("value", "threshold", "needed")}
    if body.get("attribute") is None:
        body.pop("attribute", None)
    return body


def _risks(current: CurrentTier, outlook: Outlook) -> list[dict[str, Any]]:
    """Return what is lost when nothing more happens: the tier, where its end is known."""
    if outlook.kept_until_on is None or outlook.rank == 0:
        return []
    open_gaps = [gap for gap in outlook.retention if gap["needed"]]
    return [
        {
            "code": "tier_ends",
            "tier": current.computed.code,
            "on": outlook.kept_until_on,
            "needed": gaps_json(open_gaps),
        }
    ]


def _opportunities(outlook: Outlook) -> list[dict[str, Any]]:
    """Return the cheapest way to the next tier."""
    if not outlook.cheapest:
        return []
    return [
        {
            "code": "next_tier",
            "tier": outlook.cheapest[0]["next_tier"],
            "needed": gaps_json(outlook.cheapest),
        }
    ]
