"""A phone that leads to somebody long silent: the same person, or a new one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.base import clock
from config.wiring import due
from members.models import (
    Channel,
    Consent,
    Identifier,
    Member,
    MemberEvent,
    ReceivedFact,
    Verification,
)
from members.services import consents, member_codes
from members.services.consents import ConsentDecision
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.factories import members

pytestmark = [pytest.mark.django_db, pytest.mark.req("MEM-02")]


@pytest.fixture
def phone() -> str:
    return members.phone()


@pytest.fixture
def silent(programme: None, phone: str) -> Member:
    """Return a member who was last heard of long ago, and allowed marketing."""
    at = clock.now() - timedelta(days=181)
    member = members.member(("phone", phone, ""), name="张三", at=at)
    granted = ConsentDecision(purpose="marketing", channel="sms", granted=True, given_at=at)
    consents.record({member.pk: [granted]}, touchpoint=None, at=at)
    return member


def enrol(till: Caller, phone: str, **values: Any) -> Answer:
    identifiers = [{"kind": "phone", "value": phone}, *values.pop("more", [])]
    return till.post("/members", {"identifiers": identifiers, "name": "李四", **values})


def answer(till: Caller, asked: Answer, **body: Any) -> Answer:
    path = f"/members/verifications/{asked.body['verification']}"
    return till.post(path, body, Idempotency_Key=bodies.number("K"))


def state() -> list[int]:
    models = (Member, Identifier, Consent, MemberEvent, ReceivedFact)
    return [model.objects.count() for model in models]


def test_another_person_gets_the_phone_and_the_member_keeps_the_rest(
    till: Caller, silent: Member, phone: str
) -> None:
    order = bodies.order(member=str(silent.public_id))
    asked = enrol(till, phone, birthday="1990-05-01")
    assert (asked.status, asked.code) == (202, "verification_required")

    done = answer(till, asked, same_person=False, staff="cashier-7")

    assert done.status == 201
    assert done.body["id"] != str(silent.public_id)
    assert done.body["name"] == "李四"
    found = till.post("/members/lookup", {"kind": "phone", "value": phone})
    assert found.body["id"] == done.body["id"]
    assert not Identifier.objects.filter(
        member=silent, kind="phone", ended_at__isnull=True
    ).exists()
    (marketing,) = consents.current([silent.pk])[silent.pk].values()
    assert (marketing.granted, marketing.channel, marketing.source) == (False, "sms", "phone_moved")
    event = MemberEvent.objects.get(kind="member.identifier_ended")
    assert (event.member_id, event.payload["staff"]) == (silent.pk, "cashier-7")
    assert till.put("/orders/till/kept", order).body["member"] == str(silent.public_id)
    assert enrol(till, phone).body["id"] == done.body["id"]


def test_the_same_person_is_the_member_whatever_the_name(
    till: Caller, silent: Member, phone: str
) -> None:
    asked = enrol(till, phone, more=[{"kind": "email", "value": "new@example.com"}])
    done = answer(till, asked, same_person=True, staff="cashier-7")
    assert (done.status, done.body["id"], done.body["name"]) == (200, str(silent.public_id), "张三")
    by_mail = till.post("/members/lookup", {"kind": "email", "value": "new@example.com"})
    assert by_mail.body["id"] == str(silent.public_id)
    assert consents.current([silent.pk])[silent.pk]["marketing", "sms"].granted


def test_the_members_own_code_shows_the_same_person_without_staff(
    caller: Callable[..., Caller], silent: Member, phone: str
) -> None:
    app = caller(channel=Channel.APP)
    asked = enrol(app, phone)
    code = member_codes.make(member=silent, at=clock.now()).code
    before = state()
    for body in (
        {"same_person": True},
        {"same_person": True, "staff": "nobody"},
        {"same_person": False, "member_code": code},
    ):
        assert answer(app, asked, **body).code == "presence_required"
    assert answer(app, asked, same_person=True, member_code="0" * 20).code == "member_code_invalid"
    assert state() == before
    assert answer(app, asked, same_person=True, member_code=code).status == 200


def test_an_answer_is_given_once_and_by_who_asked_or_customer_service(
    caller: Callable[..., Caller], silent: Member, phone: str
) -> None:
    till, other, desk = caller(), caller(), caller(channel=Channel.CS)
    asked = enrol(till, phone)
    body = {"same_person": False, "staff": "s"}
    assert answer(other, asked, **body).code == "verification_not_found"
    assert answer(desk, asked, **body).status == 201
    before = state()
    again = answer(till, asked, **body)
    assert (again.status, again.code) == (409, "verification_closed")
    assert state() == before


def test_a_question_that_waited_a_day_is_over_and_forgotten(
    till: Caller, silent: Member, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = enrol(till, phone)
    later = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert answer(till, asked, same_person=False, staff="s").code == "verification_closed"
    due.run_up_to(later, watch=lambda *_args: None)
    assert not Verification.objects.exists()


def test_what_was_sent_is_sealed_and_gone_with_the_answer(
    till: Caller, silent: Member, phone: str
) -> None:
    asked = enrol(till, phone)
    row = Verification.objects.get()
    assert phone.encode() not in bytes(row.sealed or b"")
    assert "李四".encode() not in bytes(row.sealed or b"")
    answer(till, asked, same_person=False, staff="s")
    row.refresh_from_db()
    assert (row.sealed, row.wrapped, row.same_person) == (None, None, False)


def test_asking_again_replaces_the_question(till: Caller, silent: Member, phone: str) -> None:
    first, second = enrol(till, phone), enrol(till, phone)
    assert Verification.objects.count() == 1
    assert answer(till, first, same_person=True, staff="s").code == "verification_not_found"
    assert answer(till, second, same_person=True, staff="s").status == 200


def test_a_phone_that_has_moved_meanwhile_closes_the_question(
    till: Caller, silent: Member, phone: str
) -> None:
    asked = enrol(till, phone)
    silent.identifiers.filter(kind="phone").update(ended_at=clock.now())
    before = state()
    assert answer(till, asked, same_person=False, staff="s").code == "verification_closed"
    assert state() == before
    assert Verification.objects.get().resolved_at is None


def test_a_conflict_with_a_third_member_closes_nothing(
    till: Caller, silent: Member, phone: str
) -> None:
    members.member(("email", "third@example.com", ""))
    asked = enrol(till, phone, more=[{"kind": "email", "value": "third@example.com"}])
    before = state()
    conflict = answer(till, asked, same_person=True, staff="s")
    assert (conflict.status, conflict.code) == (409, "identifiers_conflict")
    assert state() == before
    assert Verification.objects.get().resolved_at is None


def test_a_batch_tells_where_to_answer(till: Caller, silent: Member, phone: str) -> None:
    person = bodies.enrolment(identifiers=[{"kind": "phone", "value": phone}], name="李四")
    (result,) = till.post("/members/batch", {"members": [person]}).body["results"]
    assert (result["status"], result["code"]) == (202, "verification_required")
    path = f"/members/verifications/{result['verification']}"
    done = till.post(path, {"same_person": False, "staff": "s"}, Idempotency_Key="k")
    assert done.status == 201
