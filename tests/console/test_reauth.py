"""What costs most in somebody else's hands asks who is there."""

import pytest
from django.test import Client
from django.urls import reverse

from config.base.admin import reauth
from rewards.services import bulk_grants
from rewards.services.bulk_grants import Gift
from tests.console.test_ladder_editor import form_of
from tests.engine.shop import Shop
from tests.factories import benefits, catalogue, console
from tiers.models import LadderDraft, Tier

pytestmark = [pytest.mark.django_db, pytest.mark.req("MEM-10")]


@pytest.fixture
def visitor(client: Client) -> Client:
    """Return a superuser who gave the password long ago."""
    Shop()
    client.force_login(console.staff())
    # The first request begins the session.
    client.get(reverse("admin:password_change"))
    session = client.session
    session[reauth.CONFIRMED] = 0.0
    session.save()
    return client


def is_asked(client: Client, address: str, **posted: str) -> bool:
    answer = client.post(address, posted) if posted else client.get(address)
    return answer.status_code == 302 and answer.headers["Location"].startswith("/admin/confirm/")


def test_pages_of_terms_ask_who_is_there(visitor: Client) -> None:
    tier, benefit = Tier.objects.order_by("rank")[0], benefits.benefit("care")
    reward = catalogue.reward("mug")
    assert is_asked(visitor, reverse("admin:benefit_terms", args=[tier.pk, benefit.pk]))
    assert is_asked(visitor, reverse("admin:policy_new"))
    assert is_asked(visitor, reverse("admin:reward_call_off", args=[reward.pk]))


def test_sending_a_ladder_asks_once_the_draft_is_saved(visitor: Client) -> None:
    address = reverse("admin:ladder_new")
    form = form_of(visitor, address)
    answer = visitor.post(address, {**form, "name": "Next year", "do": "submit"})
    draft = LadderDraft.objects.get()
    assert answer.headers["Location"].startswith("/admin/confirm/")
    assert str(draft.pk) in answer.headers["Location"]


def test_sending_a_list_asks_and_throwing_it_away_does_not(visitor: Client) -> None:
    member = Shop().join("ann")
    bulk = bulk_grants.prepare(
        text=member.card_number,
        gift=Gift(points=10),
        reason="sorry",
        actor="staff:li.na",
        at=console.AT,
    )
    address = reverse("admin:bulk_grant", args=[bulk.pk])
    assert is_asked(visitor, address, step="submit")
    assert not is_asked(visitor, address, step="discard")
