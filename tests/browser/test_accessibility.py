"""No page of the console stands in the way of who reads it by other means: axe finds nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from config.base import clock
from members.models import Member
from rewards.services import adjustment
from tests.factories import campaigns, console

pytestmark = pytest.mark.browser

GRAVE = {"serious", "critical"}


def faults(page: Page) -> list[str]:
    """Return what axe finds grave on the open page, with where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url} {each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


def look(page: Page, *addresses: str) -> list[str]:
    """Open pages one after the other; return what is wrong on any."""
    wrong = []
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        assert urlsplit(page.url).path == address, "another page was shown"
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        wrong += faults(page)
    return wrong


@pytest.fixture
def user(server: str) -> User:
    """Return somebody who sees everything, of a programme with members and open work."""
    cache.clear()
    reverse("admin:index")  # the console registers what can be asked for when it is first opened
    with transaction.atomic():
        console.programme()
        ann = console.member(phone="13800138000")
        console.member("李四", phone="13900138000")
        asks = console.staff("zhao")
        adjustment.adjust_by_staff(
            user_id=asks.pk, member=ann.pk, points=900, reason="The parcel was late",
            actor="staff:zhao", at=clock.now(),
        )  # fmt: skip
        return console.staff()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_on_the_pages_of_service(
    visit: Callable[..., Page], user: User, scheme: Any
) -> None:
    page = visit(user, locale="en-US")
    page.emulate_media(color_scheme=scheme)
    member = Member.objects.earliest("pk").pk
    wrong = look(page, "/admin/")
    expect(page.locator("canvas")).to_have_count(2)
    wrong += look(page, "/admin/desk/")
    page.get_by_label("Find a member").fill("8000")
    page.keyboard.press("Enter")
    page.locator(".lc-hit").first.wait_for()
    wrong += faults(page)
    wrong += look(
        page, f"/admin/members/member/{member}/change/", "/admin/cases/", "/admin/approvals/"
    )
    page.context.clear_cookies()
    wrong += look(page, "/admin/login/")
    assert not wrong, "\n".join(wrong)


def test_axe_finds_nothing_grave_on_the_pages_of_the_programme(
    visit: Callable[..., Page], user: User, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    page = visit(user, locale="en-US")
    wrong = look(
        page, "/admin/rewards/rules/new/", "/admin/reports/dashboard/members/",
        "/admin/reports/month-end/", "/admin/imports/", "/admin/exports/",
    )  # fmt: skip
    assert not wrong, "\n".join(wrong)


def test_axe_finds_nothing_grave_on_the_pages_of_campaigns(
    visit: Callable[..., Page], user: User
) -> None:
    at = clock.now()
    with transaction.atomic():
        campaigns.segment("gold", Member.objects.earliest("pk"), at=at)
        effects = [{"kind": "multiplier", "factor": "2"}, {"kind": "points", "points": 50}]
        terms: dict[str, Any] = {"audience": ["gold"], "effects": effects, "budget_points": 100}
        campaign = campaigns.running(at=at, percent=50, **terms)
        draft = campaigns.draft(at=at, **terms)
    page = visit(user, locale="en-US")
    wrong = look(
        page, "/admin/campaigns/board/", f"/admin/campaigns/drafts/{draft.pk}/",
        "/admin/campaigns/segments/new/",
    )  # fmt: skip
    page.emulate_media(color_scheme="dark")
    wrong += look(
        page, f"/admin/campaigns/{campaign.pk}/", f"/admin/campaigns/{campaign.pk}/results/",
        "/admin/messages/",
    )  # fmt: skip
    assert not wrong, "\n".join(wrong)
