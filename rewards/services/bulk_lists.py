"""From the lines of a list to members: whom they name, and which of them cannot be given to."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from members.domain.enrolment import Key
from members.domain.identifiers import IdentifierInvalid, normalise
from members.models import IdentifierKind, Member, MemberStatus
from members.services import authority, identity
from rewards.domain.bulk_lists import Named

KINDS: Final = (IdentifierKind.CARD, IdentifierKind.PHONE)
LINES_TOLD: Final = 200


@dataclass(slots=True)
class Found:
    """The members of a list in its order with their own points, and the lines left out."""

    members: dict[int, int | None] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[int, str]] = field(default_factory=list)

    def leave_out(self, line: int, code: str) -> None:
        """Say that nothing is given for a line, and why."""
        self.counts[code] += 1
        if len(self.lines) < LINES_TOLD:
            self.lines.append((line, code))

    def report(self) -> dict[str, Any]:
        """Return what was left out; lines by number alone, for what they say names people."""
        return {"counts": dict(self.counts), "lines": [list(line) for line in self.lines]}


def resolve(lines: Sequence[Named], *, actor: str) -> Found:
    """Find the members that lines name, each once; four statements, whatever their number.

    Two values that lead to two members on one line name nobody.
    """
    named = _named_by([each.text for each in lines if not each.code])
    ids = {member for members in named.values() for member in members}
    statuses = dict(Member.objects.filter(pk__in=ids).values_list("pk", "status"))
    own, found = authority.own_accounts(actor), Found()
    for each in lines:
        members = named.get(each.text, frozenset())
        code = each.code or _fault(members, statuses, own, found.members)
        if code:
            found.leave_out(each.line, code)
        else:
            found.members[next(iter(members))] = each.points
    return found


def _fault(
    members: Collection[int],
    statuses: dict[int, str],
    own: Collection[int],
    taken: Collection[int],
) -> str:
    if not members:
        return "unknown"
    if len(members) > 1:
        return "ambiguous"
    (member,) = members
    if member in own:
        return "own_account"
    if member in taken:
        return "duplicate"
    return "" if statuses[member] == MemberStatus.ACTIVE else "not_active"


def _named_by(texts: Iterable[str]) -> dict[str, frozenset[int]]:
    """Return the members that each text leads to, as a card, a phone number or a member id."""
    keys = {text: _keys(text) for text in texts}
    ids = {text: uuid for text in keys if (uuid := _uuid(text)) is not None}
    by_key = identity.find({key for found in keys.values() for key in found})
    by_id = identity.resolve_public_ids(set(ids.values()))
    named = {}
    for text, found in keys.items():
        members = {by_key[key] for key in found if key in by_key}
        if text in ids and ids[text] in by_id:
            members.add(by_id[ids[text]])
        named[text] = frozenset(members)
    return named


def _keys(text: str) -> list[Key]:
    keys = []
    for kind in KINDS:
        try:
            keys.append((kind.value, "", normalise(kind, text)))
        except IdentifierInvalid:
            continue
    return keys


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
