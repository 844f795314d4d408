"""Mappings for shops that are shipped, as data."""

import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parent
SHIPPED: Final = ("shopify", "youzan")
# Our own shape for everybody else: the message's data is a fact as the API takes it.
STANDARD: Final[dict[str, Any]] = {
    "topics": {
        "order": {
            "fact": "order",
            "fields": {
                key: {"path": f"data.{key}"}
                for key in (
                    "order_no", "version", "changed_at", "identifier", "status", "placed_at",
                    "currency", "store", "lines", "tenders",
                )
            },
        },
        "refund": {
            "fact": "refund",
            "fields": {
                key: {"path": f"data.{key}"}
                for key in ("order_no", "refund_no", "refunded_at", "lines", "amount")
            },
        },
    }
}  # fmt: skip


def mapping(scheme: str) -> dict[str, Any]:
    """Return the shipped mapping of a scheme."""
    if scheme not in SHIPPED:
        return STANDARD
    found: dict[str, Any] = json.loads((FOLDER / f"inbound_{scheme}.json").read_text("utf-8"))
    return found
