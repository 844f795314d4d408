"""From a friend's first order to the referrer's reward.

A job looks at referrals whose friend has bought, waits for the return window, and decides by what
is kept then. Each referral is a transaction of its own, under the locks of both members, and is
read again under them: however many workers look, it is rewarded once.

Source: ENG-04.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from campaigns.domain import referrals as domain
from campaigns.domain.referrals import Reason
from campaigns.models import Referral, ReferralState
from campaigns.services import referral_checks as checks
from campaigns.services import referral_rewards
from campaigns.services.referral_checks import Pair
from config.base import clock
from config.base.errors import DomainError
from members.models import Member, MemberStatus, Order, OrderStatus
from rewards.domain import validity
from rewards.services import loading

BATCH: Final = 500

logger = logging.getLogger(__name__)

_WORTH: Final = """o.status <> 'cancelled' AND o.qualifying_amount > 0
    AND o.qualifying_amount >= p.min_amount AND o.member_id = r.friend_id"""

_TO_SETTLE: Final = f"""
SELECT r.id FROM campaigns_referral r
JOIN campaigns_referralprogramme p ON p.id = r.programme_id
WHERE r.id > %(after)s AND (
    (r.state = 'registered' AND (r.lapses_at <= %(at)s OR EXISTS (
        SELECT FROM members_order o WHERE {_WORTH}
          AND o.placed_at < r.lapses_at AND o.placed_at <= %(at)s)))
    OR (r.state = 'waiting' AND r.kept_from <= %(at)s)
    OR (r.state = 'rewarded' AND r.reasons = '[]'
        AND r.rewarded_at > %(at)s - make_interval(days => p.claw_back_days)
        AND NOT EXISTS (SELECT FROM members_order o WHERE o.id = r.order_id AND {_WORTH})))
ORDER BY r.id LIMIT %(limit)s
"""  # noqa: S608 - a constant


def settle_due(
    *, at: datetime, recorded_at: datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """Settle every referral about which something is due by an instant; returns how many.

    One that fails is told to the log, waits for the next run, and keeps no other from its turn.
    """
    done, after = 0, 0
    while ids := _to_settle(at, after):
        for referral_id in ids:
            done += _settled(referral_id, at, recorded_at)
        after = ids[-1]
        if progress is not None:
            progress(done, done)
    return done


def _to_settle(at: datetime, after: int) -> list[int]:
    values: dict[str, Any] = {"at": at, "after": after, "limit": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(_TO_SETTLE, values)
        return [row[0] for row in cursor.fetchall()]


def _settled(referral_id: int, at: datetime, recorded_at: datetime) -> bool:
    try:
        return settle(referral_id=referral_id, at=at, recorded_at=recorded_at)
    except Exception:
        logger.exception("referral %s was not settled", referral_id)
        return False


@transaction.atomic
def settle(*, referral_id: int, at: datetime, recorded_at: datetime) -> bool:
    """Do what is due about one referral; tell whether it has changed.

    `at` is up to when things are due; what is given is given when it is recorded.
    """
    seen = Referral.objects.get(pk=referral_id)
    referrer = checks.survivor_of(seen.referrer_id)
    loading.lock({referrer.pk, seen.friend_id})
    referral = locked(referral_id)
    pair = checks.pair_of(
        referrer=Member.objects.get(pk=referrer.pk), friend=referral.friend,
        programme=referral.programme, joined_at=referral.registered_at,
    )  # fmt: skip
    if pair.referrer.status == MemberStatus.MERGED:
        return False  # merged a moment ago: the next run finds whom to reward
    acting_at = max(at, recorded_at)
    if referral.state == ReferralState.REWARDED:
        return _look_after(referral, pair, acting_at)
    if referral.state not in {ReferralState.REGISTERED, ReferralState.WAITING}:
        return False
    return _look_for_order(referral, pair, at, acting_at)


def locked(referral_id: int) -> Referral:
    """Return a referral as it stands, locked until the transaction is over."""
    rows = Referral.objects.select_related(
        "friend", "programme__coupon_template", "programme__friend_template", "entry", "order"
    )
    return rows.select_for_update(of=("self",), no_key=True).get(pk=referral_id)


def _look_for_order(referral: Referral, pair: Pair, at: datetime, acting_at: datetime) -> bool:
    order = kept_orders(pair, lapses_at=referral.lapses_at, at=at).first()
    if order is None:
        is_over = referral.lapses_at <= at
        state = ReferralState.LAPSED if is_over else ReferralState.REGISTERED
        return _stand(referral, state, None, None)
    kept_from = validity.available_at(order.placed_at, pair.programme.return_window_days)
    if kept_from > at:
        return _stand(referral, ReferralState.WAITING, order, kept_from)
    referral.order, referral.kept_from = order, kept_from
    _reward(referral, pair, order, acting_at)
    return True


def kept_orders(pair: Pair, *, lapses_at: datetime, at: datetime) -> QuerySet[Order]:
    """Return the friend's orders that are worth enough and stand, net of refunds, first one first.

    From the day of joining on: a till may report a sale that began a moment before the enrolment.
    """
    day = clock.day_start(clock.local_day(pair.joined_at))
    rows = Order.objects.filter(
        member_id=pair.friend.pk, placed_at__gte=day, placed_at__lt=lapses_at, placed_at__lte=at,
        qualifying_amount__gte=pair.programme.min_amount, qualifying_amount__gt=0,
    )  # fmt: skip
    kept = rows.exclude(status=OrderStatus.CANCELLED)
    return kept.order_by("placed_at", "source", "order_no")


def _stand(
    referral: Referral, state: ReferralState, order: Order | None, kept_from: datetime | None
) -> bool:
    before = (referral.state, referral.order_id, referral.kept_from)
    referral.state, referral.order, referral.kept_from = state, order, kept_from
    if before == (state, referral.order_id, kept_from):
        return False
    referral.save(update_fields=["state", "order", "kept_from"])
    return True


def _reward(referral: Referral, pair: Pair, order: Order, at: datetime) -> None:
    verdict = domain.judge(checks.at_reward(pair, at=at), referral.cleared)
    if verdict.is_clean:
        try:
            with transaction.atomic():
                referral_rewards.give(referral=referral, referrer=pair.referrer, order=order, at=at)
        except DomainError as refused:
            verdict = domain.Verdict((refused.code,))
            referral.fact = referral.entry = referral.coupon = None
            referral.rewarded_at = referral.kept_amount = None
        else:
            return
    referral.state = ReferralState.REFUSED if verdict.is_refused else ReferralState.HELD
    referral.reasons = list(verdict.reasons)
    referral.save(update_fields=["state", "reasons", "order", "kept_from"])
    kind = "referral.refused" if verdict.is_refused else "referral.held"
    referral_rewards.tell(referral, kind, at, member=pair.referrer.pk)


def _look_after(referral: Referral, pair: Pair, at: datetime) -> bool:
    """Take the reward back where its order no longer stands."""
    order, programme = referral.order, pair.programme
    assert order is not None
    stands = (
        order.status != OrderStatus.CANCELLED
        and order.qualifying_amount > 0
        and order.qualifying_amount >= programme.min_amount
        and order.member_id == referral.friend_id
    )
    if stands or referral.reasons:
        return False
    if pair.referrer.status == MemberStatus.ERASED:
        # There is nobody left to take anything from.
        referral.reasons = [Reason.ORDER_NOT_KEPT]
        referral.save(update_fields=["reasons"])
        return True
    referral_rewards.take_back(referral=referral, referrer=pair.referrer, at=at)
    return True
