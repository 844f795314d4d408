"""Tokens that are good for one member: what they say, what ends them, what they never do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.base import clock
from members.domain import tokens
from members.domain.status import Verb
from members.models import Member
from members.services import api_keys, erasure
from rewards.services import membership
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.factories import members

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


def make(till: Caller, member: Member, **body: object) -> Answer:
    return till.post(f"/members/{member.public_id}/token", body)


def shopper(till: Caller, member: Member, **body: object) -> Caller:
    return Caller(till.touchpoint, make(till, member, **body).body["token"])


@pytest.mark.req("INT-05")
def test_a_token_reads_its_own_member_as_its_key_does(till: Caller) -> None:
    member = members.member()
    token = shopper(till, member)
    for path in ("", "/points", "/tier", "/entries", "/timeline"):
        own = token.get(f"/members/{member.public_id}{path}")
        assert own.status == 200
        assert own.raw == till.get(f"/members/{member.public_id}{path}").raw or path == ""


def test_a_token_shows_personal_values_only_when_that_was_asked_for(till: Caller) -> None:
    member = members.member(name="张三")
    path = f"/members/{member.public_id}"
    assert shopper(till, member).get(path).body["name"] == "张*"
    asked = shopper(till, member, scopes=["members:read", "members:read_personal"])
    assert asked.get(path).body["name"] == "张三"


def test_a_token_has_no_more_scopes_than_its_key(caller: Callable[..., Caller]) -> None:
    till, member = caller("tokens:write", "points:read"), members.member()
    refused = make(till, member, scopes=["members:read", "points:read"])
    assert (refused.status, refused.code) == (403, "token_scopes_refused")
    assert refused.body["scopes"] == ["members:read"]
    made = make(till, member)
    assert made.body["scopes"] == ["points:read", "tokens:write"]
    token = Caller(till.touchpoint, made.body["token"])
    path = f"/members/{member.public_id}"
    assert token.get(f"{path}/points").status == 200
    assert token.get(path).code == "scope_missing"


@pytest.mark.parametrize("scope", ["orders:write", "adjustments:write", "interactions:write"])
def test_no_token_has_a_scope_that_earns(till: Caller, scope: str) -> None:
    refused = make(till, members.member(), scopes=[scope])
    assert (refused.status, refused.code) == (403, "token_scopes_refused")
    assert scope not in tokens.MEMBER_SCOPES


@pytest.mark.parametrize("seconds", [29, 3_601, "900", 0])
def test_a_lifetime_out_of_bounds_is_refused(till: Caller, seconds: object) -> None:
    refused = make(till, members.member(), ttl_seconds=seconds)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "/ttl_seconds")


def test_a_token_is_over_at_its_end(till: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    member = members.member()
    token, path = shopper(till, member, ttl_seconds=60), f"/members/{member.public_id}/points"
    assert token.get(path).status == 200
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert (token.get(path).status, token.get(path).code) == (401, "key_invalid")


def test_revoking_the_key_ends_its_tokens_at_once(till: Caller) -> None:
    member = members.member()
    token, path = shopper(till, member), f"/members/{member.public_id}/points"
    (key,) = till.touchpoint.keys.all()
    assert token.get(path).status == 200
    api_keys.revoke(key_id=key.pk, at=clock.now())
    assert token.get(path).code == "key_invalid"


@pytest.mark.parametrize("how", ["freeze", "close", "erase", "merge", "touchpoint"])
def test_what_happens_to_the_member_ends_the_token_at_once(till: Caller, how: str) -> None:
    member = members.member()
    token, path = shopper(till, member), f"/members/{member.public_id}/points"
    assert token.get(path).status == 200
    if how in ("freeze", "close"):
        reason = "member_request"
        membership.change_status(
            verb=Verb(how), member=member.pk, reason=reason, note="", actor="s", at=clock.now()
        )
    elif how == "erase":
        erasure.erase(member=member, at=clock.now(), actor="s", reason="member_request")
    elif how == "merge":
        Member.objects.filter(pk=member.pk).update(status="merged", merged_into=members.member())
    else:
        till.touchpoint.is_active = False
        till.touchpoint.save()
    assert token.get(path).code == "key_invalid"


def test_a_frozen_member_gets_no_token(till: Caller) -> None:
    member = members.member()
    membership.change_status(
        verb=Verb.FREEZE, member=member.pk, reason="investigation", note="", actor="s",
        at=clock.now(),
    )  # fmt: skip
    assert make(till, member).code == "member_frozen"


def test_a_token_explains_its_own_members_entries_only(till: Caller) -> None:
    one, other = members.member(), members.member()
    for member in (one, other):
        till.put(f"/orders/till/{bodies.number()}", bodies.order(member=str(member.public_id)))
    (entry,) = till.get(f"/members/{one.public_id}/entries").body["items"]
    path = f"/entries/{entry['id']}/explanation"
    assert shopper(till, one).get(path).status == 200
    assert shopper(till, other).get(path).code == "token_other_member"


def test_two_members_may_use_one_idempotency_key(till: Caller) -> None:
    seen = set()
    for _number in range(2):
        member = members.member()
        path = f"/members/{member.public_id}/code"
        answer = shopper(till, member).post(path, {}, Idempotency_Key="same")
        assert answer.status == 201
        seen.add(answer.body["code"])
    assert len(seen) == 2


def test_a_token_signed_under_a_former_secret_holds(till: Caller, settings: object) -> None:
    member = members.member()
    token, path = shopper(till, member), f"/members/{member.public_id}/points"
    former = settings.SECRET_KEY  # type: ignore[attr-defined]
    settings.SECRET_KEY = "another" * 8  # type: ignore[attr-defined]
    assert token.get(path).code == "key_invalid"
    settings.SECRET_KEY_FALLBACKS = [former]  # type: ignore[attr-defined]
    assert token.get(path).status == 200


@given(
    key=st.integers(0, 2**63 - 1),
    member=st.uuids(),
    scopes=st.sets(st.sampled_from(tokens.MEMBER_SCOPES)),
    place=st.integers(3, 94),
    letter=st.sampled_from("Ab9_"),
)
def test_a_token_is_read_as_written_and_no_letter_of_it_can_be_changed(
    key: int, member: object, scopes: set[str], place: int, letter: str
) -> None:
    said = tokens.MemberToken(key, member, NOW, frozenset(scopes))  # type: ignore[arg-type]
    text = tokens.write(said, "secret")
    before = NOW - timedelta(seconds=1)
    assert tokens.read(text, ["secret"], before) == said
    assert tokens.read(text, ["other"], before) is None
    assert tokens.read(text, ["other", "secret"], before) == said
    assert tokens.read(text, ["secret"], NOW) is None
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        assert tokens.read(changed, ["secret"], before) is None
    assert tokens.read(text[:-1], ["secret"], before) is None
