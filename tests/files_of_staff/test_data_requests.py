"""What people may ask about their own data: a copy, or that it is erased; and the clock."""

import uuid
from datetime import date

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from campaigns.models import Purpose, Referral, ReferralCode
from campaigns.services import firing, sending
from campaigns.services.firing import Occurrence
from config.base import clock
from members import queries
from members.domain import working_days
from members.models import Approval, DataRequest, Member, MemberEvent, MemberStatus
from members.services import approvals
from rewards.models import Entry, Redemption
from rewards.services import erasing
from tests.factories import campaigns, catalogue, console, referrals
from tests.messages.world import template

pytestmark = pytest.mark.django_db

PHONE = "13911112222"
NAME = "欧阳娜娜"


@pytest.fixture
def member() -> Member:
    console.programme()
    return console.member(NAME, phone=PHONE)


@pytest.fixture
def agent(client: Client) -> User:
    user = console.staff("agent")
    client.force_login(user)
    return user


@pytest.fixture
def lead() -> User:
    return console.staff("lead")


def press(client: Client, member: Member, **body: object) -> int:
    address = reverse("admin:data_requests", args=[member.pk])
    return client.post(address, body).status_code


def ask(client: Client, member: Member, kind: str) -> DataRequest:
    assert press(client, member, kind=kind, verified_by="called_back") == 302
    return DataRequest.objects.latest("pk")


@pytest.mark.req("MEM-12")
def test_a_copy_has_everything_and_answers_the_request(
    client: Client, agent: User, member: Member
) -> None:
    request = ask(client, member, "access")

    answer = client.post(
        reverse("admin:data_requests", args=[member.pk]), {"request": request.pk, "step": "copy"}
    )

    data = orjson.loads(answer.content)
    assert "no-store" in answer["Cache-Control"]
    assert data["person"]["name"] == NAME
    assert PHONE in {each["value"].removeprefix("+86") for each in data["identifiers"]}
    assert len(data["orders"]) == 8
    assert sum(each["points"] for each in data["points_entries"]) == sum(
        Entry.objects.filter(member=member).values_list("points", flat=True)
    )
    assert data["tiers"]
    request.refresh_from_db()
    assert (request.state, request.copies, request.closed_by) == ("done", 1, "staff:agent")
    assert MemberEvent.objects.filter(member=member, kind="member.data_request").count() == 2


@pytest.mark.req("MEM-12")
def test_a_copy_has_what_campaigns_have_done_and_names_no_friend(
    client: Client, agent: User, member: Member
) -> None:
    at = clock.now()
    template("hi", Purpose.SERVICE, needs_consent=False)
    case = {"kind": "case", "title": "Call"}
    campaign = campaigns.running(at=at, effects=[case], messages=["hi"])
    occurrence = Occurrence(member.pk, "k", at)
    firing.fire(campaign=campaign, occurrences=[occurrence], recorded_at=at)
    friend = console.member("李雷", phone="13922223333")
    code = ReferralCode.objects.create(member=member, code="CODE", from_at=at)
    Referral.objects.create(
        referrer=member, friend=friend, code=code, programme=referrals.programme(),
        registered_at=at, lapses_at=at,
    )  # fmt: skip
    sending.send_due(at=at)
    request = ask(client, member, "access")

    body = {"request": request.pk, "step": "copy"}
    content = client.post(reverse("admin:data_requests", args=[member.pk]), body).content
    data = orjson.loads(content)

    assert [each["of_campaign"] for each in data["campaigns"]] == [campaign.code]
    assert data["campaign_acts"][0]["effects"][0]["kind"] == "case"
    assert data["messages"][0]["template"] == "hi"
    assert NAME in (data["messages"][0]["text"] or "")
    assert data["referrals"][0]["state"] == "registered"
    assert str(friend.public_id) not in content.decode()


def test_no_personal_value_is_in_the_address_or_the_event(
    client: Client, agent: User, member: Member
) -> None:
    ask(client, member, "access")
    told = str(list(MemberEvent.objects.filter(kind="member.data_request").values()))
    assert NAME not in told
    assert PHONE not in told


@pytest.mark.req("MEM-12")
def test_an_erasure_takes_two_people_and_leaves_nobody(
    client: Client, agent: User, lead: User, member: Member
) -> None:
    request = ask(client, member, "erasure")
    entries = Entry.objects.filter(member=member).count()
    press(client, member, request=request.pk, step="erase")
    approval = Approval.objects.get()
    assert queries.search_ids(PHONE) == [member.pk]
    client.post(
        reverse("admin:members_approval_decide", args=[approval.pk]), {"decision": "approve"}
    )
    approval.refresh_from_db()
    assert approval.state == "requested"

    client.force_login(lead)
    shown = client.get(reverse("admin:members_approval_decide", args=[approval.pk])).text
    client.post(
        reverse("admin:members_approval_decide", args=[approval.pk]), {"decision": "approve"}
    )

    member.refresh_from_db()
    request.refresh_from_db()
    assert "lc-table" in shown
    assert (member.status, request.state) == (MemberStatus.ERASED, "done")
    assert queries.search_ids(PHONE) == []
    assert Entry.objects.filter(member=member).count() == entries


@pytest.mark.req("MEM-12")
def test_what_is_on_its_way_stands_in_the_way(client: Client, agent: User, member: Member) -> None:
    Redemption.objects.create(
        public_id=uuid.uuid4(), member=member, reward=catalogue.reward("mug", 100, pieces=1),
        requested_at=clock.now(),
    )  # fmt: skip
    request = ask(client, member, "erasure")

    press(client, member, request=request.pk, step="erase")

    assert not Approval.objects.exists()
    found = erasing.consequences(member=member, at=clock.now())
    assert [each.number for each in found if each.stands_in_the_way] == [1]


def test_an_erasure_is_asked_for_once(client: Client, agent: User, member: Member) -> None:
    request = ask(client, member, "erasure")
    for _time in range(2):
        press(client, member, request=request.pk, step="erase")
    assert Approval.objects.count() == 1
    press(client, member, kind="erasure", verified_by="called_back")
    assert DataRequest.objects.count() == 1


def test_a_request_that_was_withdrawn_erases_nobody(
    client: Client, agent: User, lead: User, member: Member
) -> None:
    request = ask(client, member, "erasure")
    press(client, member, request=request.pk, step="erase")
    press(client, member, request=request.pk, step="withdraw")

    client.force_login(lead)
    address = reverse("admin:members_approval_decide", args=[Approval.objects.get().pk])
    client.post(address, {"decision": "approve"})

    member.refresh_from_db()
    assert member.status == MemberStatus.ACTIVE
    assert Approval.objects.get().state == "requested"


@pytest.mark.req("MEM-12")
@pytest.mark.parametrize(
    ("day", "due"),
    [("2026-11-23", "2026-12-14"), ("2026-11-27", "2026-12-18"), ("2026-11-28", "2026-12-18")],
)
def test_the_clock_counts_working_days(day: str, due: str) -> None:
    assert working_days.after(date.fromisoformat(day), 15) == date.fromisoformat(due)


def test_answering_is_for_those_who_may(client: Client, member: Member) -> None:
    reader = console.staff("reader", is_superuser=False)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(reader)
    assert client.get(reverse("admin:data_requests", args=[member.pk])).status_code == 403
    assert approvals.permission_of(erasing.APPROVAL_KIND) == "members.erase_member"
