"""What is written once stays written, whatever path tries to change it, for everyone."""

import contextlib
from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Model, ProtectedError, RestrictedError
from django.test import RequestFactory

from config.base import acts, pg
from config.models import StaffAct
from members.models import Brand, Case, CaseNote, Consent, Member
from tests.proof import ledgers

pytestmark = pytest.mark.req("PTS-11", "ORG-06")

MODELS = sorted(
    (model for model in apps.get_models() if getattr(model, "append_only", False)),
    key=lambda model: model._meta.db_table,
)
REFUSED = "permission denied|Refused: [A-Z]+ of append-only table"

Attempt = Callable[[type[Model]], object]


def column(model: type[Model]) -> str:
    """Return a plain column of the table to set to itself."""
    return next(f.attname for f in model._meta.concrete_fields if not f.primary_key)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


ATTEMPTS: dict[str, Attempt] = {
    "save": lambda model: model._default_manager.first().save(),  # type: ignore[union-attr]
    "delete": lambda model: model._default_manager.all()._raw_delete("default"),
    "update": lambda model: model._default_manager.update(**{column(model): F(column(model))}),
    "bulk_update": lambda model: model._default_manager.bulk_update(
        list(model._default_manager.all()[:2]), [_field(model)]
    ),
    "raw update": lambda model: execute(
        f"UPDATE {model._meta.db_table} SET {column(model)} = {column(model)}"
    ),
    "raw delete": lambda model: execute(f"DELETE FROM {model._meta.db_table}"),
    "raw truncate": lambda model: execute(f"TRUNCATE {model._meta.db_table} CASCADE"),
    "merge": lambda model: execute(
        f"MERGE INTO {model._meta.db_table} t USING {model._meta.db_table} s"
        f" ON t.{model._meta.pk.column} = s.{model._meta.pk.column}"
        " WHEN MATCHED THEN DELETE"
    ),
    "upsert": lambda model: execute(
        f"INSERT INTO {model._meta.db_table} SELECT * FROM {model._meta.db_table}"
        f" ON CONFLICT ({model._meta.pk.column}) DO UPDATE"
        f" SET {column(model)} = EXCLUDED.{column(model)}"
    ),
    "writable CTE": lambda model: execute(
        f"WITH gone AS (DELETE FROM {model._meta.db_table} RETURNING 1) SELECT count(*) FROM gone"
    ),
}


def _field(model: type[Model]) -> str:
    return next(f.name for f in model._meta.concrete_fields if not f.primary_key)


def content(model: type[Model]) -> list[tuple[object, ...]]:
    return [tuple(row) for row in model._default_manager.order_by("pk").values_list()]


@pytest.fixture(scope="module", autouse=True)
def consents(rich_ledger: str) -> None:
    Consent.objects.create(
        member=Member.objects.earliest("pk"),
        purpose="marketing",
        channel="sms",
        granted=True,
        given_at=ledgers.START,
        recorded_at=ledgers.START,
    )
    case = Case.objects.create(code="points_debt", opened_at=ledgers.START)
    CaseNote.objects.create(case=case, kind="internal", body="x", author="s", at=ledgers.START)
    acts.record(acts.Acting("staff:li.na", "export"))
    acts.anchor()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.db_table)
@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("role", ["application", "owner"])
def test_nothing_changes_what_is_written_once(
    rich_ledger: str, role: str, attempt: str, model: type[Model]
) -> None:
    if attempt == "upsert" and model is StaffAct:
        pytest.skip("what is added is numbered anew, so it never meets what is there")
    before = content(model)
    assert before

    def attempt_it() -> None:
        with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
            ATTEMPTS[attempt](model)

    if role == "owner":
        with pg.as_owner():
            attempt_it()
    else:
        attempt_it()

    assert content(model) == before


@pytest.mark.parametrize("role", ["application", "owner"])
def test_truncating_members_does_not_cascade(rich_ledger: str, role: str) -> None:
    as_role = pg.as_owner() if role == "owner" else contextlib.nullcontext()
    with as_role, pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        execute("TRUNCATE members_member CASCADE")

    assert Member.objects.exists()


def test_deleting_a_member_is_protected(rich_ledger: str) -> None:
    member = Member.objects.earliest("pk")

    with pytest.raises((ProtectedError, RestrictedError)), transaction.atomic():
        member.delete()


# A further version says something new; it changes nothing that was said.
PUBLISHED_BY_STAFF = {Brand}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.db_table)
def test_the_console_offers_no_change(rich_ledger: str, model: type[Model]) -> None:
    request = RequestFactory().get("/")
    request.user = User(username="root", is_superuser=True, is_staff=True, is_active=True)
    admin = site._registry.get(model)
    assert admin is not None
    row = model._default_manager.first()

    assert not admin.has_change_permission(request, row)
    assert not admin.has_delete_permission(request, row)
    assert admin.has_add_permission(request) == (model in PUBLISHED_BY_STAFF)
    assert "delete_selected" not in admin.get_actions(request)


def test_no_setting_of_a_session_switches_the_triggers_off(own_database: str) -> None:
    with pg.as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid"
            " WHERE g.tgname IN ('append_only', 'no_truncate')"
            " AND p.prosrc LIKE '%current_setting%'"
        )
        assert cursor.fetchone() == (0,)
