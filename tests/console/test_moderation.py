"""The moderation queue: what members wrote, escaped, decided many at a time by those who may."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from members.models import InteractionKind, Member, MemberEvent, Moderation, ModerationState
from rewards.domain.submission import InteractionFact, MemberRef
from rewards.services import intake
from tests.factories import console, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("ENG-03")]

QUEUE_QUERIES = 12


@pytest.fixture
def member() -> Member:
    console.programme()
    InteractionKind.objects.create(
        code="review", name_zh="发表评价", name_en="Review written", needs_moderation=True
    )
    return members.member(name="张小明", at=console.AT)


@pytest.fixture
def moderator(client: Client) -> Client:
    user = console.staff("mo", is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename="moderate"))
    client.force_login(user)
    return client


def write(member: Member, ref: str, text: str = "好用", **data: object) -> Moderation:
    named = MemberRef(public_id=member.public_id)
    fact = InteractionFact("app", ref, named, "review", clock.now(), {"text": text, **data})
    intake.receive([fact], touchpoint=None, at=clock.now(), actor="app")
    return Moderation.objects.latest("pk")


def decide(client: Client, act: str, *reviews: Moderation, **values: str) -> None:
    body = {"act": act, "review": [str(review.pk) for review in reviews], **values}
    assert client.post(reverse("admin:moderation"), body).status_code == 302


def states() -> list[str]:
    return list(Moderation.objects.order_by("pk").values_list("state", flat=True))


def test_what_members_wrote_is_shown_as_text(
    moderator: Client, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    photos = ["https://cdn.example.com/1.jpg", "javascript:alert(1)", 7]
    for number in range(5):
        write(member, f"r{number}", "<script>x</script>", photos=photos, rating=5)
    with django_assert_max_num_queries(QUEUE_QUERIES):
        text = moderator.get(reverse("admin:moderation")).text
    assert "<script>x" not in text
    assert "&lt;script&gt;x" in text
    assert "https://cdn.example.com/1.jpg" in text
    assert "javascript:alert" not in text


def test_many_are_approved_at_once_and_one_is_taken_down(moderator: Client, member: Member) -> None:
    first, second, third = (write(member, f"r{number}") for number in range(3))
    decide(moderator, "approve", first, second)
    decide(moderator, "reject", third, reason="off_topic")
    assert states() == ["approved", "approved", "rejected"]
    decide(moderator, "remove", first, reason="rights")
    decide(moderator, "remove", second, reason="a whim")
    assert states() == ["removed", "approved", "rejected"]
    told = MemberEvent.objects.filter(kind__startswith="review.").order_by("id")
    assert [event.kind for event in told] == [
        "review.approved", "review.approved", "review.rejected", "review.removed",
    ]  # fmt: skip
    assert moderator.get(reverse("admin:moderation"), {"state": "approved"}).status_code == 200


def test_a_line_that_is_not_the_members_is_named(moderator: Client, member: Member) -> None:
    review = write(member, "r", order={"source": "app", "order_no": "X", "line_no": 1})
    answer = moderator.post(
        reverse("admin:moderation"), {"act": "approve", "review": [str(review.pk)]}, follow=True,
        headers={"accept-language": "en"},
    )  # fmt: skip
    assert "not one of this member" in answer.text
    assert states() == [ModerationState.PENDING]


def test_who_may_not_moderate_sees_and_decides_nothing(client: Client, member: Member) -> None:
    review = write(member, "r")
    client.force_login(console.staff("x", is_superuser=False))
    address = reverse("admin:moderation")
    assert client.get(address).status_code == 403
    body = {"act": "approve", "review": [str(review.pk)]}
    assert client.post(address, body).status_code == 403
    assert states() == [ModerationState.PENDING]
