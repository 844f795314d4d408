"""The exported journal: complete, in order, deterministic, private, and as documented."""

import json
import re
import stat
from collections import Counter
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Identifier, Member, MemberEvent, MemberMerge, Order
from members.services import crypto
from rewards.domain.verification import Verifier
from rewards.models import Coupon, Entry, Lot, LotUse, PointsAccount, Redemption, Stock
from rewards.services import journal
from tests.proof import ledgers
from tiers.models import ProgressEntry, Standing, StandingOverride

pytestmark = pytest.mark.req("PTS-11", "PTS-14")

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
BOUND_KEYS = {
    "member": {"id", "status", "joined_at"},
    "account": {"member", "kind", "pending", "available", "reserved", "debt", "head_hash"},
    "entry": {
        "id", "seq", "member", "kind", "from", "to", "points", "fact", "rule", "reason", "actor",
        "order", "occurred_at", "recorded_at", "prev_hash", "hash",
    },
    "lot": {"id", "member", "entry", "points", "remaining", "available_at", "expires_at"},
    "lot_use": {"entry", "lot", "points"},
    "progress": {"member", "metric", "amount", "at", "fact"},
    "standing": {"member", "tier", "from", "until", "kept_until", "reason"},
    "order": {
        "source", "order_no", "version", "status", "member", "placed_at", "net_amount", "currency",
    },
    "override": {"member", "tier", "from", "until", "revoked_at", "set_by", "approved_by"},
    "redemption": {"id", "member", "reward", "quantity", "points", "status"},
    "stock": {"reward", "on_hand", "held"},
    "coupon": {"code_hash", "template", "member", "status"},
    "merge": {"from", "into", "at", "undone_at"},
    "event": {"id", "member", "kind", "occurred_at"},
}  # fmt: skip


@pytest.fixture(scope="module")
def lines(rich_ledger: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.export()]


def test_every_row_has_its_line(lines: list[dict[str, Any]]) -> None:
    rows = {
        "member": Member, "account": PointsAccount, "entry": Entry, "lot": Lot, "lot_use": LotUse,
        "order": Order, "progress": ProgressEntry, "standing": Standing, "event": MemberEvent,
        "override": StandingOverride, "redemption": Redemption, "stock": Stock, "coupon": Coupon,
        "merge": MemberMerge,
    }  # fmt: skip

    assert Counter(line["type"] for line in lines) == {
        kind: model._default_manager.count() for kind, model in rows.items()
    }


def test_lines_have_the_bound_keys(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        assert BOUND_KEYS[line["type"]] <= line.keys()


def test_values_are_written_as_documented(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        for key in (
            "at",
            "from",
            "until",
            "issued_at",
            "joined_at",
            "placed_at",
            "occurred_at",
            "recorded_at",
        ):
            if line["type"] not in {"entry", "merge"} or key.endswith("_at"):
                assert line.get(key) is None or INSTANT.fullmatch(line[key]), (key, line)
    orders = {line["net_amount"] for line in lines if line["type"] == "order"}
    assert {"8.05", "0.00"} <= orders
    spent = {type(line["amount"]) for line in lines if line.get("metric") == "spend"}
    counted = {type(line["amount"]) for line in lines if line.get("metric") == "orders"}
    assert (spent, counted) == ({str}, {int})


def test_lines_of_a_member_stand_together_and_entries_in_order(
    lines: list[dict[str, Any]],
) -> None:
    theirs = [line for line in lines if line["type"] == "member" or line.get("member")]
    owners = [line["id"] if line["type"] == "member" else line["member"] for line in theirs]
    changes = [owner for owner, before in zip(owners, [None, *owners], strict=False)
               if owner != before]  # fmt: skip
    assert len(changes) == len(set(changes)) == Member.objects.count()
    for account in PointsAccount.objects.select_related("member"):
        numbers = [
            line["seq"]
            for line in lines
            if line["type"] == "entry" and line["member"] == str(account.member.public_id)
        ]
        assert numbers == list(range(1, account.seq + 1))


def test_the_same_database_gives_the_same_bytes(rich_ledger: str) -> None:
    assert list(journal.export()) == list(journal.export())


def test_no_identifier_is_exported_unless_asked_for(rich_ledger: str) -> None:
    keys = crypto.data_keys(Member.objects.values_list("pk", flat=True))
    values = {
        crypto.value_of(identifier, *keys[identifier.member_id])
        for identifier in Identifier.objects.select_related("member")
    }

    plain = b"".join(journal.export()).decode()
    named = b"".join(journal.export(with_identifiers=True)).decode()

    assert not [value for value in values if f'"{value}"' in plain]
    assert not [value for value in values if f'"{value}"' not in named]


def test_an_erased_member_is_exported_without_identifiers(own_database: str) -> None:
    made = ledgers.programme(members=1)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM members_memberkey")
    made.send(ledgers.order(made.members[0], "A1", made.at, 100))

    exported = list(journal.export(with_identifiers=True))

    assert json.loads(exported[0])["identifiers"] == []
    assert list(Verifier().read(exported)) == []


def test_since_exports_what_was_recorded_from_then_on(
    rich_ledger: str, lines: list[dict[str, Any]]
) -> None:
    recorded = [line["recorded_at"] for line in lines if line["type"] == "entry"]
    since = max(recorded)

    exported = list(journal.export(since=datetime.fromisoformat(since)))
    later = [json.loads(line) for line in exported]

    assert later[0] == {"type": "journal", "format": 1, "since": since}
    entries = [line for line in later if line["type"] == "entry"]
    assert len(entries) == recorded.count(since) < len(recorded)
    changed = {line["id"] for line in later if line["type"] == "member"}
    assert 0 < len(changed) <= Member.objects.count()
    assert {line["member"] for line in entries} <= changed
    assert list(Verifier().read(exported)) == []


def test_export_takes_the_same_statements_for_any_number_of_members(own_database: str) -> None:
    made = ledgers.programme(members=1)
    with CaptureQueriesContext(connection) as few:
        list(journal.export())
    for number in range(3):
        ledgers.enrol(made, f"more-{number}")
    with CaptureQueriesContext(connection) as many:
        list(journal.export())

    assert len(few) == len(many)


def test_command_writes_a_private_file_at_once(rich_ledger: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"

    call_command("export_journal", "-o", str(path), stderr=StringIO())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"".join(journal.export())
    assert [each.name for each in tmp_path.iterdir()] == ["journal.ndjson"]


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01T00:00:00"])
def test_command_refuses_an_instant_that_is_none(rich_ledger: str, since: str) -> None:
    with pytest.raises(CommandError, match="instant"):
        call_command("export_journal", "--since", since, stderr=StringIO())
