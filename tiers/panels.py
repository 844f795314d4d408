"""What the tiers show on the console's pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext

from config.base import clock, money
from config.base.admin import charts
from config.base.admin.kept import kept
from config.base.names import name_of
from config.base.panels import Visit
from tiers import words
from tiers.models import Benefit, Standing, StandingOverride, Tier

# One colour per rank, in the order of `lc-tier-<rank>` in the console's style sheet.
TIER_COLOURS = ("#78879b", "#5b7fa6", "#c08a1e", "#0e7fa8", "#7c3aed", "#be185d")
STANDINGS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One standing for people."""

    tier: str
    rank: int
    from_at: datetime
    ended_at: datetime | None
    kept_until_on: date | None
    reason: str
    evidence: list[str]


def colour(rank: int) -> str:
    """Return the colour of a rank."""
    return TIER_COLOURS[min(rank, len(TIER_COLOURS) - 1)]


def colour_class(rank: int) -> str:
    """Return the style class of a rank."""
    return f"lc-tier-{min(rank, len(TIER_COLOURS) - 1)}"


def standings_of(visit: Visit) -> list[Standing]:
    """Return the member's standings, the latest first."""
    rows = Standing.objects.filter(member_id=visit.subject.pk).select_related("tier")
    return visit.once("standings", lambda: list(rows.order_by("-from_at", "-id")[:STANDINGS_SHOWN]))


def overrides_of(visit: Visit) -> list[StandingOverride]:
    """Return the member's overrides, the latest first."""
    rows = StandingOverride.objects.filter(member_id=visit.subject.pk).select_related("tier")
    return visit.once("overrides", lambda: list(rows.order_by("-from_at", "-id")))


def history(visit: Visit) -> Mapping[str, Any]:
    """Show every standing with its reason and evidence, and every override."""
    return {
        "standings": [_row(standing) for standing in standings_of(visit)],
        "overrides": overrides_of(visit),
        "at": visit.at,
    }


def _row(standing: Standing) -> StandingRow:
    return StandingRow(
        tier=name_of(standing.tier),
        rank=standing.tier.rank,
        from_at=standing.from_at,
        ended_at=standing.ended_at,
        kept_until_on=standing.kept_until_on,
        reason=words.reason(standing.reason),
        evidence=evidence_lines(standing.evidence),
    )


def evidence_lines(evidence: Mapping[str, Any]) -> list[str]:
    """Return the figures that decided a standing, one line per criterion."""
    return [
        _criterion(criterion)
        for check in evidence.get("checks", ())
        for criterion in check.get("criteria", ())
    ]


def _criterion(criterion: Mapping[str, Any]) -> str:
    code = str(criterion.get("metric", ""))
    if "threshold" not in criterion:
        return f"{words.metric(code)}: {criterion.get('attribute')} = {criterion.get('expected')}"
    value, asked = (
        words.amount(code, _figure(code, criterion.get(key, 0)), criterion.get("unit", ""))
        for key in ("value", "threshold")
    )
    sign = "≥" if criterion.get("met") else "<"
    if "window" not in criterion:
        return f"{words.metric(code)}: {value} {sign} {asked}"
    period = words.window(str(criterion["window"]))
    return f"{words.metric(code)} ({period}): {value} {sign} {asked}"


def _figure(code: str, value: int) -> Decimal | int:
    return money.from_minor(value) if code in words.MONEY_METRICS else value


def distribution(visit: Visit) -> Mapping[str, Any]:
    """Show how many members hold each tier, by what they have earned."""
    counted = kept("tiers", _members_by_tier)
    tiers = [(tier, counted.get(tier.pk, 0)) for tier in Tier.objects.order_by("rank")]
    total = sum(members for _tier, members in tiers)
    parts = [(name_of(tier), members, colour(tier.rank)) for tier, members in tiers]
    return {
        "total": total,
        "chart": charts.doughnut(parts),
        "rows": [
            {
                "name": name_of(tier),
                "members": members,
                "share": f"{members * 100 / total:.1f}%" if total else "–",
                "colour_class": colour_class(tier.rank),
            }
            for tier, members in reversed(tiers)
        ],
    }


def _members_by_tier() -> dict[int, int]:
    held = Standing.objects.filter(ended_at__isnull=True).values_list("tier_id")
    return dict(held.annotate(members=Count("pk")))


def override_address(visit: Visit) -> str:
    """Return where a tier override is asked for."""
    return reverse("admin:tier_override", args=[visit.subject.pk])


def changed_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what a change of tier says in the timeline."""
    before, after = (tier_name(visit, str(payload.get(key, ""))) for key in ("from", "to"))
    kept_until = payload.get("kept_until")
    ends = [gettext("kept until %(day)s") % {"day": kept_until}] if kept_until else []
    return [f"{before} → {after}", words.reason(str(payload.get("reason", ""))), *ends]


def lapse_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what the warning of a tier's end says in the timeline."""
    ends = gettext("kept until %(day)s") % {"day": payload.get("kept_until")}
    return [tier_name(visit, str(payload.get("tier", ""))), ends]


def override_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what a tier override says in the timeline."""
    name = tier_name(visit, str(payload.get("tier", "")))
    if payload.get("revoked"):
        return [name, gettext("revoked")]
    last = datetime.fromisoformat(payload["until"]) - timedelta(microseconds=1)
    return [gettext("%(tier)s until %(until)s") % {"tier": name, "until": clock.local_day(last)}]


def benefit_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return which benefits an event is about, and how often one was used."""
    codes = payload.get("benefits") or [payload.get("benefit", "")]
    names = visit.once("benefits", lambda: {b.code: name_of(b) for b in Benefit.objects.all()})
    told = [gettext(", ").join(names.get(str(code), str(code)) for code in codes)]
    return told + ([f"×{payload['uses']}"] if payload.get("uses") else [])


def tier_name(visit: Visit, code: str) -> str:
    """Return a tier's name in the visitor's language; the code itself where there is none."""
    tier = tiers_by_code(visit).get(code)
    return name_of(tier) if tier else code


def tiers_by_code(visit: Visit) -> Mapping[str, Tier]:
    """Return all tiers by code, read once for the page."""
    return visit.once("tiers", lambda: {tier.code: tier for tier in Tier.objects.all()})
