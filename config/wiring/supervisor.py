"""Run the site's processes together: start them, restart what falls, stop all of them.

Each program gets a session of its own, so that Ctrl-C reaches the supervisor alone and a
program's own children go with it. A guardian in a process of its own ends the programs when the
supervisor dies, however it does.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

STOP_SECONDS = 25.0
POLL_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
SETTLED_SECONDS = 60.0
GUARDIAN = (sys.executable, "-I", str(Path(__file__).with_name("guardian.py")))
ORPHAN_SECONDS = 15.0


@dataclass(slots=True)
class Program:
    """A program to keep running, and how it has fared."""

    name: str
    command: Sequence[str]
    child: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    restart_at: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS


@dataclass(slots=True)
class Supervisor:
    """Programs that run and stop together."""

    programs: list[Program]
    environment: dict[str, str]
    say: Callable[[str], object]
    is_stopping: bool = field(default=False, init=False)
    _guardian: "subprocess.Popen[str] | None" = field(default=None, init=False)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keep the programs running until a signal comes, or `until` says so; then stop them."""
        with self._signals(), self._guarded():
            try:
                for program in self.programs:
                    self._start(program)
                while not self.is_stopping and not until():
                    for program in self.programs:
                        self._look_after(program)
                    time.sleep(POLL_SECONDS)
            finally:
                self.stop()

    def stop(self) -> None:
        """Ask every program to end, then end what is left."""
        self.is_stopping = True
        running = [program for program in self.programs if program.child is not None]
        for program in running:
            _signal_group(program, signal.SIGTERM, whole=False)
        deadline = time.monotonic() + STOP_SECONDS
        for program in running:
            assert program.child is not None
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.child.wait(max(0.0, deadline - time.monotonic()))
            _signal_group(program, signal.SIGKILL, whole=True)
            program.child.wait()
            self._tell_guardian("-", program.child.pid)
            program.child = None

    def _start(self, program: Program) -> None:
        program.started_at = time.monotonic()
        program.child = subprocess.Popen(
            program.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._tell_guardian("+", program.child.pid)

    def _look_after(self, program: Program) -> None:
        """Start the program again if it has ended, waiting longer each time it falls at once."""
        now = time.monotonic()
        if program.child is not None and program.child.poll() is not None:
            _signal_group(program, signal.SIGKILL, whole=True)
            self._tell_guardian("-", program.child.pid)
            if now - program.started_at > SETTLED_SECONDS:
                program.pause_seconds = FIRST_PAUSE_SECONDS
            program.restart_at = now + program.pause_seconds
            self.say(
                f"{program.name} ended with {program.child.returncode};"
                f" starting it again in {program.pause_seconds:.0f} s"
            )
            program.pause_seconds = min(program.pause_seconds * 2, LONGEST_PAUSE_SECONDS)
            program.child = None
        if program.child is None and now >= program.restart_at:
            self._start(program)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Keep a guardian for the time; once it is told of nothing more, it ends by itself."""
        with subprocess.Popen(
            [*GUARDIAN, str(ORPHAN_SECONDS)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as self._guardian:
            yield

    def _tell_guardian(self, change: str, pid: int) -> None:
        guardian = self._guardian
        if guardian is not None and guardian.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                guardian.stdin.write(f"{change}{pid}\n")
                guardian.stdin.flush()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(number: int, frame: FrameType | None) -> None:
            self.is_stopping = True

        watched = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, stop) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _signal_group(program: Program, number: signal.Signals, *, whole: bool) -> None:
    """Signal the program, or all of its session's group: it leads one of its own."""
    assert program.child is not None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if whole:
            os.killpg(program.child.pid, number)
        else:
            program.child.send_signal(number)
