"""The lines of an exported journal: one JSON object each, named by `type`.

Pure: rows of the database in, lines out. Points are integers, money is decimal text in the
currency's exponent, instants are RFC 3339 in UTC with six decimals and Z, hashes are hexadecimal.
`docs/journal.md` describes the format for whoever writes a verifier.

Source: design §7.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

FORMAT: Final = 1

Row = Sequence[Any]
Line = dict[str, Any]
ZERO_HASH: Final = bytes(32).hex()

_ACCOUNT_KEYS: Final = (
    "type", "member", "kind", "pending", "available", "reserved", "debt", "earned", "redeemed",
    "expired", "reversed", "adjusted", "seq", "head_hash",
)  # fmt: skip
_LOT_KEYS: Final = (
    "type", "id", "member", "entry", "points", "remaining", "expired", "is_pending", "earned_at",
    "available_at", "expires_at",
)  # fmt: skip
_LOT_USE_KEYS: Final = ("type", "member", "entry", "lot", "points")
_STANDING_KEYS: Final = ("type", "member", "tier", "from", "until", "kept_until", "reason")
_OVERRIDE_KEYS: Final = (
    "type", "member", "tier", "from", "until", "revoked_at", "set_by", "approved_by",
)  # fmt: skip
_ORDER_KEYS: Final = (
    "type", "source", "order_no", "version", "status", "member", "placed_at", "net_amount",
    "currency",
)  # fmt: skip
_EVENT_KEYS: Final = ("type", "id", "member", "kind", "occurred_at")
_REDEMPTION_KEYS: Final = (
    "type", "id", "member", "reward", "quantity", "points", "status", "requested_at",
    "fulfilled_at", "closed_at",
)  # fmt: skip
_COUPON_KEYS: Final = (
    "type", "code_hash", "template", "member", "status", "max_uses", "held", "used", "issued_at",
    "expires_at",
)  # fmt: skip
_MERGE_KEYS: Final = ("type", "from", "into", "at", "undone_at")
_STOCK_KEYS: Final = ("type", "reward", "slot", "tier", "on_hand", "held")


def header(since: str | None) -> Line:
    """Return the first line of a journal that does not begin with the first entry."""
    return {"type": "journal", "format": FORMAT, "since": since}


def member_line(row: Row) -> Line:
    """Return a member, with its identifiers where they were asked for."""
    public_id, status, joined_at, identifiers = row
    line: Line = {"type": "member", "id": public_id, "status": status, "joined_at": joined_at}
    if identifiers is not None:
        line["identifiers"] = identifiers
    return line


def entry_line(row: Row) -> Line:
    """Return an entry with its hash and that of the entry before."""
    (
        number, seq, member, kind, source, target, points, fact_source, fact_kind, ref, version,
        rule, rule_version, reason, actor, order_source, order_no, occurred_at, recorded_at,
        prev_hash, own_hash,
    ) = row  # fmt: skip
    return {
        "type": "entry",
        "id": number,
        "seq": seq,
        "member": member,
        "kind": kind,
        "from": source,
        "to": target,
        "points": points,
        "fact": _fact(fact_source, fact_kind, ref, version),
        "rule": None if rule is None else {"code": rule, "version": rule_version},
        "reason": reason,
        "actor": actor,
        "order": None if order_no is None else {"source": order_source, "order_no": order_no},
        "occurred_at": occurred_at,
        "recorded_at": recorded_at,
        "prev_hash": prev_hash or ZERO_HASH,
        "hash": own_hash,
    }


def progress_line(row: Row) -> Line:
    """Return one entry of progress; its amount is text for money, an integer for counts."""
    member, metric, amount, at, *fact = row
    counted = amount if metric == "spend" else int(amount)
    return {
        "type": "progress",
        "member": member,
        "metric": metric,
        "amount": counted,
        "at": at,
        "fact": _fact(*fact),
    }


def plain_line(keys: Sequence[str]) -> Callable[[Row], Line]:
    """Return the builder of a line whose values stand in the order of its keys."""
    kind = _TYPES[tuple(keys)]

    def build(row: Row) -> Line:
        return dict(zip(keys, (kind, *row), strict=True))

    return build


_TYPES: Final[dict[tuple[str, ...], str]] = {
    _ACCOUNT_KEYS: "account",
    _LOT_KEYS: "lot",
    _LOT_USE_KEYS: "lot_use",
    _STANDING_KEYS: "standing",
    _OVERRIDE_KEYS: "override",
    _ORDER_KEYS: "order",
    _EVENT_KEYS: "event",
    _MERGE_KEYS: "merge",
    _REDEMPTION_KEYS: "redemption",
    _STOCK_KEYS: "stock",
    _COUPON_KEYS: "coupon",
}

BUILDERS: Final[dict[str, Callable[[Row], Line]]] = {
    "member": member_line,
    "entry": entry_line,
    "progress": progress_line,
    **{kind: plain_line(keys) for keys, kind in _TYPES.items()},
}
"""The builder of each type of line."""


def encode(line: Line) -> bytes:
    """Return the line as UTF-8 JSON with its line feed."""
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _fact(source: str | None, kind: str | None, ref: str | None, version: int | None) -> Any:
    if source is None:
        return None
    return {"source": source, "kind": kind, "ref": ref, "version": version}
