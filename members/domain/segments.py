"""How segments build on each other, and when a size has moved too far."""

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

from config.base.conditions import Node, leaves

MEMBERSHIP: Final = "customer.segments"


def references(node: Node) -> frozenset[str]:
    """Return the codes of the segments that a condition asks about."""
    return frozenset(
        str(leaf.value)
        for leaf in leaves(node)
        if leaf.field.name == MEMBERSHIP and isinstance(leaf.value, str)
    )


def in_order(built_on: Mapping[str, Collection[str]]) -> list[str]:
    """Return codes so that each comes after those that it builds on.

    Raises: ValueError where segments build on each other in a circle.
    """
    ordered = {code: sorted(others) for code, others in sorted(built_on.items())}
    try:
        return list(TopologicalSorter(ordered).static_order())
    except CycleError as error:
        raise ValueError("segments build on each other") from error


def moved_percent(before: int, now: int) -> int | None:
    """Return by how many per cent a size has moved, rounded up; None where it was nothing."""
    if before == 0:
        return None if now else 0
    return -(-abs(now - before) * 100 // before)


def is_drifting(before: int, now: int, alert_percent: int | None) -> bool:
    """Say whether a size has moved by more than it may from one count to the next.

    Source: SEG-18.
    """
    if alert_percent is None:
        return False
    moved = moved_percent(before, now)
    return moved is None or moved > alert_percent
