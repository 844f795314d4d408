"""Who stands where on the ladder, how far the next tier is, and what each tier is worth."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import F, Q

from config.base import clock
from tiers.domain import advice
from tiers.domain.entitlements import (
    Claim,
    in_order,
    period_end,
    period_start,
    soonest,
    total_left,
)
from tiers.domain.ladder import LadderBook
from tiers.domain.qualification import TierFold
from tiers.models import (
    Benefit,
    Entitlement,
    EntitlementPeriod,
    Standing,
    StandingOverride,
    Tier,
    TierTerm,
)

OVERRIDE: Final = "override"
FLOOR: Final = "paid_membership"
LAID_OVER: Final = frozenset({OVERRIDE, FLOOR})
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CurrentTier:
    """The tier that counts for a member at an instant.

    `until_on` is the last day on which it is kept, None where nothing ends it. `computed` is the
    tier underneath while one set by staff, or bought, runs.
    """

    tier: Tier
    since_at: datetime
    until_on: date | None
    reason: str
    computed: Tier


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies ahead of a member: progress to the next tier, and what keeps the present one."""

    tier: str
    rank: int
    since_at: datetime
    kept_until_on: date | None
    reason: str | None
    progress: list[dict[str, Any]]
    cheapest: list[dict[str, Any]]
    retention: list[dict[str, Any]]


def tiers_by_code() -> dict[str, Tier]:
    """Return all tiers by code."""
    return {tier.code: tier for tier in Tier.objects.all()}


def stored_standings(member_ids: Collection[int], *, at: datetime) -> dict[int, Standing]:
    """Return the standing of each member at an instant, as it has been written."""
    standings = Standing.objects.filter(member_id__in=member_ids, from_at__lte=at)
    current = standings.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at))
    return {s.member_id: s for s in current.select_related("tier").order_by("from_at")}


@dataclass(frozen=True, slots=True)
class InForce:
    """What is laid over a member's computed tier: one set by staff, and the highest floor."""

    fixed: StandingOverride | None = None
    floor: StandingOverride | None = None


def overrides_in_force(member_ids: Collection[int], *, at: datetime) -> dict[int, InForce]:
    """Return what is laid over the tier of each member at an instant, where anything is."""
    running = StandingOverride.objects.filter(
        Q(revoked_at__isnull=True) | Q(revoked_at__gt=at),
        member_id__in=member_ids,
        from_at__lte=at,
        until_at__gt=at,
    )
    found: dict[int, list[StandingOverride]] = {}
    for override in running.select_related("tier").order_by("from_at", "id"):
        found.setdefault(override.member_id, []).append(override)
    return {member_id: in_force(overrides) for member_id, overrides in found.items()}


def in_force(overrides: Iterable[StandingOverride]) -> InForce:
    """Return which of the running overrides count: the last one set, and the highest floor."""
    fixed: StandingOverride | None = None
    floor: StandingOverride | None = None
    for override in overrides:
        if not override.is_floor:
            fixed = override
        elif floor is None or override.tier.rank >= floor.tier.rank:
            floor = override
    return InForce(fixed, floor)


def current_tiers(
    member_ids: Collection[int], *, at: datetime, overrides: Mapping[int, InForce] | None = None
) -> dict[int, CurrentTier]:
    """Return the tier that counts for each member, as it has been written.

    `overrides` are those in force, where they have been read already.
    """
    if overrides is None:
        overrides = overrides_in_force(member_ids, at=at)
    return {
        member_id: effective(of_standing(standing), overrides.get(member_id))
        for member_id, standing in stored_standings(member_ids, at=at).items()
    }


def of_standing(standing: Standing) -> CurrentTier:
    """Return a standing as a current tier."""
    return CurrentTier(
        standing.tier, standing.from_at, standing.kept_until_on, standing.reason, standing.tier
    )


def effective(computed: CurrentTier, overrides: InForce | None) -> CurrentTier:
    """Return the tier that counts: the one set by staff, else the computed one; at least a floor.

    Source: TIR-11, BEN-16.
    """
    if overrides is None:
        return computed
    current = computed if overrides.fixed is None else _laid_over(computed, overrides.fixed)
    floor = overrides.floor
    if floor is not None and floor.tier.rank > current.tier.rank:
        return _laid_over(computed, floor)
    return current


def _laid_over(computed: CurrentTier, override: StandingOverride) -> CurrentTier:
    last_day = clock.local_day(override.until_at - _INSTANT)
    reason = FLOOR if override.is_floor else OVERRIDE
    return CurrentTier(override.tier, override.from_at, last_day, reason, computed.computed)


def outlook(fold: TierFold, *, book: LadderBook, at: datetime) -> Outlook:
    """Return what lies ahead of a member; what is due by then is included, the fold stays as it is.

    Source: TIR-07, design §5.2.
    """
    settled = fold.copy()
    settled.settle(at, book)
    begun = [change for change in settled.changes if change.begins_standing]
    return Outlook(
        tier=settled.ladder(book).tier(settled.rank).code,
        rank=settled.rank,
        since_at=settled.since_at,
        kept_until_on=settled.kept_until_on,
        reason=begun[-1].reason.value if begun else None,
        progress=advice.progress_report(fold, book, at),
        cheapest=advice.cheapest_path(fold, book, at),
        retention=advice.retention_report(fold, book, at),
    )


def terms_of(tier_id: int, *, at: datetime) -> TierTerm | None:
    """Return what a tier is worth under the ladder in force at an instant."""
    in_force = TierTerm.objects.filter(
        Q(ladder__effective_from__isnull=True) | Q(ladder__effective_from__lte=at),
        tier_id=tier_id,
    )
    return in_force.order_by(F("ladder__effective_from").desc(nulls_last=True)).first()


@dataclass(frozen=True, slots=True)
class BenefitLeft:
    """A benefit that a member has now, and what is left of it in the present period.

    Several claims to one benefit count together; `quota` and `left` are None without limit.
    `period` and `until_at` are those of the claim that is used next.
    """

    code: str
    name_zh: str
    name_en: str
    quota: int | None
    left: int | None
    period: str
    until_at: datetime | None
    description_zh: str
    description_en: str


def _open_entitlements(members: Collection[int], at: datetime) -> list[Entitlement]:
    """Return the open entitlements with the latest period of each, in two statements."""
    rows = Entitlement.objects.filter(
        Q(until_at__isnull=True) | Q(until_at__gt=at),
        member_id__in=members, ended_at__isnull=True, from_at__lte=at,
    )  # fmt: skip
    return list(rows.select_related("benefit", "member", "terms").order_by("benefit__code", "id"))


def _latest_periods(entitlements: Iterable[Entitlement]) -> dict[int, EntitlementPeriod]:
    limited = [each.pk for each in entitlements if each.quota is not None]
    if not limited:
        return {}
    latest = EntitlementPeriod.objects.filter(entitlement_id__in=limited)
    latest = latest.order_by("entitlement_id", "-starts_on").distinct("entitlement_id")
    return {period.entitlement_id: period for period in latest}


def _claim(row: Entitlement, latest: EntitlementPeriod | None, at: datetime) -> Claim:
    joined_at = row.member.joined_at
    starts_on = period_start(row.period, at=at, from_at=row.from_at, joined_at=joined_at)
    counts = latest is not None and latest.starts_on == starts_on
    taken = latest.held + latest.used if latest is not None and counts else 0
    ends = soonest(row.until_at, period_end(row.period, at=at, joined_at=joined_at))
    return Claim(row.pk, row.quota, taken, starts_on, ends)


def _claims(
    members: Collection[int], at: datetime, held: Mapping[int, int] | None = None
) -> list[tuple[Entitlement, Claim]]:
    rows = [row for row in _open_entitlements(members, at) if _counts(row, held)]
    latest = _latest_periods(rows)
    return [(row, _claim(row, latest.get(row.pk), at)) for row in rows]


def _counts(row: Entitlement, held: Mapping[int, int] | None) -> bool:
    """Say whether a claim still counts: one of a tier that time has just ended does not."""
    if held is None or row.terms is None or row.until_at is not None:
        return True
    return row.terms.tier_id == held.get(row.member_id)


def claims(members: Collection[int], at: datetime) -> dict[int, dict[str, list[Claim]]]:
    """Return the claims of each member to each benefit that is had at an instant."""
    found: dict[int, dict[str, list[Claim]]] = {}
    for row, claim in _claims(members, at):
        found.setdefault(row.member_id, {}).setdefault(row.benefit.code, []).append(claim)
    return found


def benefits_left(
    members: Collection[int], at: datetime, held: Mapping[int, int] | None = None
) -> dict[int, list[BenefitLeft]]:
    """Return what each member has of every benefit now, in the order of their codes.

    `held` are the tiers that count now, where the caller knows them: what has not yet followed a
    tier that time has ended is left out.
    Source: BEN-14, SVC-01.
    """
    found: dict[int, dict[str, list[tuple[Entitlement, Claim]]]] = {m: {} for m in members}
    for row, claim in _claims(members, at, held):
        found[row.member_id].setdefault(row.benefit.code, []).append((row, claim))
    return {member: [_left(mine) for mine in by_code.values()] for member, by_code in found.items()}


def _left(mine: list[tuple[Entitlement, Claim]]) -> BenefitLeft:
    rows = {row.pk: row for row, _claim in mine}
    claims = in_order(claim for _row, claim in mine)
    following = next((claim for claim in claims if claim.left != 0), claims[-1])
    quotas = [row.quota for row in rows.values()]
    total = None if None in quotas else sum(quota or 0 for quota in quotas)
    row = rows[following.entitlement]
    benefit: Benefit = row.benefit
    return BenefitLeft(
        benefit.code, benefit.name_zh, benefit.name_en, total, total_left(claims), row.period,
        row.until_at, benefit.description_zh, benefit.description_en,
    )  # fmt: skip
