"""The catalogue as stored: rewards with what decides who may have them, and what each limit says.

One statement reads a reward for one member; what is counted against limits is counted under the
locks of whoever asks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.base import bulk
from config.base.errors import DomainError
from members.domain import sealing
from members.services import crypto
from rewards.domain import catalogue
from rewards.domain.catalogue import Limit, Pool, Reason, Slot, Standing, Terms
from rewards.domain.programme import ProgrammeBook
from rewards.models import Reward, RewardKind
from rewards.services.programme import STAMP, book_for

WITH_CODES: Final = frozenset({RewardKind.GIFT_CARD.value, RewardKind.PARTNER_CODE.value})
WITH_SLOTS: Final = frozenset({RewardKind.EXPERIENCE.value})

_FIELDS: Final = [field.attname for field in Reward._meta.concrete_fields]
_COLUMNS: Final = ", ".join(
    f'w."{name}"::text' if name == "conditions" else f'w."{name}"' for name in _FIELDS
)

# What is taken of a reward for points; gifts are given beside the limits.
_COUNTED: Final = """
    d.reward_id = %s::bigint AND d.grant_id IS NULL AND d.pack_id IS NULL
    AND d.status <> 'cancelled'
"""

_OFFERS: Final = f"""
SELECT {_COLUMNS},
       t.rank, t.code,
       (SELECT json_agg(json_build_array(at.rank, a.opens_at))
          FROM rewards_rewardaccess a JOIN tiers_tier at ON at.id = a.tier_id
         WHERE a.reward_id = w.id)::text,
       (SELECT json_agg(json_build_array(s.id, s.slot_id, st.rank, s.on_hand - s.held))
          FROM rewards_stock s LEFT JOIN tiers_tier st ON st.id = s.tier_id
         WHERE s.reward_id = w.id)::text,
       (SELECT json_agg(json_build_array(
                   l.id, l.code, l.place, l.starts_at, l.ends_at, l.cancelled_at IS NOT NULL)
               ORDER BY l.starts_at, l.id)
          FROM rewards_rewardslot l WHERE l.reward_id = w.id)::text,
       CASE WHEN w.kind IN ('gift_card', 'partner_code') THEN (
           SELECT count(*) FROM rewards_rewardcode c
            WHERE c.reward_id = w.id AND c.redemption_id IS NULL
              AND (c.expires_at IS NULL OR c.expires_at > %s)) END
FROM rewards_reward w LEFT JOIN tiers_tier t ON t.id = w.min_tier_id
"""  # noqa: S608 - column names

_BY_CODES: Final = _OFFERS + "WHERE w.code = ANY(%s::text[]) ORDER BY w.id"
_PAGE: Final = (
    _OFFERS
    + """
WHERE w.is_active AND w.is_listed AND w.id > %s
  AND (w.valid_until IS NULL OR w.valid_until > %s)
ORDER BY w.id LIMIT %s
"""
)

# The member, the programme's stamp, and the reward: all that a redemption reads before it locks.
_FOR_MEMBER: Final = f"""
SELECT m.id, m.status, {STAMP}, k.wrapped, k.master_version, o.*
FROM members_member m LEFT JOIN members_memberkey k ON k.member_id = m.id
LEFT JOIN ({_OFFERS} WHERE w.code = %s) o ON true
WHERE m.public_id = %s
"""  # noqa: S608 - column names

TAKEN_BY_MEMBER: Final = f"""
SELECT coalesce(sum(d.quantity), 0) FROM rewards_redemption d
WHERE %s::boolean AND {_COUNTED} AND d.member_id = %s::bigint
  AND d.requested_at >= coalesce(%s::timestamptz, '-infinity')
"""  # noqa: S608 - a condition above
TAKEN_BY_ALL: Final = f"""
SELECT coalesce(sum(d.quantity), 0) FROM rewards_redemption d
WHERE %s::boolean AND {_COUNTED}
  AND d.requested_at >= coalesce(%s::timestamptz, '-infinity')
"""  # noqa: S608 - a condition above
_TAKEN: Final = f"SELECT ({TAKEN_BY_MEMBER}), ({TAKEN_BY_ALL})"

_OF_MANY: Final = """
FROM unnest(%s::bigint[], %s::timestamptz[]) AS w (id, since)
JOIN rewards_redemption d ON d.reward_id = w.id AND d.grant_id IS NULL AND d.pack_id IS NULL
 AND d.status <> 'cancelled' AND d.requested_at >= coalesce(w.since, '-infinity')
"""
_TAKEN_BY_ALL_OF_MANY: Final = f"SELECT w.id, sum(d.quantity) {_OF_MANY} GROUP BY w.id"
_TAKEN_BY_EACH: Final = f"""
SELECT d.member_id, w.id, sum(d.quantity) {_OF_MANY}
WHERE d.member_id = ANY(%s::bigint[]) GROUP BY d.member_id, w.id
"""


class RewardNotFoundError(DomainError):
    """There is no reward with this code."""

    def __init__(self, reward: str) -> None:
        super().__init__("reward_not_found", _("There is no such reward."), 404, reward=reward)


class RewardRefusedError(DomainError):
    """A member may not have a reward; the first reason is the code, the rest are details."""

    def __init__(self, reward: str, reasons: Sequence[Reason]) -> None:
        first = dict(reasons[0])
        code = str(first.pop("code"))
        status, message = REFUSALS[code]
        super().__init__(code, message, status, reward=reward, **first)
        self.reasons = tuple(reasons)


REFUSALS: Final[Mapping[str, tuple[int, Any]]] = {
    catalogue.NOT_LISTED: (409, _("The reward is not in the catalogue.")),
    catalogue.NOT_YET: (409, _("The reward is not available yet.")),
    catalogue.OVER: (409, _("The reward is no longer available.")),
    catalogue.TIER: (403, _("The reward is for a higher tier.")),
    catalogue.CONDITIONS: (403, _("The reward is for other members.")),
    catalogue.MEMBER_LIMIT: (409, _("The member has had as many of this reward as allowed.")),
    catalogue.TOTAL_LIMIT: (409, _("As many of this reward as planned have been taken.")),
    catalogue.OUT_OF_STOCK: (409, _("The reward is out of stock.")),
    catalogue.SLOT_NEEDED: (400, _("The reward needs a slot.")),
    catalogue.SLOT_OVER: (409, _("The slot is over or called off.")),
    catalogue.POINTS: (409, _("Not enough points.")),
    catalogue.DEBT: (409, _("Points are owed; none can be spent.")),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward and its terms."""

    reward: Reward
    terms: Terms

    def slot(self, code: str) -> Slot | None:
        """Return the slot of a code; none for an empty one.

        Raises: SlotNotFoundError.
        """
        if not code:
            return None
        slot = self.terms.slot(code)
        if slot is None:
            raise SlotNotFoundError(code)
        return slot


@dataclass(frozen=True, slots=True)
class OfferForMember:
    """A reward as one member asks for it, with the programme in force."""

    member: int
    public_id: UUID
    status: str
    book: ProgrammeBook
    offer: Offer
    wrapped_key: bytes | None
    key_version: int | None

    def seal(self, text: str, name: str) -> bytes | None:
        """Return a text sealed under the member's own key; nothing of an erased member's."""
        if self.wrapped_key is None or self.key_version is None:
            return None
        data_key = crypto.open_key(self.public_id, self.wrapped_key, self.key_version)
        return sealing.seal(data_key, text.encode(), self.public_id, name)


class SlotNotFoundError(DomainError):
    """The reward has no slot with this code."""

    def __init__(self, slot: str) -> None:
        super().__init__("slot_not_found", _("The reward has no such slot."), 404, slot=slot)


def offers_of(codes: Collection[str], at: datetime) -> dict[str, Offer]:
    """Return rewards by their codes, in the order of their ids.

    Raises: RewardNotFoundError.
    """
    rows = bulk.fetch(_BY_CODES, [at, sorted(codes)]) if codes else []
    found = {offer.reward.code: offer for offer in map(_offer, rows)}
    for code in codes:
        if code not in found:
            raise RewardNotFoundError(code)
    return found


def offers_after(after: int, limit: int, at: datetime) -> list[Offer]:
    """Return a page of the catalogue, one more than the limit."""
    return [_offer(row) for row in bulk.fetch(_PAGE, [at, after, at, limit + 1])]


def offer_for(*, member: UUID, reward: str, at: datetime) -> OfferForMember | None:
    """Return a reward for a member, with one statement; None where there is no such member.

    Raises: RewardNotFoundError.
    """
    rows = bulk.fetch(_FOR_MEMBER, [at, reward, member])
    if not rows or rows[0][1] == "erased":
        return None
    key, status, stamp, wrapped, version, *row = rows[0]
    if row[0] is None:
        raise RewardNotFoundError(reward)
    return OfferForMember(key, member, status, book_for(stamp), _offer(row), wrapped, version)


def taken_by(member: int, offers: Iterable[Offer], at: datetime) -> dict[int, tuple[int, int]]:
    """Return what of their limits has been taken by a member and by all, per reward.

    Those without a limit cost no statement. Under the member's lock nobody else adds for it.
    """
    taken: dict[int, tuple[int, int]] = {}
    for offer in offers:
        taken[offer.reward.pk] = (0, 0)
        if offer.terms.member_limit or offer.terms.total_limit:
            row = bulk.fetch(_TAKEN, taken_values(offer, member, at))[0]
            taken[offer.reward.pk] = (int(row[0]), int(row[1]))
    return taken


def taken_values(offer: Offer, member: int, at: datetime) -> list[Any]:
    """Return the parameters of what has been taken by the member, then by all."""
    mine, all_of = offer.terms.member_limit, offer.terms.total_limit
    key = offer.reward.pk
    return [
        mine is not None, key, member, _since(mine, at), all_of is not None, key,
        _since(all_of, at),
    ]  # fmt: skip


def _since(limit: Limit | None, at: datetime) -> datetime | None:
    return None if limit is None else catalogue.period_start(limit.period, at)


def taken_by_each(
    members: Collection[int], offers: Iterable[Offer], at: datetime
) -> dict[int, dict[int, tuple[int, int]]]:
    """Return what of their limits each member and all have taken, by member and reward.

    Two statements whatever the numbers; what has no limit is absent.
    """
    limited = [offer for offer in offers if offer.terms.member_limit or offer.terms.total_limit]
    if not limited:
        return {}
    keys = [offer.reward.pk for offer in limited]
    mine = [_since(offer.terms.member_limit, at) for offer in limited]
    every = [_since(offer.terms.total_limit, at) for offer in limited]
    by_all = {key: int(n) for key, n in bulk.fetch(_TAKEN_BY_ALL_OF_MANY, [keys, every])}
    rows = bulk.fetch(_TAKEN_BY_EACH, [keys, mine, sorted(members)])
    own = {(member, key): int(n) for member, key, n in rows}
    return {
        member: {key: (own.get((member, key), 0), by_all.get(key, 0)) for key in keys}
        for member in members
    }


def lock_limited(offers: Iterable[Offer]) -> None:
    """Lock the rewards that all members share a limit of, in the order of their ids."""
    limited = [offer.reward.pk for offer in offers if offer.terms.total_limit is not None]
    if limited:
        rows = Reward.objects.filter(pk__in=limited).order_by("pk")
        list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk"))


def check(offer: Offer, standing: Standing, wish: catalogue.Wish, at: datetime) -> None:
    """Refuse a reward that a member may not have.

    Raises: RewardRefusedError.
    """
    reasons = catalogue.may_have(offer.terms, standing, wish, at)
    if reasons:
        raise RewardRefusedError(offer.reward.code, reasons)


def _offer(row: Sequence[Any]) -> Offer:
    width = len(_FIELDS)
    reward = Reward.from_db(connection.alias, _FIELDS, row[:width])
    text = reward.conditions
    reward.conditions = None if text is None else orjson.loads(text)
    rank, tier, accesses, pools, slots, codes = row[width : width + 6]
    return Offer(reward, _terms(reward, (rank, tier), text, (accesses, pools, slots, codes)))


def _terms(
    reward: Reward, min_tier: tuple[int | None, str | None], text: Any, parts: Sequence[Any]
) -> Terms:
    accesses, pools, slots, codes = parts
    stock = tuple(Pool(*pool) for pool in orjson.loads(pools or "[]"))
    if reward.kind in WITH_CODES:
        stock = (Pool(0, None, None, codes),)
    return Terms(
        points=reward.points,
        needs_slot=reward.kind in WITH_SLOTS,
        is_listed=reward.is_listed,
        is_active=reward.is_active,
        valid_from=reward.valid_from,
        valid_until=reward.valid_until,
        min_rank=min_tier[0],
        min_tier=min_tier[1],
        conditions=text,
        member_limit=_limit(reward.member_limit, reward.member_limit_period),
        total_limit=_limit(reward.total_limit, reward.total_limit_period),
        tracks_stock=reward.tracks_stock or reward.kind in WITH_CODES,
        accesses=tuple(
            (rank, datetime.fromisoformat(at)) for rank, at in orjson.loads(accesses or "[]")
        ),
        pools=stock,
        slots=tuple(_slot(each) for each in orjson.loads(slots or "[]")),
    )


def _limit(count: int | None, period: str) -> Limit | None:
    return None if count is None else Limit(count, period)


def _slot(row: Sequence[Any]) -> Slot:
    key, code, place, starts_at, ends_at, is_cancelled = row
    return Slot(
        key, code, place, datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at),
        is_cancelled,
    )  # fmt: skip
