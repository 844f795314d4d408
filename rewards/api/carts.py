"""Lines of carts and orders as they are sent back."""

from typing import Any

from config.base import money
from rewards.domain.cart import Line


def line_json(line: Line) -> dict[str, Any]:
    """Return a line as it is sent with an order."""
    whole, part = divmod(line.quantity, 1000)
    body: dict[str, Any] = {
        "line_no": line.line_no,
        "sku": line.sku,
        "kind": line.kind,
        "category": line.category or "",
        "brand": line.brand or "",
        "quantity": f"{whole}.{part:03}",
        "amount": money.to_text(line.amount),
        "earns": line.earns,
    }
    for name in ("list_amount", "cost"):
        if (amount := getattr(line, name)) is not None:
            body[name] = money.to_text(amount)
    if line.discounts:
        body["discounts"] = [
            {**discount, "amount": money.to_text(int(discount["amount"]))}
            for discount in line.discounts
        ]
    return body
