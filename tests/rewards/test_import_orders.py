"""Importing orders: what is taken, what is not and why, and going on after a crash."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError
from django.db import connections

from config.base import clock
from rewards.domain.submission import OrderFact
from rewards.models import ImportJob
from rewards.presets import PRESETS
from rewards.services import importing, intake, presets, staging
from rewards.services.rejects import rejects_path
from tests.factories import members
from tests.rewards import files
from tests.rewards.files import line

TWO_PHONES = ("13900000001", "13900000002")


@pytest.fixture
def classic(db: None) -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())


@pytest.fixture
def programme(classic: None) -> None:
    for phone in TWO_PHONES:
        members.member(("phone", phone, ""), at=datetime(2020, 1, 1, tzinfo=UTC))


def orders() -> list[tuple[Any, ...]]:
    return files.rows(
        "SELECT o.order_no, o.net_amount::float, count(l.id), sum(DISTINCT e.points)"
        " FROM members_order o JOIN members_orderline l ON l.order_id = o.id"
        " LEFT JOIN rewards_evaluation e ON e.order_id = o.id GROUP BY o.id ORDER BY 1"
    )


def points() -> list[tuple[Any, ...]]:
    return files.rows(
        "SELECT o.order_no, e.points, e.reason FROM rewards_entry e"
        " JOIN members_order o ON o.id = e.order_id ORDER BY 1, 2, 3"
    )


def year(count: int, seed: int = 1) -> list[dict[str, str]]:
    """Return orders of one to three lines of two members, oldest first."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        placed_at = f"2026-{1 + number % 9:02}-{1 + number % 28:02}T{number % 24:02}:00:00+08:00"
        header = {
            "order_no": f"N{number:04}", "placed_at": placed_at,
            "identifier": chance.choice(TWO_PHONES),
        }  # fmt: skip
        made += [
            line(**header, line_no=str(no), amount=f"{chance.randint(0, 90_000) / 100:.2f}")
            for no in range(1, chance.randint(2, 4))
        ]
    return made


@pytest.mark.usefixtures("programme")
@pytest.mark.req("INT-10")
def test_rows_of_an_order_need_not_stand_together(tmp_path: Path) -> None:
    path = files.written(
        tmp_path / "a.csv",
        [line(), line(order_no="B1", amount="50.00"), line(line_no="2", amount="20.40")],
    )

    files.run("import_orders", path, "--history")

    assert orders() == [("A1", 120.4, 2, 120), ("B1", 50.0, 1, 50)]
    assert not rejects_path(path).exists()


FAULTS = [
    ({"source": ""}, "missing", "source"),
    ({"order_no": "x" * 101}, "too_long", "order_no"),
    ({"order_no": "a\x00b"}, "control_characters", "order_no"),
    ({"version": "0"}, "out_of_range", "version"),
    ({"version": "one"}, "not_an_integer", "version"),
    ({"status": "bought"}, "not_a_choice", "status"),
    ({"placed_at": "yesterday"}, "time_invalid", "placed_at"),
    ({"placed_at": "2026-02-30T10:00:00Z"}, "time_invalid", "placed_at"),
    ({"placed_at": "2099-01-01T10:00:00Z"}, "placed_in_future", "placed_at"),
    ({"currency": "USD"}, "not_a_choice", "currency"),
    ({"identifier": "12"}, "not_a_phone_number", "identifier"),
    ({"identifier_kind": "pigeon"}, "kind_unknown", "identifier_kind"),
    ({"identifier": ""}, "missing", "identifier"),
    ({"line_no": "-1"}, "out_of_range", "line_no"),
    ({"sku": " "}, "missing", "sku"),
    ({"quantity": "-1"}, "quantity_invalid", "quantity"),
    ({"quantity": "1.0001"}, "quantity_invalid", "quantity"),
    ({"quantity": "NaN"}, "quantity_invalid", "quantity"),
    ({"amount": "1.005"}, "amount_invalid", "amount"),
    ({"amount": "-1.00"}, "amount_negative", "amount"),
    ({"amount": "1e3"}, "amount_invalid", "amount"),
    ({"amount": "９.00"}, "amount_invalid", "amount"),
]


@pytest.mark.usefixtures("programme")
@pytest.mark.parametrize(("wrong", "code", "field"), FAULTS)
def test_a_bad_row_is_named_by_its_line_and_the_good_ones_load(
    tmp_path: Path, wrong: dict[str, str], code: str, field: str
) -> None:
    path = files.written(
        tmp_path / "a.csv", [line(), line(**{"order_no": "B1", **wrong}), line(order_no="C1")]
    )

    files.run("import_orders", path, "--history")

    assert [each[:3] for each in files.rejects(path)] == [(3, code, field)]
    assert [each[0] for each in orders()] == ["A1", "C1"]


@pytest.mark.usefixtures("programme")
def test_all_that_is_wrong_with_a_row_is_said_at_once(tmp_path: Path) -> None:
    path = files.written(tmp_path / "a.csv", [line(status="x", amount="y", placed_at="z")])

    files.run("import_orders", path)

    assert {each[2] for each in files.rejects(path)} == {"status", "amount", "placed_at"}


@pytest.mark.usefixtures("programme")
def test_rows_that_are_no_rows_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = files.text_of([line(), line(order_no="B1"), line(order_no="C1")]).splitlines()
    lines[2] += ",surplus"
    path.write_text("\n".join([*lines[:2], "", *lines[2:], "erp,D1"]), encoding="utf-8")

    files.run("import_orders", path)

    assert files.rejects(path) == [(4, "columns_wrong", "", ""), (6, "columns_wrong", "", "")]
    assert [each[0] for each in orders()] == ["A1", "C1"]


@pytest.mark.usefixtures("programme")
def test_an_order_with_a_bad_row_is_left_out_whole(tmp_path: Path) -> None:
    path = files.written(tmp_path / "a.csv", [line(), line(line_no="2", amount="x")])

    files.run("import_orders", path)

    assert files.rejects(path) == [
        (3, "amount_invalid", "amount", "x"),
        (2, "order_incomplete", "order_no", "A1"),
    ]
    assert orders() == []


@pytest.mark.usefixtures("programme")
@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"line_no": "1"}, "line_doubled"),
        ({"line_no": "2", "placed_at": "2026-03-01T11:00:00+08:00"}, "order_rows_differ"),
        ({"line_no": "2", "identifier": "13900000002"}, "order_rows_differ"),
        ({"line_no": "2", "status": "completed"}, "order_rows_differ"),
    ],
)
def test_rows_that_disagree_about_their_order_are_rejected_together(
    tmp_path: Path, other: dict[str, str], code: str
) -> None:
    path = files.written(tmp_path / "a.csv", [line(), line(**other), line(order_no="B1")])

    files.run("import_orders", path)

    assert [each[:2] for each in files.rejects(path)] == [(2, code), (3, code)]
    assert [each[0] for each in orders()] == ["B1"]


@pytest.mark.usefixtures("programme")
def test_the_rejects_file_masks_identifiers_and_disarms_formulas(tmp_path: Path) -> None:
    path = files.written(
        tmp_path / "a.csv",
        [line(identifier="1390000000100000"), line(order_no="B", amount="=1+2")],
    )

    files.run("import_orders", path)

    assert [each[3] for each in files.rejects(path)] == ["139****0000", "'=1+2"]


@pytest.mark.usefixtures("programme")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    path = files.written(
        tmp_path / "a.csv", [line(category="茶叶", brand="龙井")], encoding=encoding
    )

    files.run("import_orders", path)

    assert files.rows("SELECT category, brand FROM members_orderline") == [("茶叶", "龙井")]


@pytest.mark.usefixtures("programme")
def test_parquet_is_read_with_its_own_types(tmp_path: Path) -> None:
    placed_at = datetime(2026, 3, 1, 10, 0)  # noqa: DTZ001 - digits of the programme's clock
    columns = {
        **{name: [value, value] for name, value in files.DEFAULTS.items()},
        "version": [1, 1],
        "placed_at": pa.array([placed_at, placed_at], pa.timestamp("ns")),
        "line_no": pa.array([1, 2], pa.int32()),
        "quantity": [1.0, 2.5],
        "amount": [100.0, 20.4],
        "brand": [None, "X"],
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)

    files.run("import_orders", path)

    assert files.rejects(path) == []
    assert files.rows("SELECT placed_at FROM members_order") == [
        (datetime(2026, 3, 1, 2, 0, tzinfo=UTC),)
    ]
    assert files.rows(
        "SELECT line_no, quantity::float, amount::float, brand FROM members_orderline ORDER BY 1"
    ) == [(1, 1.0, 100.0, ""), (2, 2.5, 20.4, "X")]


@pytest.mark.usefixtures("programme")
@pytest.mark.req("MEM-13", "INT-10")
def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    path = files.written(tmp_path / "a.csv", year(40))
    files.run("import_orders", path, "--history")
    before, counts = points(), files.row_counts()

    again = files.figures("import_orders", path, "--history")
    assert files.row_counts() == counts
    ImportJob.objects.all().delete()
    once_more = files.figures("import_orders", path, "--history")

    assert points() == before
    assert files.row_counts() == counts
    assert "applied" not in again
    assert "applied" not in once_more


@pytest.mark.usefixtures("programme")
def test_a_changed_order_under_the_same_version_is_a_conflict(tmp_path: Path) -> None:
    files.run("import_orders", files.written(tmp_path / "a.csv", [line()]))
    before = points()
    other = files.written(tmp_path / "b.csv", [line(amount="200.00"), line(order_no="B1")])

    files.run("import_orders", other)

    assert files.rejects(other) == [(2, "fact_conflict", "order_no", "A1")]
    assert [each for each in points() if each[0] == "A1"] == before


@pytest.mark.usefixtures("programme")
def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    rows = year(60)
    shuffled = random.Random(3).sample(rows, len(rows))

    files.run("import_orders", files.written(tmp_path / "a.csv", shuffled), "--history")
    counts = files.rows("SELECT reason, count(*) FROM rewards_entry GROUP BY 1")
    job = ImportJob.objects.get()

    assert counts == [("order_paid", files.rows("SELECT count(*) FROM rewards_entry")[0][0])]
    assert job.report["applied"] == 60


@pytest.mark.usefixtures("classic")
def test_unknown_identifiers_wait_or_are_enrolled_at_their_oldest_order(tmp_path: Path) -> None:
    rows = [
        line(order_no="B1", placed_at="2026-03-05T10:00:00+08:00"),
        line(),
        line(order_no="C1", identifier="13900000002"),
    ]
    path = files.written(tmp_path / "a.csv", rows)

    files.run("import_orders", path, "--history")
    waiting = files.rows("SELECT state, count(*) FROM members_receivedfact GROUP BY 1")
    files.run("import_orders", path, "--history", "--enrol")

    assert waiting == [("awaiting_member", 3)]
    assert [each[0] for each in orders()] == ["A1", "B1", "C1"]
    assert (
        files.rows("SELECT joined_at, channel FROM members_member")
        == [(datetime(2026, 3, 1, 2, tzinfo=UTC), "import")] * 2
    )


@pytest.mark.usefixtures("programme")
def test_a_dry_run_says_what_would_happen_and_writes_nothing(tmp_path: Path) -> None:
    files.run("import_orders", files.written(tmp_path / "a.csv", [line()]))
    counts = files.row_counts()
    path = files.written(
        tmp_path / "b.csv",
        [line(), line(order_no="B1"), line(order_no="C1", identifier="13911112222"), line(sku="")],
    )

    figures = files.figures("import_orders", path, "--dry-run", "--enrol")

    assert files.row_counts() == counts
    assert figures["orders"] == 2
    assert figures["would_apply"] == 2
    assert figures["would_enrol"] == 1
    assert figures["rejected"] == 2


@pytest.mark.usefixtures("programme")
def test_columns_are_mapped_by_option_and_by_file(tmp_path: Path) -> None:
    columns = {"单号": "order_no", "状态": "status", "时间": "placed_at", "手机": "identifier"}
    theirs = {ours: name for name, ours in columns.items()}
    rows = [
        {
            theirs.get(name, name): value
            for name, value in line(status="已付款").items()
            if name not in {"source", "identifier_kind"}
        }
    ]
    path = files.written(tmp_path / "a.csv", rows, list(rows[0]))
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[columns]\norder_no = "单号"\nstatus = "状态"\nplaced_at = "wrong"\n'
        '[constants]\nidentifier_kind = "phone"\n[values.status]\n"已付款" = "paid"\n',
        encoding="utf-8",
    )

    files.run(
        "import_orders", path, "--mapping", str(mapping), "--map", "placed_at=时间",
        "--map", "identifier=手机", "--set", "source=erp",
    )  # fmt: skip

    assert orders() == [("A1", 100.0, 1, 100)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"a,b\n1,2\n", "column_missing"),
        (b"source,SOURCE\n", "column_doubled"),
        (b"PAR1 is no Parquet", "parquet_unreadable"),
        (b"source,\xff\xff\xff\n", "encoding_unknown"),
    ],
)
@pytest.mark.usefixtures("classic")
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    counts = files.row_counts()

    with pytest.raises(CommandError, match=code):
        files.run("import_orders", path)

    assert files.row_counts() == counts


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="file_unreadable"):
        files.run("import_orders", tmp_path / "missing.csv")


class Killed(BaseException):
    """What a kill is to the code that it hits."""


@pytest.mark.req("INT-10")
def test_an_import_goes_on_where_it_was_cut_off(
    own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())
    rows = [*year(30), line(order_no="Z1", amount="x"), line(order_no="Z2", currency="EUR")]
    path = files.written(tmp_path / "a.csv", rows)
    monkeypatch.setattr(staging, "ORDERS_AT_ONCE", 7)
    receive, batches = intake.receive, list[int]()

    def killed_at_the_third(facts: Sequence[OrderFact], **options: Any) -> Any:
        batches.append(len(facts))
        outcomes = receive(facts, **options)
        if len(batches) == 3:
            raise Killed
        return outcomes

    monkeypatch.setattr(intake, "receive", killed_at_the_third)
    with pytest.raises(Killed):
        files.run("import_orders", path, "--history", "--enrol")
    cut_off = ImportJob.objects.get()
    files.run("import_orders", path, "--history", "--enrol")

    job = ImportJob.objects.get()
    assert (cut_off.state, cut_off.position) == ("failed", 14)
    assert batches == [7, 7, 7, 7, 7, 2]
    assert (job.state, job.position, job.report["applied"]) == ("finished", 30, 30)
    assert files.rows("SELECT count(*) FROM members_order") == [(30,)]
    assert [each[0] for each in files.rejects(path)] == [len(rows), len(rows) + 1]


def test_one_file_is_imported_once_at_a_time(own_database: str, tmp_path: Path) -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())
    path = files.written(tmp_path / "a.csv", [line()])
    origin = importing.Origin("orders", "a.csv", b"\x01" * 32)
    other = connections["default"].copy()
    key = int.from_bytes(origin.digest[:4], "big", signed=True)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [importing.IMPORT_LOCK_SPACE, key])

    try:
        with pytest.raises(importing.ImportRunningError), importing.job_for(origin, at=clock.now()):
            raise AssertionError("two at once")
    finally:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        other.close()

    with importing.job_for(origin, at=clock.now()) as job:
        assert job.position == 0
    files.run("import_orders", path)
