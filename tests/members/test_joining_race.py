"""Twenty systems enrol one person at one moment; on real connections, committing."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from config.base import pg
from members.models import Identifier, Member
from rewards.models import PointsAccount
from rewards.services.joining_requests import Enrolment, EnrolmentRequest
from tests.factories import members as make
from tiers.models import Standing

PARALLEL = 20
FORMS = ("13800138000", "+86 138 0013 8000", "138-0013-8000")


def at_once(work: Callable[[int], list[Enrolment]]) -> list[list[Enrolment]]:
    """Run the work in parallel, each on a connection of its own, all starting together."""
    barrier = threading.Barrier(PARALLEL)

    def one(number: int) -> list[Enrolment]:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(one, range(PARALLEL)))


def enrol_one_phone(number: int) -> list[Enrolment]:
    return make.enrol(make.request(("phone", FORMS[number % len(FORMS)], "")))


@pytest.mark.req("MEM-02", "MEM-03")
def test_twenty_parallel_calls_make_one_member(own_database: str) -> None:
    make.basic_tier()
    results = at_once(enrol_one_phone)
    assert len({result.public_id for (result,) in results}) == 1
    assert sum(result.created for (result,) in results) == 1
    assert Member.objects.count() == 1
    assert PointsAccount.objects.count() == Standing.objects.count() == 1


@pytest.mark.chance
def test_without_the_unique_constraint_the_race_shows(own_database: str) -> None:
    make.basic_tier()
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP INDEX identifier_unique_while_active")
    at_once(enrol_one_phone)
    assert Member.objects.count() > 1


def test_parallel_batches_that_share_members_in_any_order_agree(own_database: str) -> None:
    make.basic_tier()
    people = [(("phone", make.phone(), ""), ("external", f"x-{n}", "")) for n in range(30)]

    def batch(number: int) -> list[Enrolment]:
        turned = people[number:] + people[:number]
        requests = [EnrolmentRequest(identifiers=keys) for keys in turned[:: 1 - 2 * (number % 2)]]
        return make.enrol(*requests)

    results = at_once(batch)
    assert not any(result.error for results_of_one in results for result in results_of_one)
    assert Member.objects.count() == len(people)
    assert Identifier.objects.count() == 3 * len(people)
    created = sum(result.created for results_of_one in results for result in results_of_one)
    assert created == len(people)


def test_one_person_with_two_identifiers_arriving_apart_is_never_two(own_database: str) -> None:
    make.basic_tier()
    phone, mail = ("phone", "13800138000", ""), ("email", "ann@example.com", "")
    mixes = [(phone, mail), (mail, phone), (phone,), (phone, mail)]
    results = at_once(lambda number: make.enrol(make.request(*mixes[number % len(mixes)])))
    assert not any(result.error for (result,) in results)
    assert Member.objects.count() == 1
