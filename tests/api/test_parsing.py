"""Facts are read strictly, and every mistake is named with its place."""

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from config.base.api.problems import RequestInvalidError
from rewards.api import parsing
from rewards.domain.cart import Line, RefundLine
from rewards.domain.submission import InteractionFact, MemberRef, OrderFact, RefundFact, Tender

MEMBER = "0198c6a2-7d3e-7c41-8a55-2f1d3b9c6e10"


def order_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "version": 2,
        "changed_at": "2026-03-09T12:30:00+08:00",
        "identifier": {"kind": "phone", "value": "138 0013 8000"},
        "status": "paid",
        "placed_at": "2026-03-08T12:30:00+08:00",
        "currency": "CNY",
        "lines": [
            {"line_no": 2, "sku": "B", "quantity": "1.5", "amount": "3.00", "kind": "shipping"},
            {"line_no": 1, "sku": "A", "quantity": 2, "amount": "12.3", "earns": False},
        ],
        "tenders": [{"kind": "points", "amount": "1.00"}],
    }
    return {**body, **changes}


def faults(body: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(RequestInvalidError) as refused:
        parsing.one_order(body, "till", "1")
    return {(error.pointer, error.code) for error in refused.value.errors}


def test_order_is_read_exactly() -> None:
    fact = parsing.one_order(order_body(coupons=["C1"]), "till", "1")

    assert fact == OrderFact(
        source="till",
        order_no="1",
        version=2,
        changed_at=datetime(2026, 3, 9, 4, 30, tzinfo=UTC),
        member=MemberRef(kind="phone", value="+8613800138000"),
        status="paid",
        placed_at=datetime(2026, 3, 8, 4, 30, tzinfo=UTC),
        currency="CNY",
        lines=(
            Line(1, "A", "goods", None, None, 2000, 1230, earns=False),
            Line(2, "B", "shipping", None, None, 1500, 300),
        ),
        tenders=(Tender("points", 100),),
        coupons=("C1",),
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"colour": "red"}, ("/colour", "unknown_key")),
        ({"status": "sold"}, ("/status", "not_a_choice")),
        ({"status": None}, ("/status", "required")),
        ({"placed_at": "2026-03-08T12:30:00"}, ("/placed_at", "offset_missing")),
        ({"placed_at": "2026-03-08"}, ("/placed_at", "offset_missing")),
        ({"placed_at": "2026-02-30T12:30:00+08:00"}, ("/placed_at", "time_invalid")),
        ({"placed_at": "0001-01-01T00:00:00Z"}, ("/placed_at", "time_invalid")),
        ({"placed_at": 1772900000}, ("/placed_at", "time_invalid")),
        ({"version": 0}, ("/version", "integer_expected")),
        ({"version": True}, ("/version", "integer_expected")),
        ({"version": Decimal("1.0")}, ("/version", "integer_expected")),
        ({"version": 1 << 70}, ("/version", "integer_expected")),
        ({"currency": "yuan"}, ("/currency", "too_long")),
        ({"currency": "cny"}, ("/currency", "currency_invalid")),
        ({"member": "42"}, ("/member", "id_invalid")),
        ({"member": MEMBER}, ("/identifier", "member_or_identifier")),
        ({"identifier": {"kind": "phone"}}, ("/identifier/value", "required")),
        ({"identifier": {"kind": "fax", "value": "1"}}, ("/identifier/kind", "identifier_invalid")),
        (
            {"identifier": {"kind": "phone", "value": "12"}},
            ("/identifier/value", "identifier_invalid"),
        ),
        ({"identifier": []}, ("/identifier", "object_expected")),
        ({"lines": {}}, ("/lines", "list_expected")),
        ({"lines": None}, ("/lines", "required")),
        ({"lines": [1]}, ("/lines/0", "object_expected")),
        ({"lines": [{}] * 2_001}, ("/lines", "too_many")),
        ({"store": "a\nb"}, ("/store", "control_characters")),
        ({"store": 7}, ("/store", "text_expected")),
        ({"reservation": "x"}, ("/reservation", "id_invalid")),
        ({"tenders": [{"kind": "cash", "amount": 1}]}, ("/tenders/0/amount", "amount_invalid")),
        ({"coupons": [1]}, ("/coupons/0", "text_expected")),
    ],
)
def test_mistake_in_an_order_is_named(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    assert fault in faults(order_body(**changes))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"amount": 12.3}, ("/lines/0/amount", "amount_invalid")),
        ({"amount": "12.305"}, ("/lines/0/amount", "amount_invalid")),
        ({"amount": "-1"}, ("/lines/0/amount", "amount_invalid")),
        ({"quantity": "-1"}, ("/lines/0/quantity", "quantity_invalid")),
        ({"quantity": -1}, ("/lines/0/quantity", "quantity_invalid")),
        ({"quantity": "1.2345"}, ("/lines/0/quantity", "quantity_invalid")),
        ({"quantity": Decimal("1E+9999")}, ("/lines/0/quantity", "quantity_invalid")),
        ({"quantity": True}, ("/lines/0/quantity", "quantity_invalid")),
        ({"sku": ""}, ("/lines/0/sku", "empty")),
        ({"sku": "x" * 65}, ("/lines/0/sku", "too_long")),
        ({"earns": "no"}, ("/lines/0/earns", "boolean_expected")),
        ({"line_no": 2}, ("/lines", "duplicate_line")),
        ({"price": "1"}, ("/lines/0/price", "unknown_key")),
        ({"discounts": [{}]}, ("/lines/0/discounts/0/amount", "required")),
        ({"cost": "x"}, ("/lines/0/cost", "amount_invalid")),
    ],
)
def test_mistake_in_a_line_is_named(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    body = copy.deepcopy(order_body())
    first = {"line_no": 1, "sku": "A", "quantity": 1, "amount": "1.00"}
    body["lines"] = [{**first, **changes}, {**first, "line_no": 2}]
    assert fault in faults(body)


def test_all_mistakes_are_named_at_once() -> None:
    assert faults({"lines": [{"amount": 1}]}) >= {
        ("/status", "required"),
        ("/placed_at", "required"),
        ("/currency", "required"),
        ("/lines/0/sku", "required"),
        ("/lines/0/amount", "amount_invalid"),
    }


def test_refund_is_read() -> None:
    body = {
        "refund_no": "R1",
        "refunded_at": "2026-03-09T00:00:00Z",
        "lines": [{"line_no": 1, "quantity": Decimal("0.5"), "amount": "1"}],
        "points": 3,
    }
    assert parsing.one_refund(body, "till", "1") == RefundFact(
        source="till",
        order_no="1",
        refund_no="R1",
        refunded_at=datetime(2026, 3, 9, tzinfo=UTC),
        lines=(RefundLine(1, 500, 100),),
        points=3,
    )


def test_empty_list_of_refunded_lines_does_not_mean_everything() -> None:
    body = {"refund_no": "R1", "refunded_at": "2026-03-09T00:00:00Z", "lines": []}
    with pytest.raises(RequestInvalidError):
        parsing.one_refund(body, "till", "1")


def test_interaction_has_to_name_somebody() -> None:
    body = {"source": "app", "ref": "1", "kind": "survey", "occurred_at": "2026-03-09T00:00:00Z"}
    with pytest.raises(RequestInvalidError) as refused:
        parsing.one_interaction(body)
    assert [error.pointer for error in refused.value.errors] == ["/member"]


def test_interaction_data_is_bounded() -> None:
    body = {
        "source": "app",
        "ref": "1",
        "member": MEMBER,
        "kind": "survey",
        "occurred_at": "2026-03-09T00:00:00Z",
    }
    deep: Any = "x"
    for _step in range(10):
        deep = {"a": deep}
    several: list[Any] = [deep, {"a": ["x"] * 300}, {"a": "x" * 3_000}, {"a": Decimal("1.5")}, []]
    for data in several:
        with pytest.raises(RequestInvalidError):
            parsing.one_interaction({**body, "data": data})
    fact = parsing.one_interaction({**body, "data": {"score": 9, "tags": ["a"]}})
    assert fact.data == {"score": 9, "tags": ["a"]}


def test_mistakes_of_one_fact_of_a_batch_are_its_own() -> None:
    bad = parsing.batch_fact({"type": "order", "source": "till"})
    assert isinstance(bad, RequestInvalidError)
    assert ("/order_no", "required") in {(e.pointer, e.code) for e in bad.errors}
    unknown = parsing.batch_fact({"type": "wish"})
    assert isinstance(unknown, RequestInvalidError)
    good = parsing.batch_fact({"type": "order", "source": "till", "order_no": "1", **order_body()})
    assert not isinstance(good, RequestInvalidError)
    assert isinstance(good, OrderFact)


def test_batch_reads_what_the_single_calls_read() -> None:
    interaction = {
        "source": "app",
        "ref": "1",
        "member": MEMBER,
        "kind": "survey",
        "occurred_at": "2026-03-09T00:00:00Z",
    }
    refund = {"refund_no": "R1", "refunded_at": "2026-03-09T00:00:00Z", "amount": "1.00"}
    place = {"source": "till", "order_no": "1"}
    assert parsing.batch_fact({"type": "interaction", **interaction}) == (
        parsing.one_interaction(interaction)
    )
    assert parsing.batch_fact({"type": "refund", **place, **refund}) == (
        parsing.one_refund(refund, "till", "1")
    )
    assert parsing.batch_fact({"type": "order", **place, **order_body()}) == parsing.one_order(
        order_body(), "till", "1"
    )
    assert isinstance(parsing.one_interaction(interaction), InteractionFact)


@pytest.mark.parametrize(("source", "order_no"), [("x" * 65, "1"), ("till", "1\x00"), ("", "1")])
def test_address_that_no_body_could_carry_is_refused(source: str, order_no: str) -> None:
    with pytest.raises(Exception, match="parameter_invalid"):
        parsing.one_order(order_body(), source, order_no)


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_body_that_is_no_object_is_refused(body: Any) -> None:
    assert ("", "object_expected") in faults(body)
