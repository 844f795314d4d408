"""Taking lists out: with a reason, safe in spreadsheets, and never the person behind a number."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pytest_django import Settings

from config.base import clock
from members.models import Member, Store
from rewards.domain.spreadsheet import safe
from rewards.models import Entry, Export, PointsAccount
from rewards.services import exports, file_store
from rewards.services.export_kinds import KINDS
from tests.factories import console

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def member() -> Member:
    console.programme()
    return console.member()


@pytest.fixture
def visitor(client: Client, member: Member) -> Client:
    client.force_login(console.staff())
    return client


def take(client: Client, kind: str, **more: str) -> Export:
    body = {"kind": kind, "format": "csv", "reason": "月度核对", **more}
    assert client.post(reverse("admin:exports"), body).status_code == 302
    return exports.make(export_id=Export.objects.latest("pk").pk, at=clock.now())


def lines(export: Export) -> list[list[str]]:
    with file_store.path_of(export.stored).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.req("MEM-08", "LEG-09")
def test_a_list_says_who_took_it_and_why(visitor: Client, member: Member) -> None:
    export = take(visitor, "members")

    head, *rows, mark = lines(export)
    account = PointsAccount.objects.get(member=member)
    (row,) = [row for row in rows if row[0] == member.card_number]
    assert row[8] == str(account.available)
    assert len(head) == len(row)
    assert export.rows == len(rows) == Member.objects.count()
    assert "月度核对" in mark[0]
    assert export.requested_by in mark[0]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_list_can_be_taken_in_both_formats(visitor: Client, kind: str, language: str) -> None:
    with translation.override(language):
        sheet = take(visitor, kind, format="xlsx")
    text = take(visitor, kind)

    book = load_workbook(file_store.path_of(sheet.stored), read_only=True)
    rows = list(book.worksheets[0].values)
    assert len(rows) - 1 == sheet.rows == text.rows == len(lines(text)) - 2
    assert "月度核对" in str(next(iter(book.worksheets[1].values))[0])


@pytest.mark.req("LEG-09")
def test_no_list_has_a_name_or_a_phone_in_clear(visitor: Client) -> None:
    phone = "13911112222"
    name = "欧阳娜娜"
    console.member(name, phone=phone)
    for kind in KINDS:
        text = file_store.path_of(take(visitor, kind).stored).read_text(encoding="utf-8-sig")
        assert name not in text
        assert phone not in text


def test_only_the_days_that_were_asked_for_are_in_it(visitor: Client) -> None:
    everything = take(visitor, "entries")
    first = clock.local_day(Entry.objects.earliest("recorded_at").recorded_at)
    nothing = take(visitor, "entries", until_on=(first - timedelta(days=1)).isoformat())
    same = take(visitor, "entries", since_on=first.isoformat())

    assert everything.rows == same.rows == Entry.objects.count() > 0
    assert nothing.rows == 0


@pytest.mark.parametrize(
    "change",
    [
        {"reason": " "},
        {"kind": "passwords"},
        {"since_on": "2026-02-02", "until_on": "2026-02-01"},
    ],
)
def test_a_wish_that_makes_no_sense_is_shown_again(visitor: Client, change: dict[str, str]) -> None:
    body = {"kind": "members", "format": "csv", "reason": "x", **change}
    response = visitor.post(reverse("admin:exports"), body)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Export.objects.exists()


@pytest.mark.req("LEG-09")
def test_a_file_is_for_who_asked_for_it_and_for_some_days(
    client: Client, visitor: Client, member: Member
) -> None:
    export = take(visitor, "members")
    address = reverse("admin:export_file", args=[export.pk])
    answer = visitor.get(address)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert member.card_number.encode() in b"".join(answer)
    export.refresh_from_db()
    assert export.downloads == 1

    client.force_login(console.staff("other"))
    assert client.get(address).status_code == 404
    assert exports.forget_old(before=clock.now() + timedelta(seconds=1)) == 1
    client.force_login(User.objects.get(username=export.requested_by.removeprefix("staff:")))
    assert client.get(address).status_code == 410


def test_a_list_needs_the_right_to_export_and_the_right_to_see_it(client: Client) -> None:
    reader = console.staff("reader", is_superuser=False)
    reader.user_permissions.set(Permission.objects.filter(codename="view_member"))
    client.force_login(reader)
    assert client.get(reverse("admin:exports")).status_code == 403

    reader.user_permissions.add(Permission.objects.get(codename="add_export"))
    body = {"kind": "entries", "format": "csv", "reason": "x"}
    response = client.post(reverse("admin:exports"), body)
    assert response.context["form"].errors["kind"]
    assert not Export.objects.exists()


@pytest.mark.req("LEG-09")
def test_a_cell_is_never_a_formula(visitor: Client, member: Member) -> None:
    store = Store.objects.create(code="=1+1", name="=1+1")
    Member.objects.filter(pk=member.pk).update(home_store=store)

    (row,) = [row for row in lines(take(visitor, "members")) if row[0] == member.card_number]
    book = load_workbook(file_store.path_of(take(visitor, "members", format="xlsx").stored))
    cells = [cell for row in book.worksheets[0].rows for cell in row]

    assert row[7] == "'=1+1"
    assert not [cell for cell in cells if cell.data_type == "f"]


@given(st.text())
def test_safe_texts_begin_with_nothing_that_a_spreadsheet_runs(text: str) -> None:
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert text.replace("\x00", "\\0") in safe(text)
