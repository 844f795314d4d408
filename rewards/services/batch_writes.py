"""The rows of one batch: members' runs, evaluations, facts and orders."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from config.base import money
from config.base.bulk import Writes
from members.models import Touchpoint
from members.services import identity, touchpoints
from members.services.events import NewEvent
from rewards.domain.cart import CANCELLED, Line
from rewards.domain.posting import FactOutcome, MemberRun
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import MERGE, Receipt, dumps, line_reviewed, order_version
from rewards.domain.subjects import INTERACTION, ORDER, REFUND, OrderState
from rewards.services import answers, ledger, tables
from rewards.services.arrivals import OrderKey
from rewards.services.happened import TierNews
from rewards.services.ledger import MemberWrite
from rewards.services.loading import Locked, StandingRow
from rewards.services.order_owners import OrderPlay


def write_runs(
    writes: Writes,
    news: list[NewEvent],
    runs: Mapping[int, MemberRun],
    locked: Mapping[int, Locked],
    standings: Mapping[int, Sequence[StandingRow]],
) -> list[TierNews]:
    """Add accounts, snapshots and standings of the members that ran; returns tiers entered."""
    members, entered = [], list[TierNews]()
    for member, run in runs.items():
        open_row = locked[member].open_standing
        stored = standings.get(member, [open_row] if open_row is not None else [])
        members.append(MemberWrite(locked[member], run, run.account, stored))
    ledger.write_accounts(writes, members)
    for each in members:
        run = runs[each.locked.member]
        entered += _write_standing(writes, news, each, run)
        ledger.write_snapshot(writes, each.locked.member, run)
        _write_first_purchase(writes, each, run)
    return entered


def _write_standing(
    writes: Writes, news: list[NewEvent], each: MemberWrite, run: MemberRun
) -> list[TierNews]:
    member, book = each.locked.member, run.book
    changes = ledger.write_standings(writes, each, run)
    for change in changes:
        if change.rank_before is None:
            continue
        payload = {
            "from": change.evidence.get("tier_before")
            or book.tier_at(change.at, change.rank_before).code,
            "to": book.tier_at(change.at, change.rank).code,
            "reason": change.reason.value,
            "kept_until": change.kept_until_on and change.kept_until_on.isoformat(),
        }
        if each.locked.survivor is None:
            news.append(NewEvent(member, "tier.changed", change.at, run.at, payload))
    if changes:
        writes.update(tables.SERVICE_LEVELS, (member, run.fold.effective_rank(run.at)))
    return [
        TierNews(
            member, book.tier_at(change.at, change.rank).code, change.rank, change.rank_before,
            change.reason.value, change.at,
        )
        for change in changes
    ]  # fmt: skip


def _write_first_purchase(writes: Writes, each: MemberWrite, run: MemberRun) -> None:
    """Keep the day of the first purchase that still counts (MEM-14)."""
    known = each.locked.first_purchase_on
    first = run.first_purchase_on(known)
    if first != known and each.locked.has_profile:
        writes.update(tables.FIRST_PURCHASES, (each.locked.member, first))


def tiers_of(book: ProgrammeBook, outcome: FactOutcome) -> tuple[str, str]:
    """Return the codes of the tier before and after a fact."""
    at = outcome.fact.acts_at
    return (
        book.tier_at(at, outcome.rank_before).code,
        book.tier_at(at, outcome.rank_after).code,
    )


def write_results(
    writes: Writes,
    news: list[NewEvent],
    book: ProgrammeBook,
    results: Iterable[tuple[Locked, FactOutcome]],
    actor: str,
) -> None:
    """Add evaluations, progress, events and cases of every folded fact."""
    for locked, outcome in results:
        member = locked.member
        tiers = tiers_of(book, outcome)
        for decided in outcome.decided:
            ledger.write_evaluation(
                writes, member, decided, answers.result_of(outcome, decided, tiers)
            )
        fact, own = outcome.fact, outcome.decided[0]
        ledger.write_progress(writes, member, outcome, own.recorded_at)
        payload = {
            "source": fact.source,
            "ref": fact.ref,
            "version": fact.version,
            "points": own.delta,
        }
        kind = f"{fact.kind}.recorded"
        if fact.source != MERGE:  # that has events of its own
            news.append(NewEvent(member, kind, fact.acts_at, own.recorded_at, payload, actor))
        for issue in outcome.issues:
            writes.insert(
                tables.CASES,
                (member, issue["code"], fact.key, "open", dumps(issue), own.recorded_at),
            )


def write_facts(
    writes: Writes,
    kept: Sequence[Receipt],
    touchpoint: Touchpoint | None,
    orders: Mapping[OrderKey, OrderPlay],
) -> None:
    """Add the facts received, and what has become of those that waited."""
    touchpoint_id = None if touchpoint is None else touchpoint.pk
    for receipt in kept:
        if receipt.is_new:
            writes.insert(tables.FACTS, _fact_row(receipt, touchpoint_id))
        if receipt.kind == INTERACTION and receipt.state == "applied":
            _write_interaction(writes, receipt)
    for play in orders.values():
        for receipt in play.new:
            if not receipt.is_new and receipt.state == "applied":
                _write_applied(writes, receipt, play.id)


def _fact_row(receipt: Receipt, touchpoint: int | None) -> tuple[Any, ...]:
    waits_kind, waits_hash = _waits_for(receipt)
    folds = receipt.state == "applied"
    return (
        receipt.id, receipt.source, receipt.kind, receipt.ref, receipt.version, receipt.order_no,
        receipt.digest, receipt.member, receipt.order if folds and receipt.order_no else None,
        touchpoint, receipt.state, receipt.acts_at if folds else receipt.own_instant,
        receipt.received_at, waits_kind, waits_hash, dumps(receipt.body),
    )  # fmt: skip


def _write_interaction(writes: Writes, receipt: Receipt) -> None:
    body = receipt.body
    writes.insert(
        tables.INTERACTIONS,
        (receipt.id, receipt.member, receipt.source, receipt.ref, body["kind"], receipt.placed_at,
         dumps(body["data"])),
    )  # fmt: skip
    if body.get("held"):
        reviewed = line_reviewed(body["data"])
        writes.insert(
            tables.MODERATIONS,
            (receipt.id, receipt.member, "pending", *reviewed, receipt.placed_at, 0),
        )
    if not receipt.is_new:
        _write_applied(writes, receipt, None)


def _write_applied(writes: Writes, receipt: Receipt, order: int | None) -> None:
    writes.update(
        tables.FACT_STATES,
        (receipt.id, receipt.member, order, receipt.acts_at, "applied", "", None),
    )


def _waits_for(receipt: Receipt) -> tuple[str, bytes | None]:
    named = receipt.named
    if receipt.state != "awaiting_member" or named is None or not named.kind:
        return "", None
    return named.kind, identity.hash_value(named.kind, named.app, named.value)


def write_orders(
    writes: Writes,
    orders: Mapping[OrderKey, OrderPlay],
    runs: Mapping[int, MemberRun],
    touchpoint: Touchpoint | None,
) -> None:
    """Add what the orders have become, with their lines and refunds."""
    changed = [
        play
        for play in orders.values()
        if any(each.state == "applied" for each in play.new) and play.versions()
    ]
    stores = touchpoints.store_ids(
        {store for play in changed if (store := play.highest().body.get("store"))}
    )
    for play in changed:
        highest = play.highest()
        run = runs.get(highest.member or 0)
        if run is not None:
            state = run.fold.orders[play.id]
            store = stores.get(play.highest().body.get("store", ""))
            _write_order(writes, play, state, store, touchpoint)


def _write_order(
    writes: Writes,
    play: OrderPlay,
    state: OrderState,
    store: int | None,
    touchpoint: Touchpoint | None,
) -> None:
    highest, net = play.highest(), state.net
    assert net is not None
    body = highest.body
    amount = money.column_writer()
    counts = state.is_mine and body["status"] != CANCELLED
    figures = (
        amount(net.original),
        amount(net.net if body["status"] != CANCELLED else 0),
        amount(net.spend if counts else 0),
    )
    if play.stored_member is None:
        writes.insert(
            tables.ORDERS,
            (play.id, highest.source, highest.order_no, highest.member,
             None if touchpoint is None else touchpoint.pk, store, body.get("channel", ""),
             highest.version, body["status"], highest.placed_at, body["currency"], *figures),
        )  # fmt: skip
    else:
        writes.update(
            tables.ORDER_STATES,
            (play.id, highest.member, store, highest.version, body["status"], *figures),
        )
    if highest in play.new:
        _write_lines(writes, play, highest)
    _write_refunds(writes, play, highest.member)


def _write_lines(writes: Writes, play: OrderPlay, highest: Receipt) -> None:
    lines = order_version(highest).lines
    amount = money.column_writer()
    add = writes.insert if play.stored_member is None else writes.upsert
    for line in lines:
        add(tables.LINES, _line_row(play.id, highest.member, line, amount))
    if play.stored_member is not None:
        now = {line.line_no for line in lines}
        before = max(
            (e for e in play.stored if e.kind == ORDER and e.state == "applied"),
            key=lambda each: each.version,
        )
        for line in before.body["lines"]:
            if line[0] not in now:
                writes.delete(tables.GONE_LINES, (play.id, line[0]))


def _line_row(
    order: int, member: int | None, line: Line, amount: Callable[[int], str]
) -> tuple[Any, ...]:
    return (
        order, member, line.line_no, line.sku, line.kind, line.category or "", line.brand or "",
        f"{line.quantity // 1000}.{line.quantity % 1000:03}", amount(line.amount),
        line.earns, None if line.list_amount is None else amount(line.list_amount),
        None if line.cost is None else amount(line.cost),
        dumps(line.discounts) if line.discounts else None,
    )  # fmt: skip


def _write_refunds(writes: Writes, play: OrderPlay, member: int | None) -> None:
    if play.stored_member is not None and play.stored_member != member:
        # Refunds go with their order to the member that it has moved to.
        for receipt in play.stored:
            if receipt.kind == REFUND and receipt.state == "applied":
                writes.update(tables.REFUND_OWNERS, (receipt.id, member))
    for receipt in play.new:
        if receipt.kind != REFUND or receipt.state != "applied":
            continue
        body = receipt.body
        amount = body["amount"]
        writes.insert(
            tables.REFUNDS,
            (play.id, member, receipt.id, body["refund_no"], receipt.placed_at,
             None if amount is None else str(money.from_minor(amount)), body["points"],
             dumps(body["lines"])),
        )  # fmt: skip
