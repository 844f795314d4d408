"""End the programs of a supervisor that was killed.

A process of its own: `python -I <this file> SECONDS`.

It reads what the supervisor starts (`+pid`) and has seen end (`-pid`), a line each. When the
supervisor is gone, the kernel closes the pipe; whatever is then still on the list is asked to
end, and ended after so many seconds. Nothing is imported from the site: it must run whatever
state that is in.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

POLL_SECONDS = 0.1


def read_orphans(lines: Iterable[str]) -> set[int]:
    """Read until the supervisor closes its end; return the leaders of the groups it left."""
    left: set[int] = set()
    for line in lines:
        pid = int(line[1:])
        (left.add if line.startswith("+") else left.discard)(pid)
    return left


def end(groups: set[int], patience_seconds: float) -> None:
    """Ask the programs to end; what of their groups is there after the patience is killed."""
    for leader in groups:
        with contextlib.suppress(ProcessLookupError):
            os.kill(leader, signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while any(map(exists, groups)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for group in filter(exists, groups):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def exists(group: int) -> bool:
    """Tell whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    end(read_orphans(sys.stdin), float(sys.argv[1]))
