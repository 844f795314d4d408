"""Enrolments carry who made them, where; the league table counts them, a burst opens a case."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from config.base import clock
from config.base.jobs import Turn
from config.wiring import due
from members.models import Case, Member
from tests.factories import console, members, staff

pytestmark = [pytest.mark.django_db, pytest.mark.req("STF-04")]

LEAGUE_QUERIES = 8


def enrol(number: int, by: str, *, at: datetime, store: str = "sh-01", apart: float = 0) -> None:
    for place in range(number):
        joined = at + timedelta(minutes=place * apart)
        members.member(at=joined, staff=by, store=store)


def watch(at: datetime) -> int:
    return due.watch_enrolments(Turn(at, at, lambda _done, _total: None))


def test_an_enrolment_carries_staff_and_store() -> None:
    enrol(1, "wang", at=console.AT)
    made = Member.objects.select_related("home_store").get()
    assert made.home_store is not None
    assert (made.enrolled_by, made.home_store.code) == ("wang", "sh-01")


def test_a_burst_opens_one_case_a_day(settings: Settings) -> None:
    settings.LOYALTY_ENROLMENTS_PER_HOUR = 3
    at = console.AT
    enrol(4, "wang", at=at, apart=15)
    enrol(3, "li", at=at)
    enrol(5, "zhao", at=at, apart=25)
    enrol(4, "", at=at)
    assert watch(at + timedelta(hours=3)) == 1
    assert watch(at + timedelta(hours=4)) == 0
    case = Case.objects.get(code="enrolment_burst")
    assert case.details == {"staff": "wang", "day": "2026-03-20", "members": 4}
    enrol(4, "wang", at=at + timedelta(days=1))
    assert watch(at + timedelta(days=1, hours=1)) == 1


def test_the_league_table_counts_the_month_within_the_scope(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    at = clock.now()
    console.programme()
    enrol(2, "wang", at=at)
    enrol(1, "li", at=at, store="bj-01")
    enrol(1, "old", at=at - timedelta(days=400))
    address = reverse("admin:report_league")
    client.force_login(staff.person("lead", "service_lead"))
    with django_assert_max_num_queries(LEAGUE_QUERIES):
        text = client.get(address, headers={"accept-language": "en"}).text
    assert text.index(">wang<") < text.index(">li<")
    assert ">old<" not in text
    client.force_login(staff.person("shop", "store_manager", org_unit=staff.district("sh-01")))
    text = client.get(address).text
    assert ">wang<" in text
    assert ">li<" not in text
    client.force_login(staff.person("agent", "service_agent"))
    assert client.get(address).status_code == 403
