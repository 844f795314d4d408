"""Verify an exported journal: its chains, sums, buckets, lots and lot uses, without a database.

A second reading of the format, on purpose: it shares no code with the engine that wrote the
ledger, so a mistake there is not repeated here. One member at a time is kept in memory.

Source: design §4 (Ledger), §7; `docs/journal.md`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

Line = dict[str, Any]

FIRST_HASH: Final = "00" * 32
HASHED: Final = (
    "member", "kind", "seq", "from", "to", "points", "fact", "rule", "reason", "actor",
    "occurred_at", "recorded_at",
)  # fmt: skip
ALLOWED: Final = frozenset({
    ("issuance", "pending"), ("issuance", "available"), ("pending", "available"),
    ("available", "reserved"), ("available", "redeemed"), ("available", "expired"),
    ("available", "debt"), ("available", "adjustment"), ("available", "transfer"),
    ("reserved", "redeemed"), ("reserved", "available"), ("redeemed", "available"),
    ("adjustment", "available"), ("transfer", "available"), ("pending", "reversed"),
    ("available", "reversed"), ("expired", "reversed"), ("debt", "reversed"),
    ("transfer", "pending"), ("pending", "transfer"), ("expired", "transfer"), ("debt", "transfer"),
})  # fmt: skip
SOURCES: Final = frozenset({"issuance", "adjustment", "transfer"})
"""Buckets that points come from: an entry out of one of them makes a lot."""

HELD: Final = ("pending", "available", "reserved", "debt")
# What an account counts of each bucket: issuance and debt grow when points leave them.
COUNTED: Final = {
    "pending": (("pending", 1),),
    "available": (("available", 1),),
    "reserved": (("reserved", 1),),
    "debt": (("debt", -1),),
    "earned": (("issuance", -1),),
    "redeemed": (("redeemed", 1),),
    "expired": (("expired", 1),),
    "reversed": (("reversed", 1),),
    "adjusted": (("adjustment", 1), ("transfer", 1)),
}
KEYS: Final = {
    "member": ("id",),
    "account": ("member", "kind", *HELD, "expired", "head_hash"),
    "entry": ("id", *HASHED, "prev_hash", "hash"),
    "lot": ("id", "member", "entry", "points", "remaining", "expired", "is_pending"),
    "lot_use": ("entry", "lot", "points"),
}
INTEGERS: Final = frozenset({"id", "seq", "points", "remaining", "expired", "lot", *HELD})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the line it was found at, a code, and what is wrong with it."""

    line: int
    code: str
    detail: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}: {self.detail}"


@dataclass(slots=True)
class Totals:
    """What the journal holds in all, for people to compare with what they expect."""

    lines: int = 0
    members: int = 0
    entries: int = 0
    points: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Chain:
    """The entries of one account so far: the last hash and number, and what is in each bucket."""

    seq: int = 0
    head: str = FIRST_HASH
    buckets: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Member:
    """The lines of one member, with the number of the line where each stands."""

    id: str
    line: int
    accounts: dict[str, tuple[int, Line]] = field(default_factory=dict)
    chains: dict[str, _Chain] = field(default_factory=dict)
    entries: dict[int, tuple[int, Line]] = field(default_factory=dict)
    lots: dict[int, tuple[int, Line]] = field(default_factory=dict)
    uses: list[tuple[int, Line]] = field(default_factory=list)


class Verifier:
    """Reads lines in the order of the file and reports what is wrong as soon as it is known."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self.totals = Totals()
        self._is_partial = False
        self._member: _Member | None = None
        self._closed: set[str] = set()

    def read(self, lines: Iterable[bytes]) -> Iterator[Finding]:
        """Verify a journal, line by line."""
        for number, text in enumerate(lines, start=1):
            self.totals.lines = number
            yield from self._line(number, text)
        yield from self._close()
        if not self.totals.members:
            yield Finding(self.totals.lines, "empty", "a journal has at least one member")

    def _line(self, number: int, text: bytes) -> Iterator[Finding]:
        try:
            line = json.loads(text)
        except ValueError:
            yield Finding(number, "not_json", text[:60].decode(errors="replace").strip())
            return
        kind = line.get("type") if isinstance(line, dict) else None
        if not isinstance(kind, str):
            yield Finding(number, "no_type", text[:60].decode(errors="replace").strip())
            return
        wrong = _wrong_key(kind, line)
        if wrong is not None:
            yield Finding(number, "malformed", f"{kind}: {wrong}")
            return
        if kind == "journal":
            self._is_partial = line.get("since") is not None
        owner = line.get("id") if kind == "member" else line.get("member")
        if isinstance(owner, str):
            yield from self._turn_to(number, owner, is_member=kind == "member")
        yield from self._take(number, kind, line)

    def _turn_to(self, number: int, owner: str, *, is_member: bool) -> Iterator[Finding]:
        """Close the member before when another one begins."""
        if self._member is not None and self._member.id == owner:
            if is_member:
                yield Finding(number, "member_twice", f"member {owner}")
            return
        yield from self._close()
        if owner in self._closed:
            yield Finding(number, "member_apart", f"lines of member {owner} do not stand together")
        elif not is_member:
            yield Finding(number, "member_missing", f"no member line before, of {owner}")
        self._closed.add(owner)
        self._member = _Member(owner, number)
        self.totals.members += 1

    def _take(self, number: int, kind: str, line: Line) -> Iterator[Finding]:
        member = self._member
        if member is None or kind not in KEYS or kind == "member":
            return
        if kind == "account":
            if line["kind"] in member.accounts:
                yield Finding(number, "account_twice", f"account {line['kind']} of {member.id}")
            member.accounts[line["kind"]] = (number, line)
        elif kind == "entry":
            yield from self._entry(number, line, member)
        elif kind == "lot":
            if line["id"] in member.lots:
                yield Finding(number, "lot_twice", f"lot {line['id']}")
            member.lots[line["id"]] = (number, line)
        else:
            member.uses.append((number, line))

    # Entries, as they come

    def _entry(self, number: int, line: Line, member: _Member) -> Iterator[Finding]:
        name = f"entry {line['id']}"
        if line["id"] in member.entries:
            yield Finding(number, "entry_twice", name)
        member.entries[line["id"]] = (number, line)
        self.totals.entries += 1
        chain = member.chains.get(line["kind"])
        if chain is None:
            chain = member.chains[line["kind"]] = _Chain()
            if self._is_partial:
                chain.seq, chain.head = line["seq"] - 1, line["prev_hash"]
        if line["seq"] != chain.seq + 1:
            yield Finding(number, "seq_gap", f"{name}: {chain.seq + 1} ≠ {line['seq']}")
        if line["prev_hash"] != chain.head:
            yield Finding(number, "prev_hash", f"{name}: {chain.head} ≠ {line['prev_hash']}")
        own = entry_hash(line)
        if own != line["hash"]:
            yield Finding(number, "hash", f"{name}: {own} ≠ {line['hash']}")
        chain.seq, chain.head = line["seq"], line["hash"]
        yield from self._transfer(number, line, chain)

    def _transfer(self, number: int, line: Line, chain: _Chain) -> Iterator[Finding]:
        source, target, points = line["from"], line["to"], line["points"]
        if (source, target) not in ALLOWED or points <= 0:
            yield Finding(
                number, "transfer", f"entry {line['id']}: {points} from {source} to {target}"
            )
        buckets, totals = chain.buckets, self.totals.points
        for bucket, change in ((source, -points), (target, points)):
            buckets[bucket] = buckets.get(bucket, 0) + change
            totals[bucket] = totals.get(bucket, 0) + change
        if self._is_partial:
            return
        # What points come from has no floor; debt is what its bucket lacks.
        floorless = source in SOURCES or source == "debt"
        if (buckets[source] < 0 and not floorless) or buckets.get("debt", 0) > 0:
            yield Finding(
                number, "overdrawn", f"entry {line['id']}: {source} is left at {buckets[source]}"
            )

    # What only the whole member shows

    def _close(self) -> Iterator[Finding]:
        member, self._member = self._member, None
        if member is None:
            return
        findings = [*self._uses(member), *self._accounts(member)]
        if not self._is_partial:
            findings += self._lots(member)
        yield from sorted(findings, key=lambda finding: finding.line)

    def _accounts(self, member: _Member) -> Iterator[Finding]:
        for kind in member.chains.keys() - member.accounts.keys():
            yield Finding(member.line, "account_missing", f"account {kind} of {member.id}")
        for kind, (number, account) in member.accounts.items():
            name = f"account {kind} of {member.id}"
            chain = member.chains.get(kind)
            if chain is None:
                if self._is_partial:
                    continue
                chain = _Chain()
            if account["head_hash"] != chain.head:
                yield Finding(number, "head_hash", f"{name}: {chain.head} ≠ {account['head_hash']}")
            if account.get("seq", chain.seq) != chain.seq:
                yield Finding(number, "last_seq", f"{name}: {chain.seq} ≠ {account['seq']}")
            if not self._is_partial:
                yield from _balances(number, name, account, chain)

    def _uses(self, member: _Member) -> Iterator[Finding]:
        used: dict[int, int] = {}
        for number, use in member.uses:
            entry, lot = use["entry"], use["lot"]
            used[entry] = used.get(entry, 0) + use["points"]
            if entry not in member.entries:
                yield Finding(number, "use_of_no_entry", f"entry {entry} of {member.id}")
            if lot not in member.lots:
                yield Finding(number, "use_of_no_lot", f"lot {lot} of {member.id}")
            if not use["points"]:
                yield Finding(number, "use_of_nothing", f"entry {entry}, lot {lot}")
        for key, (number, entry_line) in member.entries.items():
            wanted = _wanted_uses(entry_line)
            if used.get(key, 0) != wanted:
                yield Finding(number, "entry_uses", f"entry {key}: {wanted} ≠ {used.get(key, 0)}")

    def _lots(self, member: _Member) -> Iterator[Finding]:
        taken: dict[int, int] = {}
        for _number, use in member.uses:
            taken[use["lot"]] = taken.get(use["lot"], 0) + use["points"]
        made: dict[int, int] = {}
        for key, (number, lot) in member.lots.items():
            name = f"lot {key}"
            rest = lot["points"] - taken.get(key, 0)
            if rest != lot["remaining"] or not 0 <= lot["remaining"] <= lot["points"]:
                yield Finding(number, "lot_remaining", f"{name}: {rest} ≠ {lot['remaining']}")
            issue = member.entries.get(lot["entry"])
            if issue is None or issue[1]["from"] not in SOURCES:
                yield Finding(number, "lot_of_no_issue", f"{name}: entry {lot['entry']}")
            elif issue[1]["points"] != lot["points"]:
                yield Finding(
                    number, "lot_points", f"{name}: {issue[1]['points']} ≠ {lot['points']}"
                )
            if lot["entry"] in made:
                yield Finding(number, "lot_twice", f"{name}: entry {lot['entry']} made another")
            made[lot["entry"]] = key
        for key, (number, entry) in member.entries.items():
            if entry["from"] in SOURCES and key not in made:
                yield Finding(number, "lot_missing", f"entry {key} made none")
        yield from _lot_sums(member)


def _lot_sums(member: _Member) -> Iterator[Finding]:
    """Compare what the lots hold with what the member's accounts show."""
    lots = [lot for _number, lot in member.lots.values()]
    accounts = [account for _number, account in member.accounts.values()]
    sums = {
        "pending + available": (
            sum(lot["remaining"] for lot in lots),
            sum(account["pending"] + account["available"] for account in accounts),
        ),
        "pending": (
            sum(lot["remaining"] for lot in lots if lot["is_pending"]),
            sum(account["pending"] for account in accounts),
        ),
        "expired": (
            sum(lot["expired"] for lot in lots),
            sum(account["expired"] for account in accounts),
        ),
    }
    number = next((number for number, _account in member.accounts.values()), member.line)
    for name, (held, shown) in sums.items():
        if held != shown:
            yield Finding(number, "lot_sum", f"{name} of {member.id}: {held} ≠ {shown}")


def _balances(number: int, name: str, account: Line, chain: _Chain) -> Iterator[Finding]:
    for shown, parts in COUNTED.items():
        if shown not in account:
            continue
        summed = sum(sign * chain.buckets.get(bucket, 0) for bucket, sign in parts)
        if summed != account[shown]:
            yield Finding(number, "balance", f"{name}: {shown} {summed} ≠ {account[shown]}")
    if account["debt"] and account["available"]:
        yield Finding(number, "debt", f"{name}: {account['debt']} beside available points")


def _wanted_uses(entry: Line) -> int:
    """Return what the lot uses of an entry have to sum to."""
    source, target, points = entry["from"], entry["to"], int(entry["points"])
    if source == "available" or (source == "pending" and target in {"reversed", "transfer"}):
        return points
    if target == "available" and source in {"reserved", "redeemed"}:
        return -points
    return 0


def entry_hash(entry: Line) -> str:
    """Return the hash that an entry must have on top of its `prev_hash`.

    For these values, RFC 8785 is JSON with sorted keys, without spaces, not escaped to ASCII.
    """
    text = json.dumps(
        {key: entry[key] for key in HASHED},
        sort_keys=True, separators=(",", ":"), ensure_ascii=False,
    )  # fmt: skip
    try:
        return sha256(bytes.fromhex(entry["prev_hash"]) + text.encode()).hexdigest()
    except (ValueError, TypeError):
        return ""


def _wrong_key(kind: str, line: Line) -> str | None:
    """Return the first key of a line that is missing or of the wrong type."""
    for key in KEYS.get(kind, ()):
        if key not in line:
            return f"{key} is missing"
        value = line[key]
        is_count = key in INTEGERS and kind != "member"
        if is_count and type(value) is not int:
            return f"{key} is not an integer"
    return None
