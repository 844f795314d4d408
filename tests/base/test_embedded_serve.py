"""`serve`, started and ended as a person does it, and as a machine does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.base.embedded import broker, postgres, process
from config.wiring import supervisor

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 150


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Site:
    """A site of its own in a temporary folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.log = (data_dir / "serve.log").open("w+")
        self.child = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port), "--workers", "1"],
            cwd=ROOT,
            env=bare
            | {
                "LOYALTY_DATA_DIR": str(data_dir),
                "LOYALTY_POSTGRES_OPTIONS": "fsync=off shared_buffers=32MB",
            },
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and "Ctrl-C" not in self.said():
            assert self.child.poll() is None, self.said()
            time.sleep(0.2)
        assert f"http://127.0.0.1:{self.port}/" in self.said()

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            content: bytes = answer.read()
            return content

    def descendants(self) -> set[int]:
        """Return the processes that the site has started, services aside."""
        parents: dict[int, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(stat.parent.name)] = int(fields[1])
        found = {self.child.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.child.pid}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    try:
        yield site
    finally:
        site.child.kill()
        site.child.wait()
        site.log.close()
        for server in (postgres.EmbeddedPostgres(tmp_path), broker.EmbeddedValkey(tmp_path)):
            server.ensure()
            server.release()


def all_gone(pids: set[int], within_seconds: float = 60) -> bool:
    deadline = time.monotonic() + within_seconds
    while any(process.is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_serve_brings_everything_up_and_ctrl_c_takes_it_down(site: Site) -> None:
    site.wait_until_up()
    checks = json.loads(site.get("/readyz"))["checks"]
    assert checks["database"] == "ok"
    assert checks["broker"] == "ok"
    assert b"django_http_requests_total" in site.get("/metrics")
    running = site.descendants()
    postmaster = postgres.EmbeddedPostgres(site.data_dir).postmaster_pid()
    assert len(running) >= 3, "web, worker and scheduler"
    assert postmaster is not None

    site.child.send_signal(signal.SIGINT)

    assert site.child.wait(40) == 0, site.said()
    assert all_gone(running)
    assert all_gone({postmaster}), "its services end with it"
    assert "Traceback" not in site.said()


def test_killed_web_is_started_again_and_killed_serve_leaves_no_process(site: Site) -> None:
    """Starting a site takes long: one is killed in part, then as a whole."""
    site.wait_until_up()
    before = site.descendants()
    web = [pid for pid in before if b"granian" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    for pid in web:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            assert json.loads(site.get("/livez")) == {"status": "ok"}
            break
        except OSError:
            time.sleep(0.2)
    else:
        pytest.fail(site.said())

    running = site.descendants()
    site.child.kill()
    site.child.wait()
    assert all_gone(running)


def test_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", str(taken.getsockname()[1])],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "LOYALTY_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "--port" in done.stderr
    assert not (tmp_path / "postgres").exists()


def test_program_that_falls_is_started_again_after_a_pause(tmp_path: Path) -> None:
    said: list[str] = []
    mark = tmp_path / "starts"
    falls = ["/bin/sh", "-c", f"echo started >> {mark}; exit 3"]
    programs = [supervisor.Program("falling", falls, pause_seconds=0.05)]
    watched = supervisor.Supervisor(programs, dict(os.environ), said.append)

    watched.run(until=lambda: mark.exists() and len(mark.read_text().splitlines()) >= 3)

    assert said[0].startswith("falling ended with 3")
    assert programs[0].pause_seconds > 0.1, "the pause grows"


def test_stop_ends_a_program_that_does_not_want_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    mark = tmp_path / "pid"
    stubborn = ["/bin/sh", "-c", f"trap '' TERM; echo $$ > {mark}; sleep 60 & wait; sleep 60"]
    watched = supervisor.Supervisor(
        [supervisor.Program("stubborn", stubborn)], dict(os.environ), print
    )
    watched.run(until=lambda: mark.exists() and bool(mark.read_text().strip()))
    assert all_gone({int(mark.read_text())}, within_seconds=5)


def test_guardian_kills_what_does_not_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """Not even a program that takes no notice, with a child that does not, outlives it."""
    pids = tmp_path / "pids"
    deaf = f"import os, signal, time; signal.signal(15, signal.SIG_IGN); os.fork();\
 print(os.getpid(), file=open({str(pids)!r}, 'a'), flush=True); time.sleep(600)"
    run = f"from config.wiring import supervisor as s; import os, sys; s.ORPHAN_SECONDS = 1.0;\
 s.Supervisor([s.Program('deaf', [sys.executable, '-c', {deaf!r}])], dict(os.environ), print).run()"
    owner = subprocess.Popen([sys.executable, "-c", run], cwd=ROOT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running = {int(pid) for pid in pids.read_text().split()}
    finally:
        owner.kill()
        owner.wait()

    assert all_gone(running)
