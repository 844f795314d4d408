"""The service desk: one search, one page."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import Identifier, IdentifierKind, Member, MemberEvent
from rewards.models import Redemption
from rewards.services import contact
from tests.factories import catalogue, console, coupons, members

pytestmark = pytest.mark.django_db

SEARCH_QUERIES = 24


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    return client


@pytest.fixture
def wanted() -> Member:
    console.programme()
    made = members.member(
        ("phone", "13800138000", ""), ("email", "nana@example.com", ""), name="欧阳娜娜"
    )
    console.order(made, "99.00", at=console.AT, points=99)
    members.member(name="王五")
    return made


def search(visitor: Client, text: str) -> str:
    """Return where a search leads, or the page that it shows."""
    response = visitor.post(reverse("admin:desk"), {"term": text})
    return response.headers.get("Location", "") or response.text


def page_of(member: Member) -> str:
    return reverse("admin:members_member_change", args=[member.pk])


@pytest.mark.req("SVC-01", "MEM-08", "STF-06")
def test_whatever_a_caller_says_leads_to_the_member(visitor: Client, wanted: Member) -> None:
    order = wanted.orders.first()
    assert order is not None
    coupon = coupons.coupon(wanted, at=console.AT)
    card = wanted.card_number
    said = (
        "13800138000", "+86 138 0013 8000", "8000", "38000", "138000", "00138000", card,
        " ".join(card[n : n + 4] for n in range(0, 16, 4)), card[-4:], "nana@example.com",
        "欧阳娜娜", order.order_no, coupon.code, coupon.code.lower(), str(wanted.public_id),
    )  # fmt: skip
    for text in said:
        assert search(visitor, text) == page_of(wanted), text


@pytest.mark.req("SVC-01")
def test_a_redemption_leads_to_its_member(visitor: Client, wanted: Member) -> None:
    made = Redemption.objects.create(
        public_id=uuid4(), member=wanted, reward=catalogue.reward(), requested_at=console.AT
    )
    assert search(visitor, str(made.public_id)) == page_of(wanted)


@pytest.mark.req("SVC-01")
def test_several_hits_are_cards_that_say_why(visitor: Client, wanted: Member) -> None:
    other = members.member(("phone", "13900138000", ""), name="李雷")
    found = search(visitor, "8000")
    assert found == f"{reverse('admin:desk')}?found"
    text = visitor.get(found, headers={"accept-language": "en"}).text
    for part in (page_of(wanted), page_of(other), "欧***", "Last digits of the phone", "99"):
        assert part in text
    assert "13800138000" not in text
    assert "欧阳娜娜" not in text


@pytest.mark.req("SVC-01")
def test_the_session_keeps_no_word_of_the_search(visitor: Client, wanted: Member) -> None:
    members.member(("phone", "13900138000", ""), name="欧阳娜娜")
    assert search(visitor, "欧阳娜娜") == f"{reverse('admin:desk')}?found"
    assert "欧阳娜娜" not in str(dict(visitor.session))
    assert page_of(wanted) in visitor.get(reverse("admin:desk"), {"found": ""}).text
    assert page_of(wanted) not in visitor.get(reverse("admin:desk")).text


@pytest.mark.req("SVC-01", "MEM-08")
def test_many_alike_cost_no_more_queries(visitor: Client, wanted: Member) -> None:
    def count(text: str) -> int:
        with CaptureQueriesContext(connection) as found:
            visitor.post(reverse("admin:desk"), {"term": text}, follow=True)
        return len(found)

    members.member(("phone", "13900138000", ""))
    count("38000")
    few = count("38000")
    for number in range(12):
        members.member(("phone", f"137{number:03d}38000", ""))
    assert count("38000") == few
    assert few <= SEARCH_QUERIES + 20


def test_an_empty_page_teaches_and_a_miss_helps(visitor: Client, wanted: Member) -> None:
    text = visitor.get(reverse("admin:desk"), headers={"accept-language": "en"}).text
    assert "What can be typed" in text
    for term in ("nobody", "\0", "x" * 500, "' OR 1=1 --", "13811112222"):
        response = visitor.post(
            reverse("admin:desk"), {"term": term}, headers={"accept-language": "en"}
        )
        assert response.status_code == 200
    assert "Nobody was found." in response.text


@pytest.mark.req("STF-06")
def test_a_replaced_card_leads_to_nobody_but_staff(visitor: Client, wanted: Member) -> None:
    old = wanted.card_number
    contact.replace_card(
        member=wanted.pk, card_number="", verified_by="document_seen", reason="lost",
        actor="staff:li.na", at=console.AT,
    )  # fmt: skip
    wanted.refresh_from_db()
    assert wanted.card_number != old
    response = visitor.post(
        reverse("admin:desk"), {"term": old}, follow=True, headers={"accept-language": "en"}
    )
    assert "nothing is earned with it any more" in response.text
    active = Identifier.objects.filter(member=wanted, kind=IdentifierKind.CARD, ended_at=None)
    assert active.count() == 1
    assert MemberEvent.objects.filter(kind="member.card_replaced", member=wanted).exists()


def test_the_desk_is_only_for_those_who_may(client: Client, wanted: Member) -> None:
    assert client.get(reverse("admin:desk")).status_code == 302
    user = console.staff(is_superuser=False)
    client.force_login(user)
    assert client.get(reverse("admin:desk")).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_member"))
    order = wanted.orders.first()
    assert order is not None
    assert search(client, "8000") == page_of(wanted)
    assert page_of(wanted) not in search(client, order.order_no)
