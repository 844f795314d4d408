"""Whatever staff change in the console is written down: every form, action and page is walked.

What really changed is asked of the tables themselves, not of the record that is on trial.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import NoReverseMatch, resolve, reverse

from config.base import acts, clock, panels, watching
from config.base.acts import Acting
from config.models import RoleSafety, StaffAct
from config.wiring import watched
from members.models import Approval, Member, StaffAuthority, Store
from members.services import insight_policy
from rewards.models import CouponTemplate, Reward
from tests.factories import campaigns, catalogue, console, coupons, members
from tests.messages.world import owe
from tests.messages.world import template as message_template
from tiers.models import Tier

pytestmark = [pytest.mark.django_db, pytest.mark.req("LEG-09", "MEM-10")]

# Pages that only show something, whatever is sent to them.
READ_ONLY = frozenset(
    (
        "points_statement", "report_enrolment", "report_league", "approvals_inbox", "dashboard",
        "today_charts",
        "goals", "month_end", "month_end_entries", "report", "report_pdf", "member_timeline",
        "import_rejects", "export_file", "desk",
        "ladder_simulation", "benefit_matrix", "campaign_results", "campaign_board", "campaign",
        "customer_value", "festivals", "automations", "messages", "message_trigger", "segments",
        "segment", "segment_why", "feedback_form", "feedback_file", "prospect_offer",
    )
)  # fmt: skip
# One condition of a segment, as its form posts it.
ROWS = {
    "c-groups": "1", "c-0-match": "all", "c-0-rows": "1", "c-0-0-field": "customer.tier",
    "c-0-0-op": "in", "c-0-0-value": "silver",
}  # fmt: skip
# What a page is sent. A page that stands in neither list fails: add it here.
PAGES: dict[str, dict[str, Any]] = {
    "points_adjustment": {"points": "100", "reason": "安抚"},
    "tier_override": {"tier": "gold", "until_on": "2099-01-01", "reason": "VIP"},
    "member_status": {"verb": "freeze", "reason": "other"},
    "member_consent": {"purpose": "personalisation", "granted": "no", "reason": "来电"},
    "coupons_generate": {"name": "May", "count": "3"},
    "coupons_load": {"name": "June"},
    "coupon_revoke": {"reason": "printed twice"},
    "fulfilment": {},
    "redemption_verb": {"reason": "late"},
    "reward_stock": {"quantity": "5", "reason": "delivery"},
    "goal_add": {"metric": "active_members", "target": "10"},
    "goal_change": {"target": "10"},
    "goal_give_up": {"reason": "walk"},
    "unit_cost": {"amount": "0.01"},
    "report_send": {},
    "report_send_again": {},
    "data_requests": {"kind": "access", "verified_by": "called_back"},
    "imports": {"kind": "members"},
    "import_file": {"step": "check"},
    "exports": {"kind": "members", "format": "csv", "reason": "walk"},
    "rule_new": {"code": "walk"},
    "rule_draft": {},
    "rule_copy": {},
    "rule_end": {"reason": "walk"},
    "own_till_release": {"reason": "walk"},
    "case_desk": {},
    "case_register": {"kind": "enquiry", "title": "walk", "text": "walk"},
    "member_agent": {},
    "service_request": {"title": "walk", "text": "walk"},
    "moderation": {},
    "member_reveal": {"reason": "walk"},
    "goodwill": {"points": "5", "reason": "walk", "verified_by": "called_back"},
    "goodwill_undo": {},
    "change_phone": {"phone": "13900001111", "reason": "walk", "verified_by": "called_back"},
    "replace_card": {"reason": "walk", "verified_by": "called_back"},
    "claim_receipt": {"reason": "walk"},
    "move_order": {"reason": "walk"},
    "policy_new": {"reason": "walk"},
    "ladder_new": {},
    "ladder_draft": {},
    "benefit_terms": {"reason": "walk"},
    "bulk_grants": {"reason": "walk"},
    "bulk_grant": {},
    "reward_call_off": {"reason": "walk"},
    "member_merge": {"reason": "walk"},
    "member_unmerge": {"reason": "walk"},
    "prospect_add": {"phone": "13900002222", "source": "walk"},
    "prospect_reveal": {"reason": "walk"},
    "prospect_forget": {"do": "stop", "reason": "walk"},
    "prospect_offer_add": {"code": "walk"},
    "prospect_offer_change": {"reason": "walk"},
    "prospect_offer_ask": {"reason": "walk"},
    "prospect_offer_end": {"reason": "walk"},
    "referral_queue": {"reason": "walk"},
    "referral_terms": {"reason": "walk", "points": "10"},
    "payout_queue": {"reason": "walk"},
    "insight_policy_new": {"reason": "walk"},
    "festival_add": {
        "code": "walk",
        "name_zh": "节",
        "kind": "lunar",
        "month": "8",
        "day": "15",
        "is_enabled": "on",
    },
    "festival_change": {"name_zh": "节", "reason": "walk"},
    "automation_switch": {"reason": "walk"},
    "message_policy": {"reason": "walk"},
    "content_library": {
        "code": "walk",
        "language": "zh",
        "kind": "text",
        "title": "地址",
        "value": "南京西路1号",
    },
    "message_retry": {"reason": "walk"},
    "message_template_add": {
        "code": "walk",
        "name_zh": "信",
        "name_en": "Letter",
        "purpose": "marketing",
    },
    "message_template": {"reason": "walk"},
    "segment_add": {"code": "walk", "name_zh": "人群", "name_en": "Crowd", "do": "save", **ROWS},
    "segment_change": {"name_zh": "人群", "reason": "walk"},
    "segment_retire": {"reason": "walk"},
    "campaign_new": {"code": "walk", "name_zh": "活动", "reason": "walk"},
    "campaign_draft": {"reason": "walk"},
    "campaign_copy": {"reason": "walk"},
    "campaign_verb": {"reason": "walk"},
    "campaign_act_undo": {"reason": "walk"},
    "feedback_new": {
        "title_zh": "反馈",
        "question-0-kind": "nps",
        "question-0-zh": "推荐吗？",
        "reason": "walk",
    },
    "feedback_edit": {"reason": "walk"},
    "feedback_verb": {"reason": "walk"},
    "global_holdout": {"percent": "5", "reason": "walk"},
}
# Pages that are sent what they need, and so have to change something.
WRITING = frozenset(
    (
        "festival_add", "message_template_add", "content_library", "segment_add",
        "insight_policy_new", "feedback_new",
    )
)  # fmt: skip
STANDARD = ("_changelist", "_add", "_history", "_delete", "_change", "_password_change")
NAMED = ("name_zh", "name_en", "name", "first_name", "details", "programme_name_zh")


@dataclass
class Fields(HTMLParser):
    """The fields of a page's forms, as a browser would send them."""

    found: dict[str, Any] = field(default_factory=dict)
    select: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        kind = given.get("type") or ""
        if tag == "input" and name and kind not in {"submit", "button", "file"}:
            if kind not in {"checkbox", "radio"} or "checked" in given:
                self.found[name] = given.get("value") or ("on" if kind == "checkbox" else "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.found.setdefault(self.select, [])
            self.found[self.select] = [*self.found[self.select], given.get("value") or ""]
        elif tag == "textarea":
            self.text = name

    def handle_data(self, data: str) -> None:
        if self.text:
            self.found[self.text] = self.found.get(self.text, "") + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.text = ""


def fields(html: str) -> dict[str, Any]:
    parser = Fields()
    parser.feed(html)
    return {name: value for name, value in parser.found.items() if name != "action"}


def content(tables: frozenset[str]) -> set[tuple[str, str]]:
    """Return a digest of all rows of each table."""
    parts = (
        f"SELECT '{table}', md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t"
        for table in sorted(tables)
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return set(cursor.fetchall())


@dataclass
class Walk:
    """A walk through the console that checks the record after each step."""

    client: Client
    steps: int = 0
    changing: int = 0
    watched: frozenset[str] = frozenset()

    def post(self, address: str, data: dict[str, Any]) -> int:
        """Send a form and check that the record tells of it; return the answer's status."""
        before, last = content(self.watched), StaffAct.objects.count()
        response = self.client.post(address, data)
        assert response.status_code < 500, address
        rows = list(StaffAct.objects.order_by("seq")[last:])
        act = resolve(address.partition("?")[0]).view_name
        assert act in [row.act for row in rows if row.operation == "act"], address
        changed = {table for table, _digest in content(self.watched) ^ before}
        assert changed <= {row.table for row in rows}, address
        assert all(row.actor == "staff:li.na" for row in rows)
        self.steps += 1
        self.changing += bool(changed)
        return response.status_code


@pytest.fixture
def walk(client: Client, settings: Any) -> Walk:
    watched.install()
    console.programme()
    console.member()
    user = console.staff()
    group = Group.objects.create(name="service")
    RoleSafety.objects.create(group=group, requires_second_factor=False)
    StaffAuthority.objects.create(user=user)
    catalogue.reward("mug")
    coupons.template("ten")
    client.force_login(user)
    client.get(reverse("admin:index"))
    return Walk(
        client, watched=frozenset(watch.table for watch in watching.watches() if watch.added)
    )


def rows() -> Iterator[tuple[Any, Any]]:
    for model, page in list(admin.site._registry.items()):
        row = model._default_manager.order_by("pk").first()
        if row is not None:
            yield page, row


def name_of(model: Any) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"


def test_every_change_form_leaves_an_act(walk: Walk) -> None:
    request = walk.client.get(reverse("admin:index")).wsgi_request
    for page, row in rows():
        if not page.has_change_permission(request, row):
            continue
        address = reverse(f"{name_of(row)}_change", args=[row.pk])
        data = fields(walk.client.get(address).text)
        for name in NAMED:
            if data.get(name):
                data[name] += "2"
        walk.post(address, data)
    assert walk.steps >= 10
    assert walk.changing >= 6


def test_every_add_form_leaves_an_act(walk: Walk) -> None:
    request = walk.client.get(reverse("admin:index")).wsgi_request
    for model, page in list(admin.site._registry.items()):
        if not page.has_add_permission(request):
            continue
        address = reverse(f"{name_of(model)}_add")
        data = fields(walk.client.get(address).text)
        filled = {name: value or "7" for name, value in data.items() if name not in {"q", "next"}}
        walk.post(address, filled | {"password1": "walk-7-walk-7", "password2": "walk-7-walk-7"})
    assert walk.steps >= 22
    assert walk.changing >= 6


def test_every_removal_leaves_an_act(walk: Walk) -> None:
    request = walk.client.get(reverse("admin:index")).wsgi_request
    for page, row in rows():
        if not page.has_delete_permission(request, row) or row == request.user:
            continue
        with transaction.atomic():
            walk.post(reverse(f"{name_of(row)}_delete", args=[row.pk]), {"post": "yes"})
            listed = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
            walk.post(reverse(f"{name_of(row)}_changelist"), listed)
    assert walk.steps >= 12
    assert walk.changing >= 6


def test_every_button_of_a_row_leaves_an_act(walk: Walk) -> None:
    Approval.objects.create(
        kind="points_adjustment", payload={"points": 5}, reason="x", requested_by="staff:wang",
        requested_at=console.AT, member=Member.objects.get(),
    )  # fmt: skip
    for page, row in rows():
        for pattern in page.get_urls():
            name = getattr(pattern, "name", None) or ""
            if not name.startswith(name_of(row)[6:]) or name.endswith(STANDARD):
                continue
            try:
                address = reverse(f"admin:{name}", args=[row.pk])
            except NoReverseMatch:
                address = reverse(f"admin:{name}")
            walk.post(address, {"decision": "refuse", "reason": "walk"})
    assert walk.steps >= 6
    assert walk.changing >= 1


def test_every_page_leaves_an_act(walk: Walk) -> None:
    member, template = members.member(at=clock.now()), CouponTemplate.objects.get()
    campaign = campaigns.running(at=clock.now())
    version = campaigns.draft(at=clock.now())
    segment = campaigns.segment("walked", member, at=clock.now())
    segment.conditions = {"field": "customer.orders_365d", "op": "gte", "value": 0}
    segment.save()
    message_template()
    numbers = {
        "member_id": member.pk,
        "template_id": template.pk,
        "coupon_id": coupons.coupon(member, template, at=clock.now()).pk,
        "reward_id": Reward.objects.get().pk,
        "verb": "approve",
        "month": "2026-03",
        "column": "issued",
        "group": "members",
        "campaign_id": campaign.pk,
        "version_id": version.pk,
        "segment_id": segment.pk,
        "message_id": owe(member).pk,
    }
    changed: set[str] = set()
    for page in panels.pages():
        if page.name in READ_ONLY:
            continue
        assert page.name in PAGES, f"{page.name}: say in PAGES what it is sent"
        kwargs = {
            name.partition(":")[2].rstrip(">"): numbers.get(name.partition(":")[2].rstrip(">"), 1)
            for name in page.route.split("/")
            if name.startswith("<")
        }
        data = dict(PAGES[page.name])
        if "tier" in data:
            data["tier"] = Tier.objects.get(code=data["tier"]).pk
        if page.name == "insight_policy_new":
            terms = insight_policy.in_force()
            said = {name: getattr(terms, name) for name in insight_policy.TERMS}
            data |= {name: value for name, value in said.items() if value is not False}
            data["frequency_high"] = terms.frequency_high + 1
        if page.name == "content_library":
            data["owner"] = walk.client.session["_auth_user_id"]
        if page.name == "coupons_load":
            data["file"] = SimpleUploadedFile("codes.csv", b"code\nAAAA-BBBB-CCCC\n")
        before = walk.changing
        walk.post(reverse(f"admin:{page.name}", kwargs=kwargs), data)
        if walk.changing > before:
            changed.add(page.name)
    assert walk.steps >= 66
    assert walk.changing >= 20
    assert changed >= WRITING, WRITING - changed


def test_an_act_tells_who_when_from_where_what_and_why(walk: Walk) -> None:
    shop = Store.objects.first()
    assert shop is not None
    address = reverse("admin:members_store_change", args=[shop.pk])
    data = fields(walk.client.get(address).text) | {"name": "新店", "reason": "搬迁"}

    walk.client.post(address, data, REMOTE_ADDR="10.1.2.3")

    change, act = StaffAct.objects.order_by("seq")
    assert (change.table, change.row_id, change.operation) == (
        "members_store", str(shop.pk), "update"
    )  # fmt: skip
    assert (change.before, change.after) == ({"name": shop.name}, {"name": "新店"})
    for row in (change, act):
        assert (row.actor, row.roles, row.source) == ("staff:li.na", "administrator", "console")
        assert (row.address, row.act) == ("10.1.2.3", "admin:members_store_change")
        assert row.reason == "搬迁"
    assert (act.operation, act.row_id, act.after) == ("act", str(shop.pk), {"status": 302})


def test_what_an_approval_does_names_the_approval(walk: Walk) -> None:
    member = Member.objects.get()
    approval = Approval.objects.create(
        kind="points_adjustment", payload={"points": 5}, reason="x", requested_by="staff:wang",
        requested_at=console.AT, member=member,
    )  # fmt: skip

    walk.post(reverse("admin:members_approval_decide", args=[approval.pk]), {"decision": "refuse"})

    rows = list(StaffAct.objects.all())
    assert {row.approval_id for row in rows} == {approval.pk}
    assert member.pk in {row.member_id for row in rows}


@pytest.mark.usefixtures("walk")
def test_secrets_and_personal_values_are_not_kept() -> None:
    user = console.staff("wang.wu")
    with acts.acting(Acting("staff:li.na", "password")):
        user.set_password("secret-1")
        user.email = "wang@example.com"
        user.save()
        member = Member.objects.get()
        member.profile.name_mask = "王*"
        member.profile.save()

    told = {row.table: row.after for row in StaffAct.objects.filter(operation="update")}

    assert told["auth_user"] == {"password": "•", "email": "•"}
    assert told["members_memberprofile"] == {"name_mask": "•"}


@pytest.mark.usefixtures("walk")
def test_nothing_is_written_down_where_nobody_acts() -> None:
    RoleSafety.objects.all().delete()
    Store.objects.create(code="quiet", name="quiet")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS staff_act IMMEDIATE")

    assert StaffAct.objects.count() == 0


def test_what_an_order_writes_is_not_watched(walk: Walk) -> None:
    hot = {
        "rewards_pointsaccount", "rewards_entry", "rewards_lot", "rewards_lotuse",
        "rewards_evaluation", "rewards_foldsnapshot", "members_order", "members_orderline",
        "members_refund", "members_receivedfact", "members_memberevent", "tiers_progressentry",
        "tiers_standing",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid"
            " WHERE g.tgname = 'staff_act'"
        )
        assert walk.watched <= (found := {name for (name,) in cursor.fetchall()})
    assert not hot & found


def test_the_walk_finds_a_change_that_is_not_written_down(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Store.objects.get()
    address = reverse("admin:members_store_change", args=[shop.pk])
    data = fields(walk.client.get(address).text) | {"name": "新店"}
    monkeypatch.setattr(acts, "begin", lambda who: None)

    with pytest.raises(AssertionError, match="store"):
        walk.post(address, data)
