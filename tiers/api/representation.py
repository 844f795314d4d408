"""Tiers as the API writes them."""

from collections.abc import Iterable, Mapping
from typing import Any

from config.base import money
from config.base.names import name_of
from tiers import words
from tiers.models import TierTerm
from tiers.queries import CurrentTier, Outlook


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


def benefits_json(terms: TierTerm | None) -> list[dict[str, Any]]:
    """Return what the tier gives on every order."""
    if terms is None:
        return []
    return [
        {"code": "points_multiplier", "value": f"{terms.multiplier.normalize():f}"},
        {"code": "tier_discount", "percent": f"{terms.discount_percent.normalize():f}"},
    ]


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
