"""An operator writes a campaign without a manual, pilots it, widens it and reads how it goes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Campaign, MessageTemplate
from rewards.presets import PRESETS
from rewards.services import presets
from tests.browser.conftest import Clock, decide, redrawn, staff
from tests.factories import campaigns, members

OPERATOR = (
    "campaigns.view_campaign", "campaigns.change_campaign", "campaigns.run_campaign",
    "members.view_approval",
)  # fmt: skip
APPROVER = ("campaigns.view_campaign", "campaigns.publish_campaign", "members.view_approval")


@pytest.mark.browser
@pytest.mark.req("CMP-02", "CMP-09", "CMP-12")
def test_an_operator_pilots_a_campaign_and_widens_it(
    visit: Callable[..., Page], clock: Clock
) -> None:
    at = clock.now()
    presets.load(preset=PRESETS["classic"], at=at)
    gold = [members.member(at=at) for _number in range(20)]
    campaigns.segment("gold", *gold, at=at)
    MessageTemplate.objects.create(
        code="miss-you", name_zh="想念您", purpose="marketing", needs_consent=True, created_at=at,
        created_by="t",
    )  # fmt: skip

    page = visit(staff("operator", *OPERATOR))
    page.goto("/admin/campaigns/new/")
    page.locator("[name=name_zh]").fill("金卡召回双倍积分")
    page.locator("[name=audience]").select_option("gold")
    with redrawn(page):
        page.locator("[name=trigger-kind]").select_option("dormancy")
    page.locator("[name=trigger-days]").fill("60")
    page.locator("[name=effect-0-kind]").select_option("multiplier")
    page.locator("[name=effect-0-amount]").fill("2")
    page.locator("[name=messages]").select_option("miss-you")
    page.locator("[value=save]:visible").click()
    expect(page.locator(".lc-beside dl")).to_contain_text("18")
    page.locator("[name=percent]").fill("10")
    page.locator("[name=reason]").fill("召回")
    page.locator("[value=submit]").click()
    page.wait_for_url("**/campaigns/*/")

    decide(visit(staff("approver", *APPROVER)), "金卡召回双倍积分")
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.members.filter(arm="treated").count()) == ("pilot", 2)

    page.goto(f"/admin/campaigns/{campaign.pk}/")
    page.locator("a[href$='/do/widen/']").click()
    page.locator("[name=percent]").fill("100")
    page.locator("[name=reason]").fill("试点顺利")
    page.locator("form button.is-primary").click()
    page.wait_for_url(f"**/campaigns/{campaign.pk}/")
    expect(page.locator(".lc-figure").nth(1)).to_contain_text("18")
    campaign.refresh_from_db()
    assert (campaign.state, campaign.stage_percent) == ("live", 100)
