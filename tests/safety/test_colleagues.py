"""What a service lead does for colleagues: unlocks, hands over, removes lost second factors."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.base.admin import reauth
from config.models import StaffAct
from tests.factories import console, staff

pytestmark = [pytest.mark.django_db, pytest.mark.req("STF-08")]


@pytest.fixture
def lead(client: Client) -> Client:
    client.force_login(staff.person("lead", "service_lead"))
    return client


def with_device(user: User) -> User:
    TOTPDevice.objects.create(user=user, name="phone", confirmed=True)
    return user


def remove(client: Client, user: User, reason: str = "lost phone") -> int:
    address = reverse("console_reset_second_factors", args=[user.pk])
    return client.post(address, {"reason": reason}).status_code


def test_a_lead_removes_what_an_agent_has_lost(lead: Client) -> None:
    agent = with_device(staff.person("agent", "service_agent"))
    page = lead.get(reverse("admin:auth_user_change", args=[agent.pk]))
    assert f"{agent.pk}/second-factors" in page.text
    assert remove(lead, agent) == 302
    assert not TOTPDevice.objects.exists()
    act = StaffAct.objects.get(table="otp_totp_totpdevice")
    assert (act.actor, act.reason) == ("staff:lead", "lost phone")


def test_a_lead_gives_a_reason_and_who_they_are(lead: Client) -> None:
    agent = with_device(staff.person("agent", "service_agent"))
    assert remove(lead, agent, "") == 200
    session = lead.session
    session[reauth.CONFIRMED] = 0.0
    session.save()
    assert remove(lead, agent) == 302
    assert TOTPDevice.objects.count() == 1


@pytest.mark.parametrize("roles", [("finance",), ("service_agent", "data"), ("auditor",)])
def test_a_lead_weakens_nobody_who_may_do_more(lead: Client, roles: tuple[str, ...]) -> None:
    assert remove(lead, with_device(staff.person("other", *roles))) == 403
    assert TOTPDevice.objects.exists()


def test_nobody_removes_their_own_in_this_way(client: Client) -> None:
    root = with_device(console.staff("root"))
    client.force_login(root)
    assert remove(client, root) in {302, 403}
    assert TOTPDevice.objects.exists()


def test_a_lead_weakens_no_superuser_nor_themselves(lead: Client) -> None:
    assert remove(lead, with_device(console.staff("root"))) == 403
    own = User.objects.get(username="lead")
    page = lead.get(reverse("admin:auth_user_change", args=[own.pk]))
    assert page.status_code == 200
    assert f"{own.pk}/second-factors" not in page.text
    assert remove(lead, own) == 403


def test_an_agent_removes_nothing(client: Client) -> None:
    client.force_login(staff.person("agent", "service_agent"))
    assert remove(client, with_device(staff.person("other", "service_agent"))) == 403


def test_a_lead_unlocks_and_hands_over(lead: Client) -> None:
    AccessAttempt.objects.create(
        username="agent", ip_address="10.0.0.7", failures_since_start=5,
        attempt_time=timezone.now(),
    )  # fmt: skip
    listed = lead.get(reverse("admin:axes_accessattempt_changelist"))
    assert "10.0.0.7" in listed.text
    agent = staff.person("agent", "service_agent")
    assert lead.get(reverse("admin:auth_user_changelist")).status_code == 200
    page = lead.get(reverse("admin:auth_user_change", args=[agent.pk]))
    assert "hand-over" in page.text
    assert lead.get(reverse("admin:auth_user_add")).status_code == 403
