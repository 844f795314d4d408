"""The automations that come along: written as drafts, switched on and off by an operator.

One that is on is a campaign like any other: it addresses every active member and holds nobody out,
and may be copied, changed and sent for review. Source: ENG-11, ENG-18, ENG-26, SPD-09.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils.translation import gettext_lazy as _

from campaigns.domain import triggers
from campaigns.domain.automations import AUTOMATIONS, BY_CODE, CHANNELS, FALLBACKS, Automation
from campaigns.domain.templating import names_in
from campaigns.domain.triggers import Trigger
from campaigns.models import (
    Campaign,
    CampaignAct,
    CampaignState,
    CampaignVersion,
    MessageTemplate,
    OccurrenceState,
    Purpose,
    TriggerOccurrence,
)
from campaigns.services import campaign_drafts, launching, message_templates
from campaigns.services.campaign_drafts import Names
from campaigns.services.message_templates import TemplateTerms, Texts
from config.base.errors import DomainError

WHOLE: Final = 100


class AutomationUnknownError(DomainError):
    """There is no automation with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(
            "automation_unknown", _("There is no such automation."), 404, automation=code
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One automation as it stands: its campaign, its trigger, and what it has done."""

    automation: Automation
    campaign: Campaign | None
    trigger: Trigger
    acts: int
    waiting: int
    last_at: datetime | None

    @property
    def is_on(self) -> bool:
        """Tell whether it addresses members now."""
        return self.campaign is not None and self.campaign.is_running


@transaction.atomic
def install(*, actor: str, at: datetime) -> list[str]:
    """Write the automations that are not there yet as drafts; return their codes.

    What an operator has changed or thrown away and written anew stays as it is.
    """
    codes = [each.campaign_code for each in AUTOMATIONS]
    known = set(Campaign.objects.filter(code__in=codes).values_list("code", flat=True))
    missing = [each for each in AUTOMATIONS if each.campaign_code not in known]
    for each in missing:
        _write_template(each, actor, at)
        campaign_drafts.create(
            names=Names(each.name_zh, each.name_en), terms=_terms(each), actor=actor, at=at,
            code=each.campaign_code, is_preset=True,
        )  # fmt: skip
    return [each.code for each in missing]


def _terms(each: Automation) -> dict[str, Any]:
    return {
        "trigger": dict(each.trigger),
        "effects": [dict(effect) for effect in each.effects],
        "messages": [each.template] if each.template else [],
        "holdout_percent": 0,
    }


def _write_template(each: Automation, actor: str, at: datetime) -> None:
    if not each.template or MessageTemplate.objects.filter(code=each.template).exists():
        return
    terms = TemplateTerms(each.template, each.name_zh, each.name_en, Purpose(each.purpose))
    template = message_templates.create(terms=terms, actor=actor, at=at)
    message_templates.save_draft(template_id=template.pk, texts=texts(each), actor=actor, at=at)
    message_templates.publish(template_id=template.pk, actor=actor, at=at)


def texts(each: Automation) -> Texts:
    """Return the texts of an automation, the same on every channel, and what they declare."""
    contents = {
        language: {
            channel: {"subject": each.title[language], "body": each.text[language]}
            for channel in CHANNELS
        }
        for language in each.text
    }
    named = {name for text in each.text.values() for name in names_in(text)}
    variables = [
        {"name": name, "type": FALLBACKS[name][0], "fallback": dict(FALLBACKS[name][1])}
        for name in sorted(named)
    ]
    return Texts(contents, variables)


@transaction.atomic
def switch_on(*, code: str, actor: str, at: datetime) -> Campaign:
    """Let an automation address members from now on; again changes nothing.

    Raises: AutomationUnknownError; CampaignError where it is over, or its draft is in review.
    """
    campaign = _campaign(code)
    if campaign.is_running:
        return campaign
    if campaign.state == CampaignState.PAUSED:
        return launching.resume(campaign_id=campaign.pk, actor=actor, at=at)
    draft = CampaignVersion.objects.select_related("campaign").get(campaign=campaign, state="draft")
    _check_untouched(draft, BY_CODE[code])
    return launching.start(version=draft, percent=WHOLE, actor=actor, at=at)


def _check_untouched(draft: CampaignVersion, each: Automation) -> None:
    """Refuse to start what an operator has written: that takes a second person.

    Raises: CampaignError.
    """
    said = campaign_drafts.terms_of(draft)
    blank = campaign_drafts.terms_of(CampaignVersion(**_terms(each)))
    if said != blank:
        raise campaign_drafts.CampaignError(
            "automation_changed",
            _("This automation has been changed: send its draft for review instead."),
            409,
        )


@transaction.atomic
def switch_off(*, code: str, actor: str, at: datetime) -> Campaign:
    """Let an automation address nobody for a while; again changes nothing.

    Raises: AutomationUnknownError.
    """
    campaign = _campaign(code)
    if not campaign.is_running:
        return campaign
    return launching.pause(campaign_id=campaign.pk, actor=actor, at=at)


def _campaign(code: str) -> Campaign:
    if code not in BY_CODE:
        raise AutomationUnknownError(code)
    rows = Campaign.objects.select_for_update(of=("self",), no_key=True)
    found = rows.filter(code=BY_CODE[code].campaign_code).first()
    if found is None:
        raise AutomationUnknownError(code)
    return found


def lines() -> list[Line]:
    """Return all automations as they stand, in the order of the table."""
    codes = [each.campaign_code for each in AUTOMATIONS]
    campaigns = {
        row.code: row for row in Campaign.objects.filter(code__in=codes).select_related("running")
    }
    ids = [row.pk for row in campaigns.values()]
    acts = {
        row["campaign"]: (row["count"], row["last"])
        for row in CampaignAct.objects.filter(campaign__in=ids)
        .order_by()
        .values("campaign")
        .annotate(count=Count("pk", filter=Q(skipped="")), last=Max("at"))
    }
    waiting = _waiting(ids)
    return [_line(each, campaigns.get(each.campaign_code), acts, waiting) for each in AUTOMATIONS]


def _waiting(campaigns: list[int]) -> dict[int, int]:
    rows = TriggerOccurrence.objects.filter(
        campaign__in=campaigns, state=OccurrenceState.WAITING
    ).order_by()
    return dict(rows.values_list("campaign").annotate(Count("pk")))


def _line(
    each: Automation,
    campaign: Campaign | None,
    acts: Mapping[int, tuple[int, datetime | None]],
    waiting: Mapping[int, int],
) -> Line:
    trigger = each.parsed
    if campaign is not None and campaign.running is not None:
        trigger = triggers.parse(campaign.running.trigger)
    key = 0 if campaign is None else campaign.pk
    count, last = acts.get(key, (0, None))
    return Line(each, campaign, trigger, count, waiting.get(key, 0), last)
