"""How large a campaign's audience is, what it would cost, and what it has done."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum

from campaigns.domain import assignment, effects
from campaigns.domain.effects import Cost
from campaigns.models import (
    Arm,
    Campaign,
    CampaignAct,
    CampaignBudget,
    CampaignMember,
    CampaignVersion,
)
from campaigns.services import assigning, budgets, giving
from rewards import programme_words


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a version would address now. Units: members; cost of one act for everybody."""

    audience: int
    excluded: int
    holdout: int
    addressed: int
    each: Cost
    cost: Cost

    @property
    def eligible(self) -> int:
        """Return the audience without those excluded."""
        return self.audience - self.excluded


def preview(version: CampaignVersion, percent: int, at: datetime) -> Preview:
    """Return how many members a version addresses at a stage, and what one act each costs.

    Of several variants the dearest counts; the global hold-out is not taken off.
    Source: CMP-02, CMP-17.
    """
    audience = assigning.audience_of(version, at)
    statement = f"SELECT count(*), count(*) FILTER (WHERE excluded) FROM ({audience.statement}) a"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, audience.parameters)
        everybody, excluded = cursor.fetchone()
    holdout = assignment.share(everybody - excluded, version.holdout_percent)
    addressed = assignment.share(everybody - excluded - holdout, percent)
    each = cost_of_act(version)
    cost = Cost(each.points * addressed, each.money * addressed)
    return Preview(everybody, excluded, holdout, addressed, each, cost)


def cost_of_act(version: CampaignVersion) -> Cost:
    """Return what one act costs at most, by what effects say or what they name is worth."""
    parsed = effects.parse(version.effects)
    worth = giving.catalogue(parsed).worth()
    variants = [each.code for each in effects.parse_variants(version.variants)] or [""]
    costs = [effects.cost(effects.given(parsed, variant), worth) for variant in variants]
    return Cost(max(each.points for each in costs), max(each.money for each in costs))


@dataclass(frozen=True, slots=True)
class Funnel:
    """What has become of a campaign. Units: members by arm; acts; points; money."""

    arms: dict[str, int]
    acts: int
    members: int
    skipped: dict[str, int]
    points: int
    money: Decimal
    budget: CampaignBudget | None

    @property
    def audience(self) -> int:
        """Return all members that were ever in the audience, excluded ones too."""
        return sum(self.arms.values())


def funnel(campaign: Campaign, at: datetime) -> Funnel:
    """Return the numbers of a campaign: who is in which arm, and what was given."""
    arms = CampaignMember.objects.filter(campaign=campaign).values_list("arm")
    acts = CampaignAct.objects.filter(campaign=campaign)
    given = acts.filter(skipped="", undone_at=None).aggregate(
        acts=Count("pk"), members=Count("member", distinct=True), points=Sum("points"),
        money=Sum("money"),
    )  # fmt: skip
    skipped = acts.exclude(skipped="").values_list("skipped").annotate(n=Count("pk")).order_by()
    version = campaign.running
    period = "" if version is None else budgets.period_of(version.budget_period, at)
    return Funnel(
        dict(arms.annotate(n=Count("pk")).order_by()), given["acts"], given["members"],
        dict(skipped), given["points"] or 0, given["money"] or Decimal(0),
        CampaignBudget.objects.filter(campaign=campaign, period=period).first(),
    )  # fmt: skip


def of_member(member_id: int) -> list[tuple[CampaignMember, int]]:
    """Return the campaigns that run and have a member in their audience, with the acts for them."""
    rows = CampaignMember.objects.filter(
        member=member_id, campaign__state__in=["pilot", "live", "paused"], left_at=None
    ).select_related("campaign")
    acts = dict(
        CampaignAct.objects.filter(member=member_id, skipped="", undone_at=None)
        .values_list("campaign_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [(row, acts.get(row.campaign_id, 0)) for row in rows.order_by("campaign__code")]


def terms_in_force(at: datetime) -> list[dict[str, Any]]:
    """Return the terms that campaigns have published and that hold at an instant, for everybody.

    Those of a campaign that pauses hold for what it has given, and are told too.
    Source: LEG-02.
    """
    rows = CampaignVersion.objects.filter(published_at__lte=at).select_related("campaign")
    goes_on = Q(campaign__ended_at=None) | Q(campaign__ended_at__gt=at)
    newest = rows.filter(goes_on).order_by("campaign__code", "-number").distinct("campaign__code")
    return [_terms(row) for row in newest if (row.terms_zh or row.terms_en) and _holds(row, at)]


def _holds(version: CampaignVersion, at: datetime) -> bool:
    has_begun = version.starts_at is None or version.starts_at <= at
    return has_begun and (version.ends_at is None or at < version.ends_at)


def _terms(version: CampaignVersion) -> dict[str, Any]:
    campaign = version.campaign
    return {
        "code": campaign.code,
        "version": version.number,
        "name": programme_words.words_of(campaign.name_zh, campaign.name_en),
        "terms_version": version.terms_version,
        "terms": programme_words.words_of(version.terms_zh, version.terms_en),
        "published_at": version.published_at,
        "starts_at": version.starts_at,
        "ends_at": version.ends_at,
    }


def is_addressed(row: CampaignMember) -> bool:
    """Tell whether a campaign addresses a member: all that is said of arms at the service desk."""
    return row.arm == Arm.TREATED
