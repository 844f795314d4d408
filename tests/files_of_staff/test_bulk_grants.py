"""Points and coupons for a list of members: nobody unseen, nobody alone, nobody twice."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base.errors import DomainError
from config.wiring import panels
from members.models import Approval, Member, MemberEvent, MemberStatus, StaffAuthority
from members.services import approvals
from rewards.models import BulkGrant, BulkGrantLine, Coupon, Entry, PointsAccount
from rewards.services import bulk_grants
from rewards.services.bulk_grants import Gift
from tests import databases
from tests.engine.shop import Shop, day
from tests.factories import console, coupons
from tests.faults.crowd import at_once, failures, results
from tests.faults.test_hammer import broken

ROOT = Path(__file__).resolve().parents[2]
MAKER, CHECKER = "staff:li.na", "staff:wang.wei"
PAGE_QUERIES = 12


@pytest.fixture(autouse=True)
def _kinds() -> None:
    panels.install()


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code


def approve(approval: Approval, actor: str = CHECKER) -> Approval:
    return approvals.approve(approval_id=approval.pk, actor=actor, at=day(1))


def prepare(text: str, gift: Gift | None = None, actor: str = MAKER) -> BulkGrant:
    return bulk_grants.prepare(
        text=text, gift=gift or Gift(50), reason="Power cut of 3 March", actor=actor, at=day(1)
    )


def approved(bulk: BulkGrant) -> BulkGrant:
    approval = bulk_grants.submit(bulk_id=bulk.pk, actor=MAKER, at=day(1))
    approve(approval)
    bulk.refresh_from_db()
    return bulk


def available(member: Member) -> int:
    return PointsAccount.objects.get(member=member).available


@pytest.mark.django_db
@pytest.mark.req("PTS-15")
def test_a_list_says_who_was_found_and_what_it_costs() -> None:
    shop = Shop()
    ann, bob, cat = (shop.join(name) for name in ("ann", "bob", "cat"))
    Member.objects.filter(pk=cat.pk).update(status=MemberStatus.FROZEN)
    text = (
        f"card;points\n{ann.card_number};70\n{bob.public_id}\n{ann.card_number}\n"
        f"13900000000\n{cat.card_number}\n{bob.card_number},many\n"
    )

    bulk = prepare(text)

    assert dict(bulk.lines.values_list("member_id", "points")) == {ann.pk: 70, bob.pk: 50}
    assert (bulk.members, bulk.total_points, str(bulk.cost)) == (2, 120, "1.20")
    assert bulk.report["counts"] == {
        "duplicate": 1, "unknown": 1, "not_active": 1, "points_invalid": 1
    }  # fmt: skip
    assert "13900000000" not in str(bulk.report)
    assert available(ann) == 0


@pytest.mark.django_db
@pytest.mark.req("PTS-15", "STF-02")
def test_points_are_given_once_a_second_person_agrees() -> None:
    shop = Shop()
    people = [shop.join(f"m{number}") for number in range(3)]
    bulk = prepare("\n".join(each.card_number for each in people))
    approval = bulk_grants.submit(bulk_id=bulk.pk, actor=MAKER, at=day(1))

    assert bulk_grants.carry_out(bulk_id=bulk.pk, at=day(1)) == 0
    assert refusal(lambda: approve(approval, MAKER)) == "approval_own_request"
    approve(approval)
    assert bulk_grants.waiting(at=day(1)) == [bulk.pk]
    assert bulk_grants.carry_out(bulk_id=bulk.pk, at=day(1)) == 3
    assert bulk_grants.carry_out(bulk_id=bulk.pk, at=day(1)) == 0

    assert [available(each) for each in people] == [50, 50, 50]
    assert set(Entry.objects.values_list("reason", "actor")) == {("bulk_grant", MAKER)}
    event = MemberEvent.objects.filter(kind="points.adjusted").latest("pk")
    assert event.payload["bulk_grant"] == bulk.pk
    bulk.refresh_from_db()
    assert (bulk.state, bulk_grants.points_given(bulk.pk)) == ("done", 150)


@pytest.mark.django_db
@pytest.mark.req("RWD-01")
def test_coupons_go_to_a_list_as_far_as_there_are_some() -> None:
    shop = Shop()
    people = [shop.join(f"m{number}") for number in range(3)]
    template = coupons.template(max_issued=2)
    bulk = approved(prepare("\n".join(m.card_number for m in people), Gift(template=template)))
    assert bulk.cost == 60

    assert bulk_grants.carry_out(bulk_id=bulk.pk, at=day(1)) == 2

    assert Coupon.objects.count() == 2
    assert bulk_grants.counts(bulk.pk) == {"given": 2, "failed": 1}
    assert bulk.lines.get(state="failed").code == "coupon_template_exhausted"
    assert MemberEvent.objects.filter(kind="bulk_grant.given").count() == 2


@pytest.mark.django_db
@pytest.mark.req("STF-02")
def test_nobody_gives_or_approves_for_their_own_account() -> None:
    shop = Shop()
    ann, bob = shop.join("ann"), shop.join("bob")
    for actor, own in ((MAKER, ann), (CHECKER, bob)):
        user = console.staff(actor.removeprefix("staff:"))
        StaffAuthority.objects.create(user=user, member=own)
    bulk = prepare(f"{ann.card_number}\n{bob.card_number}")
    assert bulk.report["counts"] == {"own_account": 1}
    approval = bulk_grants.submit(bulk_id=bulk.pk, actor=MAKER, at=day(1))

    assert refusal(lambda: approve(approval)) == "own_account"

    bulk.refresh_from_db()
    assert (bulk.state, Entry.objects.count()) == ("requested", 0)


@pytest.mark.django_db
def test_a_list_that_changed_after_it_was_sent_is_not_given() -> None:
    shop = Shop()
    ann, bob = shop.join("ann"), shop.join("bob")
    bulk = prepare(ann.card_number)
    approval = bulk_grants.submit(bulk_id=bulk.pk, actor=MAKER, at=day(1))
    BulkGrantLine.objects.create(bulk=bulk, member=bob, points=9_999)

    assert refusal(lambda: approve(approval)) == "list_changed"
    assert refusal(lambda: bulk_grants.discard(bulk_id=bulk.pk)) == "bulk_grant_state"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "points", "code"),
    [("", 50, "list_length"), ("1\n" * 20_001, 50, "list_length"), ("{card}", None, "points_mis")],
)
def test_a_list_that_says_too_little_or_too_much_is_refused(
    text: str, points: int | None, code: str
) -> None:
    ann = Shop().join("ann")
    wanted = text.format(card=ann.card_number)
    assert refusal(lambda: prepare(wanted, Gift(points))).startswith(code)
    assert not BulkGrant.objects.exists()


@pytest.mark.django_db
def test_a_list_goes_through_the_console(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    console.programme()
    member = console.member("<b>Ann</b>")
    client.force_login(console.staff())
    body = {
        "gift": "points",
        "points": 20,
        "text": f"{member.card_number}\n<i>x</i>",
        "reason": "r",
    }
    response = client.post(reverse("admin:bulk_grants"), body)
    bulk = BulkGrant.objects.get()
    page = reverse("admin:bulk_grant", args=[bulk.pk])
    assert response.url == page  # type: ignore[attr-defined]

    with django_assert_max_num_queries(PAGE_QUERIES):
        text = client.get(page, headers={"accept-language": "en"}).text
    assert "leads to nobody" in text
    assert "<i>x" not in text
    client.post(page, {"step": "submit"})
    approval = Approval.objects.get(kind="bulk_grant")
    decide = reverse("admin:members_approval_decide", args=[approval.pk])
    assert "20 points in all" in client.get(decide, headers={"accept-language": "en"}).text
    client.force_login(console.staff("wang.wei"))
    client.post(decide, {"decision": "approve"})
    assert "lc-progress" in client.get(page).text
    lines = reverse("admin:rewards_bulkgrantline_changelist")
    assert client.get(f"{lines}?bulk__id__exact={bulk.pk}").status_code == 200
    assert client.get(reverse("admin:bulk_grants")).status_code == 200


@pytest.mark.django_db
def test_without_permission_no_list_is_brought(client: Client) -> None:
    client.force_login(console.staff("eve", is_superuser=False))
    for page in (reverse("admin:bulk_grants"), reverse("admin:bulk_grant", args=[1])):
        assert client.get(page).status_code == 403


# The worker as it is, which dies somewhere in the middle.
PROGRAM = """
import django
django.setup()
from config.base import clock
from rewards.services import bulk_grants
bulk_grants.carry_out(bulk_id={bulk}, at=clock.now())
"""
CROWD = 30


def committed_list(people: int = CROWD) -> BulkGrant:
    with transaction.atomic():
        shop = Shop()
        cards = [shop.join(f"m{number}").card_number for number in range(people)]
        return approved(prepare("\n".join(cards)))


def given() -> int:
    return Entry.objects.filter(reason="bulk_grant").count()


@pytest.mark.req("PTS-15")
def test_a_worker_that_is_killed_is_followed_by_another_one(own_database: str) -> None:
    bulk = committed_list()
    worker = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(bulk=bulk.pk)],
        cwd=ROOT,
        env=databases.environment(databases.current())
        | {"DJANGO_SETTINGS_MODULE": "config.base.settings"},
    )
    deadline = time.monotonic() + 60
    while not given():
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(worker.pid, 9)
    worker.wait()
    assert 0 < given() < CROWD

    bulk_grants.carry_out(bulk_id=bulk.pk, at=day(2))

    assert given() == CROWD
    assert set(PointsAccount.objects.values_list("available", flat=True)) == {50}


def race(before: object = None) -> None:
    bulk = committed_list(12)

    def work(_number: int) -> int:
        if callable(before):
            before()
        return bulk_grants.carry_out(bulk_id=bulk.pk, at=day(2))

    reports = at_once(work, 4)
    assert failures(reports) == []
    results(reports)


@pytest.mark.req("PTS-15")
def test_four_workers_at_once_give_to_nobody_twice(own_database: str) -> None:
    race()

    assert given() == 12
    assert broken() == []


@pytest.mark.chance
def test_without_looking_again_members_are_given_twice(own_database: str) -> None:
    def trust() -> None:
        rows = BulkGrantLine.objects
        vars(bulk_grants)["_claimed"] = lambda line: rows.get(pk=line)

    race(trust)

    assert given() > 12
