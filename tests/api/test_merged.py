"""A member that was merged, as connected systems see it: every name leads to the survivor."""

from datetime import timedelta
from typing import Any

import pytest

from config.base import clock
from members.models import Member
from rewards.services import merging
from tests.api.conftest import Caller

pytestmark = pytest.mark.req("MEM-04")

PHONES = ("13800138000", "13900139000")


def enrolled(till: Caller, phone: str) -> Member:
    made = till.post("/members", {"identifiers": [{"kind": "phone", "value": phone}]})
    assert made.status == 201
    return Member.objects.get(public_id=made.body["id"])


def order(phone: str, amount: str) -> dict[str, Any]:
    placed_at = (clock.now() - timedelta(minutes=5)).isoformat()
    line = {"line_no": 1, "sku": "A", "quantity": "1", "amount": amount}
    return {
        "identifier": {"kind": "phone", "value": phone}, "status": "paid",
        "placed_at": placed_at, "currency": "CNY", "lines": [line],
    }  # fmt: skip


def test_all_names_lead_to_the_survivor(till: Caller) -> None:
    ann, bea = (enrolled(till, phone) for phone in PHONES)
    first = order(PHONES[1], "300.00")
    assert till.put("/orders/shop/B1", first).status == 200
    merging.merge(away=bea.pk, into=ann.pk, note="same", actor="staff:li", at=clock.now())

    again = till.put("/orders/shop/B1", first)
    assert (again.status, again.body["replayed"]) == (200, True)
    new = till.put("/orders/shop/B2", order(PHONES[1], "50.00"))
    assert (new.status, new.body["member"]) == (200, str(ann.public_id))
    refund = {"refund_no": "R1", "refunded_at": clock.now().isoformat()}
    back = till.post("/orders/shop/B1/refunds", refund)
    assert (back.status, back.body["member"]) == (200, str(ann.public_id))
    assert back.body["points"]["delta"] == -300
    for name in (ann, bea):
        assert till.get(f"/members/{name.public_id}/points").body["available"] == 50
    found = till.get(f"/members/{bea.public_id}")
    assert (found.status, found.body["id"]) == (200, str(ann.public_id))
