"""The site's own web server on the database in use, and requests to it."""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from config.base.settings.environment import BASE_DIR
from config.bench import databases, http_load
from config.management.commands import serve

HOST: Final = "127.0.0.1"
WORKERS: Final = 2
THREADS: Final = 4
START_SECONDS: Final = 180.0


class LoadError(RuntimeError):
    """The server did not come up, or answered otherwise than the bench expects."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running web server, and the key to call it with."""

    port: int
    pid: int
    secret: str

    def request(self, method: str, path: str, body: bytes, key: str = "") -> bytes:
        """Return a request as it goes over the wire, with an Idempotency-Key if one is given."""
        once = f"Idempotency-Key: {key}\r\n" if key else ""
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Authorization: Bearer {self.secret}\r\n"
            f"{once}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def load(
        self, requests: Sequence[bytes], connections: int, rate: float = 0.0
    ) -> dict[str, Any]:
        """Send the requests over so many connections; return what the load generator counted.

        At most `rate` of them a second, if one is given.
        Raises: LoadError when an answer is no success.
        """
        with tempfile.NamedTemporaryFile() as file:
            file.write(http_load.SEPARATOR.join(requests))
            file.flush()
            command = [sys.executable, http_load.__file__, file.name, HOST, str(self.port)]
            done = subprocess.run(
                [*command, str(connections), str(rate)], capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise LoadError(done.stderr)
        result: dict[str, Any] = json.loads(done.stdout)
        if set(result["statuses"]) - {"200", "201", "202"}:
            raise LoadError(f"answers: {result['statuses']}")
        return result


@contextlib.contextmanager
def running(
    secret: str, *, is_whole: bool = False, environment: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Run the web server as `serve` does; the workers and the scheduler too if it `is_whole`."""
    with tempfile.TemporaryDirectory() as counters, socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
        probe.close()
        options = {
            "host": HOST, "port": port, "workers": WORKERS, "threads": THREADS,
            "no_worker": not is_whole, "no_scheduler": not is_whole,
        }  # fmt: skip
        given = {"PROMETHEUS_MULTIPROC_DIR": counters, **(environment or {})}
        processes = [
            subprocess.Popen(program.command, env=databases.environment() | given, cwd=BASE_DIR)
            for program in serve.programs(options)
        ]
        web = processes[0]
        try:
            _wait(port, web)
            yield Site(port, web.pid, secret)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://{HOST}:{port}/livez", timeout=5).close()
            return
        time.sleep(0.1)
    raise LoadError("the web server did not start")
