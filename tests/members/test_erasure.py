"""Erasing a person leaves nothing personal readable anywhere."""

import logging
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import connection

from members.models import (
    Consent,
    FactKind,
    Interaction,
    Member,
    MemberEvent,
    MemberKey,
    ReceivedFact,
)
from members.services import erasure, identity, profile
from members.services.consents import ConsentDecision
from rewards.models import PointsAccount
from tests.factories import members as make
from tests.factories.members import AT
from tiers.models import Standing

pytestmark = pytest.mark.django_db

CANARIES = (
    "13817264095", "canary.lee@example.com", "cj-canary-91", "u-canary-17", "o-canary-55",
    "金丝雀", "Canaryville", "canary-signature", "canary-answer", "canary-size",
)  # fmt: skip
TAIL = "4095"


def planted() -> Member:
    """Make a member with a canary in every place that takes personal values."""
    member = make.member(
        ("phone", CANARIES[0], ""),
        ("email", CANARIES[1], ""),
        ("external", CANARIES[2], ""),
        ("wechat_unionid", CANARIES[3], ""),
        ("wechat_openid", CANARIES[4], "wx-1"),
        name=CANARIES[5],
        city=CANARIES[6],
        birthday=date(1987, 6, 5),
        consents=(ConsentDecision("marketing", granted=True, evidence=CANARIES[7]),),
        attributes={"size": CANARIES[9]},
    )
    fact = ReceivedFact.objects.create(
        source="web", kind=FactKind.INTERACTION, ref="i-1", digest=bytes(32), member=member,
        acts_at=AT, received_at=AT, awaits_kind="phone",
        awaits_hash=identity.hash_value("phone", "", "+8613817264095"),
        body={"kind": "survey", "data": {"answer": CANARIES[8]}},
    )  # fmt: skip
    Interaction.objects.create(
        member=member, fact=fact, source="web", ref="i-1", kind="survey", occurred_at=AT,
        data={"answer": CANARIES[8]},
    )  # fmt: skip
    return member


def everything() -> str:
    """Return every row of every table as text; bytes appear as hexadecimal digits."""
    rows: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT t::text FROM {name} t")
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


def traces(text: str) -> list[str]:
    """Return the canaries that the text holds, readable or in hexadecimal."""
    lowered = text.lower()
    forms = {canary: (canary.lower(), canary.encode().hex()) for canary in CANARIES}
    return [canary for canary, found in forms.items() if any(form in lowered for form in found)]


def hashes_of_canaries() -> list[str]:
    values = [("phone", "", "+8613817264095"), ("email", "", CANARIES[1])]
    return [value_hash.hex() for _kind, _app, value_hash in identity.known_hashes(values)]


@pytest.mark.req("MEM-12")
def test_nothing_planted_is_found_in_any_table_or_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    member = planted()
    sealed_before = [bytes(value or b"") for value in Consent.objects.values_list(
        "sealed_evidence", flat=True)]  # fmt: skip
    card = member.card_number
    erasure.erase(member=member, at=AT, actor="staff:li", reason="request")
    text = everything()
    assert traces(text) == []
    assert card not in text
    assert not any(value_hash in text for value_hash in hashes_of_canaries())
    assert "1987-06-05" not in text
    assert b"1987-06-05".hex() not in text
    assert f",{TAIL}," not in text
    # Append-only evidence stays as ciphertext, for which no key is left.
    assert sealed_before == [
        bytes(value or b"") for value in Consent.objects.values_list("sealed_evidence", flat=True)
    ]
    own = [record.getMessage() for record in caplog.records if record.name != "django.db.backends"]
    assert traces("\n".join(own)) == []


def test_the_search_for_traces_finds_them_before_the_erasure() -> None:
    member = planted()
    text = everything()
    assert set(traces(text)) == {CANARIES[8], CANARIES[9]}
    assert member.card_number in text
    assert all(value_hash in text for value_hash in hashes_of_canaries())
    assert f",{TAIL}," in text


def test_sealed_values_never_stand_readable_in_the_database() -> None:
    planted()
    sealed = CANARIES[:8]
    assert not set(traces(everything())) & set(sealed)


@pytest.mark.req("MEM-12")
def test_the_books_stay_and_the_person_is_nobody() -> None:
    member = planted()
    account = PointsAccount.objects.values().get(member=member)
    standings = list(Standing.objects.filter(member=member).values())
    assert erasure.erase(member=member, at=AT, actor="staff:li", reason="request")
    assert PointsAccount.objects.values().get(member=member) == account
    assert list(Standing.objects.filter(member=member).values()) == standings
    assert member.status == "erased"
    assert profile.read(member.pk).is_empty
    assert profile.read_identifiers([member.pk]) == {}
    assert not member.identifiers.filter(ended_at__isnull=True).exists()
    event = MemberEvent.objects.get(kind="member.erased")
    assert event.payload == {"reason": "request", "actor": "staff:li"}


def test_erasing_again_changes_nothing() -> None:
    member = planted()
    erasure.erase(member=member, at=AT, actor="staff:li", reason="request")
    before = everything()
    later = AT + timedelta(days=1)
    assert not erasure.erase(member=member, at=later, actor="staff:li", reason="request")
    assert everything() == before


def test_members_merged_into_the_person_are_erased_with_it() -> None:
    merged, member = planted(), make.member()
    Member.objects.filter(pk=merged.pk).update(status="merged", merged_into=member)
    erasure.erase(member=member, at=AT, actor="staff:li", reason="request")
    assert traces(everything()) == []
    assert not MemberKey.objects.exists()
    merged.refresh_from_db()
    assert merged.status == "merged"


def test_other_members_are_not_touched() -> None:
    member, other = planted(), make.member(("phone", "13900139000", ""), name="Bob")
    erasure.erase(member=member, at=AT, actor="staff:li", reason="request")
    assert profile.read(other.pk).name == "Bob"
    assert identity.find([("phone", "", "+8613900139000")]) != {}


@pytest.mark.parametrize("reason", ["", "He asked for it", "张三", "a" * 33])
def test_a_reason_in_free_text_is_refused(reason: str) -> None:
    member = planted()
    with pytest.raises(erasure.ErasureReasonError):
        erasure.erase(member=member, at=AT, actor="staff:li", reason=reason)
    assert MemberKey.objects.filter(member=member).exists()


def test_every_table_is_searched() -> None:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    assert {model._meta.db_table for model in apps.get_models() if model._meta.managed} <= tables
