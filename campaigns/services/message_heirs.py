"""Messages that are owed to members who were merged away: the member that stays gets them.

A message changes hands when it is sent, not before: what still waits when a merge is undone is the
own member's again. What the survivor has by the same trigger and occurrence comes once.

Source: MEM-04, CMP-04.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db.models import Q

from campaigns.models import Message
from campaigns.services.message_rows import Claimed
from members.models import Member


def addressed(claimed: Sequence[Claimed]) -> list[Claimed]:
    """Return claimed messages with the members that stay in place of those who are merged away."""
    away = {each.merged_into for each in claimed if each.merged_into is not None}
    if not away:
        return list(claimed)
    survivors = _survivors(away)
    return [
        each if each.merged_into is None
        else replace(each, member_id=survivors[each.merged_into])
        for each in claimed
    ]  # fmt: skip


def twice(claimed: Iterable[Claimed]) -> set[int]:
    """Return those of merged members that the survivor is owed, or was sent, in its own name."""
    moved = [each for each in claimed if each.merged_into is not None]
    known: set[tuple[int, str, str]] = set()
    if moved:
        same = Q()
        for each in moved:
            same |= Q(member=each.member_id, trigger=each.trigger, occurrence=each.occurrence)
        known = set(Message.objects.filter(same).values_list("member_id", "trigger", "occurrence"))
    found: set[int] = set()
    for each in moved:
        key = (each.member_id, each.trigger, each.occurrence)
        if key in known:
            found.add(each.id)
        known.add(key)
    return found


def hand_over(claimed: Iterable[Claimed]) -> None:
    """Let messages that are sent now be the survivor's, where its pages and its inbox show them."""
    moved = [each for each in claimed if each.merged_into is not None]
    rows = [Message(pk=each.id, member_id=each.member_id) for each in moved]
    Message.objects.bulk_update(rows, ["member"])


def _survivors(members: Iterable[int]) -> dict[int, int]:
    """Return who stands for each member at the end of its merges."""
    last = {member: member for member in members}
    while True:
        rows = Member.objects.filter(pk__in=set(last.values())).values_list("pk", "merged_into")
        further = {member: into for member, into in rows if into is not None}
        if not further:
            return last
        last = {member: further.get(at, at) for member, at in last.items()}
