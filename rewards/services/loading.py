"""Load and lock what a batch needs: a fixed number of statements, whatever its length."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import orjson

from config.base import bulk
from rewards.domain.account import Account
from rewards.domain.explanation import MemberTier
from rewards.domain.holds import Hold, HoldState
from rewards.domain.journal import BEGINNING
from rewards.domain.lots import Lot
from rewards.domain.receipt import Receipt, order_version
from rewards.domain.subjects import INTERACTION, ORDER, MemberFacts, OrderState
from rewards.services import member_facts
from rewards.services.decisions import Decision
from rewards.services.programme import STAMP
from tiers.domain.progress import Contribution

ORDER_LOCKS: Final = 0x4F_52
ORDER_LOCK_BUCKETS: Final = 256
WAITING_LOCKS: Final = 0x57_41
WAITING_LOCK_BUCKETS: Final = 1024


@dataclass(slots=True)
class Slot:
    """What a submission gets: ids to use and, where its order exists, that order's member.

    `members` are all whom a version of the order has named, it is folded for each of them, and
    those into whom any of these was merged.
    """

    fact_id: int
    order_id: int
    order_member: int | None
    members: frozenset[int]


@dataclass(slots=True)
class StandingRow:
    """A stored standing."""

    id: int
    tier: str
    from_at: datetime
    ended_at: datetime | None
    kept_until_on: date | None
    reason: str


@dataclass(slots=True)
class Locked:
    """One member with its account, locked; `survivor` is the one that it was merged into."""

    member: int
    public_id: UUID
    status: str
    account: Account
    facts: MemberFacts
    snapshot: tuple[dict[str, Any], list[Any]] | None
    last_fact_at: datetime | None
    open_standing: StandingRow | None
    first_purchase_on: date | None
    has_profile: bool
    survivor: int | None = None


# A refund that comes before its order must not miss it, nor the order the refund, when both arrive
# at one moment: whoever finds no order waits here for those who are about to store one. Orders
# share these locks; they are few, so that no batch can fill the lock table.
_SLOTS = f"""
SELECT x.number, x.id, x.member_id, nextval('members_receivedfact_id_seq'),
       CASE WHEN x.id IS NULL AND x.order_no <> '' THEN nextval('members_order_id_seq') END,
       CASE WHEN x.number = 1 THEN {STAMP} END,
       CASE WHEN x.id IS NOT NULL THEN ARRAY(
           WITH RECURSIVE line (id) AS (
               SELECT f.member_id FROM members_receivedfact f
               WHERE f.order_no = x.order_no AND f.source = x.source AND f.order_no <> ''
                 AND f.kind = 'order' AND f.member_id IS NOT NULL
               UNION
               SELECT m.merged_into_id FROM line JOIN members_member m ON m.id = line.id
               WHERE m.merged_into_id IS NOT NULL)
           SELECT id FROM line) END,
       CASE WHEN x.id IS NULL AND x.order_no <> '' THEN
           CASE WHEN x.parks THEN pg_advisory_xact_lock({ORDER_LOCKS}, x.bucket)
                ELSE pg_advisory_xact_lock_shared({ORDER_LOCKS}, x.bucket) END END
FROM (
    SELECT k.source, k.order_no, k.parks, k.number, o.id, o.member_id,
           hashtext(k.source || '/' || k.order_no) & {ORDER_LOCK_BUCKETS - 1} AS bucket
    FROM unnest(%s::text[], %s::text[], %s::boolean[])
         WITH ORDINALITY AS k (source, order_no, parks, number)
    LEFT JOIN members_order o ON o.order_no = k.order_no AND o.source = k.source
    ORDER BY bucket, k.parks DESC, k.number OFFSET 0
) x
"""  # noqa: S608 - the stamp and the locks are constants

_WAIT_SHARED = "SELECT pg_advisory_xact_lock_shared(%s, b) FROM unnest(%s::int[]) AS b"
_WAIT_ALONE = "SELECT pg_advisory_xact_lock(%s, b) FROM unnest(%s::int[]) AS b"

_MEMBER = f"""
SELECT m.id, m.public_id, m.status,
       a.id, a.kind, a.pending, a.available, a.reserved, a.debt, a.earned, a.redeemed, a.expired,
       a.reversed, a.adjusted, a.seq, a.head_hash, a.settled_at, a.next_due_at,
       a.last_fact_at, f.state::text, f.position::text,
       s.id, t.code, s.from_at, s.kept_until_on, s.reason,
       p.first_purchase_on, p.member_id IS NOT NULL,
       {member_facts.COLUMNS}, m.merged_into_id,
       a.xmin <> (SELECT b.xmin FROM rewards_pointsaccount b WHERE b.id = a.id)
FROM rewards_pointsaccount a
JOIN members_member m ON m.id = a.member_id
LEFT JOIN rewards_foldsnapshot f ON f.member_id = m.id
LEFT JOIN tiers_standing s ON s.member_id = m.id AND s.ended_at IS NULL
LEFT JOIN tiers_tier t ON t.id = s.tier_id
LEFT JOIN members_memberprofile p ON p.member_id = m.id
WHERE a.member_id = ANY(%s::bigint[]) AND a.kind = 'points'
ORDER BY a.id
"""  # noqa: S608 - column names

_LOCK = f"{_MEMBER} FOR NO KEY UPDATE OF a"
READ = f"SELECT m.*, {STAMP} FROM ({_MEMBER}) m"  # noqa: S608 - the stamp is a constant

_ACCOUNT_FIGURES = (
    "kind", "pending", "available", "reserved", "debt", "earned", "redeemed", "expired",
    "reversed", "adjusted", "seq",
)  # fmt: skip

_FACT_COLUMNS = """f.id, f.source, f.kind, f.ref, f.version, f.order_no, f.digest, f.member_id,
       f.order_id, f.state, f.acts_at, f.received_at, f.body::text, o.placed_at,
       f.awaits_kind <> ''"""

_FACTS_OF = f"""
SELECT {_FACT_COLUMNS}
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS k (source, order_no)) k
JOIN members_receivedfact f
  ON f.order_no = k.order_no AND f.source = k.source AND f.order_no <> ''
LEFT JOIN members_order o ON o.id = f.order_id
UNION ALL
SELECT {_FACT_COLUMNS}
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS k (source, ref)) k
JOIN members_receivedfact f
  ON f.ref = k.ref AND f.source = k.source AND f.kind = 'interaction' AND f.version = 1
LEFT JOIN members_order o ON false
"""  # noqa: S608 - column names

_FACTS_BY_ID = f"""
SELECT {_FACT_COLUMNS}
FROM members_receivedfact f LEFT JOIN members_order o ON o.id = f.order_id
WHERE f.id = ANY(%s::bigint[]) ORDER BY f.id
"""  # noqa: S608 - column names

_HISTORY = f"""
SELECT {_FACT_COLUMNS}
FROM members_receivedfact f JOIN members_order o ON o.id = f.order_id
WHERE f.state = 'applied' AND (f.source, f.order_no) IN (
    SELECT DISTINCT x.source, x.order_no FROM members_receivedfact x
    WHERE x.member_id = ANY(%s::bigint[]) AND x.kind = 'order' AND x.state = 'applied')
UNION ALL
SELECT {_FACT_COLUMNS}
FROM members_receivedfact f LEFT JOIN members_order o ON false
WHERE f.member_id = ANY(%s::bigint[]) AND f.kind = 'interaction' AND f.state = 'applied'
"""  # noqa: S608 - column names

# Each way to a lot has an index of its own; one condition with OR would read the whole table.
_HOLDS_AND_LOTS = """
WITH held AS MATERIALIZED (
    SELECT r.id, r.account_id, r.order_id, r.points, r.captured_points, r.given_back_points,
           r.expires_at, r.status, r.public_id, r.parent_id
    FROM rewards_reservation r
    WHERE r.account_id = ANY(%s::bigint[])
      AND (r.status = 'held' OR r.order_id = ANY(%s::bigint[]) OR r.public_id = ANY(%s::uuid[]))
)
SELECT l.account_id, l.id, l.order_id, l.points, l.remaining, l.expired, l.expires_at,
       l.interaction_id, l.rule_id, l.is_pending, l.available_at, l.earned_at, e.seq,
       NULL::text, NULL::uuid, NULL::text, NULL::bigint
FROM rewards_lot l JOIN rewards_entry e ON e.id = l.entry_id
WHERE l.id IN (
    SELECT id FROM rewards_lot WHERE account_id = ANY(%s::bigint[]) AND remaining > 0
    UNION
    SELECT o.id FROM rewards_entry x JOIN rewards_lot o ON o.entry_id = x.id
     WHERE x.account_id = ANY(%s::bigint[])
    UNION
    SELECT id FROM rewards_lot WHERE order_id = ANY(%s::bigint[]) AND account_id = ANY(%s::bigint[])
    UNION
    SELECT u.lot_id FROM held h JOIN rewards_entry x ON x.reservation_id = h.id
      JOIN rewards_lotuse u ON u.entry_id = x.id)
UNION ALL
SELECT r.account_id, r.id, r.order_id, r.points, r.captured_points, r.given_back_points,
       r.expires_at, r.parent_id,
       CASE WHEN r.parent_id IS NOT NULL THEN (
           SELECT t.rank FROM rewards_redemption d JOIN rewards_reward w ON w.id = d.reward_id
             JOIN tiers_tier t ON t.id = w.min_tier_id
            WHERE d.reservation_id = r.id)::bigint END,
       NULL, NULL, NULL, NULL, r.status, r.public_id,
       (SELECT json_agg(json_build_array(u.lot_id, u.points) ORDER BY u.id)
          FROM rewards_entry e JOIN rewards_lotuse u ON u.entry_id = e.id
         WHERE e.reservation_id = r.id AND e.source = 'available')::text, 1
FROM held r
"""

_STANDINGS = """
SELECT s.member_id, s.id, t.code, s.from_at, s.ended_at, s.kept_until_on, s.reason
FROM tiers_standing s JOIN tiers_tier t ON t.id = s.tier_id
WHERE s.member_id = ANY(%s::bigint[])
ORDER BY s.member_id, s.from_at, s.id
"""


def slots(facts: Sequence[tuple[str, str, bool]]) -> tuple[list[Slot], str]:
    """Return a slot per (source, order number, whether it is a refund), and the programme's stamp.

    An empty order number asks for a fact id alone.
    """
    columns = [[fact[number] for fact in facts] for number in range(3)]
    rows = sorted(bulk.fetch(_SLOTS, columns), key=itemgetter(0))
    found = [Slot(row[3], row[1] or row[4] or 0, row[2], frozenset(row[6] or ())) for row in rows]
    return found, rows[0][5]


def lock(members: Collection[int]) -> dict[int, Locked]:
    """Lock the accounts of members in id order and return what the fold needs of each.

    A row that had to be waited for is read as it is now, but what is joined to it as it was when
    the waiting began: then everything is read again, under the lock.
    """
    ids = sorted(members)
    rows = bulk.fetch(_LOCK, [ids])
    if any(_is_outdated(row) for row in rows):
        rows = bulk.fetch(_LOCK, [ids])
    return {row[0]: _locked(row) for row in rows}


def read(members: Collection[int]) -> tuple[dict[int, Locked], str | None]:
    """Return what the fold needs of members, not locked, and the programme's stamp.

    For deciding without writing. The stamp is None where there is no such member.
    """
    rows = bulk.fetch(READ, [sorted(members)])
    stamp = rows[0][-1] if rows else None
    return {row[0]: _locked(row) for row in rows}, stamp


def _is_outdated(row: Sequence[Any]) -> bool:
    return bool(row[-1])


def _locked(row: Sequence[Any]) -> Locked:
    figures: dict[str, Any] = dict(zip(_ACCOUNT_FIGURES, row[4:15], strict=True))
    account = Account(
        row[3], str(row[1]), **figures, head_hash=bytes(row[15]),
        settled_at=row[16] or BEGINNING, due_at=row[17],
    )  # fmt: skip
    snapshot = None
    if row[19] is not None:
        snapshot = (orjson.loads(row[19]), orjson.loads(row[20]))
    standing = None
    if row[21] is not None:
        standing = StandingRow(row[21], row[22], row[23], None, row[24], row[25])
    facts = member_facts.read(row[28 : 28 + member_facts.WIDTH])
    return Locked(
        row[0], row[1], row[2], account, facts, snapshot, row[18], standing, row[26], row[27],
        row[28 + member_facts.WIDTH],
    )  # fmt: skip


def meet_waiting(hashes: Iterable[bytes], *, shared: bool) -> None:
    """Let facts that name somebody unknown and the enrolment of that one not miss each other.

    Facts share these locks while they look for the member a second time and store themselves;
    whoever attaches identifiers takes them alone before it looks for facts that wait.
    """
    buckets = sorted({int.from_bytes(each[:4]) % WAITING_LOCK_BUCKETS for each in hashes})
    bulk.fetch(_WAIT_SHARED if shared else _WAIT_ALONE, [WAITING_LOCKS, buckets])


def facts_of(
    orders: Collection[tuple[str, str]], interactions: Collection[tuple[str, str]]
) -> list[Receipt]:
    """Return every stored fact about these orders, waiting ones too, and these interactions."""
    split = [[pair[0] for pair in orders], [pair[1] for pair in orders]]
    split += [[pair[0] for pair in interactions], [pair[1] for pair in interactions]]
    return [_receipt(row) for row in bulk.fetch(_FACTS_OF, split)]


def moved_from(orders: Collection[int]) -> set[tuple[int, int]]:
    """Return the members from whom staff have moved these orders, as (order, member)."""
    rows = bulk.fetch(
        "SELECT order_id, from_member_id FROM members_ordermove WHERE order_id = ANY(%s::bigint[])",
        [list(orders)],
    )
    return {(order, member) for order, member in rows}


def receipts_of(facts: Collection[int]) -> list[Receipt]:
    """Return stored facts by their ids."""
    return [_receipt(row) for row in bulk.fetch(_FACTS_BY_ID, [list(facts)])]


def history_of(members: Collection[int]) -> list[Receipt]:
    """Return every folded fact of these members' orders and interactions."""
    ids = sorted(members)
    return [_receipt(row) for row in bulk.fetch(_HISTORY, [ids, ids])]


def _receipt(row: Sequence[Any]) -> Receipt:
    body = orjson.loads(row[12])
    at = row[13]
    if at is None:
        text = body.get("placed_at") or body.get("refunded_at") or body["occurred_at"]
        at = datetime.fromisoformat(text)
    return Receipt(
        kind=row[2], source=row[1], ref=row[3], version=row[4], order_no=row[5],
        own_instant=at if row[9] == "applied" else row[10],
        placed_at=at, body=body, digest=bytes(row[6]), id=row[0], member=row[7], order=row[8],
        acts_at=row[10], received_at=row[11], state=row[9], is_new=False, awaits=row[14],
    )  # fmt: skip


def order_state(order: int, highest: Receipt, decision: Decision) -> OrderState:
    """Return the fold's state of a stored order, from its newest evaluation and version."""
    stored = decision.result["order"]
    state = OrderState(
        order, highest.source, highest.order_no, highest.placed_at, MemberTier(*stored["tier"])
    )
    state.version = order_version(highest)
    state.was_paid = stored["paid"]
    state.counted = Contribution(*stored["counted"])
    state.awards = dict(decision.awards)
    state.allowances = {int(key): value for key, value in stored.get("allow", {}).items()}
    state.hold = stored.get("hold")
    state.hold_points = stored.get("hold_points")
    return state


def standings_of(members: Collection[int]) -> dict[int, list[StandingRow]]:
    """Return all stored standings per member, oldest first."""
    found: dict[int, list[StandingRow]] = {member: [] for member in members}
    for row in bulk.fetch(_STANDINGS, [sorted(members)]):
        found[row[0]].append(StandingRow(*row[1:]))
    return found


def attach_lots(
    accounts: Collection[Account],
    *,
    whole: Collection[int] = (),
    orders: Collection[int] = (),
    reservations: Collection[UUID] = (),
) -> dict[UUID, int]:
    """Load lots and holds into accounts; returns the ids of the reservations found.

    `whole` names accounts of which every lot is needed, spent ones too; `orders` those whose lots
    and captured holds are.
    """
    by_id = {account.key: account for account in accounts}
    ids, order_ids = sorted(by_id), list(orders)
    parameters = [ids, order_ids, list(reservations), ids, list(whole), order_ids, ids]
    lots: dict[int, list[Lot]] = {key: [] for key in ids}
    holds: dict[int, list[Hold]] = {key: [] for key in ids}
    found: dict[UUID, int] = {}
    for row in bulk.fetch(_HOLDS_AND_LOTS, parameters):
        if row[-1] is None:
            lots[row[0]].append(_lot(row))
        else:
            holds[row[0]].append(_hold(row))
            found[row[14]] = row[1]
    for key, account in by_id.items():
        account.attach(lots[key], holds[key])
    return found


def _lot(row: Sequence[Any]) -> Lot:
    subject = None
    if row[2] is not None:
        subject = f"{ORDER}:{row[2]}"
    elif row[7] is not None:
        subject = f"{INTERACTION}:{row[7]}"
    return Lot(
        row[1], subject, row[8], row[3], row[4], row[5], row[9], row[10] or row[11], row[6],
        row[11], row[12],
    )  # fmt: skip


def _hold(row: Sequence[Any]) -> Hold:
    uses = tuple((lot, points) for lot, points in orjson.loads(row[15] or "[]"))
    subject = None if row[2] is None else f"{ORDER}:{row[2]}"
    return Hold(
        row[1], row[3], uses, row[6], subject, row[7], row[8], HoldState(row[13]), row[4], row[5]
    )
