"""Points, entries, orders and decisions as the API writes them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from config.base import money
from members.models import OrderLine, Refund
from rewards import explanations, words
from rewards.balances import Balance, Points, Statement, last_valid_day
from rewards.models import Entry, Evaluation, LotUse
from rewards.queries import OrderReading, rule_names


def points_json(points: Points) -> dict[str, Any]:
    """Return balances, expiring points by last valid day, and lifetime counters."""
    balance = points.balance
    return {
        **balance_json(balance),
        "expiring": [{"on": item.on, "points": item.points} for item in points.expiring],
        "lifetime": {
            "earned": balance.earned,
            "redeemed": balance.redeemed,
            "expired": balance.expired,
            "reversed": balance.reversed,
        },
    }


def balance_json(balance: Balance) -> dict[str, int]:
    """Return the four balances."""
    return {
        "pending": balance.pending,
        "available": balance.available,
        "reserved": balance.reserved,
        "debt": balance.debt,
    }


def statement_json(month: date, statement: Statement) -> dict[str, Any]:
    """Return a monthly statement; `earned` is `issued` less `reversed`."""
    return {
        "month": f"{month:%Y-%m}",
        "opening": statement.opening,
        "earned": statement.earned,
        "spent": statement.spent,
        "expired": statement.expired,
        "adjusted": statement.adjusted,
        "closing": statement.closing,
        "issued": statement.issued,
        "reversed": statement.reversed,
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return one entry, with what it means in the reader's language."""
    fact, rule, order, interaction = entry.fact, entry.rule, entry.order, entry.interaction
    lot = getattr(entry, "lot", None)
    return {
        "id": entry.pk,
        "seq": entry.seq,
        "from": entry.source,
        "to": entry.target,
        "points": entry.points,
        "reason": entry.reason,
        "text": f"{words.movement(entry.source, entry.target)} – {words.reason(entry.reason)}",
        "rule": {"code": rule.rule.code, "version": rule.number} if rule else None,
        "order": {"source": order.source, "order_no": order.order_no} if order else None,
        "interaction": (
            {"source": interaction.source, "ref": interaction.ref, "kind": interaction.kind}
            if interaction
            else None
        ),
        "fact": (
            {
                "source": fact.source,
                "kind": fact.kind,
                "ref": fact.ref,
                "version": fact.version,
            }
            if fact
            else None
        ),
        "last_valid_on": last_valid_day(lot.expires_at) if lot else None,
        "actor": entry.actor,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
    }


def explained(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return explanation items with their sentences."""
    return explanations.rendered(items, rule_names.of(explanations.rule_codes(items)))


def explanation_json(
    entry: Entry, evaluation: Evaluation | None, uses: Sequence[LotUse]
) -> dict[str, Any]:
    """Return why an entry was posted: the decision, and the lots that it touched."""
    return {
        "entry": entry_json(entry),
        "member": entry.account.member.public_id,
        "decided_at": evaluation.decided_at if evaluation else None,
        "points": evaluation.points if evaluation else None,
        "explanation": explained(evaluation.explanation) if evaluation else [],
        "lots": [
            {
                "points": use.points,
                "earned_at": use.lot.earned_at,
                "last_valid_on": last_valid_day(use.lot.expires_at),
            }
            for use in uses
        ],
    }


def order_json(reading: OrderReading) -> dict[str, Any]:
    """Return an order as it stands, with the decision that counts."""
    order, evaluation = reading.order, reading.evaluation
    return {
        "order": {
            "source": order.source,
            "order_no": order.order_no,
            "version": order.version,
            "status": order.status,
            "member": reading.member.public_id,
            "placed_at": order.placed_at,
            "currency": order.currency,
            "store": order.store.code if order.store else None,
            "channel": order.channel,
            "sold_amount": _amount(order.sold_amount),
            "net_amount": _amount(order.net_amount),
            "lines": [_line(line) for line in reading.lines],
            "refunds": [_refund(refund) for refund in reading.refunds],
        },
        "points": {"earned": evaluation.points if evaluation else 0},
        "explanation": explained(evaluation.explanation) if evaluation else [],
    }


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "line_no": line.line_no,
        "sku": line.sku,
        "kind": line.kind,
        "category": line.category or None,
        "brand": line.brand or None,
        "quantity": f"{line.quantity.normalize():f}",
        "amount": _amount(line.amount),
        "earns": line.earns,
    }


def _refund(refund: Refund) -> dict[str, Any]:
    return {
        "refund_no": refund.refund_no,
        "refunded_at": refund.refunded_at,
        "amount": None if refund.amount is None else _amount(refund.amount),
        "points": refund.points,
    }


def _amount(amount: Any) -> str:
    return money.to_text(money.to_minor(amount))
