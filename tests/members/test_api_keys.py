"""Keys of touchpoints, sources and the command that connects a system."""

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from members.domain.scopes import ScopeUnknownError
from members.models import ApiKey, Source, Store, Touchpoint
from members.services import api_keys, touchpoints
from tests.factories import members as make
from tests.factories.members import AT

DAY = timedelta(days=1)


@pytest.mark.django_db
def test_a_key_stands_for_its_touchpoint_in_one_statement() -> None:
    till = make.touchpoint("till-1")
    secret = api_keys.issue(till, ["orders:write", "members:read"], at=AT)
    assert re.fullmatch(r"lk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", secret)
    with CaptureQueriesContext(connection) as captured:
        known = api_keys.authenticate(secret, AT)
        assert known is not None
        assert (known.touchpoint.code, known.actor) == ("till-1", "touchpoint:till-1")
        assert known.scopes == {"orders:write", "members:read"}
    assert len(captured) == 1


@pytest.mark.django_db
def test_only_the_hash_of_a_secret_is_kept() -> None:
    secret = api_keys.issue(make.touchpoint(), ["orders:write"], at=AT)
    row = ApiKey.objects.get()
    assert secret.startswith(f"{row.prefix}_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT k::text FROM members_apikey k")
        text = cursor.fetchone()[0]
    assert secret[12:] not in text
    assert secret.encode().hex() not in text


@pytest.mark.django_db
def test_secrets_that_stand_for_nobody_are_refused() -> None:
    till = make.touchpoint()
    secret = api_keys.issue(till, ["orders:write"], at=AT, expires_at=AT + DAY)
    other = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for wrong in ("", "lk_", other, secret.upper(), secret + "x", f" {secret}", "é" * 55):
        assert api_keys.authenticate(wrong, AT) is None
    assert api_keys.authenticate(secret, AT + DAY) is None
    assert api_keys.authenticate(secret, AT + DAY - timedelta(seconds=1)) is not None
    Touchpoint.objects.update(is_active=False)
    assert api_keys.authenticate(secret, AT) is None


@pytest.mark.django_db
def test_a_revoked_key_ends_at_once() -> None:
    secret = api_keys.issue(make.touchpoint(), ["orders:write"], at=AT)
    key_id = ApiKey.objects.get().pk
    assert api_keys.revoke(key_id=key_id, at=AT)
    assert not api_keys.revoke(key_id=key_id, at=AT)
    assert api_keys.authenticate(secret, AT) is None
    with pytest.raises(api_keys.ApiKeyEndedError):
        api_keys.rotate(key_id=key_id, at=AT)


@pytest.mark.django_db
def test_a_rotated_key_works_until_the_overlap_is_over() -> None:
    old = api_keys.issue(make.touchpoint(), ["orders:write"], at=AT)
    new = api_keys.rotate(key_id=ApiKey.objects.get().pk, at=AT, overlap=DAY)
    now, later = AT + timedelta(hours=1), AT + DAY
    assert api_keys.authenticate(old, now) is not None
    assert api_keys.authenticate(old, later) is None
    renewed = api_keys.authenticate(new, later)
    assert renewed is not None
    assert renewed.scopes == {"orders:write"}


@pytest.mark.django_db
def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(ScopeUnknownError) as refused:
        api_keys.issue(make.touchpoint(), ["orders:write", "orders:burn"], at=AT)
    assert refused.value.details["unknown"] == ["orders:burn"]
    assert not ApiKey.objects.exists()


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("touchpoint", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_prints_a_working_key_last() -> None:
    printed = run("till-7", "--channel", "pos", "--scopes", "orders:write, members:read")
    last = printed.splitlines()[-1]
    assert last.startswith("key: lk_")
    known = api_keys.authenticate(last.removeprefix("key: "), AT)
    assert known is not None
    assert (known.touchpoint.code, known.touchpoint.on_unknown) == ("till-7", "await")


@pytest.mark.django_db
def test_the_command_reuses_the_touchpoint_and_adds_a_key() -> None:
    run("till-7", "--channel", "pos", "--scopes", "orders:write")
    run("till-7", "--channel", "pos", "--scopes", "members:read", "--store", "S-1",
        "--on-unknown", "enrol")  # fmt: skip
    till = Touchpoint.objects.get()
    assert (till.on_unknown, till.store and till.store.code) == ("enrol", "S-1")
    assert ApiKey.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ("till-7", "--channel", "pos", "--scopes", "orders:burn"),
        ("till-7", "--channel", "pos", "--scopes", " , "),
        ("till-7", "--channel", "pigeon", "--scopes", "orders:write"),
        ("", "--channel", "pos", "--scopes", "orders:write"),
        ("x" * 65, "--channel", "pos", "--scopes", "orders:write"),
        ("known", "--channel", "web", "--scopes", "orders:write"),
    ],
)
def test_the_command_refuses_and_makes_nothing(arguments: tuple[str, ...]) -> None:
    make.touchpoint("known")
    with pytest.raises(CommandError):
        run(*arguments)
    assert not ApiKey.objects.exists()
    assert Touchpoint.objects.count() == 1


@pytest.mark.django_db
def test_a_source_belongs_to_the_touchpoint_that_first_used_it() -> None:
    one, other = make.touchpoint(), make.touchpoint()
    assert touchpoints.own_sources(one.pk, ["a", "b"]) == set()
    assert touchpoints.own_sources(other.pk, ["b", "c"]) == {"b"}
    assert touchpoints.own_sources(one.pk, ["a", "b", "c"]) == {"c"}
    assert dict(Source.objects.values_list("code", "touchpoint_id")) == {
        "a": one.pk, "b": one.pk, "c": other.pk,
    }  # fmt: skip


def test_known_sources_cost_one_statement_and_remembered_ones_none(own_database: str) -> None:
    till = make.touchpoint()
    counts = []
    for codes in (["a", "b"], ["a", "b"], ["a", "c"], ["a", "b", "c"]):
        with CaptureQueriesContext(connection) as captured:
            assert touchpoints.own_sources(till.pk, codes) == set()
        counts.append(len(captured))
    assert counts == [1, 0, 1, 0]


def test_a_source_taken_in_vain_is_not_remembered(own_database: str) -> None:
    one, other = make.touchpoint(), make.touchpoint()
    with transaction.atomic():
        touchpoints.own_sources(one.pk, ["a"])
        touchpoints.own_sources(one.pk, ["a"])
        transaction.set_rollback(True)
    assert touchpoints.own_sources(other.pk, ["a"]) == set()
    assert touchpoints.own_sources(one.pk, ["a"]) == {"a"}


def test_parallel_first_uses_leave_one_owner(own_database: str) -> None:
    tills = [make.touchpoint() for _count in range(8)]
    barrier = threading.Barrier(len(tills))

    def take(till: Touchpoint) -> set[str]:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return touchpoints.own_sources(till.pk, ["a", "b"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tills)) as pool:
        refused = list(pool.map(take, tills))
    for code in ("a", "b"):
        assert sum(code not in codes for codes in refused) == 1
    assert Source.objects.count() == 2


@pytest.mark.django_db
def test_stores_are_made_when_first_named() -> None:
    first = touchpoints.store_ids(["S-1", "S-2", ""])
    assert touchpoints.store_ids(["S-2", "S-1"]) == first
    assert set(Store.objects.values_list("code", flat=True)) == {"S-1", "S-2"}
