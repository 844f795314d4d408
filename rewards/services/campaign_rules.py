"""Rules that a campaign writes down: in force for the members of its audience while it runs.

Who decides about the campaign has decided about its rules, so nobody is asked a second time.

Source: CMP-12, CMP-16, PTS-06, PTS-08.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from rewards.models import Rule, RuleVersion
from rewards.models.rule import RuleState
from rewards.services import rule_publication
from rewards.services.programme import rule_spec
from rewards.services.rule_drafts import RuleNames


@dataclass(frozen=True, slots=True)
class CampaignRule:
    """A rule that a campaign wants in force; `terms` are columns of a version."""

    code: str
    names: RuleNames
    terms: Mapping[str, Any]


@transaction.atomic
def begin(*, wanted: Iterable[CampaignRule], actor: str, at: datetime) -> list[RuleVersion]:
    """Put the rules in force, each in place of the version that there may be.

    Raises: RuleDraftError, ConditionError, RuleError where one cannot be in force.
    """
    return [_begin(each, actor, at) for each in wanted]


def _begin(wanted: CampaignRule, actor: str, at: datetime) -> RuleVersion:
    rule, _made = Rule.objects.get_or_create(
        code=wanted.code, defaults={"name_zh": wanted.names.zh, "name_en": wanted.names.en}
    )
    last = rule.versions.aggregate(last=Max("number"))["last"] or 0
    draft = RuleVersion(
        rule=rule, number=last + 1, state=RuleState.DRAFT, created_at=at, created_by=actor,
        **wanted.terms,
    )  # fmt: skip
    rule_spec(draft)
    draft.save(force_insert=True)
    rule_publication.put_in_force(draft=draft, at=at)
    return draft


@transaction.atomic
def end(*, codes: Iterable[str], at: datetime) -> int:
    """Let the rules of a campaign end, where no purchase was decided yet; returns how many.

    What has not begun yet is gone.
    """
    until = rule_publication.earliest(at)
    goes_on = Q(valid_until__isnull=True) | Q(valid_until__gt=until)
    rows = RuleVersion.objects.filter(
        goes_on, rule__code__in=list(codes), state=RuleState.ACTIVE
    ).select_for_update(of=("self",), no_key=True)
    versions = list(rows.order_by("id"))
    for version in versions:
        rule_publication.let_end(version=version, until=until)
        if version.state == RuleState.DRAFT:
            version.delete()
    return len(versions)
