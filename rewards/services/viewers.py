"""Whom facts are about: members that versions of an order name, and who stands for merged ones."""

from collections.abc import Iterable, Mapping

from rewards.domain.receipt import Receipt
from rewards.domain.subjects import ORDER
from rewards.services import loading
from rewards.services.loading import Locked


def line_of(locked: Mapping[int, Locked], member: int) -> list[int]:
    """Return a member, the one that it was merged into, and so on, as far as they are locked."""
    line = [member]
    while (found := locked.get(line[-1])) is not None and found.survivor is not None:
        line.append(found.survivor)
    return line


def with_survivors(locked: dict[int, Locked]) -> dict[int, Locked]:
    """Lock those into whom locked members were merged, too."""
    while absent := {e.survivor for e in locked.values()} - {None} - locked.keys():
        locked = locked | loading.lock({each for each in absent if each is not None})
    return locked


def by_viewer(
    stored: Iterable[Receipt], members: set[int], owners: dict[int, set[int]]
) -> dict[int, list[Receipt]]:
    """Return each member's history: an order's facts belong to all that its versions name.

    `owners` begins with the orders in hand: a member whom a new version names sees all of it.
    """
    facts = list(stored)
    for fact in facts:
        if fact.kind == ORDER and fact.order is not None and fact.member is not None:
            owners.setdefault(fact.order, set()).add(fact.member)
    history: dict[int, list[Receipt]] = {member: [] for member in members}
    for fact in facts:
        viewers = owners.get(fact.order, set()) if fact.order is not None else {fact.member}
        for viewer in viewers:
            if viewer in history:
                history[viewer].append(fact)
    return history
