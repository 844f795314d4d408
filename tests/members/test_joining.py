"""Finding and making members."""

import pytest

from members.models import Identifier, Member, MemberEvent, MemberKey, MemberProfile
from rewards.models import PointsAccount
from rewards.services import joining
from tests.factories import members as make
from tests.factories.members import AT
from tiers.models import Standing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ladder() -> None:
    make.basic_tier()


@pytest.mark.req("MEM-02")
def test_enrolment_makes_everything_a_member_needs() -> None:
    (made,) = joining.find_or_create(
        [make.request(("phone", "138 0013 8000", ""), name="张三")], touchpoint=None, at=AT
    )
    assert made.created
    member = Member.objects.get(pk=made.member_id)
    assert PointsAccount.objects.get(member=member).head_hash == bytes(32)
    assert Standing.objects.get(member=member).ended_at is None
    assert MemberKey.objects.filter(member=member).exists()
    assert MemberProfile.objects.get(member=member).name_mask == "张*"
    assert set(Identifier.objects.filter(member=member).values_list("kind", flat=True)) == {
        "card",
        "phone",
    }
    assert MemberEvent.objects.get(member=member).kind == "member.enrolled"
