"""The hash chain of an account: canonical JSON (RFC 8785) and the hash of one entry.

hash = SHA-256(previous hash ‖ canonical JSON of the entry); the first previous hash is 32 zero
bytes. No database ids, free text or personal values are part of it, so a chain still verifies after
a member's data key has been destroyed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Final

from rewards.domain.transfers import FactRef, RuleRef, Transfer

GENESIS: Final = bytes(32)
MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that RFC 8785 can carry exactly."""

_MAX_DEPTH: Final = 64


class NotCanonicalError(ValueError):
    """A value has no canonical form that every implementation would agree on."""


def canonical(value: object) -> bytes:
    """Return the RFC 8785 form of a value made of mappings, lists, text, integers, bool and None.

    Raises: NotCanonicalError for floats, other types, integers beyond 2^53 − 1, lone surrogates.
    Source: RFC 8785.
    """
    try:
        return _text(value, 0).encode()
    except UnicodeEncodeError as error:
        raise NotCanonicalError("text with a lone surrogate") from error


def _text(value: object, depth: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return _integer(value)
    if depth >= _MAX_DEPTH:
        raise NotCanonicalError("nested too deep")
    if isinstance(value, Mapping):
        return _object(value, depth + 1)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return "[" + ",".join(_text(item, depth + 1) for item in value) + "]"
    raise NotCanonicalError(f"no canonical form for {type(value).__name__}")


def _object(value: Mapping[object, object], depth: int) -> str:
    names = [name for name in value if isinstance(name, str)]
    if len(names) != len(value):
        raise NotCanonicalError("names must be text")
    names.sort(key=_utf16)
    members = (f"{_quoted(name)}:{_text(value[name], depth)}" for name in names)
    return "{" + ",".join(members) + "}"


def _utf16(name: str) -> bytes:
    # The standard sorts names by UTF-16 code units, which differs from code points above U+FFFF.
    return name.encode("utf-16-be")


def _integer(value: int) -> str:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise NotCanonicalError("integer beyond 2^53 - 1")
    return int.__repr__(value)


@lru_cache(maxsize=4096)
def rfc3339(at: datetime) -> str:
    """Return an instant in UTC with exactly six fractional digits and Z.

    Raises: ValueError for a naive datetime.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def content(member: str, kind: str, transfer: Transfer) -> dict[str, object]:
    """Return what is hashed of an entry, as a verifier would read it from the journal."""
    fact, rule = transfer.cause.fact, transfer.rule
    return {
        "member": member,
        "kind": kind,
        "seq": transfer.seq,
        "from": transfer.source.value,
        "to": transfer.target.value,
        "points": transfer.points,
        "fact": None if fact is None else _fact_content(fact),
        "rule": None if rule is None else {"code": rule.code, "version": rule.version},
        "reason": transfer.reason,
        "actor": transfer.cause.actor,
        "occurred_at": rfc3339(transfer.occurred_at),
        "recorded_at": rfc3339(transfer.cause.recorded_at),
    }


def _fact_content(fact: FactRef) -> dict[str, object]:
    return {"source": fact.source, "kind": fact.kind, "ref": fact.ref, "version": fact.version}


def content_hash(prev: bytes, entry: Mapping[str, object]) -> bytes:
    """Return the hash of an entry that is given as its hashed content."""
    return sha256(prev + canonical(entry)).digest()


def entry_hash(member: str, kind: str, transfer: Transfer) -> bytes:
    """Return the hash of an entry on top of its `prev_hash`.

    The same as `content_hash(prev, content(…))`, written out with the names already in order:
    this runs for every entry of an import.
    """
    cause = transfer.cause
    text = (
        f'{{"actor":{_quoted(cause.actor)},"fact":{_fact(cause.fact)},'
        f'"from":"{transfer.source}","kind":{_quoted(kind)},"member":{_quoted(member)},'
        f'"occurred_at":"{rfc3339(transfer.occurred_at)}","points":{transfer.points},'
        f'"reason":{_quoted(transfer.reason)},"recorded_at":"{rfc3339(cause.recorded_at)}",'
        f'"rule":{_rule(transfer.rule)},"seq":{transfer.seq},"to":"{transfer.target}"}}'
    )
    return sha256(transfer.prev_hash + text.encode()).digest()


def _fact(fact: FactRef | None) -> str:
    if fact is None:
        return "null"
    return (
        f'{{"kind":{_quoted(fact.kind)},"ref":{_quoted(fact.ref)},'
        f'"source":{_quoted(fact.source)},"version":{_integer(fact.version)}}}'
    )


def _rule(rule: RuleRef | None) -> str:
    if rule is None:
        return "null"
    return f'{{"code":{_quoted(rule.code)},"version":{_integer(rule.version)}}}'


def first_break(
    member: str, kind: str, transfers: Iterable[Transfer], prev: bytes = GENESIS, after: int = 0
) -> int | None:
    """Return the number of the first entry that does not continue the chain, or None.

    A missing, repeated or swapped entry breaks the numbering, an altered one its own hash.
    """
    expected = after
    for transfer in transfers:
        expected += 1
        if transfer.seq != expected or transfer.prev_hash != prev:
            return expected
        if entry_hash(member, kind, transfer) != transfer.hash:
            return expected
        prev = transfer.hash
    return None
