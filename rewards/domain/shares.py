"""Spread an amount over lines so that the parts add up to it.

Units: minor units.
"""

from collections.abc import Sequence


def spread(amount: int, over: Sequence[int], keys: Sequence[int]) -> list[int]:
    """Return each line's part of an amount, in proportion to what the line is worth.

    Largest remainder, ties by key (the line number); never more than all lines together are worth.
    """
    total = sum(over)
    if amount >= total:
        return list(over)
    shares = [divmod(amount * worth, total) for worth in over]
    parts = [whole for whole, _rest in shares]
    order = sorted(range(len(over)), key=lambda i: (-shares[i][1], keys[i]))
    for position in order[: amount - sum(parts)]:
        parts[position] += 1
    return parts
