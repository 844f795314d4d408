"""Moving in: points and tiers brought along, to the point, once."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.base import clock
from rewards.domain.cart import GOODS, PAID, Line
from rewards.domain.submission import MemberRef, OrderFact
from rewards.presets import PRESETS
from rewards.services import due, intake, presets, recompute
from tests.factories import members
from tests.rewards import files

COLUMNS = (
    "identifier_kind", "identifier", "points", "expires_on", "tier", "tier_until", "source_ref",
)  # fmt: skip
ANN, BEN = "13900000001", "13900000002"


def in_days(days: int) -> date:
    return clock.local_day(clock.now()) + timedelta(days=days)


def row(ref: str, **values: Any) -> dict[str, str]:
    brought = {"identifier_kind": "phone", "identifier": ANN, "source_ref": ref, **values}
    return {name: str(value) for name, value in brought.items()}


@pytest.fixture(autouse=True)
def programme(own_database: str) -> None:
    """Set up in a database of its own: the audit wants a transaction to itself."""
    presets.load(preset=PRESETS["classic"], at=clock.now())
    for phone in (ANN, BEN):
        members.member(("phone", phone, ""), at=datetime(2020, 1, 1, tzinfo=UTC))


def written(path: Path, *rows: dict[str, str]) -> Path:
    return files.written(path, rows, COLUMNS)


def tiers() -> list[tuple[Any, ...]]:
    return files.rows(
        "SELECT t.code, s.kept_until_on, s.reason FROM tiers_standing s"
        " JOIN tiers_tier t ON t.id = s.tier_id ORDER BY s.member_id, s.from_at, s.id"
    )


def audited() -> None:
    call_command("loyalty_audit", stdout=StringIO())
    ids = [member for (member,) in files.rows("SELECT id FROM members_member")]
    for _done, differences in recompute.recompute(members=ids):
        assert not differences


@pytest.mark.req("MEM-16")
def test_points_become_lots_marked_opening_that_end_with_their_day(tmp_path: Path) -> None:
    last, other = in_days(40), in_days(90)
    path = written(
        tmp_path / "a.csv",
        row("r1", points=1500, expires_on=last),
        row("r2", points=500, expires_on=other),
        row("r3", points=70, identifier=BEN),
    )

    said = files.run("import_balances", path)

    assert files.rows(
        "SELECT points, remaining, is_opening, expires_at FROM rewards_lot ORDER BY id"
    )[:2] == [
        (1500, 1500, True, clock.day_start(last + timedelta(days=1))),
        (500, 500, True, clock.day_start(other + timedelta(days=1))),
    ]
    assert files.rows("SELECT DISTINCT source, target, reason FROM rewards_entry") == [
        ("adjustment", "available", "opening")
    ]
    assert "2,070" in said
    audited()


@pytest.mark.req("MEM-16", "PTS-07")
def test_points_brought_along_expire_like_others(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", row("r1", points=100, expires_on=in_days(5)))
    files.run("import_balances", path)

    due.settle_due(at=clock.day_start(in_days(6)), recorded_at=clock.now())

    assert files.rows(
        "SELECT available, expired FROM rewards_pointsaccount ORDER BY member_id"
    ) == [(0, 100), (0, 0)]


@pytest.mark.req("MEM-16", "TIR-05")
def test_a_tier_is_kept_until_its_day_and_then_reviewed(tmp_path: Path) -> None:
    until = in_days(30)
    path = written(tmp_path / "a.csv", row("r1", tier="gold", tier_until=until))
    files.run("import_balances", path)
    assert tiers() == [
        ("basic", None, "enrolled"), ("gold", until, "opening"), ("basic", None, "enrolled"),
    ]  # fmt: skip

    due.settle_due(at=clock.day_start(in_days(31)), recorded_at=clock.now())

    assert tiers()[:3] == [
        ("basic", None, "enrolled"),
        ("gold", until, "opening"),
        ("silver", until + timedelta(days=365), "review_downgrade"),
    ]
    audited()


@pytest.mark.req("MEM-16")
def test_a_tier_brought_along_multiplies_and_survives_late_orders(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", row("r1", tier="gold", tier_until=in_days(300)))
    files.run("import_balances", path)

    buy("late", clock.now() - timedelta(days=3), 200_000)
    buy("now", clock.now(), 10_000)

    points = dict(
        files.rows(
            "SELECT o.order_no, sum(e.points)::int FROM rewards_entry e"
            " JOIN members_order o ON o.id = e.order_id GROUP BY 1"
        )
    )
    assert points == {"late": 2_000, "now": 125}
    assert [code for code, *_rest in tiers()[:3]] == ["basic", "silver", "gold"]
    audited()


def buy(order_no: str, at: datetime, amount: int) -> None:
    order = OrderFact(
        source="till", order_no=order_no, version=1, changed_at=None,
        member=MemberRef(kind="phone", value=f"+86{ANN}"), status=PAID, placed_at=at,
        currency="CNY", lines=(Line(1, "K", GOODS, None, None, 1_000, amount),),
    )  # fmt: skip
    (outcome,) = intake.receive([order], touchpoint=None, at=clock.now())
    assert outcome.status == 200


def test_a_lower_tier_than_the_earned_one_changes_nothing(tmp_path: Path) -> None:
    buy("big", clock.now() - timedelta(hours=1), 400_000)

    files.run("import_balances", written(tmp_path / "a.csv", row("r1", tier="silver")))

    assert [code for code, *_rest in tiers()] == ["basic", "gold", "basic"]


@pytest.mark.req("MEM-16")
def test_a_second_run_changes_nothing_whatever_the_file_is_called(tmp_path: Path) -> None:
    rows = [row("r1", points=10, tier="gold", tier_until=in_days(9)), row("r2", points=20)]
    files.run("import_balances", written(tmp_path / "a.csv", *rows))
    before = files.row_counts()

    files.run("import_balances", written(tmp_path / "a.csv", *rows))
    files.run("import_balances", written(tmp_path / "b.csv", *rows[::-1]))

    after = files.row_counts()
    assert {name for name in after if after[name] != before[name]} == {"rewards_importjob"}


@pytest.mark.req("MEM-16")
def test_rows_that_cannot_be_opened_are_named_and_show_as_differences(tmp_path: Path) -> None:
    yesterday = in_days(-1)
    path = written(
        tmp_path / "a.csv",
        row("r1", points=10),
        row("r2", points=20, expires_on=yesterday),
        row("r3", points=30, identifier="13911110000"),
        row("r4", points=40, tier="platinum"),
        row("r1", points=50),
        row("r6", points="6O"),
        row("r7", points=70, tier="gold", tier_until=yesterday),
        row("r8"),
        row("r9", points=90, tier_until=in_days(3)),
    )

    out = StringIO()
    with pytest.raises(CommandError, match="6"):
        call_command("import_balances", str(path), stdout=out, stderr=StringIO())

    assert sorted(each[:2] for each in files.rejects(path)) == [
        (3, "expired_already"), (4, "member_not_found"), (5, "tier_unknown"),
        (6, "source_ref_doubled"), (7, "not_an_integer"), (8, "tier_ended_already"),
        (9, "nothing_to_open"), (10, "missing"),
    ]  # fmt: skip
    assert files.rows("SELECT sum(points) FROM rewards_lot") == [(10,)]
    assert "310" in out.getvalue()
    for ref in ("r2: 20", "r3: 30", "r4: 40", "r1: 50", "r7: 70", "r9: 90"):
        assert f"{ref} ≠ 0" in out.getvalue()


def test_another_balance_under_the_same_reference_is_rejected(tmp_path: Path) -> None:
    files.run("import_balances", written(tmp_path / "a.csv", row("r1", points=10)))
    other = written(tmp_path / "b.csv", row("r1", points=11))

    with pytest.raises(CommandError):
        files.run("import_balances", other)

    assert [each[:2] for each in files.rejects(other)] == [(2, "opening_differs")]
    assert files.rows("SELECT sum(points) FROM rewards_lot") == [(10,)]


def test_unknown_members_are_enrolled_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", row("r1", points=30, identifier="13911110000"))

    files.run("import_balances", path, "--enrol")

    assert files.rows("SELECT count(*) FROM members_member") == [(3,)]
    assert files.rows("SELECT sum(available) FROM rewards_pointsaccount") == [(30,)]


@pytest.mark.req("MEM-16")
def test_a_dry_run_writes_nothing_and_foresees_the_run(tmp_path: Path) -> None:
    before = files.row_counts()
    path = written(tmp_path / "a.csv", row("r1", points=10), row("r2", points=5, tier="none"))

    figures = files.figures("import_balances", path, "--dry-run")

    assert files.row_counts() == before
    assert (figures["would_apply"], figures["points"], figures["rejected"]) == (1, 10, 1)
