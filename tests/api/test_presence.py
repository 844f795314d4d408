"""What shows that a member is there: codes, one-time passwords, and what each till asks for."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import override_settings

from config.base import clock
from config.wiring import due
from members.models import Channel, Member, MemberCode, OneTimePassword, SpendNeeds
from members.services import founding, member_codes, one_time_passwords, presence, touchpoints
from members.services.one_time_passwords import CountedTry
from members.services.presence import PresenceError, Proof
from tests.api.conftest import Answer, Caller
from tests.factories import members
from tests.mailbox import Mailbox

NEEDS_CODE: dict[str, Any] = {"spend_needs": SpendNeeds.MEMBER_CODE, "spend_free_points": 2_000}

pytestmark = pytest.mark.django_db


def code_of(till: Caller, member: Member) -> Answer:
    return till.post(f"/members/{member.public_id}/code", {})


def refusal(*, member_code: str = "", otp: Any = None, **values: Any) -> PresenceError | None:
    """Require presence as a command does: in a transaction, undone when it is refused."""
    try:
        with transaction.atomic():
            presence.require(**values, proof=Proof(member_code, otp))
    except PresenceError as error:
        return error
    return None


@pytest.mark.req("MEM-15")
def test_a_code_is_long_lives_a_minute_and_is_kept_as_a_hash(till: Caller) -> None:
    member = members.member()
    answer = code_of(till, member)
    code = answer.body["code"]
    assert answer.status == 201
    assert re.fullmatch("[0-9]{20}", code)
    assert member_codes.is_code(code)
    row = MemberCode.objects.get()
    assert row.expires_at - row.made_at == timedelta(seconds=60)
    assert code.encode() not in bytes(row.code_hash)
    assert code_of(till, member).body["code"] != code


@pytest.mark.req("MEM-15")
def test_a_till_finds_the_member_by_the_code_without_using_it(till: Caller) -> None:
    member, at = members.member(), clock.now()
    code = code_of(till, member).body["code"]
    for _turn in range(2):
        found = till.post("/members/lookup", {"kind": "member_code", "value": code})
        assert found.body["id"] == str(member.public_id)
    assert member_codes.consume(code, member=member.pk, at=clock.now())
    gone = till.post("/members/lookup", {"kind": "member_code", "value": code})
    assert (gone.status, gone.code) == (404, "member_not_found")
    wrong = till.post("/members/lookup", {"kind": "member_code", "value": "1" * 20})
    assert wrong.body == gone.body
    used_at = MemberCode.objects.get().used_at
    assert used_at is not None
    assert used_at > at


@pytest.mark.req("MEM-15")
def test_spending_above_the_free_points_needs_a_code_that_is_used_once() -> None:
    member, at = members.member(), clock.now()
    spend: dict[str, Any] = {
        "touchpoint": members.touchpoint(**NEEDS_CODE),
        "member": member.pk,
        "at": at,
    }
    code = member_codes.make(member=member, at=at).code
    assert refusal(**spend, points=2_000) is None
    missing = refusal(**spend, points=2_001)
    assert missing is not None
    assert (missing.code, missing.status) == ("presence_required", 403)
    assert missing.details == {"needs": "member_code", "free_points": 2_000}
    assert refusal(**spend, points=2_001, member_code=code) is None
    again = refusal(**spend, points=2_001, member_code=code)
    assert again is not None
    assert again.code == "member_code_invalid"


def test_used_expired_wrong_and_a_strangers_code_are_refused_alike() -> None:
    member, at = members.member(), clock.now()
    spend: dict[str, Any] = {
        "touchpoint": members.touchpoint(**NEEDS_CODE),
        "member": member.pk,
        "points": 5_000,
    }
    used = member_codes.make(member=member, at=at).code
    assert member_codes.consume(used, member=member.pk, at=at)
    old = member_codes.make(member=member, at=at - timedelta(seconds=60)).code
    strange = member_codes.make(member=members.member(), at=at).code
    for code in (used, old, strange, "0" * 20, "x"):
        error = refusal(**spend, member_code=code, at=at)
        assert error is not None
        assert (error.code, error.status, error.details) == ("member_code_invalid", 403, {})


def test_a_code_that_does_not_hold_is_refused_even_where_none_is_needed() -> None:
    member = members.member()
    error = refusal(
        touchpoint=members.touchpoint(), member=member.pk, points=1, member_code="0" * 20,
        at=clock.now(),
    )  # fmt: skip
    assert error is not None
    assert error.code == "member_code_invalid"


def test_a_refused_command_does_not_burn_the_code() -> None:
    member, at = members.member(), clock.now()
    spend: dict[str, Any] = {
        "touchpoint": members.touchpoint(**NEEDS_CODE),
        "member": member.pk,
        "points": 5_000,
    }
    code = member_codes.make(member=member, at=at).code
    with transaction.atomic():
        presence.require(**spend, proof=Proof(code), at=at)
        transaction.set_rollback(True)
    assert refusal(**spend, member_code=code, at=at) is None


def test_new_tills_ask_for_a_code_above_two_thousand_points_and_others_for_nothing() -> None:
    at = clock.now()
    till = touchpoints.create_or_reuse(code="new-till", channel=Channel.POS, at=at)
    app = touchpoints.create_or_reuse(code="new-app", channel=Channel.APP, at=at)
    assert (till.spend_needs, till.spend_free_points) == ("member_code", 2_000)
    assert (app.spend_needs, app.spend_free_points) == ("none", 0)


def test_only_so_many_codes_are_made_in_a_minute(
    till: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.base.api.limits.time.time", lambda: 1_772_000_040.0)
    member = members.member()
    statuses = [code_of(till, member).status for _turn in range(11)]
    assert statuses == [201] * 10 + [429]


def mailbox_member(address: str = "zhang@example.com") -> Member:
    return members.member(("phone", members.phone(), ""), ("email", address, ""))


def otp_of(till: Caller, member: Member) -> Answer:
    return till.post(f"/members/{member.public_id}/otp", {})


@pytest.mark.req("MEM-15")
def test_a_password_goes_to_the_mailbox_over_smtp_and_into_no_log(
    till: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    member = mailbox_member()
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with (
        Mailbox() as box,
        override_settings(EMAIL_BACKEND=backend, EMAIL_HOST=box.host, EMAIL_PORT=box.port),
    ):
        answer = otp_of(till, member)
    assert (answer.status, answer.body["to"]) == (201, "z***@example.com")
    (message,) = box.messages
    assert message.to == ["zhang@example.com"]
    (code,) = set(re.findall(r"\b[0-9]{6}\b", message.text))
    assert code not in caplog.text
    assert code.encode() not in answer.raw
    row = OneTimePassword.objects.get()
    assert row.expires_at - row.made_at == timedelta(minutes=5)
    attempt = one_time_passwords.count_try(code, public_id=member.public_id, at=clock.now())
    assert one_time_passwords.consume(attempt, member=member.pk, at=clock.now())
    assert not one_time_passwords.consume(attempt, member=member.pk, at=clock.now())


def test_a_mail_server_that_does_not_answer_voids_the_password(till: Caller) -> None:
    member = mailbox_member()
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        answer = otp_of(till, member)
    assert (answer.status, answer.code) == (503, "otp_not_sent")
    row = OneTimePassword.objects.get()
    assert row.expires_at == row.made_at


@pytest.mark.parametrize("has_server", [True, False])
def test_without_a_mailbox_or_a_server_there_is_no_channel(till: Caller, has_server: bool) -> None:
    member = members.member() if has_server else mailbox_member()
    with override_settings(EMAIL_HOST="mail.example.com" if has_server else ""):
        answer = otp_of(till, member)
    assert (answer.status, answer.code) == (409, "otp_no_channel")
    assert not OneTimePassword.objects.exists()


def sent_code() -> str:
    found = re.search(r"\b[0-9]{6}\b", str(mail.outbox[-1].body))
    assert found is not None
    return found[0]


@override_settings(EMAIL_HOST="mail.example.com")
def test_after_five_tries_even_the_right_digits_do_not_hold(till: Caller) -> None:
    member, at = mailbox_member(), clock.now()
    otp_of(till, member)
    code = sent_code()
    wrong = "000000" if code != "000000" else "111111"

    def holds(digits: str) -> bool:
        attempt = one_time_passwords.count_try(digits, public_id=member.public_id, at=clock.now())
        return one_time_passwords.consume(attempt, member=member.pk, at=clock.now())

    assert [holds(wrong) for _turn in range(5)] == [False] * 5
    assert not holds(code)
    otp_of(till, member)
    assert holds(sent_code())
    assert at <= clock.now()


@override_settings(EMAIL_HOST="mail.example.com")
def test_a_new_password_ends_the_one_before_and_a_day_has_so_many(till: Caller) -> None:
    member = mailbox_member()
    statuses = [otp_of(till, member).status for _turn in range(11)]
    assert statuses == [201] * 10 + [429]
    now = clock.now()
    assert OneTimePassword.objects.filter(expires_at__gt=now).count() == 1


@override_settings(EMAIL_HOST="mail.example.com")
def test_a_password_shows_as_much_as_a_code_and_not_the_other_way_round(till: Caller) -> None:
    member, at = mailbox_member(), clock.now()
    needs_otp = members.touchpoint(spend_needs=SpendNeeds.OTP)
    needs_code = members.touchpoint(**NEEDS_CODE)
    code = member_codes.make(member=member, at=at).code
    spend: dict[str, Any] = {"member": member.pk, "points": 9_000, "at": at}
    for touchpoint in (needs_code, needs_otp):
        otp_of(till, member)
        attempt = CountedTry(sent_code(), member.public_id)
        later = {**spend, "at": clock.now()}
        assert refusal(**later, touchpoint=touchpoint, otp=attempt) is None
    error = refusal(**spend, touchpoint=needs_otp, member_code=code)
    assert error is not None
    assert error.code == "presence_required"
    assert refusal(**spend, touchpoint=needs_code, member_code=code) is None


@override_settings(EMAIL_HOST="mail.example.com")
def test_a_try_over_the_api_is_counted_whatever_becomes_of_the_command(till: Caller) -> None:
    member = mailbox_member()
    otp_of(till, member)
    path = f"/members/{member.public_id}/adjustments"
    answer = till.post(path, {"points": 1, "reason": "x", "otp": "123456"}, Idempotency_Key="k")
    assert answer.status == 400
    assert OneTimePassword.objects.get().tries == 1


@override_settings(EMAIL_HOST="mail.example.com")
def test_codes_and_passwords_are_forgotten_in_time(till: Caller) -> None:
    member = mailbox_member()
    code_of(till, member)
    otp_of(till, member)
    due.run_up_to(clock.now() + timedelta(hours=1), watch=lambda *_args: None)
    assert MemberCode.objects.count() == OneTimePassword.objects.count() == 1
    due.run_up_to(clock.now() + timedelta(days=3), watch=lambda *_args: None)
    assert MemberCode.objects.count() == OneTimePassword.objects.count() == 0


def test_the_verified_mailbox_is_preferred(till: Caller, caller: Callable[..., Caller]) -> None:
    member = mailbox_member("first@example.com")
    founding.attach([(member, [("email", "", "second@example.com")])], at=clock.now())
    with override_settings(EMAIL_HOST="mail.example.com"):
        assert otp_of(till, member).body["to"] == "s***@example.com"
        first = member.identifiers.filter(kind="email").earliest("id")
        first.verified_at = clock.now()
        first.save()
        assert otp_of(till, member).body["to"] == "f***@example.com"
