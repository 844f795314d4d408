"""Searching members, and their anniversaries."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from config.base import clock
from members import queries
from members.models import Member, Order
from members.queries import search_ids
from members.services import erasure, profile
from tests.factories import members as make
from tests.factories.members import AT

DAYS = st.dates(date(2015, 1, 1), date(2033, 12, 31))
LEAP_RULES = ("before", "after")


@pytest.fixture
def ann() -> Member:
    make.member(name="Bob", birthday=date(1990, 1, 1))
    return make.member(
        ("phone", "13800138000", ""),
        ("email", "ann@example.com", ""),
        ("external", "cj-17", ""),
        ("wechat_unionid", "u-12345678", ""),
        name="Ann Lee",
    )


@pytest.mark.django_db
@pytest.mark.req("MEM-08")
@pytest.mark.parametrize(
    "text",
    ["13800138000", "+86 138 0013 8000", "8000", "ANN@example.com", "cj-17", "u-12345678", "5678",
     "ann  lee", " Ann Lee "],
)  # fmt: skip
def test_a_member_is_found_by_what_people_say(ann: Member, text: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = search_ids(text)
    assert len(captured) == 1
    # Four characters may be the tail of another member's card too.
    assert found == [ann.pk] or (len(text) == 4 and ann.pk in found)
    assert ann in queries.search(text)


@pytest.mark.django_db
def test_a_member_is_found_by_card_and_id(ann: Member) -> None:
    card = ann.card_number
    spaced = " ".join(card[i : i + 4] for i in range(0, 16, 4))
    for text in (card, spaced, str(ann.public_id), str(ann.public_id).upper()):
        assert search_ids(text) == [ann.pk]


@pytest.mark.django_db
def test_a_member_is_found_by_order_number(ann: Member) -> None:
    Order.objects.create(
        source="pos", order_no="A-1001", member=ann, channel="pos", version=1, status="paid",
        placed_at=AT, currency="CNY", sold_amount=1, net_amount=1, qualifying_amount=1,
    )  # fmt: skip
    assert search_ids("A-1001") == [ann.pk]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "  ", "\0", "x" * 300, "%", "_", "'; --", "nobody", "張三"])
def test_other_texts_find_nobody(ann: Member, text: str) -> None:
    assert search_ids(text) == []


@pytest.mark.django_db
def test_an_erased_member_is_not_found(ann: Member) -> None:
    card, erased = ann.card_number, ann.pk
    erasure.erase(member=ann, at=AT, actor="system", reason="request")
    for text in ("13800138000", "8000", "ann@example.com", "cj-17", "Ann Lee", card):
        assert erased not in search_ids(text)


@given(st.lists(DAYS, max_size=30), DAYS, st.sampled_from(LEAP_RULES))
def test_origins_are_exactly_the_days_whose_anniversary_it_is(
    days: list[date], day: date, rule: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.LOYALTY_LEAP_DAY", rule)
        leap_days = [date(year, 2, 29) for year in (2016, 2020, 2024, 2028, 2032)]
        for since in [*days, *leap_days]:
            expected = since.year < day.year and clock.anniversary(since, day.year) == day
            assert (since in queries.origins(day, 2015)) == expected


@pytest.mark.django_db
@pytest.mark.req("MEM-14")
@pytest.mark.parametrize(
    ("rule", "day", "expected"),
    [
        ("before", date(2026, 2, 28), {"leap": 2, "last": 1}),
        ("before", date(2026, 3, 1), {"first": 3}),
        ("after", date(2026, 2, 28), {"last": 1}),
        ("after", date(2026, 3, 1), {"leap": 2, "first": 3}),
        ("before", date(2028, 2, 29), {"leap": 4}),
        ("before", date(2024, 2, 29), {}),
        ("before", date(2026, 2, 27), {}),
    ],
)
def test_membership_anniversaries_are_exact(
    settings: LazySettings, rule: str, day: date, expected: dict[str, int]
) -> None:
    settings.LOYALTY_LEAP_DAY = rule
    # Local days begin at 16:00 UTC of the day before: first and last instants of a day count.
    joined = {
        "leap": datetime(2024, 2, 29, 15, 59, 59, tzinfo=UTC),
        "last": datetime(2025, 2, 27, 16, 0, tzinfo=UTC),
        "first": datetime(2023, 2, 28, 16, 0, tzinfo=UTC),
    }
    names = {make.member(joined_at=at).pk: name for name, at in joined.items()}
    found = queries.membership_anniversaries(day)
    assert {names[item.member_id]: item.years for item in found} == expected


@pytest.mark.django_db
@pytest.mark.req("MEM-14")
def test_first_purchase_anniversaries_leave_out_who_is_gone() -> None:
    here, gone, never = make.member(), make.member(), make.member()
    bought = date(2024, 2, 29)
    profile.set_first_purchases({here.pk: bought, gone.pk: bought, never.pk: None})
    erasure.erase(member=gone, at=AT, actor="system", reason="request")
    found = queries.first_purchase_anniversaries(date(2026, 2, 28))
    assert found == [queries.Anniversary(here.pk, bought, 2)]


@pytest.mark.django_db
def test_without_members_there_are_no_anniversaries() -> None:
    assert queries.membership_anniversaries(date(2026, 2, 28)) == []
    assert queries.first_purchase_anniversaries(date(2026, 2, 28)) == []


@pytest.mark.django_db
def test_search_and_anniversaries_read_indexes() -> None:
    make.member(joined_at=AT - timedelta(days=365))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as captured:
        search_ids("13800138000")
        queries.membership_anniversaries(date(2026, 3, 10))
        queries.first_purchase_anniversaries(date(2026, 3, 10))
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Seq Scan" not in plan, plan
