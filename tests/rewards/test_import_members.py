"""Importing members: enrolled once, whoever sends them again."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.base import clock
from rewards.presets import PRESETS
from rewards.services import presets, row_import
from tests.rewards import files

COLUMNS = ("phone", "name", "birthday", "city", "external", "joined_at")
PEOPLE = [
    {"phone": "13900000001", "name": "张三", "birthday": "1990-02-28", "city": "上海"},
    {"phone": "13900000002", "name": "李四", "joined_at": "2020-01-01"},
    {"external": "E3", "name": "王五", "joined_at": "2020-01-01T10:00:00+08:00"},
]


@pytest.fixture(autouse=True)
def classic(db: None) -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())


@pytest.mark.req("MEM-13")
def test_people_are_enrolled_with_what_is_known_of_them(tmp_path: Path) -> None:
    path = files.written(tmp_path / "a.csv", PEOPLE, COLUMNS)

    files.run("import_members", path)

    assert files.rejects(path) == []
    assert files.rows(
        "SELECT p.name_mask, p.birth_month, m.channel FROM members_member m"
        " JOIN members_memberprofile p ON p.member_id = m.id ORDER BY m.id"
    ) == [("张*", 2, "import"), ("李*", None, "import"), ("王*", None, "import")]
    assert files.rows("SELECT joined_at FROM members_member ORDER BY id")[1:] == [
        (datetime(2019, 12, 31, 16, tzinfo=UTC),),
        (datetime(2020, 1, 1, 2, tzinfo=UTC),),
    ]


@pytest.mark.req("MEM-13")
def test_the_same_people_again_change_nothing(tmp_path: Path) -> None:
    files.run("import_members", files.written(tmp_path / "a.csv", PEOPLE, COLUMNS))
    before = files.row_counts()

    again = files.written(tmp_path / "b.csv", PEOPLE[::-1], COLUMNS)
    said = files.figures("import_members", again)

    after = files.row_counts()
    assert {n for n in after if after[n] != before[n]} == {"rewards_importjob"}
    assert "enrolled" not in said


def test_bad_rows_are_named_and_good_ones_load(tmp_path: Path) -> None:
    rows = [
        {"phone": "12", "name": "甲"},
        PEOPLE[0],
        {"phone": "13900000009", "birthday": "1990-02-30"},
        {"name": "nobody"},
        {"phone": "13900000008", "birthday": "2190-01-01"},
    ]
    path = files.written(tmp_path / "a.csv", rows, COLUMNS)

    files.run("import_members", path)

    assert files.rejects(path) == [
        (2, "not_a_phone_number", "phone", "…"),
        (4, "date_invalid", "birthday", "…"),
        (5, "missing", "identifier", ""),
        (6, "impossible", "birthday", ""),
    ]
    assert files.rows("SELECT count(*) FROM members_member") == [(1,)]


def test_identifiers_of_two_members_are_a_conflict_not_a_merge(tmp_path: Path) -> None:
    files.run("import_members", files.written(tmp_path / "a.csv", PEOPLE, COLUMNS))
    both = files.written(tmp_path / "b.csv", [{"phone": "13900000001", "external": "E3"}], COLUMNS)

    files.run("import_members", both)

    assert [each[:2] for each in files.rejects(both)] == [(2, "identifiers_conflict")]


def test_a_dry_run_writes_nothing_and_foresees_the_run(tmp_path: Path) -> None:
    files.run("import_members", files.written(tmp_path / "a.csv", PEOPLE[:1], COLUMNS))
    before = files.row_counts()
    path = files.written(tmp_path / "b.csv", [*PEOPLE, PEOPLE[2]], COLUMNS)

    figures = files.figures("import_members", path, "--dry-run")

    assert files.row_counts() == before
    assert (figures["would_enrol"], figures["known"]) == (2, 2)


def test_batches_end_where_they_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_import, "ROWS_AT_ONCE", 2)
    rows = [{"phone": f"1390000{number:04}"} for number in range(7)]

    files.run("import_members", files.written(tmp_path / "a.csv", rows, COLUMNS))

    assert files.rows("SELECT count(*) FROM members_member") == [(7,)]
    assert files.rows("SELECT position, total, state FROM rewards_importjob") == [
        (8, 8, "finished")
    ]
