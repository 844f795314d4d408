"""The member page: complete, bounded, escaped, and only for those who may see it."""

import pytest
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from members.models import Identifier, Member, MemberEvent
from tests.factories import benefits, console, members
from tiers.services import entitlements, rollout

pytestmark = pytest.mark.django_db

MEMBER_PAGE_QUERIES = 49


@pytest.fixture
def member() -> Member:
    console.programme()
    return console.member()


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    return client


def page_of(member: Member) -> str:
    return reverse("admin:members_member_change", args=[member.pk])


def permit(user: User, *codes: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))


@pytest.mark.parametrize(
    ("language", "tier", "why"),
    [("zh-hans", "银卡会员", "得 150 积分"), ("en", "Silver", "gives 150 points")],
)
def test_the_page_tells_all_within_its_queries(
    visitor: Client,
    member: Member,
    language: str,
    tier: str,
    why: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    visitor.get(page_of(member))  # the programme is compiled once per process
    with django_assert_max_num_queries(MEMBER_PAGE_QUERIES):
        response = visitor.get(page_of(member), headers={"accept-language": language})
    assert response.status_code == 200
    for text in (tier, why, "张**", "1,200"):
        assert text in response.text


@pytest.mark.req("TIR-08")
@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("zh-hans", ("等级即将到期", "银卡会员", "等级有效期至 2027-03-03")),
        ("en", ("Tier about to end", "Silver", "kept until 2027-03-03")),
    ],
)
def test_the_timeline_tells_of_a_warning_in_both_languages(
    visitor: Client, member: Member, language: str, texts: tuple[str, ...]
) -> None:
    MemberEvent.objects.create(
        member=member, kind="tier.lapse_warning", occurred_at=console.AT, recorded_at=console.AT,
        payload={"tier": "silver", "kept_until": "2027-03-03", "days_left": 30},
    )  # fmt: skip
    response = visitor.get(page_of(member), headers={"accept-language": language})
    for text in texts:
        assert text in response.text


@pytest.mark.req("SVC-01")
def test_the_page_says_what_is_left_of_each_benefit(visitor: Client) -> None:
    console.programme()
    bare = members.member()
    benefits.gives("basic", "delivery", 6)
    benefits.gives("basic", "advice")
    rollout.sync_all(at=console.AT, recorded_at=console.AT)
    entitlements.use(member=bare.pk, code="delivery", uses=2, at=clock.now(), actor="till")
    text = visitor.get(page_of(bare), headers={"accept-language": "en"}).text
    assert "4 of 6 left" in text
    assert "without limit" in text


def test_more_history_costs_no_more_queries(
    visitor: Client, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        console.order(member, "10.00", at=console.AT, points=10)
    visitor.get(page_of(member))
    with django_assert_max_num_queries(MEMBER_PAGE_QUERIES):
        assert visitor.get(page_of(member)).status_code == 200


def test_a_member_without_history_has_a_page(visitor: Client) -> None:
    bare = members.member()
    response = visitor.get(page_of(bare), headers={"accept-language": "en"})
    assert response.status_code == 200
    assert "No orders yet." in response.text


def test_a_hostile_name_is_escaped(visitor: Client, member: Member) -> None:
    console.hostile_name(member, "<script>alert(1)</script>")
    for address in (page_of(member), reverse("admin:members_member_changelist")):
        text = visitor.get(address).text
        assert "<script>alert(1)" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_identifiers_are_masked(visitor: Client) -> None:
    console.programme()
    shown = console.member("张小明", phone="13800138000")
    text = visitor.get(page_of(shown)).text
    assert "8000" in text
    assert "13800138000" not in text


@pytest.mark.parametrize("object_id", ["0", "nobody", "99999999999999999999"])
def test_an_unknown_member_is_not_found(visitor: Client, object_id: str) -> None:
    assert visitor.get(f"/admin/members/member/{object_id}/change/").status_code == 404


def test_nobody_sees_the_page_without_permission(client: Client, member: Member) -> None:
    assert client.get(page_of(member)).status_code == 302
    client.force_login(console.staff(is_superuser=False))
    assert client.get(page_of(member)).status_code == 403


def test_panels_follow_permissions(client: Client, member: Member) -> None:
    user = console.staff(is_superuser=False)
    permit(user, "view_member")
    client.force_login(user)
    text = client.get(page_of(member), headers={"accept-language": "en"}).text
    assert "Available points" not in text
    assert "Latest entries" not in text
    assert "Tier override" not in text
    permit(user, "view_member", "view_pointsaccount")
    text = client.get(page_of(member), headers={"accept-language": "en"}).text
    assert "Available points" in text


@pytest.mark.parametrize("write", ["add", "delete"])
def test_members_are_not_written_here(visitor: Client, member: Member, write: str) -> None:
    parts = [] if write == "add" else [member.pk]
    assert visitor.get(reverse(f"admin:members_member_{write}", args=parts)).status_code == 403


def test_the_list_finds_by_phone_tail_card_name_and_order(visitor: Client) -> None:
    console.programme()
    wanted = console.member("欧阳娜娜")
    other = members.member(name="王五")
    tail = Identifier.objects.get(member=wanted, kind="phone").tail4
    order_no = wanted.orders.first().order_no  # type: ignore[union-attr]
    grouped = " ".join(wanted.card_number[n : n + 4] for n in range(0, 16, 4))
    for term in (tail, wanted.card_number, grouped, "欧阳娜娜", order_no, str(wanted.public_id)):
        found = visitor.get(reverse("admin:members_member_changelist"), {"q": term})
        links = found.text
        assert page_of(wanted) in links, term
        assert page_of(other) not in links, term


def sorted_by(visitor: Client, place: str) -> ChangeList:
    """Return the list as an address sorts it by a column, "-" before its place: falling."""
    found = visitor.get(reverse("admin:members_member_changelist"), {"o": place})
    shown: ChangeList = found.context["cl"]
    return shown


def test_the_list_is_sorted_by_the_columns_that_offer_it_alone(visitor: Client) -> None:
    places = [f"{way}{place}" for place in range(12) for way in ("", "-")]
    orders = {tuple(sorted_by(visitor, place).queryset.query.order_by) for place in places}
    assert orders == {
        ("-pk",), ("joined_at", "pk"), ("-joined_at", "-pk"), ("card_number", "pk"),
        ("-card_number", "-pk"),
    }  # fmt: skip


def test_members_of_one_instant_are_listed_in_order(visitor: Client) -> None:
    at = clock.now()
    first, second = members.member(at=at), members.member(at=at)
    place = sorted_by(visitor, "").list_display.index("joined_at")
    rising, falling = (sorted_by(visitor, f"{way}{place}").result_list for way in ("", "-"))
    assert [row.pk for row in rising] == [first.pk, second.pk]
    assert [row.pk for row in falling] == [second.pk, first.pk]


def test_a_search_that_finds_nobody_says_so(visitor: Client, member: Member) -> None:
    for term in ("nobody", "x" * 5000, "%", "' OR 1=1 --"):
        response = visitor.get(reverse("admin:members_member_changelist"), {"q": term})
        assert response.status_code == 200
        assert page_of(member) not in response.text


def test_a_search_with_characters_that_are_no_text_is_answered(visitor: Client) -> None:
    response = visitor.get(reverse("admin:members_member_changelist"), {"q": "\0"})
    assert response.status_code == 200
