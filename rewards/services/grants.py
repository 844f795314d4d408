"""Gifts that follow from orders and from entering tiers, in the transaction of the batch.

Nothing is asked where no grant rule could give anything for what has happened.

Source: ENG-06, RWD-04, PTS-13, design §5.4 (3), §5.5 (history).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import Q

from config.base import bulk, clock, money
from rewards.domain import fields
from rewards.domain import grants as deciding
from rewards.domain.grants import (
    GrantSpec,
    Repeat,
    StepMetric,
    StepMode,
    Trigger,
    Wanted,
)
from rewards.domain.subjects import MemberFacts, condition_facts
from rewards.models import Grant
from rewards.models.grant import GrantStatus
from rewards.services import giving, member_facts
from rewards.services.giving import Given
from rewards.services.happened import NO_FACT, Happened, OrderNews, TierNews

WITHDRAWN: Final = "qualification_withdrawn"
MEMBERSHIP_REFUNDED: Final = "membership_refunded"
MEMBERSHIP: Final = "paid_membership"
UNDOING: Final = frozenset({WITHDRAWN, MEMBERSHIP_REFUNDED})
NO_LONGER_REACHED: Final = "no_longer_reached"
STEP_REPLACED: Final = "step_replaced"

_NOTHING: Final = Decimal(0)


_SUMS = """
SELECT k.place,
       CASE WHEN k.metric = 'orders' THEN nullif(count(o.id), 0)
            WHEN count(o.id) > 0 THEN sum(o.qualifying_amount) END
FROM json_to_recordset(%(windows)s::json) AS k (
    place int, member bigint, metric text, first timestamptz, "end" timestamptz)
LEFT JOIN members_order o ON o.member_id = k.member AND o.status <> 'cancelled'
 AND o.net_amount > 0 AND (k.first IS NULL OR o.placed_at >= k.first)
 AND (k."end" IS NULL OR o.placed_at < k."end")
GROUP BY k.place, k.metric
"""

_MEMBERS = f"""
SELECT m.id, {member_facts.COLUMNS}
FROM members_member m LEFT JOIN members_memberprofile p ON p.member_id = m.id
WHERE m.id = ANY(%s::bigint[])
"""  # noqa: S608 - column names


@dataclass(slots=True)
class _Case:
    """One order and one rule that it might give something by, or lose something of.

    `value` is what its window adds up to, None where nothing in it counts.
    """

    news: OrderNews
    spec: GrantSpec
    window: str
    first: date | None
    end: date | None
    value: Decimal | None = None
    applies: bool = False

    @property
    def wanted(self) -> list[Wanted]:
        if self.value is None or not (self.news.counts and self.applies):
            return []
        state = self.news.state
        return deciding.of_order(
            self.spec, member=self.news.member, order=self.news.order,
            placed_at=state.placed_at, value=self.value,
        )  # fmt: skip


def follow_grants(happened: Happened) -> None:
    """Give what follows from the batch and take back what no longer does.

    History gives nothing: the past has had its gifts.
    """
    book = happened.book.grants
    if happened.is_history:
        return
    if book.has(Trigger.TIER_ENTERED):
        _follow_entries(happened)
        _follow_withdrawals(happened)
    if book.has(Trigger.ORDER):
        _follow_orders(happened)


# Entering tiers


def _follow_entries(happened: Happened) -> None:
    found: list[tuple[TierNews, GrantSpec]] = []
    for news in happened.tiers:
        if news.rank_before is not None and news.rank > news.rank_before:
            specs = happened.book.grants.at(Trigger.TIER_ENTERED, news.at)
            found += [(news, spec) for spec in specs if spec.tier == news.tier]
    if not found:
        return
    facts = _facts_of({news.member for news, spec in found if spec.asks_member})
    latest = _latest_grants([pair for pair in found if pair[1].repeat is Repeat.CYCLE])
    wanted: list[Wanted] = []
    for news, spec in found:
        last = latest.get((news.member, spec.rule))
        days = happened.book.ladders.at(news.at).validity_days
        in_cycle = last is not None and not deciding.cycle_is_over(last, news.at, days)
        if not in_cycle and _applies_to_member(happened, news, spec, facts):
            wanted += deciding.of_tier(
                spec, member=news.member, rank=news.rank, at=news.at,
                evidence={"reason": news.reason},
            )  # fmt: skip
    for given in giving.give(wanted, at=happened.at, actor=happened.actor):
        _tell(happened, given, happened.fact_of_member.get(given.grant.member_id))


def _latest_grants(pairs: Sequence[tuple[TierNews, GrantSpec]]) -> dict[tuple[int, int], datetime]:
    """Return when each of these members last entered a tier for a gift that is not undone whole."""
    if not pairs:
        return {}
    rows = (
        Grant.objects.filter(
            member_id__in={news.member for news, _spec in pairs},
            rule_id__in={spec.rule for _news, spec in pairs},
        )
        .filter(Q(status=GrantStatus.GIVEN) | Q(evidence__has_key=giving.KEPT))
        .order_by("given_at")
    )
    return {
        (row.member_id, row.rule_id): datetime.fromisoformat(row.evidence["entered_at"])
        for row in rows
    }


def _applies_to_member(
    happened: Happened, news: TierNews, spec: GrantSpec, facts: dict[int, MemberFacts]
) -> bool:
    if spec.applies is None:
        return True
    known: dict[str, object] = {"member.tier": news.tier, "member.rank": news.rank}
    if news.member in facts:
        tier = happened.book.tier_at(news.at, news.rank)
        known = condition_facts(facts[news.member], tier, news.at)
    return spec.applies(known)


def _follow_withdrawals(happened: Happened) -> None:
    """Take back what was given for entries that a refund has undone.

    Source: design §5.4 (3).
    """
    undone = {n.member: n for n in happened.tiers if n.reason in UNDOING}
    if not undone:
        return
    rows = Grant.objects.filter(
        member_id__in=undone, status=GrantStatus.GIVEN, version__trigger=Trigger.TIER_ENTERED
    ).select_related("rule", "version__tier")
    gone: dict[str, list[Grant]] = defaultdict(list)
    for grant in rows.order_by("member_id", "pk"):
        news = undone[grant.member_id]
        if _is_undone(happened, grant, news):
            gone[news.reason].append(grant)
    for reason, grants in gone.items():
        happened.moved_points |= giving.revoke(
            grants, reason=reason, at=happened.at, actor=happened.actor,
            facts={k: v for k, v in happened.fact_of_member.items() if v != NO_FACT},
        )  # fmt: skip


def _is_undone(happened: Happened, grant: Grant, news: TierNews) -> bool:
    """Say whether a gift was for what is undone: an entry that was earned lately, or one bought."""
    tier = grant.version.tier
    if tier is None or tier.rank <= news.rank:
        return False
    is_bought = grant.evidence["reason"] == MEMBERSHIP
    if news.reason == MEMBERSHIP_REFUNDED:
        return bool(is_bought)
    days = happened.book.ladders.at(news.at).withdraw_days
    since = clock.local_day(news.at) - timedelta(days=days)
    entered_at = datetime.fromisoformat(grant.evidence["entered_at"])
    return not is_bought and clock.local_day(entered_at) >= since


# Orders


def _follow_orders(happened: Happened) -> None:
    cases = [case for news in happened.orders for case in _cases(happened, news)]
    if not cases:
        return
    _judge(happened, cases)
    _add_up(cases)
    given = giving.give(
        [each for case in cases for each in case.wanted], at=happened.at, actor=happened.actor
    )
    facts = {news.order: news.fact for news in happened.orders if news.counts}
    for each in given:
        _tell(happened, each, facts.get(each.grant.order_id or 0))
    _take_back(happened, cases, {each.grant.pk for each in given})


def _cases(happened: Happened, news: OrderNews) -> Iterable[_Case]:
    if not (news.counts or news.counted_before):
        return
    for spec in happened.book.grants.at(Trigger.ORDER, news.state.placed_at):
        yield _Case(news, spec, *deciding.order_window(spec, news.order, news.state.placed_at))


def _judge(happened: Happened, cases: Sequence[_Case]) -> None:
    """Decide by the order itself whether it may give something."""
    facts = _facts_of({case.news.member for case in cases if case.spec.asks_member})
    for case in cases:
        applies = case.spec.applies
        case.applies = applies is None or (
            case.news.counts and applies(_order_facts(case.news, facts.get(case.news.member)))
        )


def _order_facts(news: OrderNews, member: MemberFacts | None) -> dict[str, object]:
    state = news.state
    assert state.version is not None
    assert state.net is not None
    known = fields.order_facts(
        state.version, source=state.source, net=state.net.net, spend=state.net.spend,
        local=clock.local(state.placed_at),
    )  # fmt: skip
    known |= {"member.tier": state.tier.code, "member.rank": state.tier.rank}
    if member is not None:
        known |= condition_facts(member, state.tier, state.placed_at)
    return known


def _add_up(cases: Sequence[_Case]) -> None:
    """Find what the window of each case adds up to: one statement for all that need one."""
    windows = []
    for place, case in enumerate(cases):
        if case.spec.is_cumulative:
            windows.append(_window_row(place, case))
        elif case.news.counts and case.applies:
            is_spend = case.spec.step_metric is StepMetric.SPEND
            spend = money.from_minor(case.news.state.counted.spend)
            case.value = spend if is_spend else Decimal(1)
    if not windows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"windows": orjson.dumps(windows).decode()})
        for place, value in cursor.fetchall():
            cases[place].value = None if value is None else Decimal(value)


def _window_row(place: int, case: _Case) -> dict[str, Any]:
    return {
        "place": place,
        "member": case.news.member,
        "metric": case.spec.step_metric.value,
        "first": case.first and clock.day_start(case.first),
        "end": case.end and clock.day_start(case.end),
    }


def _take_back(happened: Happened, cases: Sequence[_Case], given: set[int]) -> None:
    """Revoke steps that are no longer reached, and those that a higher one has taken over."""
    doubtful = [case for case in cases if case.news.counted_before or _may_replace(case)]
    if not doubtful:
        return
    by_window: dict[tuple[int, int, str], _Case] = {
        (case.news.member, case.spec.rule, case.window): case for case in doubtful
    }
    rows = Grant.objects.filter(
        member_id__in={case.news.member for case in doubtful},
        rule_id__in={case.spec.rule for case in doubtful},
        evidence__window__in={case.window for case in doubtful},
        status=GrantStatus.GIVEN,
    ).select_related("rule", "step")
    gone: dict[str, list[Grant]] = defaultdict(list)
    for grant in rows.order_by("member_id", "pk"):
        case = by_window.get((grant.member_id, grant.rule_id, grant.evidence["window"]))
        if case is not None and (reason := _why_gone(grant, case)):
            gone[reason].append(grant)
    for reason, grants in gone.items():
        happened.moved_points |= giving.revoke(
            grants, reason=reason, at=happened.at, actor=happened.actor,
            facts=happened.fact_of_member, asks_return=reason == NO_LONGER_REACHED,
        )  # fmt: skip


def _may_replace(case: _Case) -> bool:
    """Say whether the step reached is one that takes the place of a lower one."""
    spec = case.spec
    is_highest = spec.step_mode is StepMode.HIGHEST and len(spec.steps) > 1
    value = case.value or _NOTHING
    return is_highest and len([step for step in spec.steps if step.threshold <= value]) > 1


def _why_gone(grant: Grant, case: _Case) -> str:
    threshold = _NOTHING if grant.step is None else grant.step.threshold
    if case.value is None or case.value < threshold:
        return NO_LONGER_REACHED
    reached = case.spec.reached(case.value)
    if case.spec.step_mode is StepMode.HIGHEST and reached[-1].threshold > threshold:
        return STEP_REPLACED
    return ""


def _facts_of(members: set[int]) -> dict[int, MemberFacts]:
    if not members:
        return {}
    rows = bulk.fetch(_MEMBERS, [sorted(members)])
    return {row[0]: member_facts.read(row[1:]) for row in rows}


def _tell(happened: Happened, given: Given, fact: int | None) -> None:
    if given.moved_points:
        happened.moved_points.add(given.grant.member_id)
    if fact is not None:
        for item in given.issued:
            happened.tell_issued(fact, {**item, "gift": given.grant.rule.code})
