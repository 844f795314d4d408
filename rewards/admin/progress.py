"""The tier on the member page: what counts now, what is missing for the next, what keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.base import clock, money
from config.base.admin import formats
from config.base.names import in_active_language, name_of
from config.base.panels import Visit
from members.admin.case_page import ASSIGN, WORK
from members.models import Member
from rewards import queries
from rewards.queries import TierReading
from rewards.services import service_requests
from rewards.services.programme import ProgrammeMissingError
from tiers import queries as tier_queries
from tiers import words
from tiers.panels import colour_class, tiers_by_code


@dataclass(frozen=True, slots=True)
class Bar:
    """One criterion as a bar."""

    title: str
    value: str
    threshold: str
    per_cent: int
    expires_on: date | None


def tier_reading(visit: Visit) -> TierReading | None:
    """Return the member's tier and outlook; None before a programme or a standing exists."""

    def read() -> TierReading | None:
        try:
            return queries.tier_of(visit.subject, at=visit.at)
        except ProgrammeMissingError:
            return None

    return visit.once("tier_reading", read)


def tier_labels(members: Sequence[Member], at: datetime) -> Mapping[int, SafeString]:
    """Return each member's tier as a coloured label, for the member list."""
    try:
        current = queries.current_tiers(members, at=at)
    except ProgrammeMissingError:
        return {}
    return {
        member_id: format_html(
            '<span class="lc-nowrap"><span class="lc-dot {}"></span>{}</span>',
            colour_class(held.tier.rank),
            name_of(held.tier),
        )
        for member_id, held in current.items()
    }


def badge(visit: Visit) -> Mapping[str, Any] | None:
    """Show the tier that counts beside the member's name."""
    reading = tier_reading(visit)
    if reading is None:
        return None
    current = reading.current
    return {
        "name": name_of(current.tier),
        "colour_class": colour_class(current.tier.rank),
        "is_override": current.reason in tier_queries.LAID_OVER,
        "until_on": current.until_on,
    }


@dataclass(frozen=True, slots=True)
class BenefitRow:
    """A benefit with what is left of it; no number means without limit."""

    name: str
    left: int | None
    quota: int | None
    until_on: date | None


def benefits(visit: Visit) -> Mapping[str, Any] | None:
    """Show what the member has of every benefit. Source: SVC-01."""
    reading = tier_reading(visit)
    if reading is None:
        return None
    pk = visit.subject.pk
    left = tier_queries.benefits_left([pk], visit.at, {pk: reading.current.tier.pk})[pk]
    is_offered = any(each.code == service_requests.BENEFIT and each.left != 0 for each in left)
    return {
        "benefits": [_benefit(each) for each in left],
        "offers_service": visit.may(WORK) and (is_offered or visit.may(ASSIGN)),
    }


def _benefit(each: tier_queries.BenefitLeft) -> BenefitRow:
    until = each.until_at
    return BenefitRow(
        in_active_language(zh=each.name_zh, en=each.name_en), each.left, each.quota,
        None if until is None else clock.local_day(until - timedelta(microseconds=1)),
    )  # fmt: skip


def progress(visit: Visit) -> Mapping[str, Any] | None:
    """Show the way to the next tier, the cheapest first, and until when this one is kept."""
    reading = tier_reading(visit)
    if reading is None:
        return None
    current, outlook = reading.current, reading.outlook
    ahead = outlook.progress if outlook else []
    target = tiers_by_code(visit).get(ahead[0]["next_tier"]) if ahead else None
    return {
        "current": current,
        "name": name_of(current.tier),
        "computed": name_of(current.computed),
        "is_override": current.reason in tier_queries.LAID_OVER,
        "reason": words.reason(current.reason),
        "colour_class": colour_class(current.tier.rank),
        "is_known": outlook is not None,
        "target": name_of(target) if target else "",
        "target_class": colour_class(target.rank) if target else "",
        "bars": [_bar(gap) for gap in ahead],
        "steps": steps(outlook.cheapest if outlook else ()),
        "retention": [_bar(gap) for gap in (outlook.retention if outlook else ())],
    }


def _bar(gap: Mapping[str, Any]) -> Bar:
    code = str(gap["metric"])
    value, threshold = int(gap["value"]), int(gap["threshold"])
    return Bar(
        title=f"{words.metric(code)} ({words.window(str(gap['window']))})",
        value=_amount(code, value),
        threshold=_amount(code, threshold),
        per_cent=formats.share(value, threshold),
        expires_on=date.fromisoformat(gap["expires_on"]) if gap.get("expires_on") else None,
    )


def _amount(metric: str, value: int) -> str:
    is_money = metric in words.MONEY_METRICS
    return words.amount(metric, money.from_minor(value) if is_money else Decimal(value))


def steps(gaps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what a member has to do to close the gaps, for people."""
    return [_step(str(gap["metric"]), int(gap["needed"])) for gap in gaps]


def _step(metric: str, needed: int) -> str:
    if metric == "spend":
        return _("spend %(amount)s more") % {"amount": _amount(metric, needed)}
    if metric in words.MONEY_METRICS:
        return _("one order of at least %(amount)s") % {"amount": _amount(metric, needed)}
    numbers = {
        "orders": ngettext("%(count)s more order", "%(count)s more orders", needed),
        "interactions": ngettext(
            "%(count)s more interaction", "%(count)s more interactions", needed
        ),
        "referrals": ngettext("%(count)s more referral", "%(count)s more referrals", needed),
        "points_earned": ngettext("%(count)s more point", "%(count)s more points", needed),
        "growth": _("%(count)s more growth value"),
        "tenure": ngettext("wait %(count)s day", "wait %(count)s days", needed),
        "attribute": _("the attribute that the rule asks for"),
    }
    return numbers.get(metric, "%(count)s") % {"count": f"{needed:,}"}
