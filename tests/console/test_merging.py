"""The pages on which members are merged and parted: found, compared, confirmed, and shown."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from members.models import Approval, Member, MemberStatus, StaffAuthority
from members.services import approvals, cases
from members.services.cases import NewCase
from rewards.services import merging
from tests.engine.shop import Shop
from tests.factories import console, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("MEM-04")]

ENGLISH = {"accept-language": "en"}
COMPARE_QUERIES = 70


@pytest.fixture
def two(db: None) -> tuple[Member, Member]:
    shop = Shop()
    ann = members.member(("phone", "13800138000", ""), name="王小明")
    bea = members.member(("phone", "13900139000", ""), name="王小明")
    shop.buy(bea, "B1", 300, on=10)
    return ann, bea


@pytest.fixture
def clerk(client: Client) -> Client:
    user = console.staff()
    StaffAuthority.objects.create(user=user, adjustment_limit_points=500)
    client.force_login(user)
    return client


def page(name: str, member: Member) -> str:
    return reverse(f"admin:{name}", args=[member.pk])


def test_a_namesake_is_proposed_and_a_phone_is_never_in_an_address(
    clerk: Client, two: tuple[Member, Member]
) -> None:
    ann, bea = two
    proposed = clerk.get(page("member_merge", ann), headers=ENGLISH).text
    assert f"?other={bea.pk}" in proposed
    found = clerk.post(
        page("member_merge", ann), {"step": "search", "term": "13900139000"}, headers=ENGLISH
    )
    assert f"?other={bea.pk}" in found.text
    assert "13900139000" not in found.text.replace('value="13900139000"', "")
    nobody = clerk.post(
        page("member_merge", ann), {"step": "search", "term": "13700137000"}, headers=ENGLISH
    )
    assert "No other member was found." in nobody.text


def test_both_are_compared_and_nothing_is_stored(
    clerk: Client,
    two: tuple[Member, Member],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    ann, bea = two
    address = f"{page('member_merge', ann)}?other={bea.pk}"
    clerk.get(address)
    with django_assert_max_num_queries(COMPARE_QUERIES):
        text = clerk.get(address, headers=ENGLISH).text
    for shown in ("Is merged", "Stays", "After", "300", "Let the other member stay"):
        assert shown in text
    assert not Member.objects.filter(status=MemberStatus.MERGED).exists()


def test_members_are_merged_and_parted_on_the_pages(
    clerk: Client, two: tuple[Member, Member]
) -> None:
    ann, bea = two
    sent = {"other": bea.pk, "reason": "rang us up"}
    done = clerk.post(page("member_merge", ann), sent, follow=True, headers=ENGLISH)
    assert "Merged." in done.text
    for text in ("rang us up", "In force"):
        assert text in done.text
    gone = clerk.get(page("members_member_change", bea), headers=ENGLISH).text
    assert "Undo merge" in gone
    assert "This member has been merged into" in gone
    shown = clerk.get(page("member_unmerge", bea), headers=ENGLISH).text
    assert "300" in shown
    assert Member.objects.get(pk=bea.pk).status == MemberStatus.MERGED
    parted = clerk.post(
        page("member_unmerge", bea), {"reason": "twins"}, follow=True, headers=ENGLISH
    )
    assert "The merge has been undone." in parted.text
    assert "twins" in parted.text
    assert Member.objects.get(pk=bea.pk).status == MemberStatus.ACTIVE


@pytest.mark.req("SVC-02")
def test_the_survivor_shows_the_open_cases_of_who_was_merged(
    clerk: Client, two: tuple[Member, Member]
) -> None:
    ann, bea = two
    new = NewCase(bea.pk, "complaint", "app", "Mug arrived broken")
    case = cases.register(new=new, at=clock.now(), actor="staff:x")
    clerk.post(page("member_merge", ann), {"other": bea.pk, "reason": "rang us up"})
    shown = clerk.get(page("members_member_change", ann), headers=ENGLISH).text
    assert "Mug arrived broken" in shown
    assert reverse("admin:members_case_change", args=[case.pk]) in shown


def test_more_points_than_one_may_move_take_a_second_person(
    clerk: Client, two: tuple[Member, Member]
) -> None:
    ann, bea = two
    StaffAuthority.objects.update(adjustment_limit_points=299)
    clerk.post(page("member_merge", ann), {"other": bea.pk, "reason": "same person"})
    asked = Approval.objects.get()
    assert (asked.kind, asked.member) == (merging.APPROVAL_KIND, ann)
    assert Member.objects.get(pk=bea.pk).status == MemberStatus.ACTIVE
    approvals.approve(approval_id=asked.pk, actor="staff:second", at=clock.now())
    assert Member.objects.get(pk=bea.pk).merged_into == ann


def test_what_is_in_the_way_is_told_instead_of_a_form(
    clerk: Client, two: tuple[Member, Member]
) -> None:
    ann, bea = two
    Member.objects.filter(pk=bea.pk).update(status=MemberStatus.FROZEN)
    text = clerk.get(f"{page('member_merge', ann)}?other={bea.pk}", headers=ENGLISH).text
    assert "The member to be merged is not active." in text
    assert "csrfmiddlewaretoken" not in text.split("Is merged")[1]


def test_the_pages_are_refused_without_the_permission(
    client: Client, two: tuple[Member, Member]
) -> None:
    ann, bea = two
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_member"))
    client.force_login(user)
    assert client.get(page("member_merge", ann)).status_code == 403
    assert client.post(page("member_merge", ann), {"other": bea.pk}).status_code == 403
    assert client.get(page("member_unmerge", bea)).status_code == 403
    assert "Merge" not in client.get(page("members_member_change", ann), headers=ENGLISH).text
