"""Facts on their way in: who they are about, what of them is known, and what waits.

Nothing is decided here about points or tiers.
Source: design §5.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from members.domain.enrolment import Key
from members.models import MemberStatus, OnUnknown, Touchpoint
from members.services import authority, identity, touchpoints
from rewards.domain import receipt as receipts
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import FactKey, Receipt
from rewards.domain.subjects import INTERACTION, ORDER, REFUND
from rewards.services import answers, joining, loading, order_owners, viewers
from rewards.services.answers import Outcome
from rewards.services.joining_requests import EnrolmentRequest
from rewards.services.loading import Locked
from rewards.services.order_owners import APPLIED, OrderPlay
from rewards.services.programme import book_for

AWAITING: Final = "awaiting_member"
PARKED: Final = "parked"

OrderKey = tuple[str, str]


class MovedUnderneathError(Exception):
    """An order changed its member between look-up and lock."""


@dataclass(slots=True)
class Item:
    """One submitted fact on its way; `same_as` is the item of this batch that it repeats."""

    receipt: Receipt
    order_member: int | None = None
    outcome: Outcome | None = None
    replay_of: Receipt | None = None
    same_as: "Item | None" = None


class Arrivals:
    """Facts on their way in, until it is known of each whether it folds now, and for whom."""

    def __init__(
        self,
        submitted: list[Receipt],
        *,
        touchpoint: Touchpoint | None,
        at: datetime,
        settle_to: datetime | None,
        actor: str,
        claims: Mapping[int, int] | None = None,
    ) -> None:
        """Take the receipts; nothing is looked at yet.

        `settle_to` is now; None means history: no fact is too late, and time is settled only up to
        each fact's own instant. `claims` gives stored facts that waited their member, by fact id.
        """
        self.items = [Item(receipt) for receipt in submitted]
        self.touchpoint = touchpoint
        self.at = at
        self.settle_to = settle_to
        self.actor = actor
        self.claims = claims or {}
        self.orders: dict[OrderKey, OrderPlay] = {}
        self.book: ProgrammeBook
        self.locked: dict[int, Locked] = {}
        self.known: dict[FactKey, Receipt] = {}

    # Admission

    def _open(self) -> Iterable[Item]:
        return (item for item in self.items if item.outcome is None and item.replay_of is None)

    def _admit(self) -> None:
        """Refuse what does not belong here, whatever is stored."""
        foreign: set[str] = set()
        if self.touchpoint is not None:
            sources = {item.receipt.source for item in self.items if not item.receipt.is_own}
            reserved = sources & receipts.RESERVED_SOURCES
            foreign = touchpoints.own_sources(self.touchpoint.pk, sources - reserved) | reserved
        latest = self.at + receipts.FUTURE_TOLERANCE
        for item in self.items:
            receipt = item.receipt
            if receipt.source in foreign and not receipt.is_own:
                item.outcome = answers.refusal(403, "source_not_owned", source=receipt.source)
            elif max(receipt.own_instant, receipt.placed_at) > latest:
                item.outcome = answers.refusal(422, "placed_in_future")
            elif receipt.body.get("currency", settings.LOYALTY_CURRENCY) != (
                settings.LOYALTY_CURRENCY
            ):
                item.outcome = answers.refusal(
                    422, "currency_not_accepted", accepted=settings.LOYALTY_CURRENCY
                )

    def arrive(self) -> None:
        """Look up, lock and place every fact. In the caller's transaction."""
        self._admit()
        self._resolve()
        self._take_slots()
        self._lock()
        self._load_orders()
        order_owners.keep_with_merged(self._orders_sent(), self.locked)
        self._check_known()
        self._place()

    # Who and what

    def _resolve(self) -> None:
        """Find the members that the facts name. At most one statement per way of naming."""
        named = [
            (item, item.receipt.named) for item in self._open() if item.receipt.named is not None
        ]
        ids = {ref.public_id for _item, ref in named if ref.public_id is not None}
        members = identity.resolve_public_ids(ids) if ids else {}
        values = {(ref.kind, ref.app, ref.value) for _item, ref in named if ref.kind}
        found = self._find(values) if values else {}
        for item, ref in named:
            if ref.public_id is None:
                item.receipt.member = found.get((ref.kind, ref.app, ref.value))
            elif ref.public_id in members:
                item.receipt.member = members[ref.public_id]
            else:
                item.outcome = answers.refusal(404, "member_not_found")
        if self._on_unknown() == OnUnknown.ENROL:
            self._enrol([item for item, _ref in named if item.outcome is None])

    def _find(self, values: set[Key]) -> dict[Key, int]:
        """Find members; for those that facts will wait for, look again when enrolments are over."""
        found = identity.find(values)
        missing = values - found.keys()
        if missing and self._on_unknown() == OnUnknown.AWAIT:
            loading.meet_waiting((identity.hash_value(*value) for value in missing), shared=True)
            found |= identity.find(missing)
        return found

    def _on_unknown(self) -> str:
        return OnUnknown.AWAIT if self.touchpoint is None else self.touchpoint.on_unknown

    def _enrol(self, items: Sequence[Item]) -> None:
        """Make members of the identifiers that lead to nobody."""
        unknown = [item for item in items if item.receipt.member is None]
        requests = [
            EnrolmentRequest(
                ((ref.kind, ref.value, ref.app),), store=item.receipt.body.get("store", "")
            )
            for item in unknown
            if (ref := item.receipt.named) is not None
        ]
        if not requests:
            return
        found = joining.find_or_create(requests, touchpoint=self.touchpoint, at=self.at)
        for item, enrolment in zip(unknown, found, strict=True):
            item.receipt.member = enrolment.member_id
            if enrolment.code is not None:
                item.outcome = answers.refusal(422, enrolment.code)

    def _take_slots(self) -> None:
        """Give every fact an id, and every order its own; see whose the orders are."""
        facts = [item.receipt for item in self.items]
        keys = [(fact.source, fact.order_no) for fact in facts]
        slots, stamp = loading.slots(
            [(fact.source, fact.order_no, fact.kind == REFUND) for fact in facts]
        )
        self.book = book_for(stamp)
        for item, slot, key in zip(self.items, slots, keys, strict=True):
            receipt = item.receipt
            if receipt.is_new:
                receipt.id = slot.fact_id
            if receipt.order_no:
                play = self.orders.setdefault(
                    key, OrderPlay(slot.order_id, slot.order_member, slot.members)
                )
                receipt.order = play.id

    def _lock(self) -> None:
        members = {item.receipt.member for item in self._open()}
        members |= {member for play in self.orders.values() for member in play.members}
        members |= set(self.claims.values())
        members.discard(None)
        wanted = {member for member in members if member is not None}
        self.locked = loading.lock(wanted) if wanted else {}
        named = {i.receipt.member for i in self._open() if i.receipt.named is not None}
        for member, locked in self.locked.items():
            if locked.survivor is not None and member in named:
                # Merged between look-up and lock: what names the member is about the survivor.
                raise MovedUnderneathError
        self.locked = viewers.with_survivors(self.locked)

    def _load_orders(self) -> None:
        """Read what is stored of the facts and orders in hand, their members being locked."""
        interactions = [
            (item.receipt.source, item.receipt.ref)
            for item in self.items
            if item.receipt.kind == INTERACTION
        ]
        for stored in loading.facts_of(list(self.orders), interactions):
            self.known[stored.key] = stored
            if stored.id in self.claims:
                if stored.state != AWAITING:
                    raise MovedUnderneathError
                stored.member = self.claims[stored.id]
            if stored.order_no:
                play = self.orders[stored.source, stored.order_no]
                play.stored.append(stored)
                if stored.kind == ORDER and stored.state == APPLIED and stored.order != play.id:
                    raise MovedUnderneathError
        for play in self.orders.values():
            versions = play.versions()
            if any(version.member not in self.locked for version in versions):
                raise MovedUnderneathError
            play.stored_member = play.highest().member if versions else None
        order_owners.follow_moves(self._orders_sent())
        for item in self.items:
            if not item.receipt.is_new:
                item.receipt = self.known[item.receipt.key]

    def _orders_sent(self) -> list[order_owners.Sent]:
        """Return the open orders of known members, each with the member whose it is so far."""
        opened = [item.receipt for item in self._open()]
        sent = [each for each in opened if each.kind == ORDER and each.member is not None]
        plays = [self.orders[each.source, each.order_no] for each in sent]
        return [(each, play.id, play.stored_member) for each, play in zip(sent, plays, strict=True)]

    # What is new, what is known

    def _check_known(self) -> None:
        """Tell replays and conflicts from new facts, in the order of arrival."""
        first: dict[FactKey, Item] = {}
        for item in self._open():
            receipt = item.receipt
            if not receipt.is_new:
                continue
            stored = self.known.get(receipt.key)
            if stored is not None:
                self._compare(item, stored)
            elif receipt.key in first:
                self._repeat(item, first[receipt.key])
            else:
                self._check_identity(item)
                if item.outcome is None:
                    first[receipt.key] = item

    def _compare(self, item: Item, stored: Receipt) -> None:
        receipt = item.receipt
        other = (
            receipt.member is not None
            and stored.member is not None
            and receipt.member != stored.member
            and not identity.is_same_person(receipt.member, stored.member)
        )
        if receipt.digest != stored.digest or other:
            item.outcome = answers.refusal(409, "fact_conflict")
        elif stored.state == AWAITING and receipt.member is not None:
            stored.member = receipt.member
            item.receipt = stored
        else:
            item.replay_of = stored

    def _repeat(self, item: Item, earlier: Item) -> None:
        same = item.receipt.digest == earlier.receipt.digest
        if not same or item.receipt.member != earlier.receipt.member:
            item.outcome = answers.refusal(409, "fact_conflict")
        else:
            item.same_as = earlier
            item.replay_of = earlier.receipt

    def _check_identity(self, item: Item) -> None:
        receipt = item.receipt
        if receipt.kind != ORDER:
            return
        play = self.orders[receipt.source, receipt.order_no]
        earlier = [each for each in (*play.stored, *play.new) if each.kind == ORDER]
        for each in earlier:
            body = each.body
            if (body["placed_at"], body["currency"]) != (
                receipt.body["placed_at"], receipt.body["currency"],
            ):  # fmt: skip
                item.outcome = answers.refusal(409, "order_identity_changed")
                return
        play.new.append(receipt)

    # Where each fact goes

    def _place(self) -> None:
        """Decide for each new fact whether it folds now or waits, and whose it is."""
        for item in self._open():
            receipt = item.receipt
            receipt.received_at = self.at if receipt.is_new else receipt.received_at
            if receipt.kind == REFUND:
                if receipt.is_new:
                    self.orders[receipt.source, receipt.order_no].new.append(receipt)
            elif receipt.member is None:
                self._place_unknown(item)
        for play in self.orders.values():
            self._place_order(play)
        self._mark_own_tills()
        for play in self.orders.values():
            for receipt in play.new:
                self._date(receipt)
        for item in self._open():
            if item.receipt.kind == INTERACTION:
                self._date(item.receipt)

    def _mark_own_tills(self) -> None:
        """Note which orders a cashier rang up for themselves; asked only where a till names one."""
        sales = [
            ((receipt.body["cashier"], receipt.member), receipt)
            for play in self.orders.values()
            for receipt in play.new
            if "cashier" in receipt.body and receipt.member is not None
        ]
        own = authority.own_tills([sale for sale, _receipt in sales])
        for sale, receipt in sales:
            if sale in own:
                receipt.body[receipts.OWN_TILL] = True

    def _date(self, receipt: Receipt) -> None:
        """Set when the fact acts, and whether it was received after the account was closed."""
        late = self.book.policy_at(receipt.own_instant).late_fact_days
        receipt.acts_at = receipts.acts_at(
            receipt, receipt.received_at, late, is_history=self.settle_to is None
        )
        locked = self.locked.get(receipt.member or 0)
        if locked is not None and locked.status == MemberStatus.CLOSED and receipt.is_new:
            receipt.body["closed"] = True
        if receipt.kind == INTERACTION and receipt.is_new and not receipt.is_own:
            self._hold(receipt)

    def _hold(self, receipt: Receipt) -> None:
        """Let what needs a moderator wait for one.

        It is said in the fact itself, so that a kind that is moderated from now on changes nothing
        about what has been received before.
        """
        if receipt.body["kind"] in self.book.moderated:
            receipt.body["held"] = True

    def _place_unknown(self, item: Item) -> None:
        receipt = item.receipt
        if receipt.kind == ORDER and receipt.named is None:
            play = self.orders[receipt.source, receipt.order_no]
            if play.stored_member is not None or any(each.member for each in play.new):
                return
        if self._on_unknown() == OnUnknown.REJECT:
            item.outcome = answers.refusal(404, "identifier_unknown")
            if receipt.order_no:
                self.orders[receipt.source, receipt.order_no].new.remove(receipt)
            return
        receipt.state = AWAITING

    @staticmethod
    def _place_order(play: OrderPlay) -> None:
        """Give an order's facts their member; versions without one follow the others."""
        orders = [each for each in (*play.stored, *play.new) if each.kind == ORDER]
        named = sorted((each.version, each.member) for each in orders if each.member is not None)
        for each in orders:
            if each.member is None:
                each.member = _owner_of(each, named)
            if each.member is not None and each.state == AWAITING:
                play.apply(each)
        folds = bool(play.versions())
        for each in [*play.stored, *play.new]:
            if each.kind == REFUND and each.state == PARKED and folds:
                play.apply(each)
            elif each.kind == REFUND and each.is_new and not folds:
                each.state = PARKED


def _owner_of(waiting: Receipt, named: Sequence[tuple[int, int]]) -> int | None:
    """Return whom a version belongs to that leads to nobody, given versions that lead to members.

    One that names nobody follows the order; one that names somebody unknown waits for that one, or
    for a later version.
    """
    before = [member for version, member in named if version < waiting.version]
    after = [member for version, member in named if version > waiting.version]
    if waiting.is_anonymous and before:
        return before[-1]
    return after[0] if after else None
