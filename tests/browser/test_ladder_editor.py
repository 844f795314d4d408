"""The next version of the ladder written in a real browser: rows come and go, warnings follow."""

from collections.abc import Callable

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from tests.browser.conftest import staff
from tests.factories import console
from tiers.models import LadderDraft

EDITOR = ("tiers.view_ladderversion", "tiers.view_ladderdraft", "tiers.add_ladderversion")


@pytest.mark.req("TIR-06")
def test_a_condition_is_added_and_what_looks_wrong_is_said_at_once(
    visit: Callable[..., Page],
) -> None:
    with transaction.atomic():
        console.programme()
        console.member()
        user = staff("li.na", *EDITOR)
    page = visit(user, locale="en-US")
    page.goto("/admin/tiers/ladder-drafts/new/")
    page.get_by_label("What it is about").fill("Orders count too")
    lint = page.locator("#ladder-lint")
    expect(lint).to_contain_text("Nothing looks wrong.")

    page.get_by_label("Gold: points multiplier").fill("1.10")
    expect(lint).to_contain_text("Gold is worth no more than Silver.")
    page.get_by_role("button", name="or …").first.click()
    expect(page.locator(".lc-condition")).to_have_count(4)
    row = page.locator(".lc-condition").nth(1)
    row.get_by_label("metric").select_option("tenure")
    expect(row.get_by_label("window length (days)")).to_have_count(0)
    row.get_by_label("threshold").fill("12")
    row.get_by_label("unit of tenure").select_option("months")
    expect(page.get_by_label("Gold: points multiplier")).to_have_value("1.10")
    page.get_by_role("button", name="Save and simulate").click()

    expect(page.get_by_role("heading", name="Members by tier", exact=True)).to_be_visible()
    draft = LadderDraft.objects.get()
    assert [r["metric"] for r in draft.content["rules"] if r["tier"] == "silver"] == [
        "spend", "tenure",
    ]  # fmt: skip
