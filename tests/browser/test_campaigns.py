"""Gold members who have bought nothing for 60 days: an operator wins them back, in the console.

They get double points for a week and a text message. The operator describes them, looks at who they
are, has the text published, pilots with 10 %, widens, and reads what has come of it. What the pages
say is held against sums that are done here by hand.
"""

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from math import sqrt
from statistics import NormalDist, mean, variance

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django import Settings

from campaigns.channels import Outbound, Outcome, Result, sms
from campaigns.models import Campaign, CampaignMember
from campaigns.services import sending, trigger_calendar
from config.base import clock as programme_clock
from members.models import Member
from members.services import consents
from members.services.consents import ConsentDecision
from rewards.presets import PRESETS
from rewards.services import joining, presets
from tests.browser.conftest import Clock, decide, redrawn
from tests.engine import shop
from tests.factories import members
from tests.factories.staff import person

pytestmark = pytest.mark.browser

ASLEEP, AWAKE, SILVER = 80, 3, 4
HELD, ADDRESSED, PILOT = 32, 48, 5  # 40 % of 80; of the 48 left 10 % is 4.8
BUYERS, HELD_BUYERS = 24, 8
Z = NormalDist().inv_cdf(0.975)


@dataclass
class World:
    """A shop with members, the programme's clock, and the text messages that have gone out."""

    clock: Clock
    sent: list[Outbound] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def open(self) -> None:
        """Load the programme; members join and buy once."""
        at = self.clock.now()
        presets.load(preset=PRESETS["classic"], at=at)
        self.till = members.touchpoint(created_at=at)
        phones = [members.phone() for _number in range(ASLEEP + AWAKE + SILVER)]
        made = joining.find_or_create(
            [members.request(("phone", each, ""), name="张小明") for each in phones],
            touchpoint=None, at=at,
        )  # fmt: skip
        self.members = [Member.objects.get(pk=each.member_id) for each in made if each.member_id]
        agreed = ConsentDecision(purpose="marketing", channel="sms", granted=True, source="test")
        everybody = {each.pk: [agreed] for each in self.members}
        consents.record(everybody, touchpoint=None, at=at)
        self.buy(3_200, *self.members[:-SILVER])
        self.buy(1_200, *self.members[-SILVER:])

    @property
    def asleep(self) -> list[Member]:
        """Return the gold members who have bought nothing since they joined."""
        return self.members[:ASLEEP]

    def buy(self, amount: int, *who: Member) -> list[int]:
        """Let members buy now; return what each of their orders has earned."""
        sells = shop.Shop.__new__(shop.Shop)
        sells.touchpoint, sells.now = self.till, self.clock.now()
        on = (sells.now - shop.NOON).total_seconds() / 86_400
        orders = [shop.order(each, f"o-{next(self.numbers)}", amount, on=on) for each in who]
        return [outcome.data["points"]["earned"] for outcome in sells.send(*orders)]

    def wait_until(self, hour: int, minute: int = 0, *, days: int = 0) -> None:
        """Wait for an hour of the programme's day, today or so many days later."""
        now = programme_clock.local(self.clock.now())
        then = now.replace(hour=hour, minute=minute, second=0) + timedelta(days=days)
        self.clock.ahead += then - now

    def work(self) -> list[Outbound]:
        """Do what the worker does about campaigns and messages; return what has gone out by it."""
        before, at = len(self.sent), self.clock.now()
        trigger_calendar.fire_calendar(at=at, recorded_at=at)
        while sending.send_due(at=at):
            pass
        return self.sent[before:]


@pytest.fixture
def world(server: str, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a shop that has been open for 65 days, at nine in the morning."""
    settings.LOYALTY_SMS_PROVIDER = "console"
    cache.clear()
    made = World(clock)

    def send(_channel: sms.Sms, outbound: Outbound) -> Result:
        made.sent.append(outbound)
        return Result(Outcome.SENT, provider_id=outbound.message_id)

    monkeypatch.setattr(sms.Sms, "send", send)
    made.wait_until(12)
    made.open()
    made.wait_until(12, days=45)
    made.buy(100, *made.members[ASLEEP : ASLEEP + AWAKE])
    made.wait_until(9, days=20)
    return made


def write_segment(page: Page) -> None:
    """Describe gold members without an order for 60 days, and look at who they are."""
    page.goto("/admin/campaigns/segments/")
    page.locator("a[href$='/segments/new/']").click()
    page.locator("[name=name_zh]").fill("沉睡金卡会员")
    page.locator("[name=name_en]").fill("Gold, asleep")
    page.locator("[name=code]").fill("gold-asleep")
    page.locator("[name=is_frozen]").check()
    with redrawn(page):
        page.locator("[value='add-group:c']").click()
    with redrawn(page):
        page.locator("[name=c-0-0-field]").select_option("customer.tier")
    page.locator("[name=c-0-0-value][value=gold]").check()
    with redrawn(page):
        page.locator("[value='add-row:c:0']").click()
    with redrawn(page):
        page.locator("[name=c-0-1-field]").select_option("customer.days_since_order")
    with redrawn(page):
        page.locator("[name=c-0-1-op]").select_option("gte")
    page.locator("[name=c-0-1-value]").fill("60")
    preview = page.locator("#segment-preview")
    expect(preview).to_contain_text(f"{ASLEEP} 位会员")
    first = preview.locator("tbody tr").first
    expect(first).to_contain_text("张**")
    expect(first).to_contain_text("金卡会员")
    expect(first).to_contain_text("65")
    page.locator("[value=save]:visible").click()
    page.wait_for_url(re.compile(r"/segments/\d+/$"))
    expect(page.locator(".lc-dl")).to_contain_text(str(ASLEEP))


def write_text(page: Page, card: str) -> None:
    """Write the text message in two languages and look at it as a member."""
    page.goto("/admin/messages/")
    page.locator("a[href$='/templates/new/']").click()
    page.locator("[name=code]").fill("miss-you")
    page.locator("[name=name_zh]").fill("想念您")
    page.locator("[name=purpose]").select_option("marketing")
    page.locator("button.is-primary").click()
    page.locator("summary", has_text="短信").first.click()
    page.locator("[name=zh-sms-body]").fill(
        "{{ member.name }}，好久不见！一周内消费享双倍积分，您还有 {{ points.available }} 积分。"
    )
    page.locator("[name=en-sms-body]").fill("{{ member.name }}, double points for a week!")
    for number, row in enumerate(
        (("member.name", "text", "会员", "Member"), ("points.available", "integer", "0", "0"))
    ):
        for name, value in zip(("name", "zh", "en"), (row[0], *row[2:]), strict=True):
            page.locator(f"[name={name}-{number}]").fill(value)
        page.locator(f"[name=type-{number}]").select_option(row[1])
    page.locator("[name=card]").fill(card)
    page.locator("[value=preview]").click()
    shown = page.locator(".lc-preview")
    expect(shown.first).to_contain_text("张**，好久不见！")
    expect(shown.first).to_contain_text("3,200 积分")
    expect(shown.last).to_contain_text("张**, double points for a week!")
    page.locator("[value=save]:visible").click()
    expect(page.locator(".lc-badge.warning")).to_be_visible()


def publish_text(page: Page) -> None:
    """Let the text be sent from now on."""
    page.goto("/admin/messages/")
    page.get_by_role("link", name="想念您").click()
    page.locator("[value=publish]").click()
    expect(page.locator(".lc-badge.success")).to_be_visible()


def write_campaign(page: Page, world: World) -> None:
    """Write the campaign on its one page, see whom it addresses, and send it for review."""
    over = programme_clock.local(world.clock.now()) + timedelta(days=7)
    page.goto("/admin/campaigns/board/")
    page.locator("a[href$='/campaigns/new/']").click()
    page.locator("[name=name_zh]").fill("金卡召回双倍积分")
    page.locator("[name=name_en]").fill("Gold comes back")
    page.locator("[name=audience][value=gold-asleep]").check()
    page.locator("[name=holdout_percent]").fill("40")
    with redrawn(page):
        page.locator("[name=trigger-kind]").select_option("schedule")
    page.locator("[name=trigger-repeat]").select_option("daily")
    page.locator("[name=trigger-hour]").fill("10")
    with redrawn(page):
        page.locator("[name=effect-0-kind]").select_option("multiplier")
    page.locator("[name=effect-0-amount]").fill("2")
    page.locator("[name=effect-0-cap_points]").fill("500")
    page.locator("[name=messages][value=miss-you]").check()
    page.locator("[name=limit_acts]").fill("1")
    page.locator("[name=budget_acts]").fill("100")
    page.locator("[name=ends_at]").fill(f"{over:%Y-%m-%dT%H:%M}")
    seen = page.locator("#campaign-seen dl")
    expect(seen.locator("dd").nth(3)).to_have_text(str(ADDRESSED))
    page.locator("[value=save]:visible").click()
    page.wait_for_url("**/drafts/*/")
    assert numbers(seen.inner_text())[:4] == [str(ASLEEP), "0", str(HELD), str(ADDRESSED)]
    page.locator("[name=percent]").fill("10")
    page.locator("[name=reason]").fill("召回沉睡金卡")
    page.locator("[value=submit]").click()
    page.wait_for_url(re.compile(r"/campaigns/\d+/$"))


def widen(page: Page, campaign: Campaign) -> None:
    """Address everybody who is not held out."""
    page.goto(f"/admin/campaigns/{campaign.pk}/")
    page.locator("a[href$='/do/widen/']").click()
    page.locator("[name=percent]").fill("100")
    page.locator("[name=reason]").fill("试点顺利")
    page.locator("form button.is-primary").click()
    page.wait_for_url(f"**/campaigns/{campaign.pk}/")
    expect(page.locator(".lc-figure").nth(1)).to_contain_text(str(ADDRESSED))


def in_arm(campaign: Campaign, arm: str) -> list[Member]:
    """Return the members of an arm, by id."""
    rows = CampaignMember.objects.filter(campaign=campaign, arm=arm).order_by("member_id")
    return [each.member for each in rows.select_related("member")]


def cards(members_told: Iterable[Outbound]) -> set[str]:
    """Return to whom messages went."""
    return {each.member for each in members_told}


def ids(who: Collection[Member]) -> set[str]:
    """Return members as providers know them."""
    return {str(each.public_id) for each in who}


def share_and_reach(part: int, whole: int) -> tuple[float, float, float]:
    """Return a share with its score interval, as Wilson (1927) has it."""
    share, middle = part / whole, (part + Z * Z / 2) / (whole + Z * Z)
    reach = Z * sqrt(part * (whole - part) / whole + Z * Z / 4) / (whole + Z * Z)
    return share, middle - reach, middle + reach


def difference_of_shares() -> list[str]:
    """Return what the page has to say of buyers: difference and bounds, after Newcombe (1998)."""
    share, low, high = share_and_reach(BUYERS, ADDRESSED)
    held, held_low, held_high = share_and_reach(HELD_BUYERS, HELD)
    value = share - held
    below = sqrt((share - low) ** 2 + (held_high - held) ** 2)
    above = sqrt((high - share) ** 2 + (held - held_low) ** 2)
    return [f"{each * 100:+.1f}" for each in (value, value - below, value + above)]


def difference_of_means(treated: list[int], held: list[int]) -> list[str]:
    """Return what the page has to say of spend: difference and bounds, after Welch (1947)."""
    value = mean(treated) - mean(held)
    reach = Z * sqrt(variance(treated) / len(treated) + variance(held) / len(held))
    return [f"+{each:.2f}" for each in (value, value - reach, value + reach)]


def numbers(text: str) -> list[str]:
    """Return the numbers of a text, without the sign of the currency."""
    return re.findall(r"[+−]?\d[\d,.]*", text.replace("¥", ""))


def read_results(page: Page, campaign: Campaign) -> None:
    """Read what has come of it, and do the sums again."""
    page.goto(f"/admin/campaigns/{campaign.pk}/")
    page.locator("a[href$='/results/']").click()
    page.wait_for_url("**/results/")
    points = 200 + 300 * (BUYERS - 1)
    assert [numbers(each) for each in page.locator(".lc-figure").all_inner_texts()] == [
        [str(ADDRESSED), str(HELD)], [str(ADDRESSED), "100"], [str(BUYERS), "50.0"],
        [f"{points / 100:.2f}", f"{points:,}"],
    ]  # fmt: skip
    assert [numbers(each) for each in page.locator(".lc-funnel li").all_inner_texts()] == [
        [str(ASLEEP), "100"], [str(ADDRESSED), "60"], [str(ADDRESSED), "60"],
        [str(ADDRESSED), "60"], [str(BUYERS), "30"],
    ]  # fmt: skip
    treated = [200, *[300] * (BUYERS - 1), *[0] * (ADDRESSED - BUYERS)]
    held = [*[200] * HELD_BUYERS, *[0] * (HELD - HELD_BUYERS)]
    lines = page.locator(".lc-lift tbody tr")
    shown = [numbers(each) for each in lines.locator("td:nth-child(n + 3)").all_inner_texts()]
    assert shown == [
        ["50.0"], ["25.0"], difference_of_shares(),
        [f"{mean(treated):.2f}"], [f"{mean(held):.2f}"], difference_of_means(treated, held),
    ]  # fmt: skip
    expect(page.locator(".lc-callout").first).to_contain_text(difference_of_shares()[0])


@pytest.mark.req("CMP-02", "CMP-06", "CMP-09", "CMP-12", "CMP-17", "SEG-20", "KPI-10", "KPI-15")
def test_gold_members_are_won_back(visit: Callable[..., Page], world: World) -> None:
    operator = person("operations", "programme_manager")
    approver = person("approver", "campaign_approver")

    page = visit(operator)
    write_segment(page)
    writer = visit(person("communication", "member_communication"))
    write_text(writer, world.asleep[0].card_number)
    publish_text(visit(approver))
    write_campaign(page, world)
    decide(visit(approver), "金卡召回双倍积分")

    campaign = Campaign.objects.get()
    pilot = in_arm(campaign, "treated")
    assert (campaign.state, len(pilot)) == ("pilot", PILOT)
    world.wait_until(10, 5)
    told = world.work()
    assert cards(told) == ids(pilot)
    assert {each.text.body for each in told} == {
        "张小明，好久不见！一周内消费享双倍积分，您还有 3,200 积分。 拒收请回复R"
    }

    # Gold earns 1.25 on 200, the campaign once more what the base rule gives.
    assert world.buy(200, pilot[0]) == [200 + 50 + 200]
    assert world.buy(200, world.members[ASLEEP]) == [200 + 50]

    widen(visit(operator), campaign)
    campaign.refresh_from_db()
    treated, held = in_arm(campaign, "treated"), in_arm(campaign, "holdout")
    assert campaign.state == "live"
    assert (len(treated), len(held)) == (ADDRESSED, HELD)
    assert ids(pilot) <= ids(treated)
    world.wait_until(10, 5, days=1)
    assert cards(world.work()) == ids(treated) - ids(pilot)

    buyers = [each for each in treated if each != pilot[0]][: BUYERS - 1]
    assert set(world.buy(300, *buyers)) == {300 + 75 + 300}
    assert set(world.buy(200, *held[:HELD_BUYERS])) == {200 + 50}
    world.wait_until(18)
    read_results(visit(operator), campaign)
