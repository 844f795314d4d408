"""Enrolment and the facts that have been waiting for it."""

import pytest

from members.models import Member, Order, ReceivedFact
from rewards.domain.cart import GOODS, PAID, Line
from rewards.domain.submission import InteractionFact, MemberRef, OrderFact
from rewards.models import PointsAccount
from rewards.presets import classic
from rewards.services import enrolment, intake, presets
from rewards.services.joining_requests import Enrolment
from tests.factories import members as make
from tests.factories.members import AT

PHONE = ("phone", "138 0013 8000", "")
NAMED = MemberRef(kind="phone", value="+8613800138000")


def send_order_and_survey() -> None:
    line = Line(1, "tea", GOODS, "drinks", "", 1000, 12_345)
    order = OrderFact(
        source="pos", order_no="A-1", version=1, changed_at=None, member=NAMED, status=PAID,
        placed_at=AT, currency="CNY", lines=(line,),
    )  # fmt: skip
    survey = InteractionFact(source="pos", ref="i-1", member=NAMED, kind="survey", occurred_at=AT)
    results = intake.receive([order, survey], touchpoint=make.touchpoint(), at=AT)
    assert [result.status for result in results] == [202, 202]


def enrol(*identifiers: tuple[str, str, str]) -> Enrolment:
    (result,) = enrolment.enrol_members([make.request(*identifiers)], touchpoint=None, at=AT)
    return result


@pytest.mark.django_db
def test_who_is_enrolled_by_another_phone_gets_nothing_that_waits() -> None:
    presets.load(preset=classic.PRESET, at=AT)
    send_order_and_survey()
    assert enrol().created
    assert not Order.objects.exists()
    assert set(ReceivedFact.objects.values_list("state", flat=True)) == {"awaiting_member"}


def test_an_enrolled_phone_gets_what_waited_for_it(own_database: str) -> None:
    presets.load(preset=classic.PRESET, at=AT)
    send_order_and_survey()
    result = enrol(PHONE)
    assert set(ReceivedFact.objects.values_list("state", "member_id")) == {
        ("applied", result.member_id)
    }
    assert Order.objects.get().member_id == result.member_id
    assert PointsAccount.objects.get().available == 123


def test_an_identifier_attached_later_gets_what_waited_for_it(own_database: str) -> None:
    presets.load(preset=classic.PRESET, at=AT)
    send_order_and_survey()
    mail = ("email", "ann@example.com", "")
    assert enrol(mail).created
    assert not enrol(mail, PHONE).created
    assert PointsAccount.objects.get(member=Member.objects.get()).available == 123
