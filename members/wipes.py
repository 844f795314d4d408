"""What apps above keep of a person beside us, and how it is emptied when they are erased."""

from collections.abc import Callable, Sequence

Wipe = Callable[[Sequence[int]], None]

_wipes: dict[str, Wipe] = {}


def register(name: str, wipe: Wipe) -> None:
    """Let an app empty what it keeps, in the transaction of the erasure; for its `ready`.

    It is given the member and all that were merged into it; a second time replaces the first.
    """
    _wipes[name] = wipe


def run(members: Sequence[int]) -> None:
    """Empty everything that is registered."""
    for wipe in _wipes.values():
        wipe(members)
