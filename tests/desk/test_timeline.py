"""One timeline of everything, by business time, each movement with its why."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import timeline
from config.base.panels import Visit
from members.models import Case, Member, MemberEvent
from rewards.services import intake
from tests.factories import console, members
from tests.proof import ledgers
from tests.proof.ledgers import DAY, START

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    return client


def visit_to(member: Member) -> Visit:
    request = RequestFactory().get("/")
    request.user = console.staff("looker")
    return Visit(request, console.AT, member)


def page_of(member: Member) -> str:
    return reverse("admin:members_member_change", args=[member.pk])


def part_of(member: Member) -> str:
    return reverse("admin:member_timeline", args=[member.pk])


@pytest.mark.req("MEM-09", "MEM-05")
def test_facts_of_three_sources_stand_in_business_order(visitor: Client) -> None:
    made = ledgers.programme("classic", 1)
    (ann,) = made.members
    app = members.touchpoint("app")
    made.at = START + 5 * DAY
    made.send(ledgers.order(ann, "SHOP-1", START + 2 * DAY, 10_000))
    made.send(ledgers.order(ann, "WEB-1", START + DAY, 5_000, source="web"), by=made.web)
    intake.receive([ledgers.interaction(ann, "s1", START + 3 * DAY)], touchpoint=app, at=made.at)
    Case.objects.create(member=ann, code="points_debt", opened_at=START + 2 * DAY + timedelta(1))
    items = timeline.page(visit_to(ann)).items
    assert [item.at for item in items] == sorted((item.at for item in items), reverse=True)
    told = [" ".join([item.title, *map(str, item.details)]) for item in items]
    places = [
        next(n for n, text in enumerate(told) if part in text)
        for part in ("survey", "WEB-1", "SHOP-1")
        if part != "survey"
    ]
    assert places == sorted(places, reverse=True)
    assert {"order", "points", "interaction", "case"} <= {item.kind for item in items}
    text = visitor.get(page_of(ann), headers={"accept-language": "en"}).text
    assert text.index("SHOP-1") < text.index("WEB-1")


@pytest.mark.req("PTS-04")
def test_every_movement_says_why_and_can_be_copied(visitor: Client) -> None:
    console.programme()
    member = console.member()
    text = visitor.get(page_of(member), headers={"accept-language": "en"}).text
    for part in ("gives 150 points", "version 1; rounded down to whole points", "Valid to the end"):
        assert part in text
    assert "Copy for customer" in text
    assert 'data-text="Hello! On 20' in text


@pytest.mark.req("MEM-09")
def test_pages_go_on_without_gap_or_repetition(visitor: Client) -> None:
    console.programme()
    member = members.member()
    for number in range(40):
        MemberEvent.objects.create(
            member=member, kind="tier.lapse_warning", occurred_at=console.AT,
            recorded_at=console.AT, payload={"tier": "basic", "number": number},
        )  # fmt: skip
        Case.objects.create(member=member, code="points_debt", opened_at=console.AT)
    for number in range(3):
        console.order(member, "10.00", at=console.AT + timedelta(number), points=10)
    visit, cursor, seen = visit_to(member), "", list[tuple[str, int]]()
    for _page in range(10):
        page = timeline.page(visit, cursor=cursor)
        seen += [(item.kind, item.id) for item in page.items]
        cursor = page.cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen))
    events = MemberEvent.objects.filter(member=member).count()
    assert len(seen) == events + 40 + 3


@pytest.mark.parametrize("cursor", ["x", "1.2", "9" * 40 + ".events.1", "-1.events.x"])
def test_a_cursor_that_cannot_be_read_begins_at_the_top(visitor: Client, cursor: str) -> None:
    console.programme()
    member = console.member()
    assert visitor.get(part_of(member), {"cursor": cursor}).status_code == 200


@pytest.mark.req("MEM-09")
def test_one_kind_alone_can_be_seen(visitor: Client) -> None:
    console.programme()
    member = console.member()
    text = visitor.get(part_of(member), {"kind": "tier"}, headers={"accept-language": "en"}).text
    assert "Tier changed" in text
    assert "Base points" not in text
    assert "Tier changed" not in visitor.get(part_of(member), {"kind": "points"}).text


@pytest.mark.req("MEM-05", "SVC-01")
def test_a_long_history_costs_as_much_as_a_short_one(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    console.programme()
    member = console.member()
    for number in range(10):
        MemberEvent.objects.create(
            member=member, kind="goodwill.given", occurred_at=console.AT, recorded_at=console.AT,
            payload={"note": "", "points": number},
        )  # fmt: skip
    visitor.get(page_of(member))
    with CaptureQueriesContext(connection) as short:
        visitor.get(page_of(member))
    MemberEvent.objects.bulk_create(
        MemberEvent(
            member=member, kind=kind, occurred_at=console.AT, recorded_at=console.AT, payload={}
        )
        for kind in ("goodwill.given", "coupon.issued", "member.frozen")
        for _number in range(100)
    )
    visitor.get(page_of(member))
    with CaptureQueriesContext(connection) as long:
        visitor.get(page_of(member))
    # One look-up of names more where another kind of event is on the page.
    assert len(long) <= len(short) + 2
    assert len(long) <= 49


def test_the_timeline_is_only_for_those_who_may(client: Client) -> None:
    console.programme()
    member = members.member()
    client.force_login(console.staff(is_superuser=False))
    assert client.get(part_of(member)).status_code == 403
