"""Finding and making members."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Channel, Identifier, Member, MemberEvent, MemberKey, MemberProfile
from members.services import consents, erasure, profile
from members.services.consents import ConsentDecision
from rewards.models import PointsAccount
from rewards.services import joining
from rewards.services.joining_requests import EnrolmentRequest
from tests.factories import members as make
from tests.factories.members import AT
from tiers.models import Standing, Tier

pytestmark = pytest.mark.django_db

PHONE = ("phone", "13800138000", "")
MAIL = ("email", "ann@example.com", "")


@pytest.fixture(autouse=True)
def ladder() -> None:
    make.basic_tier()


@pytest.mark.req("MEM-02")
def test_enrolment_makes_everything_a_member_needs() -> None:
    (made,) = make.enrol(make.request(PHONE, name="张三", birthday=date(1990, 2, 28)))
    member = Member.objects.get()
    assert (made.created, made.public_id) == (True, member.public_id)
    assert bytes(PointsAccount.objects.get(member=member).head_hash) == bytes(32)
    standing = Standing.objects.get(member=member)
    assert (standing.tier.rank, standing.from_at, standing.ended_at) == (0, AT, None)
    assert standing.reason == "enrolled"
    assert MemberKey.objects.filter(member=member).exists()
    known = MemberProfile.objects.get(member=member)
    assert (known.name_mask, known.birth_month, known.birth_day) == ("张*", 2, 28)
    kinds = Identifier.objects.filter(member=member).values_list("kind", flat=True)
    assert set(kinds) == {"card", "phone"}
    assert MemberEvent.objects.get(member=member).kind == "member.enrolled"


@pytest.mark.req("MEM-02")
def test_the_second_call_finds_the_same_member() -> None:
    (first,), (second,) = (make.enrol(make.request(PHONE)) for _call in range(2))
    assert (first.created, second.created) == (True, False)
    assert first.public_id == second.public_id
    assert Member.objects.count() == 1


@pytest.mark.req("MEM-03")
def test_till_and_web_shop_see_one_member() -> None:
    till, web = make.touchpoint(), make.touchpoint(channel=Channel.WEB)
    (at_till,) = make.enrol(make.request(("phone", "138 0013 8000", "")), by=till)
    (on_web,) = make.enrol(make.request(("phone", "+86 13800138000", "")), by=web)
    assert at_till.member_id == on_web.member_id
    assert Member.objects.get().channel == "pos"


@pytest.mark.req("MEM-01")
@pytest.mark.parametrize("channel", Channel.values)
def test_the_first_channel_is_kept(channel: str) -> None:
    make.enrol(make.request(PHONE, channel=channel))
    make.enrol(make.request(PHONE, channel="web"))
    assert Member.objects.get().channel == channel


def test_the_own_card_leads_to_the_member() -> None:
    member = make.member()
    (found,) = make.enrol(make.request(("card", member.card_number, "")))
    assert found.member_id == member.pk


def test_a_known_member_gets_identifiers_that_are_free() -> None:
    member = make.member(PHONE)
    (found,) = make.enrol(make.request(PHONE, MAIL))
    assert (found.member_id, found.created, found.attached) == (member.pk, False, 1)
    (again,) = make.enrol(make.request(MAIL))
    assert (again.member_id, again.attached) == (member.pk, 0)
    attached = MemberEvent.objects.get(kind="member.identifier_attached")
    assert attached.payload == {"kind": "email"}


@pytest.mark.req("MEM-02")
def test_two_identifiers_of_two_members_are_refused_and_change_nothing() -> None:
    make.member(PHONE)
    make.member(MAIL)
    before = Identifier.objects.count()
    (refused,) = make.enrol(make.request(PHONE, MAIL, ("external", "x-1", "")))
    assert refused.error is not None
    assert (refused.code, refused.error.status) == ("identifiers_conflict", 409)
    assert refused.member_id is None
    assert Identifier.objects.count() == before
    assert Member.objects.count() == 2


@pytest.mark.req("MEM-13")
def test_a_batch_has_a_result_per_request_and_repeating_it_changes_nothing() -> None:
    requests = [
        make.request(PHONE, name="张三", consents=(ConsentDecision("marketing", granted=True),)),
        make.request(("phone", "nonsense", "")),
        make.request(PHONE, MAIL, city="上海"),
        make.request(),
        EnrolmentRequest(identifiers=()),
    ]
    first = make.enrol(*requests)
    assert [result.code for result in first] == [
        None, "identifier_invalid", None, None, "enrolment_invalid",
    ]  # fmt: skip
    assert [result.created for result in first] == [True, False, False, True, False]
    assert first[0].member_id == first[2].member_id
    events = MemberEvent.objects.count()
    second = make.enrol(*requests)
    assert [result.member_id for result in second] == [result.member_id for result in first]
    assert not any(result.created or result.attached for result in second)
    assert MemberEvent.objects.count() == events
    assert Member.objects.count() == 2


def test_what_is_known_of_a_person_is_completed_and_never_overwritten() -> None:
    member = make.member(PHONE, name="张三")
    make.enrol(make.request(PHONE, name="李四", city="上海", attributes={"size": "m"}))
    known = profile.read(member.pk)
    assert (known.name, known.city) == ("张三", "上海")
    assert MemberProfile.objects.get(member=member).attributes == {"size": "m"}


def test_consents_are_recorded_for_new_and_known_members() -> None:
    granted = ConsentDecision("marketing", granted=True, channel="sms")
    member = make.member(PHONE, consents=(granted,))
    make.enrol(make.request(PHONE, consents=(ConsentDecision("profiling", granted=False),)))
    current = consents.current([member.pk])[member.pk]
    assert current["marketing", "sms"].granted
    assert not current["profiling", ""].granted


def test_a_member_joins_when_the_request_says_so() -> None:
    member = make.member(joined_at=AT - timedelta(days=400))
    assert member.joined_at == AT - timedelta(days=400)
    assert Standing.objects.get(member=member).from_at == member.joined_at
    assert member.created_at == AT


def test_the_store_of_the_request_wins_over_that_of_the_touchpoint() -> None:
    till = make.touchpoint()
    member = make.member(store="S-17", staff="li.na", by=till)
    assert member.home_store is not None
    assert (member.home_store.code, member.enrolled_by) == ("S-17", "li.na")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"birthday": date(1899, 12, 31)}, "birthday"),
        ({"birthday": date(2026, 3, 11)}, "birthday"),
        ({"channel": "pigeon"}, "channel"),
        ({"store": "s" * 65}, "store"),
        ({"attributes": {"a": "\0"}}, "attributes"),
        ({"attributes": {"a": "x" * 17_000}}, "attributes"),
        ({"attributes": {"a": object()}}, "attributes"),
        ({"joined_at": AT + timedelta(minutes=6)}, "joined_at"),
    ],
)
def test_malformed_requests_are_refused_alone(values: dict[str, object], field: str) -> None:
    bad, good = make.enrol(make.request(**values), make.request())
    assert bad.error is not None
    assert bad.error.details["field"] == field
    assert good.created
    assert Member.objects.count() == 1


def test_the_place_of_a_wrong_identifier_is_named() -> None:
    (bad,) = make.enrol(make.request(PHONE, ("email", "nobody", "")))
    assert bad.error is not None
    assert bad.error.details["index"] == 1


def test_without_a_ladder_nothing_is_made() -> None:
    Tier.objects.all().delete()
    with pytest.raises(joining.LadderMissingError):
        make.enrol(make.request())
    assert not Member.objects.exists()


def test_an_erased_members_phone_enrols_somebody_new() -> None:
    member = make.member(PHONE)
    erasure.erase(member=member, at=AT, actor="staff:li", reason="request")
    (made,) = make.enrol(make.request(PHONE))
    assert made.created
    assert made.member_id != member.pk


def statements(*requests: EnrolmentRequest) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        results = make.enrol(*requests)
    assert not any(result.error for result in results)
    return len(captured)


@pytest.mark.req("MEM-13")
def test_the_number_of_statements_does_not_depend_on_the_batch() -> None:
    consent = (ConsentDecision("marketing", granted=True, evidence="signed"),)
    known = [make.request(name="张三") for _place in range(200)]
    full = [make.request(name="张三", consents=consent) for _place in range(200)]
    assert statements(full[0]) == statements(*full[1:])
    make.enrol(*known)
    more = [
        make.request(*item.identifiers, ("external", f"x-{place}", ""), city="上海")
        for place, item in enumerate(known)
    ]
    assert statements(more[0]) == statements(*more[1:])


def long_ago(*identifiers: tuple[str, str, str], name: str = "张三") -> Member:
    return make.member(*identifiers, name=name, at=AT - timedelta(days=181))


def test_a_long_silent_phone_under_another_name_must_be_verified() -> None:
    member = long_ago(PHONE)
    (doubtful,) = make.enrol(make.request(PHONE, MAIL, name="李四"))
    assert doubtful.error is not None
    assert (doubtful.code, doubtful.error.status) == ("verification_required", 202)
    assert not Identifier.objects.filter(kind="email").exists()
    for same in (make.request(PHONE, name=" 张三 "), make.request(PHONE)):
        assert make.enrol(same)[0].member_id == member.pk


def test_a_long_silent_phone_under_another_unionid_must_be_verified() -> None:
    long_ago(PHONE, ("wechat_unionid", "u-1", ""))
    (other,) = make.enrol(make.request(PHONE, ("wechat_unionid", "u-2", "")))
    (same,) = make.enrol(make.request(PHONE, ("wechat_unionid", "u-1", "")))
    assert (other.code, same.code) == ("verification_required", None)


def test_a_recently_active_phone_needs_no_verification() -> None:
    member = long_ago(PHONE)
    PointsAccount.objects.filter(member=member).update(last_fact_at=AT - timedelta(days=3))
    assert make.enrol(make.request(PHONE, name="李四"))[0].member_id == member.pk
