"""Bodies of requests."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.factories import members

_numbers = itertools.count(1)


def at(**ago: float) -> str:
    """Return an instant some time ago, as RFC 3339."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def number(prefix: str = "O") -> str:
    """Return a number that no other test uses."""
    return f"{prefix}{next(_numbers)}"


def enrolment(**changes: Any) -> dict[str, Any]:
    """Return a person to enrol."""
    person = {"identifiers": [{"kind": "phone", "value": members.phone()}], "channel": "pos"}
    return {**person, **changes}


def line(line_no: int = 1, amount: str = "100.00", **changes: Any) -> dict[str, Any]:
    """Return a line of an order."""
    return {"line_no": line_no, "sku": f"S{line_no}", "quantity": 1, "amount": amount, **changes}


def order(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a paid order."""
    body: dict[str, Any] = {
        "status": "paid",
        "placed_at": at(hours=2),
        "currency": "CNY",
        "lines": list(lines) or [line()],
    }
    return {**body, **changes}


def refund(**changes: Any) -> dict[str, Any]:
    """Return a refund of all that is left."""
    return {"refund_no": number("R"), "refunded_at": at(hours=1), **changes}


def interaction(**changes: Any) -> dict[str, Any]:
    """Return an interaction."""
    body = {"source": "app", "ref": number("I"), "kind": "survey", "occurred_at": at(hours=1)}
    return {**body, **changes}
