"""Profiles and consents."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Consent, MemberEvent, MemberProfile
from members.services import consents, profile
from members.services.consents import ConsentDecision, ConsentInvalidError
from tests.factories import members as make
from tests.factories.members import AT

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_personal_values_are_read_back_and_stored_only_sealed() -> None:
    member = make.member(name="张三", birthday=date(1990, 2, 28), city="上海")
    known = profile.read(member.pk)
    assert (known.name, known.birthday, known.city) == ("张三", date(1990, 2, 28), "上海")
    sealed = bytes(MemberProfile.objects.get(member=member).sealed or b"")
    assert "张三".encode() not in sealed
    assert "张三" not in repr(known)


def test_many_profiles_are_read_in_two_statements() -> None:
    members = [make.member(name=f"N{n}") for n in range(5)]
    with CaptureQueriesContext(connection) as captured:
        known = profile.read_many([member.pk for member in members])
    assert len(captured) == 2
    assert [known[member.pk].name for member in members] == [f"N{n}" for n in range(5)]


def test_an_update_changes_what_is_given_and_leaves_an_event() -> None:
    member = make.member(name="张三", city="上海", attributes={"size": "m", "pet": "cat"})
    values = {"name": "李四", "birthday": date(2000, 1, 2)}
    changed = [
        profile.update(
            member_id=member.pk,
            at=AT,
            actor="staff:li",
            values=values,
            attributes={"size": "l", "pet": None},
        )
        for _twice in range(2)
    ]
    assert changed == [True, False]
    known = profile.read(member.pk)
    assert (known.name, known.city, known.birthday) == ("李四", "上海", date(2000, 1, 2))
    row = MemberProfile.objects.get(member=member)
    assert (row.name_mask, row.birth_month, row.birth_day) == ("李*", 1, 2)
    assert row.attributes == {"size": "l"}
    event = MemberEvent.objects.get(kind="member.profile_changed")
    assert event.payload == {"actor": "staff:li"}


def test_identifiers_are_read_with_their_masks() -> None:
    member = make.member(("phone", "13800138000", ""), ("email", "ann@example.com", ""))
    read = profile.read_identifiers([member.pk])[member.pk]
    assert {(item.kind, item.value, item.mask) for item in read} == {
        ("card", member.card_number, f"…{member.card_number[-4:]}"),
        ("phone", "+8613800138000", "138****8000"),
        ("email", "ann@example.com", "a***@example.com"),
    }


@pytest.mark.req("MEM-14")
def test_first_purchases_are_set_and_taken_back_in_one_statement() -> None:
    one, other = make.member(), make.member()
    profile.set_first_purchases({})
    with CaptureQueriesContext(connection) as captured:
        profile.set_first_purchases({one.pk: date(2026, 1, 2), other.pk: None})
    assert len(captured) == 1
    profile.set_first_purchases({one.pk: None, other.pk: date(2025, 5, 6)})
    days = dict(MemberProfile.objects.values_list("member_id", "first_purchase_on"))
    assert days == {one.pk: None, other.pk: date(2025, 5, 6)}


def record(member_id: int, *decisions: ConsentDecision, hours: int = 0) -> int:
    return consents.record({member_id: decisions}, touchpoint=None, at=AT + HOUR * hours)


def test_the_latest_consent_counts_and_the_history_stays() -> None:
    member = make.member()
    yes = ConsentDecision("marketing", granted=True, channel="sms", text_version="3")
    no = ConsentDecision("marketing", granted=False, channel="sms")
    assert record(member.pk, yes) == 1
    assert record(member.pk, yes, hours=1) == 0
    assert record(member.pk, no, hours=2) == 1
    assert not consents.current([member.pk])[member.pk]["marketing", "sms"].granted
    assert record(member.pk, yes, hours=3) == 1
    assert consents.current([member.pk])[member.pk]["marketing", "sms"].granted
    assert Consent.objects.count() == 3
    kinds = MemberEvent.objects.filter(kind="consent.changed")
    assert [event.payload["granted"] for event in kinds.order_by("id")] == [True, False, True]


def test_a_decision_told_late_is_history_and_telling_it_again_changes_nothing() -> None:
    member = make.member()
    early = ConsentDecision("marketing", granted=True, given_at=AT - HOUR)
    assert record(member.pk, ConsentDecision("marketing", granted=False)) == 1
    assert record(member.pk, early, hours=1) == 1
    assert record(member.pk, early, hours=2) == 0
    assert not consents.current([member.pk])[member.pk]["marketing", ""].granted


def test_a_new_text_is_a_new_consent() -> None:
    member = make.member()
    assert record(member.pk, ConsentDecision("marketing", granted=True, text_version="1")) == 1
    assert record(member.pk, ConsentDecision("marketing", granted=True, text_version="2")) == 1


def test_equal_decisions_in_one_call_are_one() -> None:
    member = make.member()
    yes = ConsentDecision("marketing", granted=True)
    assert record(member.pk, yes, yes) == 1


def test_evidence_is_sealed() -> None:
    member = make.member()
    record(member.pk, ConsentDecision("marketing", granted=True, evidence="signed by 张三"))
    sealed = bytes(Consent.objects.get().sealed_evidence or b"")
    assert sealed
    assert "张三".encode() not in sealed


@pytest.mark.parametrize(
    "decision",
    [
        ConsentDecision("", granted=True),
        ConsentDecision("Marketing!", granted=True),
        ConsentDecision("m" * 33, granted=True),
        ConsentDecision("marketing", granted=True, channel="S M S"),
        ConsentDecision("marketing", granted=True, text_version="1" * 33),
        ConsentDecision("marketing", granted=True, source="a\0b"),
    ],
)
def test_what_is_no_consent_is_refused(decision: ConsentDecision) -> None:
    member = make.member()
    with pytest.raises(ConsentInvalidError):
        record(member.pk, ConsentDecision("profiling", granted=True), decision)
    assert not Consent.objects.exists()
