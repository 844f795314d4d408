"""A case for what waits too long, once."""

from datetime import timedelta

import pytest

from config.base.jobs import Turn
from config.wiring import due
from members.models import Case
from tests.engine.shop import Shop, day, unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop()


def look(on: float) -> int:
    return due.open_cases(Turn(day(on), day(on), lambda done, total: None))


def test_an_order_that_nobody_claimed_opens_one_case_when_claims_end(shop: Shop) -> None:
    shop.buy(unknown("stranger"), "A", 100, on=1)
    shop.buy(unknown("stranger"), "B", 100, on=2)
    assert look(30.9) == 0
    assert [look(31), look(31), look(60)] == [1, 0, 0]
    case = Case.objects.get()
    assert (case.code, case.member, case.opened_at) == ("order_unclaimed", None, day(31))
    assert case.details == {"source": "shop", "order_no": "A", "identifier_kind": "external"}


def test_a_case_that_was_closed_is_not_opened_again(shop: Shop) -> None:
    shop.buy(unknown("stranger"), "A", 100, on=1)
    look(31)
    Case.objects.update(state="closed", closed_at=day(32))
    assert look(40) == 0


def test_what_found_its_member_opens_none(shop: Shop) -> None:
    shop.buy(unknown("late"), "A", 100, on=1)
    shop.join("late", at=5)
    assert look(60) == 0


def test_an_anonymous_purchase_is_no_case(shop: Shop) -> None:
    assert shop.buy(None, "A", 100, on=1).status == 202
    shop.give_back("A", "R", on=2)
    assert look(60) == 0


def test_a_refund_without_its_order_opens_one_case(shop: Shop) -> None:
    for number in ("R1", "R2"):
        assert shop.give_back("A", number, on=1, amount=10).status == 202
    assert look(1 + 34) == 0
    assert [look(1 + 35), look(1 + 35)] == [1, 0]
    case = Case.objects.get()
    assert (case.code, case.details) == (
        "refund_without_order",
        {"source": "shop", "order_no": "A"},
    )


def test_nothing_is_opened_before_there_is_a_programme() -> None:
    assert due.open_cases(Turn(day(1) + timedelta(days=99), day(1), lambda *_: None)) == 0
