"""What a merge moves of tiers and benefits: progress, the tier held, claims and their uses.

Source: MEM-04.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from config.base import money
from tiers import queries
from tiers.domain.progress import ProgressDelta, ProgressMetric
from tiers.models import Entitlement, EntitlementSource, MembershipStatus, PaidMembership
from tiers.services import entitlements

ACTOR: Final = "system:merge"

# A member's days are local; what lies ahead (a till whose clock is fast) counts today.
_PROGRESS: Final = """
SELECT least((p.at AT TIME ZONE %(zone)s)::date, %(today)s), p.metric, sum(p.amount)
FROM tiers_progressentry p
LEFT JOIN members_receivedfact f ON f.id = p.fact_id
WHERE p.member_id = %(member)s
  AND (%(refs)s::text IS NULL
       OR (f.kind = 'interaction' AND f.source = 'merge' AND f.member_id = %(member)s
           AND f.ref LIKE %(refs)s))
GROUP BY 1, 2 HAVING sum(p.amount) <> 0 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class MovedBenefits:
    """Claims that have gone over, and uses that were counted again on the survivor's own."""

    entitlements: Sequence[int]
    uses: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return it fit for JSON."""
        return {"entitlements": list(self.entitlements), "uses": list(self.uses)}


def progress_of(member: int, *, today: date, merge: int | None = None) -> tuple[ProgressDelta, ...]:
    """Return a member's progress by local day, all or only what came with a merge."""
    parameters = {
        "member": member, "today": today, "zone": settings.TIME_ZONE,
        "refs": None if merge is None else f"{merge}:%",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS, parameters)
        rows = cursor.fetchall()
    return tuple(ProgressDelta(ProgressMetric(m), _amount(m, a), on) for on, m, a in rows)


def _amount(metric: str, amount: Any) -> int:
    return money.to_minor(amount) if metric == ProgressMetric.SPEND else int(amount)


def has_running_membership(member: int, *, at: datetime) -> bool:
    """Say whether a paid membership of the member runs or is still to begin."""
    open_ones = (MembershipStatus.ACTIVE, MembershipStatus.CANCELLED)
    rows = PaidMembership.objects.filter(member_id=member, status__in=open_ones, until_at__gt=at)
    return rows.exists()


def used_by_tier(member: int, *, at: datetime) -> dict[str, int]:
    """Return how many uses of what a tier gives the member has made in the present periods."""
    of_tier = Entitlement.objects.filter(member_id=member, source=EntitlementSource.TIER)
    ours = set(of_tier.values_list("pk", flat=True))
    found: dict[str, int] = {}
    for code, claims in queries.claims([member], at=at).get(member, {}).items():
        taken = sum(c.taken for c in claims if c.entitlement in ours and c.quota is not None)
        if taken:
            found[code] = taken
    return found


def take_over(*, away: int, into: int, used: dict[str, int], at: datetime) -> MovedBenefits:
    """Give the survivor the claims that no tier gave, and count uses of a tier's claims again.

    What a tier gives, the survivor has by its own tier; so that nobody has a quota twice, what the
    merged member used of it is used. Its claims of a tier rest until the merge is undone.
    """
    uses: list[str] = []
    for code, taken in used.items():
        mine = queries.claims([into], at=at).get(into, {}).get(code, ())
        left = sum(claim.left or 0 for claim in mine)
        if count := min(taken, left):
            made = entitlements.use(member=into, code=code, uses=count, at=at, actor=ACTOR)
            uses += [str(each.public_id) for each in made]
    others = Entitlement.objects.filter(member_id=away).exclude(source=EntitlementSource.TIER)
    moved = list(others.values_list("pk", flat=True))
    Entitlement.objects.filter(pk__in=moved).update(member_id=into)
    return MovedBenefits(moved, uses)


def give_back(*, away: int, moved: Collection[int], uses: Collection[str], at: datetime) -> None:
    """Return claims, and the uses that were counted again, when a merge is undone."""
    Entitlement.objects.filter(pk__in=list(moved)).update(member_id=away)
    for use in uses:
        entitlements.give_back(use=UUID(use), at=at, actor=ACTOR)
