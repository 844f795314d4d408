"""The verifier names the lines that cannot be true, without a database."""

import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from rewards.domain.verification import Finding, Verifier, entry_hash
from rewards.services import journal

pytestmark = pytest.mark.req("ORG-06", "PTS-11")

Line = dict[str, Any]
Lines = list[Line]


@pytest.fixture(scope="module")
def exported(rich_ledger: str) -> list[bytes]:
    return list(journal.export())


@pytest.fixture
def lines(exported: list[bytes]) -> Lines:
    return [json.loads(line) for line in exported]


def verify(lines: Lines) -> list[Finding]:
    return list(Verifier().read(json.dumps(line).encode() for line in lines))


def place(lines: Lines, kind: str, **wanted: Any) -> int:
    """Return where the first line of a type with these values stands."""
    return next(
        index
        for index, line in enumerate(lines)
        if line["type"] == kind and all(line[name] == value for name, value in wanted.items())
    )


def change(kind: str, key: str, by: Any, **wanted: Any) -> Callable[[Lines], int]:
    """Return a corruption of one value of one line; numbers are added to, the rest is replaced."""

    def corrupt(lines: Lines) -> int:
        index = place(lines, kind, **wanted)
        lines[index][key] = lines[index][key] + by if isinstance(by, int) else by
        return index + 1

    return corrupt


def drop(kind: str, **wanted: Any) -> Callable[[Lines], int]:
    """Return a corruption that loses one line; what follows is where it shows."""

    def corrupt(lines: Lines) -> int:
        index = place(lines, kind, **wanted)
        del lines[index]
        return index + 1

    return corrupt


def repeat(kind: str, **wanted: Any) -> Callable[[Lines], int]:
    def corrupt(lines: Lines) -> int:
        index = place(lines, kind, **wanted)
        lines.insert(index, dict(lines[index]))
        return index + 2

    return corrupt


def swap_entries(lines: Lines) -> int:
    index = place(lines, "entry", seq=2)
    lines[index], lines[index + 1] = lines[index + 1], lines[index]
    return index + 1


def reseal(lines: Lines) -> int:
    """Alter an entry and give it the hash it then should have: only the next one tells."""
    index = place(lines, "entry", seq=2)
    lines[index]["points"] += 1
    lines[index]["hash"] = entry_hash(lines[index])
    return index + 2


def reseal_last(lines: Lines) -> int:
    """Alter the last entry of an account and seal it again: the account's line tells."""
    account = place(lines, "account")
    index = place(lines, "entry", seq=lines[account]["seq"])
    lines[index]["reason"] = "because"
    lines[index]["hash"] = entry_hash(lines[index])
    return account + 1


def lose_tail(lines: Lines) -> int:
    account = place(lines, "account")
    del lines[place(lines, "entry", seq=lines[account]["seq"])]
    return account + 1


def move_to_stranger(lines: Lines) -> int:
    index = place(lines, "lot_use")
    strangers = [line for line in lines if line["type"] == "lot"]
    lines[index]["lot"] = next(
        lot["id"] for lot in strangers if lot["member"] != lines[index]["member"]
    )
    return index + 1


def to_the_end(lines: Lines) -> int:
    lines.append(lines.pop(place(lines, "lot_use")))
    return len(lines)


def headless(lines: Lines) -> int:
    """Lose the line of a member that is not the first."""
    index = [i for i, line in enumerate(lines) if line["type"] == "member"][1]
    del lines[index]
    return index + 1


def shows_at_entry(corrupt: Callable[[Lines], int]) -> Callable[[Lines], int]:
    """Return a corruption of the first lot use that shows at its entry, some lines before."""

    def corrupt_use(lines: Lines) -> int:
        entry = lines[place(lines, "lot_use")]["entry"]
        corrupt(lines)
        return place(lines, "entry", id=entry) + 1

    return corrupt_use


def expire_more(lines: Lines) -> int:
    lines[place(lines, "lot")]["expired"] += 1
    return place(lines, "account") + 1


def owe_beside_points(lines: Lines) -> int:
    accounts = [i for i, line in enumerate(lines) if line["type"] == "account"]
    index = next(i for i in accounts if lines[i]["available"])
    lines[index]["debt"] += 7
    return index + 1


CORRUPTIONS: tuple[tuple[str, str, Callable[[Lines], int]], ...] = (
    ("points of an entry", "hash", change("entry", "points", 1, seq=2)),
    ("an actor", "hash", change("entry", "actor", "staff:mallory", seq=2)),
    ("a cause", "hash", change("entry", "fact", None, seq=1)),
    ("a rule", "hash", change("entry", "rule", {"code": "tier", "version": 9}, seq=1)),
    ("an instant", "hash", change("entry", "recorded_at", "2026-01-06T02:00:00.000001Z", seq=1)),
    ("a hash", "hash", change("entry", "hash", "00" * 32, seq=3)),
    ("a hash that is none", "hash", change("entry", "prev_hash", "zz", seq=3)),
    ("the hash before", "prev_hash", change("entry", "prev_hash", "00" * 32, seq=3)),
    ("an entry sealed again", "prev_hash", reseal),
    ("a last entry sealed again", "head_hash", reseal_last),
    ("a lost entry", "seq_gap", drop("entry", seq=2)),
    ("a lost last entry", "last_seq", lose_tail),
    ("an entry twice", "entry_twice", repeat("entry", seq=2)),
    ("entries swapped", "seq_gap", swap_entries),
    ("a transfer", "transfer", change("entry", "to", "issuance", seq=2)),
    ("an overdraft", "overdrawn", change("entry", "points", 9_000_000, **{"from": "available"})),
    ("a head hash", "head_hash", change("account", "head_hash", "11" * 32)),
    ("a balance", "balance", change("account", "available", 1)),
    ("a lifetime counter", "balance", change("account", "redeemed", 1)),
    ("debt beside points", "debt", owe_beside_points),
    ("what is left of a lot", "lot_remaining", change("lot", "remaining", 1)),
    ("a lot's points", "lot_points", change("lot", "points", 1)),
    ("a lot's issue", "lot_of_no_issue", change("lot", "entry", 1_000_000)),
    ("a lot twice", "lot_twice", repeat("lot")),
    ("expired points", "lot_sum", expire_more),
    ("a lot use", "entry_uses", shows_at_entry(change("lot_use", "points", 1))),
    ("a lost lot use", "entry_uses", shows_at_entry(drop("lot_use"))),
    ("a stranger's lot", "use_of_no_lot", move_to_stranger),
    ("a use of no entry", "use_of_no_entry", change("lot_use", "entry", 1_000_000)),
    ("an account twice", "account_twice", repeat("account")),
    ("a member's lines apart", "member_apart", to_the_end),
    ("a lost member", "member_missing", headless),
    ("points that are text", "malformed", change("entry", "points", "100", seq=2)),
    ("a line of no type", "no_type", change("entry", "type", None, seq=2)),
)


def test_verifier_is_silent_on_what_was_exported(lines: Lines) -> None:
    assert verify(lines) == []


@pytest.mark.parametrize(
    ("code", "corrupt"), [each[1:] for each in CORRUPTIONS], ids=[each[0] for each in CORRUPTIONS]
)
def test_verifier_names_the_line(lines: Lines, code: str, corrupt: Callable[[Lines], int]) -> None:
    number = corrupt(lines)

    assert (number, code) in [(finding.line, finding.code) for finding in verify(lines)]


def test_verifier_names_a_lost_lot(lines: Lines) -> None:
    index = place(lines, "lot")
    entry = lines[index]["entry"]
    del lines[index]

    found = verify(lines)

    assert (place(lines, "entry", id=entry) + 1, "lot_missing") in [
        (finding.line, finding.code) for finding in found
    ]


def test_verifier_names_a_line_that_is_no_json(exported: list[bytes]) -> None:
    place = next(n for n, line in enumerate(exported) if b'"type":"account"' in line)
    broken = [*exported[:place], exported[place][:-20], *exported[place + 1 :]]

    found = list(Verifier().read(broken))

    assert (place + 1, "not_json") in [(finding.line, finding.code) for finding in found]
    assert "account_missing" in {finding.code for finding in found}


def test_an_empty_journal_is_none() -> None:
    assert [finding.code for finding in Verifier().read([])] == ["empty"]


def test_command_needs_no_database_and_exits_non_zero(
    exported: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean, broken = tmp_path / "clean.ndjson", tmp_path / "broken.ndjson"
    clean.write_bytes(b"".join(exported))
    broken.write_bytes(b"".join(exported).replace(b'"reason":"expired"', b'"reason":"stolen"', 1))
    monkeypatch.setattr("django.db.connection.ensure_connection", _refuse)
    out = StringIO()

    call_command("verify_journal", str(clean), stdout=out)
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_journal", str(broken), stdout=out)

    assert "everything adds up" in out.getvalue()
    assert "hash: entry" in out.getvalue()


def _refuse() -> None:
    raise AssertionError("the verifier asks no database")


def test_worked_example_of_the_documentation_holds() -> None:
    text = (Path(__file__).parents[2] / "docs" / "journal.md").read_text(encoding="utf-8")
    blocks = [block.partition("\n")[2].strip() for block in text.split("```")[1::2]]
    entries = [json.loads(block) for block in blocks if block.startswith('{"type": "entry"')]
    hashed = [block for block in blocks if block.startswith('{"actor"')]

    assert len(entries) == len(hashed) == 2
    for entry, content in zip(entries, hashed, strict=True):
        digest = hashlib.sha256(bytes.fromhex(entry["prev_hash"]) + content.encode()).hexdigest()
        assert digest == entry["hash"] == entry_hash(entry)
    assert entries[1]["prev_hash"] == entries[0]["hash"]
