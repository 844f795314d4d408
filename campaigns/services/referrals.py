"""From a friend's enrolment to the referrer's reward.

A follower of enrolments registers whom a code has brought. A job looks at those whose friend has
bought, waits for the return window, and decides by what is kept then. Each referral is a
transaction of its own, under the locks of both members, and is read again under them: however many
workers look, it is rewarded once.

Source: ENG-04.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from campaigns.domain import referrals as domain
from campaigns.domain.referrals import Reason
from campaigns.models import Referral, ReferralCode, ReferralState
from campaigns.services import referral_checks as checks
from campaigns.services import referral_codes, referral_rewards, referral_terms
from campaigns.services.referral_checks import Pair
from config.base import clock
from config.base.errors import DomainError
from members.models import Case, Member, MemberStatus, Order, OrderStatus
from members.services import events
from members.services.events import NewEvent
from rewards.domain import validity
from rewards.services import coupons, loading

BATCH: Final = 500
TOO_MANY_FRIENDS: Final = "referral_burst"
CODE_REFUSED: Final = "referral.code_refused"

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


@transaction.atomic
def register(*, friend_id: int, code: str, joined_at: datetime, at: datetime) -> Referral | None:
    """Note whose code has brought a new member, and give the friend the promised coupon, once.

    A code that leads to nobody is told to the timeline; the profile keeps it. What looks odd is
    held, and the coupon with it. None: no programme, or no referrer.
    """
    programme = referral_terms.in_force(joined_at)
    if programme is None:
        return None
    named = referral_codes.find(code)
    referrer = None if named is None else checks.survivor_of(named.member_id)
    if named is None or referrer is None or referrer.status != MemberStatus.ACTIVE:
        _refuse_code(friend_id, "unknown", at)
        return None
    if referrer.pk == checks.survivor_of(friend_id).pk:
        _refuse_code(friend_id, "own_code", at)
        return None
    loading.lock({referrer.pk, friend_id})
    known = Referral.objects.filter(friend_id=friend_id).first()
    if known is not None:
        return known
    friend = Member.objects.get(pk=friend_id)
    return _registered(Pair(referrer, friend, programme, joined_at), named, at)


def _refuse_code(friend_id: int, why: str, at: datetime) -> None:
    events.append([NewEvent(friend_id, CODE_REFUSED, at, at, {"reason": why})])


def _registered(pair: Pair, code: ReferralCode, at: datetime) -> Referral:
    verdict = domain.judge(checks.at_joining(pair, at=at), ())
    referral = Referral.objects.create(
        referrer=pair.referrer, friend=pair.friend, code=code, programme=pair.programme,
        state=ReferralState.REGISTERED if verdict.is_clean else ReferralState.HELD,
        reasons=list(verdict.reasons), registered_at=pair.joined_at,
        lapses_at=pair.joined_at + timedelta(days=pair.programme.valid_days),
    )  # fmt: skip
    for member, part in ((pair.referrer.pk, "referrer"), (pair.friend.pk, "friend")):
        referral_rewards.tell(referral, "referral.registered", at, member=member, part=part)
    if Reason.TOO_MANY in verdict.reasons:
        _open_burst(pair, at)
    if verdict.is_clean:
        welcome(referral=referral, at=at)
    return referral


def welcome(*, referral: Referral, at: datetime) -> None:
    """Give the friend the coupon for the first order, once; one that has run out is not owed."""
    template = referral.programme.friend_template
    if template is None or referral.friend_coupon_id is not None:
        return
    try:
        (referral.friend_coupon,) = coupons.issue(
            template=template, member=referral.friend_id, count=1, at=at,
            actor=referral_rewards.ACTOR,
        )  # fmt: skip
    except DomainError as refused:
        logger.warning("no coupon for the friend of referral %s: %s", referral.pk, refused.code)
        return
    referral.save(update_fields=["friend_coupon"])


def _open_burst(pair: Pair, at: datetime) -> None:
    """Open a case for a referrer of too many friends, once per day."""
    day = clock.local_day(pair.joined_at).isoformat()
    rows = Case.objects.filter(code=TOO_MANY_FRIENDS, member=pair.referrer, details__day=day)
    if not rows.exists():
        Case.objects.create(
            member=pair.referrer, code=TOO_MANY_FRIENDS, details={"day": day}, opened_at=at
        )


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
    pair = Pair(
        Member.objects.get(pk=referrer.pk), referral.friend, referral.programme,
        referral.registered_at,
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
