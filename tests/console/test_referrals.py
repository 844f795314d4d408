"""Held referrals, payouts and terms in the console: who may, by two people, and what is shown."""

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Payout, Referral, ReferralProgramme
from campaigns.services import referral_terms
from config.base import clock
from config.wiring import panels
from members.models import Approval, Member, StaffAuthority
from members.services import approvals
from rewards.models import Coupon
from tests.engine.shop import Shop
from tests.factories import console, coupons, members
from tests.factories import referrals as people
from tests.factories.referrals import join, of, programme, settle

pytestmark = [pytest.mark.django_db, pytest.mark.req("ENG-04", "RWD-09")]

QUEUE_QUERIES = 12
Signed = Callable[..., Client]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    panels.install()
    people.subscribe()
    return shop


@pytest.fixture
def ann(shop: Shop) -> Member:
    return members.member(name="安小梅")


@pytest.fixture
def signed(client: Client) -> Signed:
    """Return how to sign somebody in with these permissions, as if just confirmed."""

    def sign(name: str, *permissions: str) -> Client:
        user = User.objects.filter(username=name).first() or console.staff(name, is_superuser=False)
        console.allow(user, *permissions)
        client.force_login(user)
        session = client.session
        session["loyalty_confirmed_at"] = 2.0**40
        session.save()
        return client

    return sign


def held(ann: Member, count: int = 1) -> list[Referral]:
    ann.profile.attributes = {"device": "d-1"}
    ann.profile.save()
    return [of(join(people.code(ann), device="d-1")) for _number in range(count)]


def decide(client: Client, act: str, *rows: Referral, reason: str = "seen") -> None:
    body = {"act": act, "referral": [str(row.pk) for row in rows], "reason": reason}
    assert client.post(reverse("admin:referral_queue"), body).status_code == 302
    for row in rows:
        row.refresh_from_db()


def test_a_held_referral_is_let_pass_and_goes_on(
    shop: Shop, ann: Member, signed: Signed,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    programme(friend_template=coupons.template("welcome"))
    first, second = held(ann, 2)
    assert not Coupon.objects.exists()
    mo = signed("mo", "campaigns.moderate_referral")
    mo.get(reverse("admin:referral_queue"))
    with django_assert_max_num_queries(QUEUE_QUERIES):
        page = mo.get(reverse("admin:referral_queue"), headers={"accept-language": "en"}).text
    assert "Same device as the referrer or another friend" in page
    decide(mo, "accept", first, second, reason=" ")
    assert first.state == "held"
    decide(mo, "accept", first)
    assert (first.state, first.cleared, first.decided_by) == (
        "registered", ["same_device"], "staff:mo"
    )  # fmt: skip
    assert "seen" not in first.note
    assert Coupon.objects.get().member == first.friend
    shop.buy(first.friend, "B1", 100, on=1)
    settle(10)
    first.refresh_from_db()
    assert first.state == "rewarded"


def test_a_refusal_is_looked_at_again_by_somebody_else(
    shop: Shop, ann: Member, signed: Signed
) -> None:
    programme()
    (row,) = held(ann)
    permission = "campaigns.moderate_referral"
    decide(signed("mo", permission), "refuse", row)
    decide(signed("mo", permission), "accept", row)
    assert row.state == "refused"
    li = signed("li", permission)
    assert (
        ann.card_number[-4:] in li.get(reverse("admin:referral_queue"), {"state": "refused"}).text
    )
    decide(li, "accept", row)
    assert (row.state, row.decided_by) == ("registered", "staff:li")
    decide(li, "refuse", row)
    assert row.state == "registered"


def test_enter_in_a_field_of_a_queue_decides_nothing(
    shop: Shop, ann: Member, signed: Signed
) -> None:
    payout = paid_in_cash(shop, ann)
    (row,) = held(ann)
    client = signed("li", "campaigns.approve_payout", "campaigns.moderate_referral")
    for name, body in (
        ("payout_queue", {"payout": payout.pk}), ("referral_queue", {"referral": row.pk}),
    ):  # fmt: skip
        address = reverse(f"admin:{name}")
        first = re.search(
            r"<button[^>]*>", client.get(address).text.partition('class="lc-card"')[2]
        )
        assert first
        assert "disabled" in first.group()
        assert client.post(address, {**body, "reason": "seen"}).status_code == 302
    payout.refresh_from_db()
    row.refresh_from_db()
    assert (payout.state, row.state) == ("requested", "held")


def test_nobody_decides_about_their_own_account(shop: Shop, ann: Member, signed: Signed) -> None:
    programme()
    (row,) = held(ann)
    mo = signed("mo", "campaigns.moderate_referral")
    StaffAuthority.objects.create(user=User.objects.get(username="mo"), member=row.friend)
    decide(mo, "accept", row)
    assert row.state == "held"


def paid_in_cash(shop: Shop, ann: Member) -> Payout:
    programme(reward="cash")
    friend = join(people.code(ann))
    shop.buy(friend, f"C{friend.pk}", 100, on=1)
    settle(10)
    return Payout.objects.latest("pk")


def press(client: Client, act: str, payout: Payout, **values: str) -> int:
    body = {"act": act, "payout": str(payout.pk), **values}
    status = client.post(reverse("admin:payout_queue"), body).status_code
    payout.refresh_from_db()
    return status


def test_a_payout_is_approved_taken_out_and_paid_by_two_people(
    shop: Shop, ann: Member, signed: Signed,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    payout = paid_in_cash(shop, ann)
    address = reverse("admin:payout_queue")
    manager = signed("li", "campaigns.approve_payout")
    assert press(manager, "pay", payout, reference="T1") == 403
    assert press(manager, "approve", payout) == 302
    assert (payout.state, payout.decided_by) == ("approved", "staff:li")
    both = signed("li", "campaigns.pay_payout")
    assert press(both, "pay", payout, reference="T1") == 302
    assert payout.state == "approved"
    finance = signed("wu", "campaigns.pay_payout", "campaigns.view_payout")
    with django_assert_max_num_queries(QUEUE_QUERIES):
        page = finance.get(address, {"state": "approved"}).text
    assert "20.00" in page
    body = b"".join(finance.get(address, {"format": "csv"}))
    head, line = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    row = dict(zip(head, line, strict=True))
    assert (row["payout"], row["amount"], row["currency"], row["card_number"]) == (
        str(payout.pk), "20.00", "CNY", ann.card_number
    )  # fmt: skip
    press(finance, "pay", payout, reference=" ")
    assert payout.state == "approved"
    press(finance, "pay", payout, reference="T1")
    assert (payout.state, payout.paid_by, payout.reference) == ("paid", "staff:wu", "T1")
    assert press(finance, "approve", payout) == 403


def test_a_payout_is_refused_with_a_reason(shop: Shop, ann: Member, signed: Signed) -> None:
    payout = paid_in_cash(shop, ann)
    li = signed("li", "campaigns.approve_payout")
    press(li, "refuse", payout, reason="")
    assert payout.state == "requested"
    press(li, "refuse", payout, reason="known to us")
    assert payout.state == "refused"
    assert "known to us" not in payout.note
    page = li.get(reverse("admin:payout_queue"), {"state": "refused"})
    assert "known to us" in page.text
    assert li.get(reverse("admin:payout_queue"), {"format": "csv"}).status_code == 403


def test_who_let_a_referral_pass_does_not_approve_its_payout(
    shop: Shop, ann: Member, signed: Signed
) -> None:
    payout = paid_in_cash(shop, ann)
    Referral.objects.update(decided_by="staff:li", decided_at=clock.now())
    press(signed("li", "campaigns.approve_payout"), "approve", payout)
    assert payout.state == "requested"
    press(signed("wu", "campaigns.approve_payout"), "approve", payout)
    assert payout.state == "approved"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"state": "approved"}, "payout_state_dated"),
        ({"amount": 0}, "payout_amount_positive"),
        (
            {
                "state": "paid", "decided_by": "a", "paid_by": "a", "reference": "T",
                "decided_at": clock.now(), "paid_at": clock.now(),
            },
            "payout_paid_by_another",
        ),
    ],
)  # fmt: skip
def test_the_database_refuses_payouts_that_cannot_be(
    shop: Shop, ann: Member, change: dict[str, Any], constraint: str
) -> None:
    payout = paid_in_cash(shop, ann)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Payout.objects.filter(pk=payout.pk).update(**change)


TERMS = {
    "is_active": "on", "reward": "cash", "points": "300", "amount": "15.50", "min_amount": "100",
    "return_window_days": "7", "valid_days": "60", "max_per_month": "5", "max_per_year": "20",
    "friends_per_day": "3", "claw_back": "take_back", "claw_back_days": "60",
    "link": "https://shop.example/j?c={code}", "reason": "spring",
}  # fmt: skip


def test_terms_are_in_force_once_somebody_else_agrees(shop: Shop, signed: Signed) -> None:
    address = reverse("admin:referral_terms")
    client = signed("mo", "campaigns.add_referralprogramme")
    assert client.get(address).status_code == 200
    assert client.post(address, {**TERMS, "link": "https://x.example"}).status_code == 200
    assert client.post(address, {**TERMS, "amount": ""}).status_code == 200
    assert not Approval.objects.exists()
    assert client.post(address, TERMS).status_code == 302
    asked = Approval.objects.get()
    assert referral_terms.in_force(clock.now()) is None
    assert "15.5" in {change.after for change in approvals.effects_of(asked)}
    assert "15.50" in approvals.summary_of(asked)
    approvals.approve(approval_id=asked.pk, actor="staff:li", at=clock.now())
    found = ReferralProgramme.objects.get()
    assert (found.number, found.amount, found.points, found.created_by) == (
        1, Decimal("15.50"), None, "staff:mo"
    )  # fmt: skip
    assert "15.50" in client.get(address).text


def test_the_member_page_says_who_brought_whom(shop: Shop, ann: Member, signed: Signed) -> None:
    programme()
    (row,) = held(ann)
    client = signed("mo", "members.view_member")
    page = reverse("admin:members_member_change", args=[ann.pk])
    code = people.code(ann)
    shown = f"{code[:4]}-{code[4:]}"
    assert shown not in client.get(page).text
    client = signed("mo", "campaigns.view_referral")
    assert shown in client.get(page).text
    of_friend = client.get(reverse("admin:members_member_change", args=[row.friend_id])).text
    assert f"/members/member/{ann.pk}/" in of_friend
