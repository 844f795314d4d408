"""Campaigns in the words of who sets them up: effects, limits, reasons, and what differs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import choices, trigger_words
from campaigns.domain import effects, triggers
from campaigns.domain.assignment import Variant
from campaigns.domain.effects import Effect, EffectKind
from campaigns.domain.trigger_values import TriggerError
from campaigns.models import CampaignVersion
from config.base import clock
from members.services.drafts import Facets

SKIPPED: Final[Mapping[str, Promise]] = {
    "holdout": _("Held out"),
    "limit": _("Limit per member reached"),
    "group": _("Another campaign of the group goes first"),
    "budget_points": _("Budget in points used up"),
    "budget_money": _("Budget in money used up"),
    "budget_acts": _("Budget in times used up"),
    "coupon_template_exhausted": _("No coupon left"),
    "coupon_template_inactive": _("Coupon switched off"),
    "out_of_stock": _("Reward out of stock"),
}
COLOURS: Final[Mapping[str, str]] = {
    "draft": "", "review": "warning", "pilot": "info", "live": "success", "paused": "warning",
    "ended": "",
}  # fmt: skip


def skipped(code: str) -> str:
    """Return why a campaign gave nothing; a code that has no words is shown as it is."""
    return str(SKIPPED.get(code, code))


def effect(each: Effect) -> str:
    """Return what an effect gives."""
    said = {
        EffectKind.POINTS: gettext("%(quantity)s points"),
        EffectKind.COUPON: gettext("coupon %(name)s × %(quantity)s"),
        EffectKind.REWARD: gettext("reward %(name)s × %(quantity)s"),
        EffectKind.BENEFIT: gettext("benefit %(name)s × %(quantity)s"),
        EffectKind.MULTIPLIER: gettext("points × %(factor)s"),
        EffectKind.CASE: gettext("case: %(name)s"),
    }[each.kind] % {
        "quantity": f"{each.quantity:,}", "name": each.name,
        "factor": f"{each.factor.normalize():f}",
    }  # fmt: skip
    if each.birthday_month:
        said = gettext("%(what)s in the month of the birthday") % {"what": said}
    if each.variants:
        said = f"{said} ({', '.join(sorted(each.variants))})"
    return said


def what(version: CampaignVersion) -> str:
    """Return all that a version gives."""
    return "; ".join(effect(each) for each in effects.parse(version.effects))


def trigger(version: CampaignVersion) -> str:
    """Return what starts a version."""
    try:
        parsed = triggers.parse(version.trigger)
    except TriggerError:
        return ""
    return trigger_words.sentence(parsed, choices.trigger_labels(parsed.values))


def facets(version: CampaignVersion) -> Facets:
    """Return what a version says, part by part: what a review reads and versions are compared by.

    Source: CMP-14.
    """
    variants = effects.parse_variants(version.variants)
    codes = {*version.audience, *version.excluded, *(each.segment for each in variants)} - {""}
    segments = choices.names(codes, choices.segments())
    sent = [_template(each) for each in version.messages]
    return [
        (gettext("Audience"), _names(version.audience, segments) or gettext("all members")),
        (gettext("Excluded"), _names(version.excluded, segments)),
        (gettext("Hold-out"), f"{version.holdout_percent} %"),
        (gettext("Trigger"), trigger(version)),
        (gettext("What they get"), what(version)),
        (gettext("Messages"), _names(sent, choices.names(sent, choices.templates()))),
        (gettext("Variants"), _variants(variants, segments)),
        (gettext("Limit per member"), _limit(version)),
        (gettext("Budget"), budget(version)),
        (gettext("Over budget"), version.get_over_budget_display() if budget(version) else ""),
        (gettext("Stacking group"), f"{version.group} · {version.priority}" * bool(version.group)),
        (gettext("Starts"), _instant(version.starts_at)),
        (gettext("Ends"), _instant(version.ends_at)),
        (gettext("Terms"), version.terms_version),
        (gettext("Chinese terms"), version.terms_zh),
        (gettext("English terms"), version.terms_en),
    ]


def budget(version: CampaignVersion) -> str:
    """Return the budget of a version."""
    parts = []
    if version.budget_points is not None:
        parts.append(gettext("%(points)s points") % {"points": f"{version.budget_points:,}"})
    if version.budget_money is not None:
        parts.append(f"{version.budget_money:,}")
    if version.budget_acts is not None:
        parts.append(gettext("%(count)s times") % {"count": f"{version.budget_acts:,}"})
    if not parts:
        return ""
    return f"{' · '.join(parts)} / {version.get_budget_period_display()}"


def _limit(version: CampaignVersion) -> str:
    if version.limit_acts is None:
        return ""
    return f"{version.limit_acts} / {version.get_limit_period_display()}"


def _names(codes: Sequence[str], called: Mapping[str, str]) -> str:
    return ", ".join(called.get(code, code) for code in codes)


def _template(item: Any) -> str:
    return str(item["template"]) if isinstance(item, dict) else str(item)


def _variants(variants: Sequence[Variant], called: Mapping[str, str]) -> str:
    return ", ".join(
        f"{each.code} @ {called.get(each.segment, each.segment)}"
        if each.segment
        else f"{each.code} × {each.weight}"
        for each in variants
    )


def _instant(at: Any) -> str:
    return "" if at is None else f"{clock.local(at):%Y-%m-%d %H:%M}"
