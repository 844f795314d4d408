"""The catalogue as one member sees it: what may be had, what not, and why. Writes nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from config.base import bulk
from rewards.domain import catalogue as rules
from rewards.domain.catalogue import Reason, Slot, Standing
from rewards.domain.fold import HistoryNeededError, MemberFold
from rewards.domain.programme import ProgrammeBook
from rewards.domain.transfers import Cause
from rewards.services import catalogue, gifts, loading
from rewards.services.catalogue import Offer
from rewards.services.commands import MemberNotFoundError
from rewards.services.loading import Locked
from rewards.services.programme import book_for, current_book
from tiers.domain.progress import StaleSnapshotError

IN_STOCK: Final = "in_stock"
LOW: Final = "low"
OUT: Final = "out"
MOST_OFFERS: Final = 500

# Coupons of a template that gives none any more, and packs of which a part is missing.
_NOT_DELIVERABLE: Final = """
WITH over AS (
    SELECT t.id FROM rewards_coupontemplate t
    WHERE NOT t.is_active OR t.valid_until <= %s OR t.issued >= t.max_issued
)
SELECT w.id FROM rewards_reward w WHERE w.coupon_template_id IN (SELECT id FROM over)
UNION
SELECT i.pack_id FROM rewards_giftitem i LEFT JOIN rewards_reward r ON r.id = i.reward_id
WHERE i.pack_id IS NOT NULL AND (
    i.coupon_template_id IN (SELECT id FROM over)
    OR r.kind IN ('gift_card', 'partner_code') AND i.quantity > (
        SELECT count(*) FROM rewards_rewardcode c WHERE c.reward_id = r.id
          AND c.redemption_id IS NULL AND (c.expires_at IS NULL OR c.expires_at > %s))
    OR r.tracks_stock AND r.kind NOT IN ('gift_card', 'partner_code') AND i.quantity > (
        SELECT coalesce(max(s.on_hand - s.held), 0) FROM rewards_stock s
        WHERE s.reward_id = r.id AND s.slot_id IS NULL AND s.tier_id IS NULL))
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A reward as it is shown: with its stock, and why it cannot be had (None: to nobody)."""

    offer: Offer
    stock: str
    slots: tuple[tuple[Slot, str], ...]
    reasons: tuple[Reason, ...] | None

    @property
    def is_reachable(self) -> bool:
        """Say whether nothing but points can be missing."""
        return rules.is_reachable(self.reasons or ())


@dataclass(frozen=True, slots=True)
class Reach:
    """What a member may have now, the dearest first. Units: points."""

    available: int
    offers: list[Offer]


def standing_of(member: int, at: datetime) -> Standing:
    """Return how a member stands at an instant, what is due included; nothing is locked.

    Raises: MemberNotFoundError.
    """
    found = standings_of([member], at)
    if member not in found:
        raise MemberNotFoundError
    return found[member]


def standings_of(members: Collection[int], at: datetime) -> dict[int, Standing]:
    """Return how members stand; who has no account is absent. Two statements for all of them."""
    found, stamp = loading.read(members)
    if not found:
        return {}
    book = current_book() if stamp is None else book_for(stamp)
    loading.attach_lots([locked.account for locked in found.values()])
    standings = {}
    for member, locked in found.items():
        locked.account.settle(at, Cause(None, "system", at))
        rank, facts = _stands(book, locked, at)
        standings[member] = Standing(rank, facts, locked.account.available, locked.account.debt)
    return standings


def _stands(book: ProgrammeBook, locked: Locked, at: datetime) -> tuple[int, dict[str, object]]:
    """Return rank and facts; a fold that has to begin anew is told by what is written."""
    if locked.snapshot is not None:
        try:
            fold = MemberFold.from_json(book, locked.facts, *locked.snapshot)
            fold.settle(at)
        except (HistoryNeededError, StaleSnapshotError):
            pass
        else:
            return fold.effective_rank(at), fold.facts_at(at)
    rank = gifts.rank_of(locked.member, at)
    return rank, {"member.rank": rank, "member.tier": book.tier_at(at, rank).code}


def shown(offers: Sequence[Offer], *, member: int | None, at: datetime) -> list[Shown]:
    """Return rewards as a member, or anybody, sees them.

    Raises: MemberNotFoundError.
    Source: RWD-08, RWD-13.
    """
    if member is None:
        return [_shown(offer, None, at) for offer in offers]
    standing = standing_of(member, at)
    taken = catalogue.taken_by(member, offers, at)
    return [
        _shown(
            offer,
            Standing(
                standing.rank, standing.facts, standing.available, standing.debt,
                *taken[offer.reward.pk],
            ),
            at,
        )
        for offer in offers
    ]  # fmt: skip


def to_be_had(members: Collection[int], at: datetime) -> dict[int, Reach]:
    """Return what each member may have now, points included, the dearest first.

    What cannot be handed over, a coupon that has run out for one, is nothing to be had. The number
    of statements does not depend on the number of members; who has no account is absent.
    Source: CMP-07, ENG-13.
    """
    offers = _deliverable(at)
    if not offers or not members:
        return {member: Reach(0, []) for member in members}
    standings = standings_of(members, at)
    taken = catalogue.taken_by_each(standings, offers, at)
    found = {}
    for member, standing in standings.items():
        available = standing.available or 0
        mine = taken.get(member, {})
        within = [each for each in offers if each.reward.points <= available]
        found[member] = Reach(
            available, [each for each in within if not _against(each, standing, mine, at)]
        )
    return found


def _deliverable(at: datetime) -> list[Offer]:
    offers = [each for each in catalogue.offers_after(0, MOST_OFFERS, at) if each.reward.points]
    gone = {key for (key,) in bulk.fetch(_NOT_DELIVERABLE, [at, at])} if offers else set()
    there = (each for each in offers if each.reward.pk not in gone)
    return sorted(there, key=lambda each: (-each.reward.points, each.reward.code))


def _against(
    offer: Offer, standing: Standing, taken: Mapping[int, tuple[int, int]], at: datetime
) -> bool:
    mine, by_all = taken.get(offer.reward.pk, (0, 0))
    known = replace(standing, taken=mine, taken_by_all=by_all)
    return bool(_shown(offer, known, at).reasons)


def _shown(offer: Offer, standing: Standing | None, at: datetime) -> Shown:
    terms, rank = offer.terms, 0 if standing is None else standing.rank
    slots = tuple(
        (slot, _level(offer, rank, slot.key))
        for slot in terms.slots
        if slot.starts_at > at and not slot.is_cancelled
    )
    level = _level(offer, rank, None)
    if terms.needs_slot:
        levels = [level for _slot, level in slots]
        level = next((each for each in (IN_STOCK, LOW) if each in levels), OUT)
    reasons = None
    if standing is not None:
        reasons = tuple(_reasons(offer, standing, level, at))
    return Shown(offer, level, slots, reasons)


def _reasons(offer: Offer, standing: Standing, level: str, at: datetime) -> list[Reason]:
    """Return the reasons against one piece; which slot is still to be chosen."""
    found = rules.may_have(offer.terms, standing, rules.Wish(), at)
    if offer.terms.needs_slot:
        found = [reason for reason in found if reason["code"] != rules.SLOT_NEEDED]
        if level == OUT:
            found.append({"code": rules.OUT_OF_STOCK, "left": 0})
    return found


def _level(offer: Offer, rank: int, slot: int | None) -> str:
    if not offer.terms.tracks_stock:
        return IN_STOCK
    free = offer.terms.free(rank, slot)
    if not free:
        return OUT
    low = offer.reward.low_stock_at
    return LOW if low is not None and free <= low else IN_STOCK
