"""What is read of members' tiers, entries, orders and the decisions behind them."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from config.base.names import name_of
from members import queries as member_queries
from members.models import Member, Order, OrderLine, Refund
from rewards.domain.programme import ProgrammeBook
from rewards.models import Entry, Evaluation, FoldSnapshot, LotUse, Rule
from rewards.services import programme
from tiers import queries as tier_queries
from tiers.domain.progress import StaleSnapshotError
from tiers.domain.qualification import TierFold
from tiers.models import Tier
from tiers.queries import CurrentTier, InForce, Outlook

TIERS_STATE = "t"
NAMES_KEPT_SECONDS = 60


_TIER_STATE = f"""
SELECT {programme.STAMP},
    (SELECT f.state::text FROM rewards_foldsnapshot f WHERE f.member_id = %(member)s),
    (SELECT json_agg(json_build_array(u.from_at, u.ended_at) ORDER BY u.from_at)
       FROM members_suspension u WHERE u.member_id = %(member)s)::text
"""  # noqa: S608 - the stamp


@dataclass(frozen=True, slots=True)
class TierReading:
    """A member's tier with what lies ahead.

    `outlook` is None where the stored progress has to be folded anew before it can be told, which
    the next due run does after a change of the ladder.
    """

    current: CurrentTier
    outlook: Outlook | None


@dataclass(frozen=True, slots=True)
class OrderReading:
    """An order as it stands, with the decision that counts for it."""

    order: Order
    member: Member
    lines: Sequence[OrderLine]
    refunds: Sequence[Refund]
    evaluation: Evaluation | None


def current_tiers(members: Collection[Member], *, at: datetime) -> dict[int, CurrentTier]:
    """Return the tier that counts for each member at an instant, reviews that are due included.

    The number of statements does not depend on the number of members.
    Source: design §5.2.
    """
    ids = [member.pk for member in members]
    overrides = tier_queries.overrides_in_force(ids, at=at)
    current = tier_queries.current_tiers(ids, at=at, overrides=overrides)
    due = FoldSnapshot.objects.filter(member_id__in=ids, review_due_at__lte=at)
    states = dict(due.values_list("member_id", "state"))
    if not states:
        return current
    book, tiers = programme.current_book(), tier_queries.tiers_by_code()
    suspensions = member_queries.suspensions_of(states)
    for member_id, state in states.items():
        fold = TierFold.from_json(state[TIERS_STATE], suspensions[member_id])
        outlook = _outlook(fold, book, at)
        if outlook is not None and member_id in current:
            current[member_id] = _settled(
                current[member_id], outlook, tiers, overrides.get(member_id)
            )
    return current


def tier_of(member: Member, *, at: datetime) -> TierReading | None:
    """Return the tier of a member and what lies ahead; None before the first standing.

    Source: TIR-07.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TIER_STATE, {"member": member.pk})
        stamp, state, suspensions = cursor.fetchone()
    known = TierState(
        None if state is None else orjson.loads(state),
        read_suspensions(suspensions),
        programme.book_for(stamp),
    )
    return read_tier(member, known, at=at)


def read_suspensions(text: str | None) -> list[tuple[datetime, datetime | None]]:
    """Return when a member was frozen, from JSON as PostgreSQL makes it."""
    return [
        (datetime.fromisoformat(from_at), ended_at and datetime.fromisoformat(ended_at))
        for from_at, ended_at in orjson.loads(text or "[]")
    ]


@dataclass(frozen=True, slots=True)
class TierState:
    """What is stored of a member's fold, and the programme that it is read with."""

    state: Mapping[str, Any] | None
    suspensions: Sequence[tuple[datetime, datetime | None]]
    book: ProgrammeBook


def read_tier(member: Member, known: TierState, *, at: datetime) -> TierReading | None:
    """Return the tier of a member and what lies ahead; two statements, three after a review."""
    overrides = tier_queries.overrides_in_force([member.pk], at=at)
    current = tier_queries.current_tiers([member.pk], at=at, overrides=overrides).get(member.pk)
    if current is None:
        return None
    if known.state is None:
        fold = TierFold.enrol(member.joined_at, suspensions=known.suspensions)
    else:
        fold = TierFold.from_json(known.state[TIERS_STATE], known.suspensions)
    outlook = _outlook(fold, known.book, at)
    if outlook is not None and outlook.tier != current.computed.code:
        laid_over = overrides.get(member.pk)
        current = _settled(current, outlook, tier_queries.tiers_by_code(), laid_over)
    return TierReading(current, outlook)


def _outlook(fold: TierFold, book: ProgrammeBook, at: datetime) -> Outlook | None:
    try:
        return tier_queries.outlook(fold, book=book.ladders, at=at)
    except StaleSnapshotError:
        return None


def _settled(
    current: CurrentTier, outlook: Outlook, tiers: dict[str, Tier], overrides: InForce | None
) -> CurrentTier:
    """Return the current tier after what is due, under overrides that go on."""
    computed = tiers[outlook.tier]
    reason = outlook.reason or current.reason
    return tier_queries.effective(
        CurrentTier(computed, outlook.since_at, outlook.kept_until_on, reason, computed), overrides
    )


class RuleNames:
    """Names of rules by code in the active language, kept in the process for a minute.

    Orders are answered with them, so that they cost no statement. A code that is not known yet
    makes all names be read again.
    """

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._read_at = 0.0

    def of(self, codes: Collection[str]) -> dict[str, str]:
        """Return the names of these rules; unknown ones are absent."""
        is_old = time.monotonic() - self._read_at > NAMES_KEPT_SECONDS
        if codes and (is_old or not self._rules.keys() >= set(codes)):
            self._read_at = time.monotonic()
            self._rules = {rule.code: rule for rule in Rule.objects.all()}
        return {code: name_of(self._rules[code]) for code in codes if code in self._rules}


rule_names = RuleNames()


def entries_of(member: Member, *, before_seq: int | None, limit: int) -> list[Entry]:
    """Return entries of a member's points account, newest first, one more than the limit."""
    entries = Entry.objects.filter(account__member=member, account__kind="points")
    if before_seq is not None:
        entries = entries.filter(seq__lt=before_seq)
    related = entries.select_related("fact", "rule__rule", "order", "interaction", "lot")
    return list(related.order_by("-seq")[: limit + 1])


def entry_of(entry_id: int) -> Entry | None:
    """Return one entry with what it belongs to."""
    related = Entry.objects.select_related(
        "fact", "rule__rule", "order", "interaction", "lot", "account__member"
    )
    return related.filter(pk=entry_id).first()


def evaluation_behind(entry: Entry) -> Evaluation | None:
    """Return the decision that an entry was posted for, None for what needed none.

    A late fact changes the points of other orders too: each has its own evaluation for that fact.
    """
    decisions = Evaluation.objects.filter(member_id=entry.member_id).order_by("-id")
    if entry.order_id is not None:
        decisions = decisions.filter(order_id=entry.order_id)
    elif entry.interaction_id is not None:
        decisions = decisions.filter(interaction_id=entry.interaction_id)
    else:
        return None
    if entry.fact_id is not None:
        return decisions.filter(fact_id=entry.fact_id).first() or decisions.first()
    return decisions.first()


def lot_uses_of(entry: Entry) -> list[LotUse]:
    """Return from which lots an entry took points, or to which it gave them back."""
    return list(LotUse.objects.filter(entry=entry).select_related("lot").order_by("id"))


def order_of(source: str, order_no: str) -> OrderReading | None:
    """Return an order as it stands."""
    orders = Order.objects.select_related("member", "store")
    order = orders.filter(source=source, order_no=order_no).first()
    if order is None:
        return None
    evaluations = Evaluation.objects.filter(order=order, member_id=order.member_id)
    return OrderReading(
        order=order,
        member=order.member,
        lines=list(OrderLine.objects.filter(order=order).order_by("line_no")),
        refunds=list(Refund.objects.filter(order=order).order_by("refunded_at", "id")),
        evaluation=evaluations.order_by("-id").first(),
    )
