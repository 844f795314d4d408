"""What staff do with data in a real browser: bring it in, join it, part it, erase it, aim at it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from playwright.sync_api import FilePayload, Page, expect
from pytest_django import Settings

from config.base import clock
from members.models import Member, MemberStatus
from rewards.models import Upload
from rewards.services import uploads
from tests.browser.conftest import ADDRESS_OF_MEMBER, available, decide
from tests.engine.shop import Shop
from tests.factories import console, members
from tests.factories.staff import person

pytestmark = pytest.mark.browser

WRONG = "手机号,name\n13800138001,Ann\nnonsense,Bob\n"
RIGHT = WRONG.replace("nonsense", "13800138002")


def bring_in(page: Page, text: str) -> None:
    """Upload a file of members, say what its columns are, and have it rehearsed."""
    page.goto("/admin/imports/")
    page.get_by_label("What the rows are").select_option("members")
    file: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.locator("[name=column-phone]").select_option("手机号")
    expect(page.locator("[name=column-name]")).to_have_value("name")
    page.get_by_role("button", name="See what would happen").click()
    work(page)


def work(page: Page) -> None:
    """Do what a worker does, and look again."""
    expect(page.locator(".lc-progress")).to_be_visible()
    uploads.work_on(upload_id=Upload.objects.latest("pk").pk, at=clock.now())
    page.reload()


@pytest.mark.req("MEM-08", "MEM-13")
def test_a_file_is_corrected_by_its_rejected_rows_and_then_loaded(
    visit: Callable[..., Page], settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    with transaction.atomic():
        console.programme()
        user = person("data", "data")
    page = visit(user, locale="en-US")
    bring_in(page, WRONG)
    rejected = page.locator("section", has=page.get_by_role("heading", name="Rejected rows"))
    expect(rejected.locator("tbody tr")).to_have_count(1)
    expect(rejected.locator("tbody tr")).to_contain_text("phone")
    expect(rejected).not_to_contain_text("nonsense")
    assert not Member.objects.exists()

    bring_in(page, RIGHT)
    expect(page.get_by_role("heading", name="Rejected rows")).to_have_count(0)
    page.get_by_role("button", name="Load the file").click()
    work(page)
    expect(page.locator(".lc-badge.success")).to_be_visible()
    assert Member.objects.count() == 2


@pytest.mark.req("MEM-04")
def test_two_members_are_merged_and_parted_again(visit: Callable[..., Page]) -> None:
    with transaction.atomic():
        shop = Shop()
        ann = members.member(("phone", "13800138000", ""), name="王小明")
        bea = members.member(("phone", "13900139000", ""), name="王小明")
        shop.buy(bea, "B1", 300, on=10)
        user = person("wang.fang", "service_lead")
    page = visit(user, locale="en-US")
    page.goto(f"/admin/members/member/{ann.pk}/change/")
    page.locator(".lc-acts").get_by_role("link", name="Merge").click()
    page.get_by_label("Other member").fill("13900139000")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Compare").click()
    expect(page.locator("table", has_text="Is merged")).to_contain_text("300")
    page.get_by_label("Reason").fill("Rang us up")
    page.locator(".lc-form .lc-actions .is-primary").last.click()
    page.wait_for_url(ADDRESS_OF_MEMBER)
    assert available(ann) == 300
    assert Member.objects.get(pk=bea.pk).status == MemberStatus.MERGED

    page.goto(f"/admin/members/member/{bea.pk}/change/")
    page.locator(".lc-acts").get_by_role("link", name="Undo merge").click()
    page.get_by_label("Reason").fill("They are twins")
    page.locator(".lc-form .lc-actions .is-primary").last.click()
    page.wait_for_url(ADDRESS_OF_MEMBER)
    assert (available(ann), available(bea)) == (0, 300)
    assert Member.objects.get(pk=bea.pk).status == MemberStatus.ACTIVE


@pytest.mark.req("MEM-12")
def test_an_erased_member_is_found_by_nobody(visit: Callable[..., Page]) -> None:
    with transaction.atomic():
        Shop()
        ann = members.member(("phone", "13800138000", ""), name="王小明")
        lead, manager = person("wang.fang", "service_lead"), person("boss", "programme_manager")
    page = visit(lead, locale="en-US")
    page.goto(f"/admin/members/member/{ann.pk}/change/")
    page.locator(".lc-acts").get_by_role("link", name="Personal data").click()
    page.get_by_label("What the member wants").select_option("erasure")
    page.get_by_label("Identity checked by").select_option("called_back")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("button", name="Ask for the erasure").click()
    expect(page.get_by_text("Sent for approval.")).to_be_visible()

    decide(visit(manager, locale="en-US"), "Erasure of a member")
    assert Member.objects.get(pk=ann.pk).status == MemberStatus.ERASED
    for term in ("13800138000", "王小明", "8000"):
        page.goto("/admin/desk/")
        page.get_by_label("Find a member").fill(term)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nobody was found.")).to_be_visible()


@pytest.mark.req("KPI-12")
def test_a_goal_that_is_set_stands_on_the_start_page(visit: Callable[..., Page]) -> None:
    with transaction.atomic():
        console.programme()
        user = person("boss", "programme_manager")
    page = visit(user, locale="en-US")
    page.goto("/admin/reports/goals/")
    page.get_by_role("link", name="Set a goal").click()
    today = clock.local_day(clock.now())
    page.get_by_label("Name").fill("A thousand members")
    page.get_by_label("Metric").select_option(index=0)
    page.get_by_label("Baseline").fill("0")
    page.get_by_label("Target").fill("1000")
    page.get_by_label("Starts on").fill(today.isoformat())
    page.get_by_label("Ends on").fill((today + timedelta(days=90)).isoformat())
    page.get_by_label("Owner").select_option(label="boss")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The goal is set.")).to_be_visible()

    page.goto("/admin/")
    goals = page.locator("section", has=page.get_by_role("heading", name="Goals"))
    expect(goals).to_contain_text("A thousand members")
    expect(goals.get_by_role("progressbar", name="A thousand members")).to_be_visible()
    expect(page.get_by_role("heading", name="Members by tier")).to_be_visible()
