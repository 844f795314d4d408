"""An operator launches a member day without a manual, and an order earns by it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from config.base import clock as programme_clock
from members.models import Channel
from rewards.models import Rule, RuleVersion
from rewards.presets import PRESETS
from rewards.services import presets
from tests.browser.conftest import Clock, redrawn, staff
from tests.engine import shop
from tests.factories import members

OPERATOR = (
    "rewards.view_rule", "rewards.view_ruleversion", "rewards.add_ruleversion",
    "members.view_approval",
)  # fmt: skip
APPROVER = ("rewards.view_rule", "rewards.publish_rule", "members.view_approval")


def write_member_day(page: Page, day: int) -> None:
    """Fill the builder as somebody does who reads its labels."""
    page.goto("/admin/rewards/rule/")
    page.locator("a[href*='/rule/write']").first.click()
    page.locator("[name=name_zh]").fill("会员日双倍积分")
    page.locator("[name=factor]").fill("2")
    with redrawn(page):
        page.locator("[value='add-group:c']").click()
    with redrawn(page):
        page.locator("[name=c-0-0-field]").select_option("order.day")
    page.locator(f"[name=c-0-0-value][value='{day}']").check()
    with redrawn(page):
        page.locator("[value='add-row:c:0']").click()
    with redrawn(page):
        page.locator("[name=c-0-1-field]").select_option("member.tier")
    page.locator("[name=c-0-1-value][value=basic]").check()
    page.locator("[name=cap_points]").fill("500")
    page.locator("[name=cap_period]").select_option("day")


@pytest.mark.browser
@pytest.mark.req("PTS-04", "PTS-06")
def test_an_operator_launches_a_member_day_that_an_order_earns_by(
    visit: Callable[..., Page], clock: Clock
) -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())
    member = members.member(("external", "m-1", ""), at=clock.now())
    till = members.touchpoint(channel=Channel.POS, created_at=clock.now())
    # One in the afternoon: midnight does not come while the rule waits for its first minute.
    clock.wait(hours=(36 - programme_clock.local(clock.now()).hour) % 24 + 1)
    today = programme_clock.local(clock.now())

    page = visit(staff("operator", *OPERATOR))
    write_member_day(page, today.day)
    page.locator("[name=cart-on]").fill(f"{today:%Y-%m-%dT%H:%M}")
    page.locator("[name=cart-tier]").select_option("basic")
    expect(page.locator("#cart-draft")).to_have_text("200")
    expect(page.locator("#cart-live")).to_have_text("100")
    page.locator("[hx-target='#rule-month']").click()
    expect(page.locator("#rule-month-result")).to_be_visible()
    page.locator("[name=reason]").fill("每月会员日")
    page.locator("[name=do][value=submit]").click()
    expect(page.locator("table a[href*='/approval/']")).to_be_visible()

    approver = visit(staff("approver", *APPROVER))
    approver.goto("/admin/members/approval/")
    approver.locator("#result_list tbody a[href*='/change/']").first.click()
    approver.locator("a[href*='/decide']").first.click()
    expect(approver.locator("table.lc-table")).to_contain_text("500")
    approver.locator("button[value=approve]").click()
    approver.wait_for_url("**/admin/approvals/**")

    version = RuleVersion.objects.get(rule=Rule.objects.latest("pk"))
    assert version.state == "active"
    assert version.valid_from is not None
    clock.wait(minutes=10)
    sells = shop.Shop.__new__(shop.Shop)
    sells.touchpoint, sells.now = till, clock.now()
    (outcome,) = sells.send(
        shop.order(member, "o-1", 100, on=(clock.now() - shop.NOON).total_seconds() / 86_400)
    )
    points = outcome.data["points"]
    assert points["earned"] == 200, outcome.data
    assert points["bonus"] == [{"rule": version.rule.code, "points": 100}]
