"""A caller served at the desk in a real browser: found, told why, helped, made good."""

from collections.abc import Callable

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from members.models import Approval, Member
from tests.browser.conftest import ADDRESS_OF_MEMBER, available, decide
from tests.engine.shop import Shop
from tests.factories import members
from tests.factories.staff import person

pytestmark = pytest.mark.browser

AGENT = ("service_agent",)
LEAD = ("service_lead",)


def caller() -> Member:
    """Return a member who has earned 300 points, among others with the same last digits."""
    shop = Shop()
    ann = members.member(("phone", "13800138000", ""), name="王小明")
    members.member(("phone", "13900138000", ""), name="李四")
    shop.buy(ann, "SO-1", 300, on=10)
    return ann


def open_by_phone_tail(page: Page, digits: str, member: Member) -> None:
    """Find a member as an agent does, by what the caller says."""
    page.goto("/admin/desk/")
    page.get_by_label("Find a member").fill(digits)
    page.keyboard.press("Enter")
    page.locator(f".lc-hit[href*='/member/{member.pk}/']").click()
    page.wait_for_url(ADDRESS_OF_MEMBER)


def give(page: Page, points: int) -> None:
    """Give goodwill on the page of a member."""
    page.locator(".lc-acts").get_by_role("link", name="Goodwill").click()
    page.get_by_label("What to give").select_option("points")
    page.get_by_label("Points", exact=True).fill(str(points))
    page.get_by_label("How was the caller identified?").select_option("called_back")
    page.get_by_label("Reason").fill("The parcel was late")
    page.get_by_role("button", name="Give").click()
    page.wait_for_url(ADDRESS_OF_MEMBER)


@pytest.mark.req("SVC-01", "STF-06")
def test_a_caller_is_found_told_why_and_gets_a_new_phone(visit: Callable[..., Page]) -> None:
    with transaction.atomic():
        ann = caller()
        agent = person("li.na", *AGENT)
    page = visit(agent, locale="en-US")
    open_by_phone_tail(page, "8000", ann)
    moved = page.locator(".lc-feed-row", has_text="SO-1").first
    expect(moved.locator(".lc-feed-change")).to_contain_text("300")
    why = moved.locator(".lc-why-list")
    expect(why).to_be_hidden()
    moved.get_by_text("Why", exact=True).click()
    expect(why).to_contain_text("300")

    page.locator(".lc-acts").get_by_role("link", name="Change phone").click()
    page.get_by_label("New phone").fill("13700137777")
    page.get_by_label("Reason").fill("A new number")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator(".lc-error")).to_have_count(1)
    page.get_by_label("How was the caller identified?").select_option("called_back")
    page.get_by_role("button", name="Change", exact=True).click()
    page.wait_for_url(ADDRESS_OF_MEMBER)
    expect(page.locator(".lc-hero")).to_contain_text("7777")

    page.locator("#desk-term").fill("7777")
    page.keyboard.press("Enter")
    page.wait_for_url(ADDRESS_OF_MEMBER)
    assert f"/member/{ann.pk}/" in page.url


@pytest.mark.req("SVC-11", "STF-02", "PTS-15")
def test_goodwill_is_given_at_once_and_above_the_limit_by_two(visit: Callable[..., Page]) -> None:
    with transaction.atomic():
        ann = caller()
        agent, lead = person("li.na", *AGENT), person("wang.fang", *LEAD)
    page = visit(agent, locale="en-US")
    page.goto(f"/admin/members/member/{ann.pk}/change/")
    give(page, 100)
    expect(page.get_by_text("Given. You can take it back")).to_be_visible()
    assert available(ann) == 400

    give(page, 501)
    expect(page.get_by_text("Sent for approval.")).to_be_visible()
    assert available(ann) == 400

    decide(visit(lead, locale="en-US"), "501")
    assert available(ann) == 901
    assert Approval.objects.get().decided_by == "staff:wang.fang"
    page.reload()
    expect(page.locator("main, #main").first).to_contain_text("901")
