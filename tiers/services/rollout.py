"""What time alone, or a change of what tiers give, does to members' benefits.

Each slice is a transaction of its own, so that a run that is cut off goes on where it was.

Source: BEN-17, BEN-18, design §5.2.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When

from members.models import Member
from tiers.models import BenefitRollout, StandingOverride
from tiers.services import following
from tiers.services.following import SLICE, follow_tiers

ACTOR: Final = "system"

_TERMS = """
SELECT coalesce(md5(string_agg(format('%%s:%%s:%%s', b.tier_id, b.benefit_id, b.id), ';'
                               ORDER BY b.id)), '')
FROM tiers_tierbenefit b JOIN tiers_benefit n ON n.id = b.benefit_id AND n.is_active
WHERE (b.effective_from IS NULL OR b.effective_from <= %(at)s)
  AND (b.effective_until IS NULL OR b.effective_until > %(at)s)
"""


def sync_all(
    *, at: datetime, recorded_at: datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """Let every member meet what tiers give now, once after each change; returns how many did."""
    rollout = _rollout(at, recorded_at)
    if rollout.done_at is not None:
        return 0
    total = 0 if progress is None else Member.objects.filter(pk__gt=rollout.last_member_id).count()
    done = 0
    while count := _roll_on(rollout.pk, recorded_at):
        done += count
        if progress is not None:
            progress(done, max(total, done))
    BenefitRollout.objects.filter(pk=rollout.pk, done_at=None).update(done_at=recorded_at)
    return done


def _rollout(at: datetime, recorded_at: datetime) -> BenefitRollout:
    """Return the roll-out of what is in force, a new one when that has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, {"at": at})
        (terms,) = cursor.fetchone()
    latest = BenefitRollout.objects.order_by("-pk").first()
    if latest is not None and latest.terms == terms:
        return latest
    return BenefitRollout.objects.create(terms=terms, begun_at=recorded_at)


def _roll_on(rollout: int, recorded_at: datetime) -> int:
    """Take the next slice of members, whoever runs beside us; returns how many there were."""
    with transaction.atomic():
        row = BenefitRollout.objects.select_for_update(no_key=True).get(pk=rollout)
        following_ones = Member.objects.filter(pk__gt=row.last_member_id).order_by("pk")
        members = list(following_ones.values_list("pk", flat=True)[:SLICE])
        if members:
            follow_tiers(members=members, at=recorded_at, actor=ACTOR)
            row.last_member_id = members[-1]
            row.save(update_fields=["last_member_id"])
        return len(members)


def follow_overrides(
    *, at: datetime, recorded_at: datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """Let benefits follow overrides that have begun or ended, and end those that have run out."""
    done = 0
    while count := follow_due_overrides(at=at):
        done += count
        if progress is not None:
            progress(done, done)
    for count in following.end_due(at=at, recorded_at=recorded_at):
        done += count
        if progress is not None:
            progress(done, done)
    return done


@transaction.atomic
def follow_due_overrides(*, at: datetime, members: Collection[int] | None = None) -> int:
    """Follow the overrides whose instant has come, of some members or the next slice of all.

    Returns how many there were.
    """
    due = StandingOverride.objects.filter(follow_at__lte=at)
    if members is not None:
        due = due.filter(member_id__in=members)
    rows = list(due.order_by("follow_at", "pk").values_list("pk", "member_id")[:SLICE])
    if rows:
        follow_tiers(members={member for _pk, member in rows}, at=at, actor=ACTOR)
        goes_on = Q(revoked_at__isnull=True, until_at__gt=at)
        StandingOverride.objects.filter(pk__in=[pk for pk, _member in rows]).update(
            follow_at=Case(When(goes_on, then=F("until_at")), default=Value(None))
        )
    return len(rows)
