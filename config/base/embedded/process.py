"""How an embedded server is run: as whom, by which command, and who still uses it.

PostgreSQL refuses to run as root. Started as root, a server therefore runs in a user namespace
of its own, where the files stay root's and the kernel still tells the server that it is nobody
special; where namespaces are off it runs as an unprivileged uid. No user is ever created and no
permission of a folder that is not ours is ever changed.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NAMESPACE_COMMAND = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
UNPRIVILEGED_ID = 65534
POLL_SECONDS = 0.02
DETACH = 'exec 3>&1; "$@" >&2 3>&- & echo $! >&3'


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a child process is: a command in front of its own, or an id to drop to."""

    prefix: tuple[str, ...] = ()
    drop_to: int | None = None


def choose_identity() -> Identity:
    """Return how servers that refuse root are started by this process."""
    if os.geteuid() != 0:
        return Identity()
    if namespaces_work():
        return Identity(prefix=NAMESPACE_COMMAND)
    return Identity(drop_to=UNPRIVILEGED_ID)


def namespaces_work() -> bool:
    """Tell whether this machine lets us open a user namespace."""
    try:
        probe = subprocess.run(
            [*NAMESPACE_COMMAND, "true"], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


def run(
    identity: Identity, command: Sequence[str | Path], *, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a short command under the identity and return what it said."""
    return subprocess.run(
        [*identity.prefix, *map(str, command)],
        user=identity.drop_to,
        group=identity.drop_to,
        extra_groups=None if identity.drop_to is None else [],
        cwd="/",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def spawn(
    identity: Identity,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: dict[str, str] | None = None,
) -> int:
    """Start a server and return its pid.

    It gets a session of its own, so that no Ctrl-C of ours reaches it, and a shell in between
    that ends at once, so that it is not our child: whoever starts it need not be there to
    collect it when somebody kills it.
    """
    with log.open("ab") as output:
        started = subprocess.run(
            ["/bin/sh", "-c", DETACH, "sh", *identity.prefix, *map(str, command)],
            user=identity.drop_to,
            group=identity.drop_to,
            extra_groups=None if identity.drop_to is None else [],
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            check=True,
        )
    return int(started.stdout)


def is_alive(pid: int) -> bool:
    """Tell whether the process exists and is more than a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return Path("/proc/self").exists() is False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def stop(pid: int, *, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn, waiting its seconds for the process to go."""
    for number, patience_seconds in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return True
            time.sleep(POLL_SECONDS)
    return not is_alive(pid)


def working_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is the folder, as far as can be seen."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == folder:
                found.append(int(link.parent.name))
    return found


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file alone: whoever starts or stops a server does it by itself."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class UseCount:
    """Count the processes that use a server, by shared locks that die with their holders."""

    def __init__(self, path: Path) -> None:
        """Remember the lock file; nothing is held yet."""
        self._path = path
        self._descriptor: int | None = None

    def join(self) -> None:
        """Hold a share until `leave`, or until this process and its forks have ended."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Give the share back and tell whether nobody else holds one.

        Closing, not unlocking: a forked child shares our lock and goes on using the server.
        """
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        probe = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(probe)
