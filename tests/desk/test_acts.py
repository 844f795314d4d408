"""What an agent does at the desk: with a check of the caller, a reason, and within limits."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from members.models import (
    Approval,
    Case,
    Consent,
    Identifier,
    IdentifierKind,
    Member,
    MemberEvent,
    RevealCount,
    StaffAuthority,
)
from members.services import approvals, identity
from members.services.contact import IdentifierTakenError
from rewards.domain.submission import MemberRef
from rewards.models import Coupon, Entry, Goodwill, PointsAccount
from rewards.services import contact, goodwill, receipt_claims
from rewards.services.goodwill import GoodwillError
from rewards.services.intake import ClaimError
from tests.factories import console, coupons, members
from tests.proof import ledgers
from tests.proof.ledgers import DAY, START, Programme

pytestmark = pytest.mark.django_db

KNOWN = {"verified_by": "called_back", "reason": "the parcel was late"}


@pytest.fixture
def agent() -> User:
    user = console.staff("li.na")
    StaffAuthority.objects.create(
        user=user, adjustment_limit_points=200, goodwill_coupons_per_day=1
    )
    return user


@pytest.fixture
def visitor(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


@pytest.fixture
def made() -> Programme:
    return ledgers.programme("classic", 2)


def available(member: Member) -> int:
    return PointsAccount.objects.get(member=member, kind="points").available


def address(name: str, member: Member) -> str:
    return reverse(f"admin:{name}", args=[member.pk])


def act(agent: User, member: Member, **values: object) -> goodwill.Act:
    told = {"case": None, "at": START + DAY, **values}
    return goodwill.Act(
        agent.pk, member.pk, "card_at_hand", "sorry", "staff:li.na",
        told["at"], told["case"],  # type: ignore[arg-type]
    )  # fmt: skip


# Goodwill


@pytest.mark.req("SVC-11", "STF-06")
def test_goodwill_points_are_given_for_a_case(visitor: Client, made: Programme) -> None:
    ann = made.members[0]
    case = Case.objects.create(member=ann, code="points_debt", opened_at=START)
    body = {"what": "points", "points": "100", "case": str(case.pk), **KNOWN}
    assert visitor.post(address("goodwill", ann), body).status_code == 302
    assert available(ann) == 100
    row = Goodwill.objects.get()
    assert (row.case_id, row.given_by, row.points) == (case.pk, "staff:li.na", 100)
    assert Entry.objects.get(member=ann).reason == "goodwill"
    event = MemberEvent.objects.get(kind="goodwill.given")
    assert event.payload["verified_by"] == "called_back"
    assert "parcel" not in str(event.payload)
    page = visitor.get(
        reverse("admin:members_member_change", args=[ann.pk]), headers={"accept-language": "en"}
    )
    assert "the parcel was late" in page.text
    assert "Called back on the number on file" in page.text


@pytest.mark.req("SVC-11")
def test_more_than_the_agent_may_give_waits_for_another(visitor: Client, made: Programme) -> None:
    ann = made.members[0]
    body = {"what": "points", "points": "500", **KNOWN}
    assert visitor.post(address("goodwill", ann), body).status_code == 302
    assert available(ann) == 0
    approval = Approval.objects.get(kind="goodwill")
    approvals.approve(approval_id=approval.pk, actor="staff:boss", at=START + DAY)
    assert available(ann) == 500
    assert Goodwill.objects.get().given_by == "staff:li.na"


@pytest.mark.req("SVC-11")
def test_coupons_are_counted_by_the_day(agent: User, made: Programme) -> None:
    ann = made.members[0]
    template = coupons.template(is_goodwill=True)
    first = goodwill.give_coupon(act=act(agent, ann), template=template.code)
    assert isinstance(first, Goodwill)
    second = goodwill.give_coupon(act=act(agent, ann), template=template.code)
    assert isinstance(second, Approval)
    assert Coupon.objects.filter(member=ann, template=template).count() == 1
    tomorrow = goodwill.give_coupon(act=act(agent, ann, at=START + 2 * DAY), template=template.code)
    assert isinstance(tomorrow, Goodwill)
    approvals.approve(approval_id=second.pk, actor="staff:boss", at=START + 2 * DAY)
    assert Coupon.objects.filter(member=ann, template=template).count() == 3


@pytest.mark.req("SVC-11")
def test_only_coupons_for_goodwill_are_given(agent: User, made: Programme) -> None:
    with pytest.raises(GoodwillError) as refused:
        goodwill.give_coupon(act=act(agent, made.members[0]), template=coupons.template().code)
    assert refused.value.code == "template_not_goodwill"
    case = Case.objects.create(member=made.members[1], code="points_debt", opened_at=START)
    with pytest.raises(GoodwillError) as refused:
        goodwill.give_points(act=act(agent, made.members[0], case=case.pk), points=10)
    assert refused.value.code == "case_of_another"


@pytest.mark.req("SVC-11")
def test_what_was_just_given_is_taken_back(agent: User, made: Programme) -> None:
    ann = made.members[0]
    points = goodwill.give_points(act=act(agent, ann), points=100)
    coupon = goodwill.give_coupon(
        act=act(agent, ann), template=coupons.template(is_goodwill=True).code
    )
    assert isinstance(points, Goodwill)
    assert isinstance(coupon, Goodwill)
    soon = START + DAY + timedelta(minutes=10)
    with pytest.raises(GoodwillError) as refused:
        goodwill.undo(goodwill=points.pk, actor="staff:eve", at=soon)
    assert refused.value.code == "goodwill_of_another"
    goodwill.undo(goodwill=points.pk, actor="staff:li.na", at=soon)
    goodwill.undo(goodwill=coupon.pk, actor="staff:li.na", at=soon)
    assert available(ann) == 0
    assert Coupon.objects.get(member=ann).revoked_at == soon
    with pytest.raises(GoodwillError) as refused:
        goodwill.undo(goodwill=points.pk, actor="staff:li.na", at=soon)
    assert refused.value.code == "goodwill_not_undoable"


@pytest.mark.req("SVC-11")
def test_it_is_too_late_after_a_quarter_of_an_hour(agent: User, made: Programme) -> None:
    given = goodwill.give_points(act=act(agent, made.members[0]), points=100)
    assert isinstance(given, Goodwill)
    with pytest.raises(GoodwillError):
        goodwill.undo(
            goodwill=given.pk, actor="staff:li.na", at=START + DAY + timedelta(minutes=16)
        )
    assert available(made.members[0]) == 100


# Phone and card


@pytest.mark.req("STF-06", "MEM-05")
def test_a_new_phone_leads_to_the_member_and_the_old_one_to_nobody(visitor: Client) -> None:
    console.programme()
    member = console.member(phone="13800138000")
    body = {"phone": "139 0013 9000", **KNOWN}
    assert visitor.post(address("change_phone", member), body).status_code == 302
    old, new = ("phone", "", "+8613800138000"), ("phone", "", "+8613900139000")
    assert identity.find([old, new]) == {new: member.pk}
    assert Consent.objects.get(member=member).granted
    event = MemberEvent.objects.get(kind="member.phone_changed")
    assert "139" not in str(event.payload)


@pytest.mark.req("STF-06")
def test_a_phone_of_another_is_refused_with_a_way_to_look(visitor: Client) -> None:
    console.programme()
    member, other = members.member(), members.member(("phone", "13900139000", ""))
    response = visitor.post(address("change_phone", member), {"phone": "13900139000", **KNOWN})
    assert response.status_code == 200
    assert reverse("admin:members_member_change", args=[other.pk]) in response.text
    assert not MemberEvent.objects.filter(kind="member.phone_changed").exists()


@pytest.mark.req("STF-06")
@pytest.mark.parametrize("missing", ["verified_by", "reason"])
def test_no_act_without_a_check_and_a_reason(visitor: Client, missing: str) -> None:
    console.programme()
    member = members.member()
    body = {"phone": "13900139000", **KNOWN, missing: ""}
    assert visitor.post(address("change_phone", member), body).status_code == 200
    assert not MemberEvent.objects.filter(kind="member.phone_changed").exists()


@pytest.mark.req("STF-06")
def test_purchases_that_waited_for_the_new_phone_are_the_members(made: Programme) -> None:
    ann = made.members[0]
    made.at = START + DAY
    ref = MemberRef(kind="phone", value="+8613900139000")
    made.send(ledgers.order(ref, "A1", made.at, 20_000))
    contact.change_phone(
        member=ann.pk, phone="13900139000", verified_by="code_sent", reason="new phone",
        actor="staff:li.na", at=made.at,
    )  # fmt: skip
    assert available(ann) == 200


@pytest.mark.req("STF-06")
def test_a_card_is_replaced_by_one_with_a_check_digit(visitor: Client) -> None:
    console.programme()
    member, other = members.member(), members.member()
    old = member.card_number
    for wrong in ("6000000000000001", other.card_number, old):
        response = visitor.post(address("replace_card", member), {"card_number": wrong, **KNOWN})
        assert response.status_code == 200, wrong
    body = {"card_number": "", **KNOWN}
    assert visitor.post(address("replace_card", member), body).status_code == 302
    member.refresh_from_db()
    assert member.card_number != old
    assert identity.find([("card", "", old)]) == {}
    row = Identifier.objects.get(member=member, kind=IdentifierKind.CARD, ended_at=None)
    assert row.sealed is None
    with pytest.raises(IdentifierTakenError):
        contact.replace_card(
            member=member.pk, card_number=other.card_number, verified_by="document_seen",
            reason="x", actor="staff:li.na", at=console.AT,
        )  # fmt: skip


# Claims


def claim(made: Programme, total: str, order_no: str = "R1") -> None:
    receipt_claims.claim_receipt(
        member=made.members[0].pk, source="shop", order_no=order_no, total=Decimal(total),
        verified_by="not_in_contact", reason="forgot the card", actor="staff:li.na", at=made.at,
    )  # fmt: skip


@pytest.mark.req("STF-06", "SVC-01")
def test_a_purchase_is_claimed_with_the_receipts_total(made: Programme) -> None:
    made.at = START + DAY
    made.send(ledgers.order(None, "R1", made.at, 12_000, 345))
    for order_no, total in (("R1", "123.44"), ("R2", "123.45")):
        with pytest.raises(ClaimError) as refused:
            claim(made, total, order_no)
        assert refused.value.code == "receipt_not_found"
    claim(made, "123.45")
    assert available(made.members[0]) == 123
    with pytest.raises(ClaimError) as refused:
        claim(made, "123.45")
    assert refused.value.code == "order_already_claimed"
    assert MemberEvent.objects.filter(kind="order.claimed").count() == 1


@pytest.mark.req("STF-06")
def test_so_many_claims_a_month_and_no_more(made: Programme, settings: Settings) -> None:
    settings.LOYALTY_CLAIMS_PER_MONTH = 1
    made.at = START + DAY
    made.send(*(ledgers.order(None, f"R{n}", made.at, 10_000) for n in (1, 2)))
    claim(made, "100.00", "R1")
    with pytest.raises(ClaimError) as refused:
        claim(made, "100.00", "R2")
    assert refused.value.code == "claim_limit_reached"
    made.at += timedelta(days=28)
    claim(made, "100.00", "R2")
    assert available(made.members[0]) == 200


# Closing, moving


@pytest.mark.req("STF-06")
def test_closing_shows_what_it_ends(visitor: Client, made: Programme) -> None:
    ann = made.members[0]
    coupons.coupon(ann, at=START)
    text = visitor.get(address("member_status", ann), headers={"accept-language": "en"}).text
    assert "What closing ends for good" in text
    assert "Coupons to use" in text


@pytest.mark.req("SVC-01", "STF-06")
def test_moving_an_order_is_shown_before_it_is_done(visitor: Client, made: Programme) -> None:
    ann, bob = made.members
    made.at = START + DAY
    made.send(ledgers.order(ann, "A1", made.at, 20_000))
    order = ann.orders.get()
    body = {"order": order.pk, "to": bob.card_number, **KNOWN}
    page = visitor.post(address("move_order", ann), body, headers={"accept-language": "en"})
    assert "Nothing has been done yet" in page.text
    assert (available(ann), available(bob)) == (200, 0)
    unseen = visitor.post(address("move_order", ann), {**body, "confirm": f"{order.pk}:{ann.pk}"})
    assert unseen.status_code == 200
    assert (available(ann), available(bob)) == (200, 0)
    done = visitor.post(address("move_order", ann), {**body, "confirm": f"{order.pk}:{bob.pk}"})
    assert done.status_code == 302
    assert (available(ann), available(bob)) == (0, 200)


# Revealing


@pytest.mark.req("SVC-01", "STF-06")
def test_data_are_shown_once_and_the_look_is_written_down(visitor: Client) -> None:
    console.programme()
    member = members.member(("phone", "13800138000", ""), name="欧阳娜娜")
    response = visitor.post(address("member_reveal", member), {"reason": "calls back"})
    assert "+8613800138000" in response.text
    assert "欧阳娜娜" in response.text
    assert "no-store" in response["Cache-Control"]
    event = MemberEvent.objects.get(kind="member.revealed")
    assert set(event.payload) == {"note", "actor"}
    again = visitor.get(reverse("admin:members_member_change", args=[member.pk]))
    assert "13800138000" not in again.text
    assert "calls back" in again.text


@pytest.mark.req("STF-06")
def test_a_look_needs_a_reason_a_permission_and_a_rest_of_the_day(
    visitor: Client, settings: Settings
) -> None:
    console.programme()
    member = members.member(("phone", "13800138000", ""))
    settings.LOYALTY_REVEALS_PER_DAY = 1
    reveal = address("member_reveal", member)
    assert visitor.get(reveal).status_code == 405
    assert visitor.post(reveal, {"reason": " "}).status_code == 302
    assert "13800138000" in visitor.post(reveal, {"reason": "x"}).text
    assert visitor.post(reveal, {"reason": "x"}).status_code == 302
    assert RevealCount.objects.get().count == 1
    visitor.force_login(console.staff("temp", is_superuser=False))
    assert visitor.post(reveal, {"reason": "x"}).status_code == 403


@pytest.mark.req("STF-06")
@pytest.mark.parametrize(
    "name", ["goodwill", "change_phone", "replace_card", "claim_receipt", "move_order"]
)
def test_acts_are_only_for_those_who_may(client: Client, name: str) -> None:
    console.programme()
    member = members.member()
    client.force_login(console.staff("temp", is_superuser=False))
    assert client.get(address(name, member)).status_code == 403
    client.force_login(console.staff("boss"))
    assert client.get(address(name, member)).status_code == 200
