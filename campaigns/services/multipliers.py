"""What multipliers give counts against their campaign's budget in points, and ends them with it.

No order asks a budget, so this looks at the ledger, every minute: once the budget is used, the
rules end where no purchase has been decided yet, some minutes on. What is bought until then is the
overshoot: it is counted and shown. A limit per member is exact, as the rule itself keeps it.

Source: CMP-15.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max, Q

from campaigns.domain import effects
from campaigns.domain.effects import EffectKind
from campaigns.models import Campaign, CampaignBudget, CampaignVersion
from campaigns.models.campaign import RUNNING
from campaigns.services import budgets, campaign_rules
from rewards.models import Entry, RuleVersion
from rewards.models.rule import RuleState
from rewards.services import rule_publication

SYSTEM: Final = "system"
# No transaction that writes entries lasts as long: what is older is counted once and for all.
SETTLED_AFTER: Final = timedelta(hours=1)

logger = logging.getLogger(__name__)

_COUNT: Final = """
WITH found AS MATERIALIZED (
    SELECT e.id, e.recorded_at,
           CASE WHEN e.recorded_at < %(since)s THEN 0
                WHEN v.rule_id IS NULL THEN 0
                WHEN e.source = 'issuance' THEN e.points
                WHEN e.target = 'reversed' AND %(returns)s THEN -e.points ELSE 0 END points
    FROM rewards_entry e
    LEFT JOIN rewards_ruleversion v ON v.id = e.rule_id AND v.rule_id = ANY(%(rules)s)
    WHERE e.id > %(settled)s
), border AS (
    -- Never up to an id that nobody has seen: who holds it may still write.
    SELECT coalesce(max(id), %(settled)s) id FROM found
    WHERE recorded_at <= %(cutoff)s
      AND id < coalesce((SELECT min(id) FROM found WHERE recorded_at > %(cutoff)s), id + 1)
)
SELECT border.id, coalesce(sum(found.points) FILTER (WHERE found.id <= border.id), 0),
       coalesce(sum(found.points), 0)
FROM border LEFT JOIN found ON true GROUP BY border.id
"""


def has_any(version: CampaignVersion) -> bool:
    """Tell whether a version has multipliers."""
    return any(each.kind is EffectKind.MULTIPLIER for each in effects.parse(version.effects))


def begin(campaign: Campaign, version: CampaignVersion, *, actor: str, at: datetime) -> None:
    """Put the multipliers of a version in force, unless its budget is used.

    Raises: RuleDraftError, ConditionError, RuleError.
    """
    if has_any(version) and _is_used(campaign, version, at):
        campaign_rules.end(campaign, at=at)
    else:
        campaign_rules.begin(campaign, version, actor=actor, at=at)


def watch(*, at: datetime, recorded_at: datetime) -> int:
    """Count what multipliers have given, and end those whose budget is used; returns how many.

    Each campaign is a transaction of its own; one that fails keeps no other from it.
    """
    rows = Campaign.objects.filter(state__in=RUNNING, running__budget_points__isnull=False)
    wanted = rows.filter(running__effects__contains=[{"kind": EffectKind.MULTIPLIER.value}])
    ended = 0
    for pk in wanted.order_by("pk").values_list("pk", flat=True):
        try:
            ended += _watch(pk, at, recorded_at)
        except Exception:
            logger.exception("the multipliers of campaign %s could not be watched", pk)
    return ended


@transaction.atomic
def _watch(campaign_id: int, at: datetime, recorded_at: datetime) -> bool:
    rows = Campaign.objects.select_related("running")
    campaign = rows.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    version = campaign.running
    if version is None or not campaign.is_running:
        return False
    if _is_used(campaign, version, at, recorded_at):
        return campaign_rules.end(campaign, at=at) > 0
    is_over = version.ends_at is not None and version.ends_at <= rule_publication.earliest(at)
    if not is_over and not _in_force(campaign, at):
        # A new period of the budget has begun.
        campaign_rules.begin(campaign, version, actor=SYSTEM, at=at)
    return False


def _is_used(
    campaign: Campaign, version: CampaignVersion, at: datetime, recorded_at: datetime | None = None
) -> bool:
    """Count anew, and tell whether the budget is used; once it was, it stays so in its period."""
    budget = budgets.of_period(campaign, version, at)
    _count(campaign, version, budget, at, recorded_at or at)
    left = budgets.purse_of(budget).points
    budget.is_used_by_multipliers |= left is not None and left <= 0
    budget.save(
        update_fields=[
            "multiplied_points", "settled_points", "settled_entry", "is_used_by_multipliers"
        ]
    )  # fmt: skip
    return budget.is_used_by_multipliers


def _count(
    campaign: Campaign, version: CampaignVersion, budget: CampaignBudget, at: datetime,
    recorded_at: datetime,
) -> None:  # fmt: skip
    parameters: dict[str, Any] = {
        "rules": campaign_rules.ids_of(campaign), "settled": budget.settled_entry,
        "since": budgets.period_start(version.budget_period, at) or campaign.created_at,
        "cutoff": recorded_at - SETTLED_AFTER, "returns": version.returns_to_budget,
    }  # fmt: skip
    if not budget.settled_entry:
        budget.settled_entry = _first_entry(campaign, has_rules=bool(parameters["rules"]))
        parameters["settled"] = budget.settled_entry
    if not parameters["rules"]:
        return
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, parameters)
        border, settled, found = cursor.fetchone()
    budget.multiplied_points = max(0, budget.settled_points + found)
    budget.settled_points += settled
    budget.settled_entry = border


def _first_entry(campaign: Campaign, *, has_rules: bool) -> int:
    """Return up to which entry nothing counts: what another period has settled, or all there is."""
    settled = campaign.budgets.aggregate(last=Max("settled_entry"))["last"] or 0
    if settled or has_rules:
        return int(settled)
    return int(Entry.objects.aggregate(last=Max("pk"))["last"] or 0)


def _in_force(campaign: Campaign, at: datetime) -> bool:
    goes_on = Q(valid_until__isnull=True) | Q(valid_until__gt=at)
    return RuleVersion.objects.filter(
        goes_on, rule__in=campaign_rules.ids_of(campaign), state=RuleState.ACTIVE
    ).exists()
