"""Who rings up their own purchase earns, and waits until somebody has looked."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import Case, Member, MemberEvent, StaffAuthority
from members.models.case import CaseState
from members.services.authority import OwnAccountError
from rewards.services import intake, recompute, releasing
from rewards.services.releasing import OwnTillError
from tests.engine.shop import Shop, back, day, unknown
from tests.factories import staff
from tests.proof import corruption

pytestmark = [pytest.mark.django_db, pytest.mark.req("STF-02")]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def eve(shop: Shop) -> Member:
    """Return a member who is cashier 0815."""
    made = shop.join("eve")
    StaffAuthority.objects.create(user=staff.person("eve"), member=made, staff_no="0815")
    return made


@pytest.fixture
def lead() -> User:
    return staff.person("lead", "service_lead")


def release(case: Case, *, on: float, actor: str = "staff:lead", reason: str = "gift") -> None:
    releasing.release(case_id=case.pk, reason=reason, at=day(on), actor=actor)


def proved() -> bool:
    """Tell whether the whole audit and a recomputation find nothing."""
    differences = recompute.recompute_slice(recompute.member_ids())
    return (corruption.findings(), list(differences)) == ({}, [])


def test_points_of_the_own_till_wait_for_a_release(shop: Shop, eve: Member) -> None:
    ann = shop.join("ann")
    told = shop.buy(eve, "A", 100, on=1, cashier="0815")
    assert told.data["issues"] == [{"code": "own_till"}]
    assert shop.buy(ann, "B", 100, on=1, cashier="0815").data["issues"] == []
    assert (shop.balance(eve), shop.balance(ann)) == ((100, 0, 0, 0), (0, 100, 0, 0))
    shop.pass_time(300)
    assert shop.balance(eve) == (100, 0, 0, 0)
    case = Case.objects.get(code="own_till")
    release(case, on=301)
    assert shop.balance(eve) == (0, 100, 0, 0)
    case.refresh_from_db()
    assert (case.state, case.member_id) == (CaseState.CLOSED, eve.pk)
    event = MemberEvent.objects.get(kind="points.own_till_released")
    assert event.payload["order_no"] == "A"
    with pytest.raises(OwnTillError, match="case_closed"):
        release(case, on=302)


def test_a_repeated_or_changed_order_has_one_case_and_stays_held(shop: Shop, eve: Member) -> None:
    shop.buy(eve, "A", 100, on=1, cashier="eve")
    again = shop.buy(eve, "A", 100, on=1, cashier="eve")
    assert again.data["issues"] == [{"code": "own_till"}]
    shop.buy(eve, "A", 150, on=1, changed=2, version=2, cashier="eve")
    assert shop.balance(eve) == (150, 0, 0, 0)
    assert Case.objects.filter(code="own_till").count() == 1


def test_a_refund_takes_held_points_back(shop: Shop, eve: Member) -> None:
    shop.buy(eve, "A", 100, on=1, cashier="0815")
    shop.give_back("A", "r1", on=2, lines=(back(1, 100),))
    assert shop.balance(eve) == (0, 0, 0, 0)
    release(Case.objects.get(), on=3)
    assert shop.balance(eve) == (0, 0, 0, 0)


def test_claiming_the_own_sale_later_is_held_as_well(shop: Shop, eve: Member) -> None:
    shop.buy(unknown("nobody"), "A", 100, on=1, cashier="0815")
    intake.claim(source="shop", order_no="A", member=eve.pk, at=day(2), actor="staff:li")
    assert shop.balance(eve) == (100, 0, 0, 0)
    assert Case.objects.filter(code="own_till", member=eve).exists()


def test_nobody_releases_their_own_points_or_without_a_reason(shop: Shop, eve: Member) -> None:
    shop.buy(eve, "A", 100, on=1, cashier="0815")
    case = Case.objects.get()
    with pytest.raises(OwnAccountError):
        release(case, on=2, actor="staff:eve")
    with pytest.raises(OwnTillError, match="reason_required"):
        release(case, on=2, reason=" ")
    assert shop.balance(eve) == (100, 0, 0, 0)


def test_a_lead_releases_them_on_the_member_page(
    client: Client, shop: Shop, eve: Member, lead: User
) -> None:
    shop.buy(eve, "A", 100, on=1, cashier="0815")
    address = reverse("admin:own_till_release", args=[Case.objects.get().pk])
    page = reverse("admin:members_member_change", args=[eve.pk])
    client.force_login(staff.person("agent", "service_agent"))
    assert address not in client.get(page).text
    assert client.post(address, {"reason": "x"}).status_code == 403
    client.force_login(lead)
    assert address in client.get(page).text
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": "顾客的会员日礼品"}).status_code == 302
    assert shop.balance(eve)[1] == 100
    assert address not in client.get(page).text


def test_only_orders_that_name_a_cashier_ask_who_that_is(shop: Shop, eve: Member) -> None:
    ann = shop.join("ann")
    counts = []
    for number, values in (("A", {}), ("B", {}), ("C", {"cashier": "4711"})):
        with CaptureQueriesContext(connection) as queries:
            shop.buy(ann, number, 10, on=1, **values)
        counts.append(len(queries))
    assert counts[2] == counts[1] + 1
    with CaptureQueriesContext(connection) as queries:
        shop.buy(ann, "D", 10, on=1)
    assert not [each for each in queries if "staffauthority" in each["sql"]]


def test_the_audit_holds_before_and_after_a_release(shop: Shop, eve: Member) -> None:
    shop.buy(eve, "A", 100, on=1, cashier="0815")
    shop.buy(eve, "B", 50, on=2, cashier="0815")
    assert proved()
    release(Case.objects.order_by("id")[0], on=3)
    shop.buy(eve, "C", 30, on=2.5, at=4)  # late, so that all is folded again
    assert shop.balance(eve) == (50, 130, 0, 0)
    assert proved()
