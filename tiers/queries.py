"""Who stands where on the ladder, how far the next tier is, and what each tier is worth."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import F, Q

from config.base import clock
from tiers.domain import advice
from tiers.domain.ladder import LadderBook
from tiers.domain.qualification import TierFold
from tiers.models import Standing, StandingOverride, Tier, TierTerm

OVERRIDE: Final = "override"
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CurrentTier:
    """The tier that counts for a member at an instant.

    `until_on` is the last day on which it is kept, None where nothing ends it. `computed` is the
    tier underneath while one set by staff runs.
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


def overrides_in_force(member_ids: Collection[int], *, at: datetime) -> dict[int, StandingOverride]:
    """Return the tier set by staff of each member that has one at an instant; the latest counts."""
    running = StandingOverride.objects.filter(
        Q(revoked_at__isnull=True) | Q(revoked_at__gt=at),
        member_id__in=member_ids,
        from_at__lte=at,
        until_at__gt=at,
    )
    return {o.member_id: o for o in running.select_related("tier").order_by("from_at", "id")}


def current_tiers(member_ids: Collection[int], *, at: datetime) -> dict[int, CurrentTier]:
    """Return the tier that counts for each member, as it has been written."""
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


def effective(computed: CurrentTier, override: StandingOverride | None) -> CurrentTier:
    """Return the tier that counts: the one set by staff while it runs, else the computed one."""
    if override is None:
        return computed
    last_day = clock.local_day(override.until_at - _INSTANT)
    return CurrentTier(override.tier, override.from_at, last_day, OVERRIDE, computed.computed)


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
