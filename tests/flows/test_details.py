"""What an order says besides what it earns is kept, and belongs to its identity."""

from decimal import Decimal
from typing import Any

from members.models import OrderLine, ReceivedFact
from tests.api.conftest import Caller, caller, language, programme, till

__all__ = ["caller", "language", "programme", "till"]


def detailed(**line: Any) -> dict[str, Any]:
    return {
        "identifier": {"kind": "phone", "value": "13800138000"},
        "status": "paid",
        "placed_at": "2026-01-08T12:30:00+08:00",
        "currency": "CNY",
        "lines": [
            {
                "line_no": 1,
                "sku": "A",
                "quantity": "1",
                "amount": "8.00",
                "list_amount": "10.00",
                "cost": "5.50",
                "discounts": [{"amount": "2.00", "code": "SPRING"}],
                **line,
            }
        ],
    }


def test_prices_costs_and_discounts_of_a_line_are_kept(till: Caller) -> None:
    enrolled = till.post("/members", {"identifiers": [{"kind": "phone", "value": "13800138000"}]})
    assert enrolled.status == 201
    assert till.put("/orders/shop/1", detailed()).status == 200
    line = OrderLine.objects.get()
    assert (line.list_amount, line.cost) == (Decimal("10.00"), Decimal("5.50"))
    assert line.discounts == [{"amount": 200, "code": "SPRING"}]


def test_the_same_version_with_another_cost_is_a_conflict(till: Caller) -> None:
    till.post("/members", {"identifiers": [{"kind": "phone", "value": "13800138000"}]})
    assert till.put("/orders/shop/1", detailed()).status == 200
    assert till.put("/orders/shop/1", detailed()).body["replayed"] is True
    assert till.put("/orders/shop/1", detailed(cost="5.00")).code == "fact_conflict"
    assert ReceivedFact.objects.count() == 1
