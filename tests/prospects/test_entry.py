"""Who leaves a contact: kept sealed, once, as long as promised, and forgotten without a trace."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from members.models import ForgottenBecause, Member, Prospect, ProspectContact
from members.services import crypto, erasure, prospect_erasure, prospects
from members.services.prospects import Entered, NewProspect, ProspectInvalidError
from tests.engine.shop import day
from tests.factories import members
from tests.members.test_erasure import everything
from tests.prospects.world import agreed, enter, number_of, phone, prospect

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-13")]

PHONE = ("phone", "", "+8613817264095")
MAIL = ("email", "", "canary.lee@example.com")
EVIDENCE = "canary-signature"


def planted(**values: Any) -> Prospect:
    return prospect(PHONE, MAIL, consent=agreed(evidence=EVIDENCE, text_version="v3"), **values)


def traces() -> list[str]:
    """Return what leads to the planted person in any table, readable, as bytes or hashed."""
    text = everything().lower()
    plain = [PHONE[2], PHONE[2][3:], MAIL[2], EVIDENCE]
    hashes = [crypto.identifier_hash(*key).hex() for key in (PHONE, MAIL)]
    looked_for = [*plain, *(each.encode().hex() for each in plain), *hashes, ",4095,"]
    return [each for each in looked_for if each in text]


def test_contacts_are_sealed_and_found_by_their_hash_alone() -> None:
    made = planted()
    assert prospects.contacts_of([made]) == {made.pk: {"phone": PHONE[2], "email": MAIL[2]}}
    assert prospects.find(PHONE) == prospects.find(MAIL) == made.pk
    hashes = {crypto.identifier_hash(*key).hex() for key in (PHONE, MAIL)}
    assert set(traces()) == {*hashes, ",4095,"}


def test_a_prospect_who_asks_is_forgotten_in_every_table_and_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    made = planted(referred_by=members.member().pk)
    caplog.clear()
    assert (
        prospect_erasure.forget(prospect_ids=[made.pk], because=ForgottenBecause.ASKED, at=day(1))
        == 1
    )
    assert traces() == []
    made.refresh_from_db()
    assert (made.wrapped, made.sealed_evidence, made.referred_by) == (None, None, None)
    assert (made.forgotten_because, made.consent_version) == ("asked", "v3")
    own = [each.getMessage() for each in caplog.records if each.name != "django.db.backends"]
    assert not any(MAIL[2] in each or PHONE[2] in each for each in own)
    assert (
        prospect_erasure.forget(prospect_ids=[made.pk], because=ForgottenBecause.ASKED, at=day(2))
        == 0
    )


def test_who_is_erased_as_a_member_is_forgotten_as_a_prospect() -> None:
    made = planted()
    member = members.member(("phone", PHONE[2], ""))
    prospects.convert(member_id=member.pk, at=day(1))
    erasure.erase(member=member, at=day(2), actor="staff:li", reason="request")
    assert traces() == []
    made.refresh_from_db()
    assert made.forgotten_because == "member_erased"


def test_who_is_erased_before_joining_was_noted_is_forgotten_as_a_prospect() -> None:
    made = planted()
    member = members.member(("phone", PHONE[2], ""))
    erasure.erase(member=member, at=day(2), actor="staff:li", reason="request")
    assert traces() == []
    made.refresh_from_db()
    assert (made.forgotten_because, made.converted_to) == ("member_erased", None)


def test_who_has_not_joined_in_time_is_forgotten_and_may_come_again(settings: Settings) -> None:
    settings.LOYALTY_PROSPECTS_KEPT_DAYS = 30
    made = planted()
    other = prospect(at=20)
    assert prospect_erasure.forget_expired(at=day(30) - timedelta(seconds=1)) == 0
    assert prospect_erasure.forget_expired(at=day(30)) == 1
    assert prospect_erasure.forget_expired(at=day(30)) == 0
    assert traces() == []
    assert number_of(other)
    again = planted(at=31)
    assert again.pk != made.pk


def test_the_same_contact_is_one_prospect_who_is_kept_longer() -> None:
    made = planted()
    wanted = NewProspect((PHONE,), "shop", "product", "p-1", consent=None)
    assert enter(wanted, at=5) is Entered.KNOWN
    made.refresh_from_db()
    assert Prospect.objects.count() == 1
    assert (made.source, made.interest, made.expires_at) == ("landing", "p-1", day(185))
    assert made.consented_at == day(0)


def test_a_second_contact_is_added_and_a_taken_one_stays_where_it_is() -> None:
    one, other = prospect(PHONE), prospect(MAIL, at=1)
    assert enter(NewProspect((PHONE, MAIL), "shop"), at=2) is Entered.KNOWN
    assert prospects.find(MAIL) == other.pk
    mail = ("email", "", "new@example.com")
    assert enter(NewProspect((PHONE, mail), "shop"), at=3) is Entered.KNOWN
    assert prospects.find(mail) == one.pk


def test_a_member_is_no_prospect() -> None:
    members.member(("phone", PHONE[2], ""))
    assert enter(NewProspect((PHONE,), "shop", consent=agreed())) is Entered.MEMBER
    assert not Prospect.objects.exists()


@pytest.mark.req("MEM-11")
def test_the_later_word_about_marketing_counts() -> None:
    made = prospect(PHONE)

    def said(at: float, *, granted: bool, given: float | None = None) -> bool:
        given_at = None if given is None else day(given)
        consent = agreed(granted=granted, given_at=given_at)
        enter(NewProspect((PHONE,), "shop", consent=consent), at=at)
        made.refresh_from_db()
        found = Prospect.objects.addressable().filter(pk=made.pk).exists()
        assert found is made.may_be_addressed
        return found

    assert said(2, granted=False) is False
    assert said(3, granted=True, given=1) is False
    assert said(4, granted=True) is True
    assert said(5, granted=False, given=4) is False
    assert said(6, granted=False, given=3) is False


def test_who_said_nothing_may_not_be_addressed() -> None:
    made = prospect(consent=None)
    assert not made.may_be_addressed
    assert not Prospect.objects.addressable().exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"contacts": ()}, "prospect_contact_required"),
        ({"contacts": (phone(), phone())}, "prospect_contact_required"),
        ({"contacts": (("card", "", "6000"),)}, "prospect_contact_required"),
        ({"interest": "x"}, "prospect_interest_invalid"),
        ({"interest": "x", "interest_kind": "mood"}, "prospect_interest_invalid"),
        ({"consent": agreed().__class__("sms", granted=True)}, "prospect_consent_purpose"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, object], code: str) -> None:
    with pytest.raises(ProspectInvalidError) as refused:
        enter(NewProspect(**{"contacts": (phone(),), "source": "s", **values}))  # type: ignore[arg-type]
    assert refused.value.code == code
    assert not Prospect.objects.exists()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"interest": "x"}, "prospect_interest_whole"),
        ({"converted_at": day(0)}, "prospect_converted_whole"),
        ({"forgotten_at": day(0), "forgotten_because": "asked"}, "prospect_forgotten_has_no_key"),
        ({"wrapped": None}, "prospect_forgotten_has_no_key"),
    ],
)
def test_the_table_keeps_rows_whole(values: dict[str, object], name: str) -> None:
    made = prospect()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Prospect.objects.filter(pk=made.pk).update(**values)


def test_a_contact_is_of_one_prospect_and_one_of_a_kind() -> None:
    one, other = ProspectContact.objects.get(prospect=prospect()), prospect()
    with pytest.raises(IntegrityError, match="prospect_contact_of_one"), transaction.atomic():
        ProspectContact.objects.filter(prospect=other).update(value_hash=one.value_hash)
    with pytest.raises(IntegrityError, match="prospect_contact_one_of_kind"), transaction.atomic():
        ProspectContact.objects.filter(prospect=other).update(prospect=one.prospect_id)
    with pytest.raises(IntegrityError, match="prospect_contact_kind_known"), transaction.atomic():
        ProspectContact.objects.filter(pk=one.pk).update(kind="card")


def test_a_new_key_of_the_installation_reaches_prospects(settings: Settings) -> None:
    made = planted()
    old = settings.LOYALTY_KEYS
    new = "9:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
    settings.LOYALTY_KEYS = f"{old},{new}"
    assert prospects.find(PHONE) == made.pk
    last: int | None = 0
    while last is not None:
        last = prospect_erasure.rotate(after_id=last, limit=1)
    settings.LOYALTY_KEYS = new
    made.refresh_from_db()
    assert prospects.find(MAIL) == made.pk
    assert number_of(made) == PHONE[2]


def test_a_member_who_gets_the_phone_later_is_the_prospect() -> None:
    made = planted()
    member: Member = members.member(("phone", PHONE[2], ""))
    assert [each.pk for each in prospects.convert(member_id=member.pk, at=day(1))] == [made.pk]
    assert prospects.convert(member_id=member.pk, at=day(2)) == []
    made.refresh_from_db()
    assert (made.converted_to_id, made.converted_at) == (member.pk, day(1))
    assert not made.may_be_addressed
