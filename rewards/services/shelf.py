"""The catalogue as one member sees it: what may be had, what not, and why. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

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


def standing_of(member: int, at: datetime) -> Standing:
    """Return how a member stands at an instant, what is due included; nothing is locked.

    Raises: MemberNotFoundError.
    """
    found, stamp = loading.read([member])
    locked = found.get(member)
    if locked is None:
        raise MemberNotFoundError
    book = current_book() if stamp is None else book_for(stamp)
    loading.attach_lots([locked.account])
    locked.account.settle(at, Cause(None, "system", at))
    rank, facts = _stands(book, locked, at)
    return Standing(rank, facts, locked.account.available, locked.account.debt)


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
