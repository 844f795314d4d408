"""What became of a campaign's members, read in one pass over the orders since they were addressed.

Members are compared within the intake they came by and from the day on which that intake was
addressed: a campaign that was widened, or that members enter day by day, compares like with like.

Source: KPI-10, KPI-15.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from campaigns.domain import results
from campaigns.domain.results import Group, Results
from campaigns.kpis import reading
from campaigns.kpis.month_end import unit_cost
from campaigns.models import Arm, Campaign
from campaigns.services import campaign_rules
from config.base import clock

# Those held out are dealt out to the intakes of their day: each is compared once.
# An order counts when it is not cancelled and its net amount, after refunds, is positive. Its
# margin is known when each of its lines says what it cost; refunds take their share of the cost.
_OUTCOMES: Final = """
WITH intakes AS (
    SELECT (entered_at AT TIME ZONE %(zone)s)::date entered_on,
           (treated_at AT TIME ZONE %(zone)s)::date treated_on, min(treated_at) begins
    FROM campaigns_campaignmember
    WHERE campaign_id = %(campaign)s AND arm = 'treated'
    GROUP BY 1, 2
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY entered_on ORDER BY treated_on) - 1 number,
           count(*) OVER (PARTITION BY entered_on) of_day
    FROM intakes
), followed AS (
    SELECT c.arm, c.variant, c.member_id, i.entered_on, i.treated_on, i.begins
    FROM campaigns_campaignmember c
    JOIN numbered i ON i.entered_on = (c.entered_at AT TIME ZONE %(zone)s)::date
     AND CASE c.arm WHEN 'holdout' THEN i.number = c.member_id %% i.of_day
                    ELSE i.treated_on = (c.treated_at AT TIME ZONE %(zone)s)::date END
    WHERE c.campaign_id = %(campaign)s AND c.arm IN ('treated', 'holdout')
), bought AS (
    SELECT f.arm, f.variant, f.entered_on, f.treated_on, f.member_id, count(o.id) orders,
           coalesce(sum(o.net_amount), 0) net, coalesce(sum(l.margin), 0) margin,
           coalesce(sum(o.net_amount) FILTER (WHERE l.margin IS NOT NULL), 0) known
    FROM followed f
    LEFT JOIN members_order o
           ON o.member_id = f.member_id AND o.placed_at >= f.begins AND o.placed_at < %(until)s
          AND o.status <> 'cancelled' AND o.net_amount > 0
    LEFT JOIN LATERAL (
        SELECT CASE WHEN bool_and(i.cost IS NOT NULL)
                    THEN o.net_amount - sum(i.cost) * o.net_amount / o.sold_amount END margin
        FROM members_orderline i WHERE i.order_id = o.id AND o.sold_amount > 0
    ) l ON true
    GROUP BY f.arm, f.variant, f.entered_on, f.treated_on, f.member_id
)
SELECT arm, variant, entered_on, treated_on, count(*), count(*) FILTER (WHERE orders > 0),
       sum(orders), sum(net), sum(net * net), sum(margin), sum(margin * margin), sum(known)
FROM bought GROUP BY arm, variant, entered_on, treated_on
ORDER BY entered_on, treated_on, arm, variant
"""

_ARMS: Final = """
SELECT arm, count(*) FROM campaigns_campaignmember WHERE campaign_id = %(campaign)s GROUP BY arm
"""
_ACTS: Final = """
SELECT skipped, count(*), count(DISTINCT member_id),
       coalesce(sum(points) FILTER (WHERE undone_at IS NULL), 0),
       coalesce(sum(money) FILTER (WHERE undone_at IS NULL), 0)
FROM campaigns_campaignact
WHERE campaign_id = %(campaign)s AND at < %(until)s GROUP BY skipped
"""
_MESSAGES: Final = """
SELECT state, reason, count(*) FROM campaigns_message
WHERE trigger = %(trigger)s GROUP BY state, reason
"""
_REACHED: Final = """
SELECT count(DISTINCT member_id) FROM campaigns_message
WHERE trigger = %(trigger)s AND state IN ('sent', 'delivered')
"""
# A campaign of another system has recorded what was redeemed, and no coupon of ours.
_COUPONS: Final = """
SELECT count(*), count(*) FILTER (WHERE c.used > 0 OR (e ->> 'redeemed')::boolean)
FROM campaigns_campaignact a
CROSS JOIN LATERAL jsonb_array_elements(a.effects) e
LEFT JOIN rewards_coupon c
       ON c.public_id = CASE WHEN e ->> 'kind' = 'coupon' THEN (e ->> 'id')::uuid END
WHERE a.campaign_id = %(campaign)s AND a.at < %(until)s AND e ->> 'kind' = 'coupon'
"""
# A multiplier acts by itself on what is bought: what its rule has issued, less what was taken back.
_RULES: Final = """
SELECT coalesce(sum(CASE WHEN e.source = 'issuance' THEN e.points
                         WHEN e.target = 'reversed' THEN -e.points ELSE 0 END), 0)
FROM rewards_entry e
JOIN rewards_ruleversion v ON v.id = e.rule_id JOIN rewards_rule r ON r.id = v.rule_id
WHERE r.code = ANY(%(rules)s) AND e.occurred_at < %(until)s
"""


@dataclass(frozen=True, slots=True)
class Acts:
    """What a campaign gave. Units: points; money in the currency; `skipped` counts by reason."""

    acts: int
    members: int
    points: int
    money: Decimal
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages of a campaign by state, and how many members one of them was handed out for."""

    by_state: Mapping[str, int]
    reasons: Mapping[str, int]
    reached: int


def outcomes(campaign: Campaign, *, until: datetime) -> tuple[list[Group], list[Group]]:
    """Return what members did since their intake was addressed: those addressed, the hold-out."""
    found: dict[str, list[Group]] = {Arm.TREATED: [], Arm.HOLDOUT: []}
    for arm, variant, entered_on, treated_on, *figures in _rows(_OUTCOMES, campaign, until):
        found[arm].append(Group((entered_on, treated_on), variant, *figures))
    return found[Arm.TREATED], found[Arm.HOLDOUT]


def arms(campaign: Campaign, *, until: datetime) -> dict[str, int]:
    """Return how many members are in which arm."""
    return dict(_rows(_ARMS, campaign, until))


def acts(campaign: Campaign, *, until: datetime) -> Acts:
    """Return what the campaign gave and why it did not."""
    rows = list(_rows(_ACTS, campaign, until))
    given = next((row for row in rows if not row[0]), ("", 0, 0, 0, Decimal(0)))
    skipped = {reason: count for reason, count, *_ in rows if reason}
    points = given[3] + next(_rows(_RULES, campaign, until))[0]
    return Acts(given[1], given[2], int(points), given[4], skipped)


def messages(campaign: Campaign, *, until: datetime) -> Sent:
    """Return what became of the campaign's messages."""
    by_state: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for state, reason, count in _rows(_MESSAGES, campaign, until):
        by_state[state] = by_state.get(state, 0) + count
        if reason:
            reasons[reason] = reasons.get(reason, 0) + count
    return Sent(by_state, reasons, next(_rows(_REACHED, campaign, until))[0])


def coupons(campaign: Campaign, *, until: datetime) -> tuple[int, int]:
    """Return how many coupons were given, and how many of them redeemed."""
    given, redeemed = next(_rows(_COUPONS, campaign, until))
    return given, redeemed


def _rows(statement: str, campaign: Campaign, until: datetime) -> Iterator[Any]:
    parameters = {
        "campaign": campaign.pk, "until": until, "zone": str(clock.zone()),
        "trigger": f"campaign:{campaign.code}",
        "rules": campaign_rules.codes_of(campaign),
    }  # fmt: skip
    return iter(reading.rows(statement, parameters))


def assess(campaign: Campaign, *, at: datetime) -> Results:
    """Return what a campaign's results say up to an instant, or up to its end."""
    until = min(at, campaign.ended_at or at)
    treated, holdout = outcomes(campaign, until=until)
    in_arms = arms(campaign, until=until)
    given = acts(campaign, until=until)
    cost = given.money + given.points * unit_cost(reading.last_day(until))
    percent = campaign.running.holdout_percent if campaign.running else 0
    return results.assess(
        treated=treated, holdout=holdout, cost=cost, holdout_share=percent / 100,
        assigned=(
            in_arms.get(Arm.TREATED, 0) + in_arms.get(Arm.WAITING, 0), in_arms.get(Arm.HOLDOUT, 0)
        ),
    )  # fmt: skip
