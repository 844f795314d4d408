"""The next best offer on the member page, and a member's refusal recorded at the desk."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from members.models import Consent, Member, MemberEvent
from members.services import consents
from rewards.models import Lot
from tests.factories import catalogue, console

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-07")]

ENGLISH = {"accept-language": "en"}


@pytest.fixture
def member() -> Member:
    console.programme()
    catalogue.reward("mug", 300, name_zh="马克杯", name_en="Mug")
    catalogue.reward("dear", 9_999, name_en="Dear")
    made = console.member()
    Lot.objects.update(expires_at=None)
    return made


@pytest.fixture
def user(client: Client) -> User:
    user = console.staff()
    client.force_login(user)
    return user


def page(client: Client, member: Member, language: str = "en") -> str:
    path = reverse("admin:members_member_change", args=[member.pk])
    return client.get(path, headers={"accept-language": language}).text


def test_the_page_shows_what_to_offer_and_every_reason(
    client: Client, user: User, member: Member
) -> None:
    shown = page(client, member)
    assert "Next best offer" in shown
    assert "it takes 300 of your 1200 points" in shown
    assert "Dear" not in shown
    assert "需要 300 积分，您有 1200 积分可用" in page(client, member, "zh-hans")


def test_a_refusal_is_recorded_with_its_reason_and_honoured(
    client: Client, user: User, member: Member
) -> None:
    path = reverse("admin:member_consent", args=[member.pk])
    filled = {"purpose": "personalisation", "granted": "no", "reason": "said so on the phone"}
    assert client.post(path, {**filled, "reason": ""}).status_code == 200
    assert not Consent.objects.filter(purpose="personalisation").exists()
    assert client.post(path, filled).status_code == 302
    row = consents.current([member.pk])[member.pk]["personalisation", ""]
    assert (row.granted, row.source) == (False, "staff")
    event = MemberEvent.objects.filter(member=member, kind="consent.changed").latest("id")
    assert event.payload["actor"].startswith("staff:")
    assert "phone" not in str(event.payload)
    shown = page(client, member)
    assert "members redeem it most; nothing about you was used" in shown
    assert "it takes 300" not in shown
    assert "Personalised recommendations" in shown
    client.post(path, {**filled, "granted": "yes"})
    assert "it takes 300" in page(client, member)


def test_staff_cannot_allow_for_the_member_what_needs_a_text(
    client: Client, user: User, member: Member
) -> None:
    path = reverse("admin:member_consent", args=[member.pk])
    filled = {"purpose": "marketing", "granted": "yes", "reason": "why not"}
    assert client.post(path, filled).status_code == 200
    assert not Consent.objects.filter(member=member, purpose="marketing", source="staff").exists()


def test_who_may_not_see_customer_value_sees_no_offer(client: Client, member: Member) -> None:
    few = User.objects.create_user("few", is_staff=True)
    few.user_permissions.set(Permission.objects.filter(codename="view_member"))
    client.force_login(few)
    assert "Next best offer" not in page(client, member)
    assert client.get(reverse("admin:member_consent", args=[member.pk])).status_code == 403
