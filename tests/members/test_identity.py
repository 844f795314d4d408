"""Resolving identifiers and rotating keys."""

import base64
import io

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.domain.enrolment import Key
from members.domain.sealing import KeyringInvalidError
from members.models import Identifier, Member, MemberKey, MemberProfile
from members.queries import search_ids
from members.services import crypto, erasure, identity, profile
from tests.factories import members as make
from tests.factories.members import AT

pytestmark = pytest.mark.django_db

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in range(1, 4)]
OLD, BOTH, BOTH_NEW, NEW = (
    f"1:{KEYS[0]}",
    f"2:{KEYS[1]},1:{KEYS[0]}",
    f"1:{KEYS[0]},2:{KEYS[1]}",
    f"2:{KEYS[1]}",
)
PHONE = ("phone", "13800138000", "")
VALUE: Key = ("phone", "", "+8613800138000")


def merge(member: Member, into: Member) -> None:
    Member.objects.filter(pk=member.pk).update(status="merged", merged_into=into)


@pytest.mark.req("MEM-03")
def test_many_values_resolve_in_one_statement() -> None:
    members = [make.member(("external", f"x-{n}", "")) for n in range(5)]
    values: list[Key] = [("external", "", f"x-{n}") for n in range(9)]
    with CaptureQueriesContext(connection) as captured:
        found = identity.find(values)
    assert len(captured) == 1
    assert found == {values[n]: members[n].pk for n in range(5)}


def test_nothing_to_resolve_needs_no_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert identity.resolve([]) == {}
        assert identity.resolve_public_ids([]) == {}
    assert len(captured) == 0


def test_the_app_tells_equal_values_apart() -> None:
    one = make.member(("wechat_openid", "o-1", "wx-a"))
    other = make.member(("wechat_openid", "o-1", "wx-b"))
    found = identity.find([("wechat_openid", "wx-a", "o-1"), ("wechat_openid", "wx-b", "o-1")])
    assert sorted(found.values()) == [one.pk, other.pk]


def test_merged_members_lead_to_the_survivor_however_often_merged() -> None:
    first, second, last = make.member(PHONE), make.member(), make.member()
    merge(first, second)
    merge(second, last)
    ref = ("phone", "", identity.hash_value(*VALUE))
    assert identity.resolve([ref]) == {ref: last.pk}
    assert identity.resolve_public_ids([first.public_id]) == {first.public_id: last.pk}
    assert identity.lineage(last.pk) == [first.pk, second.pk, last.pk]


def test_an_erased_member_is_nobody() -> None:
    member = make.member(PHONE)
    erasure.erase(member=member, at=AT, actor="system", reason="request")
    assert identity.find([VALUE]) == {}
    assert identity.resolve_public_ids([member.public_id]) == {}


def rotate_all() -> None:
    last: int | None = 0
    while last is not None:
        last = crypto.rotate(after_id=last, limit=2)


def test_a_new_key_is_brought_in_without_losing_anybody(settings: LazySettings) -> None:
    settings.LOYALTY_KEYS = OLD
    member = make.member(PHONE, name="张三")
    others = [make.member() for _count in range(4)]
    for step in (OLD, BOTH, BOTH_NEW):
        settings.LOYALTY_KEYS = step
        assert identity.find([VALUE]) == {VALUE: member.pk}
        assert search_ids("张三") == [member.pk]
    out = io.StringIO()
    call_command("rotate_keys", "--batch", "2", stdout=out)
    assert out.getvalue().splitlines()[-1] == "all under key 2"
    settings.LOYALTY_KEYS = NEW
    assert identity.find([VALUE]) == {VALUE: member.pk}
    assert search_ids("张三") == search_ids(member.card_number) == [member.pk]
    assert profile.read(member.pk).name == "张三"
    values = {item.value for item in profile.read_identifiers([member.pk])[member.pk]}
    assert values == {"+8613800138000", member.card_number}
    assert set(MemberKey.objects.values_list("master_version", flat=True)) == {2}
    assert set(Identifier.objects.values_list("hash_version", flat=True)) == {2}
    assert len(identity.awaited_hashes([other.pk for other in others])) == 8


def test_without_rotation_the_old_key_is_still_needed(settings: LazySettings) -> None:
    settings.LOYALTY_KEYS = OLD
    member = make.member(PHONE)
    settings.LOYALTY_KEYS = NEW
    assert identity.find([VALUE]) == {}
    with pytest.raises(KeyringInvalidError):
        profile.read(member.pk)


def test_rotating_again_changes_nothing(settings: LazySettings) -> None:
    settings.LOYALTY_KEYS = OLD
    make.member(PHONE, name="张三")
    settings.LOYALTY_KEYS = BOTH_NEW
    rotate_all()
    rows = list(MemberKey.objects.values()), list(Identifier.objects.values())
    rotate_all()
    assert (list(MemberKey.objects.values()), list(Identifier.objects.values())) == rows


def test_a_phone_written_under_either_key_enrols_one_member(settings: LazySettings) -> None:
    settings.LOYALTY_KEYS = BOTH
    first = make.member(PHONE)
    settings.LOYALTY_KEYS = BOTH_NEW
    (again,) = make.enrol(make.request(PHONE))
    assert (again.member_id, again.created) == (first.pk, False)


def test_facts_that_waited_under_an_older_key_are_found(settings: LazySettings) -> None:
    settings.LOYALTY_KEYS = OLD
    waiting = ("phone", "", identity.hash_value(*VALUE))
    settings.LOYALTY_KEYS = BOTH_NEW
    member = make.member(PHONE)
    assert identity.awaited_hashes([member.pk])[waiting] == member.pk


def test_names_are_found_whatever_their_case_and_spaces() -> None:
    member = make.member(name="Ann  Lee")
    assert search_ids("ann lee") == [member.pk]
    assert MemberProfile.objects.get(member=member).name_hash is not None
