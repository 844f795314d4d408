"""The pages about customer value: the report, the policy, the panel of the member page."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from members.models import InsightPolicy, Member, MemberInsight
from members.services import insight, insight_due, insight_policy
from tests.factories import console, members

pytestmark = pytest.mark.django_db
REPORT_QUERIES = 13
ENGLISH = {"accept-language": "en"}


@pytest.fixture(autouse=True)
def _no_cache() -> None:
    cache.clear()


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    return client


@pytest.fixture
def buyer() -> Member:
    """Return a member who bought for 2,000 and 2,500 lately."""
    console.programme()
    made = members.member(at=clock.now() - timedelta(days=400))
    for days, amount in ((20, "2000.00"), (10, "2500.00")):
        console.order(made, amount, at=clock.now() - timedelta(days=days), points=1)
    return made


def look() -> None:
    now = clock.now()
    insight_due.refresh_due(at=now, recorded_at=now, progress=lambda done, total: None)


@pytest.mark.req("SEG-12", "SEG-13", "SEG-08")
def test_the_report_counts_everybody_once_and_leads_to_their_list(
    visitor: Client, buyer: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    members.member()
    look()
    with django_assert_max_num_queries(REPORT_QUERIES):
        page = visitor.get(reverse("admin:customer_value"), headers=ENGLISH)
    grid, stages = page.context["grid"], page.context["stages"]
    assert [[cell.members for cell in row] for row in grid] == [[0, 0, 0], [0, 0, 0], [1, 1, 0]]
    assert {part.name: part.members for part in stages if part.members} == {
        "Not bought yet": 1, "Growing": 1,
    }  # fmt: skip
    assert sum(part.members for part in page.context["classes"]) == 2
    listed = visitor.get(grid[2][1].address, headers=ENGLISH)
    assert list(listed.context["cl"].queryset) == [MemberInsight.objects.get(member=buyer)]
    proposed = visitor.get(grid[2][1].segment, headers=ENGLISH)
    assert proposed.context["rows"].stored == {
        "all": [
            {"field": "customer.value_current", "op": "gte", "value": 34},
            {"field": "customer.value_current", "op": "lt", "value": 67},
            {"field": "customer.value_potential", "op": "lt", "value": 34},
        ]
    }
    of_stage = visitor.get(stages[0].address).context["cl"].queryset
    assert buyer.pk not in {row.pk for row in of_stage}


def test_the_report_opens_before_anybody_was_looked_at(visitor: Client) -> None:
    page = visitor.get(reverse("admin:customer_value"), headers=ENGLISH)
    assert "No member has been looked at yet" in page.text


@pytest.mark.req("SEG-09", "SEG-11", "SEG-13")
def test_the_member_page_says_what_and_why(visitor: Client, buyer: Member) -> None:
    look()
    now = clock.now()
    days = [clock.local_day(now) - timedelta(days=15)]
    insight.refresh_history([buyer.pk], days)
    page = visitor.get(
        reverse("admin:members_member_change", args=[buyer.pk]), headers=ENGLISH
    ).text
    for text in (
        "Growing", "Orders in the last 365 days: 2. Medium from 6, high from 24.",
        "Spent in the last 365 days, after refunds: ¥4,500.00", "not known",
        "An automated decision, by policy version 0 and model version 1",
    ):  # fmt: skip
        assert text in page, text


@pytest.mark.parametrize("nonsense", ["[[", '{"all": [{"field": "x.y", "op": "eq"}]}', "1"])
def test_a_segment_that_cannot_be_proposed_begins_empty(visitor: Client, nonsense: str) -> None:
    page = visitor.get(reverse("admin:segment_add"), {"conditions": nonsense})
    assert (page.status_code, page.context["rows"].stored) == (200, None)


def test_a_member_not_looked_at_yet_has_no_panel(visitor: Client, buyer: Member) -> None:
    page = visitor.get(
        reverse("admin:members_member_change", args=[buyer.pk]), headers=ENGLISH
    ).text
    assert "An automated decision" not in page


def test_a_policy_is_published_with_a_reason_or_refused(visitor: Client) -> None:
    address = reverse("admin:insight_policy_new")
    said = {
        name: value
        for name in insight_policy.TERMS
        if (value := getattr(insight_policy.in_force(), name)) is not False
    }
    refused = visitor.post(address, {**said, "reason": ""}, headers=ENGLISH)
    assert "reason" in refused.context["form"].errors
    refused = visitor.post(address, {**said, "frequency_high": 1, "reason": "x"}, headers=ENGLISH)
    assert "High must not be below medium or least." in refused.text
    refused = visitor.post(address, {**said, "full_orders": 0, "reason": "x"}, headers=ENGLISH)
    assert refused.context["form"].errors == {"full_orders": ["A value is out of range."]}
    assert not InsightPolicy.objects.exists()
    done = visitor.post(address, {**said, "frequency_high": 30, "reason": "a grocer"})
    assert done.status_code == 302
    made = insight_policy.in_force()
    assert (made.number, made.frequency_high, made.reason) == (1, 30, "a grocer")
    assert visitor.get(address, headers=ENGLISH).status_code == 200


def test_the_pages_are_guarded(client: Client) -> None:
    user = console.staff("reader", is_superuser=False)
    client.force_login(user)
    names = ("customer_value", "insight_policy_new")
    assert [client.get(reverse(f"admin:{name}")).status_code for name in names] == [403, 403]
    console.allow(user, "members.view_memberinsight")
    assert [client.get(reverse(f"admin:{name}")).status_code for name in names] == [200, 403]
