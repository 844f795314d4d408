"""The embedded broker: started once, kept over kills, stopped by its last user."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.connection import Connection
from kombu.simple import SimpleQueue

from config.base.embedded import broker, process

pytestmark = pytest.mark.skipif(broker.find_program() is None, reason="no wheel of Valkey here")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[broker.EmbeddedValkey]:
    server = broker.EmbeddedValkey(tmp_path)
    server.ensure()
    yield server
    server.release()


def pid_of(server: broker.EmbeddedValkey) -> int:
    return int((server.home / "valkey.pid").read_text())


def test_broker_carries_messages(server: broker.EmbeddedValkey, tmp_path: Path) -> None:
    with Connection(broker.url(tmp_path)) as connection:
        queue = SimpleQueue(connection, "test")
        queue.put({"id": 1})
        message = queue.get(timeout=5)
        assert message.payload == {"id": 1}
        message.ack()
        queue.close()


def test_broker_keeps_messages_when_killed(server: broker.EmbeddedValkey, tmp_path: Path) -> None:
    with Connection(broker.url(tmp_path)) as connection:
        queue = SimpleQueue(connection, "test")
        queue.put({"id": 2})
        queue.close()
    # The append-only file is flushed once a second.
    subprocess.run(["sleep", "1.2"], check=True)
    killed = pid_of(server)
    os.kill(killed, signal.SIGKILL)
    process.stop(killed, signals=())

    server.ensure()

    assert pid_of(server) != killed
    with Connection(broker.url(tmp_path)) as connection:
        queue = SimpleQueue(connection, "test")
        assert queue.get(timeout=5).payload == {"id": 2}
        queue.close()


def test_last_user_stops_the_broker(tmp_path: Path) -> None:
    first, second = broker.EmbeddedValkey(tmp_path), broker.EmbeddedValkey(tmp_path)
    first.ensure()
    second.ensure()
    first.release()
    assert second.answers()
    second.release()
    assert not second.answers()


def test_socket_is_for_its_owner_alone(server: broker.EmbeddedValkey) -> None:
    assert server.socket.parent.stat().st_mode & 0o077 == 0


def test_without_a_program_files_carry_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_program", lambda: None)
    assert broker.url(tmp_path) == "filesystem://"
    options = broker.folders(tmp_path)
    assert options["polling_interval"] == 0.05
    with Connection("filesystem://", transport_options=options) as connection:
        queue = SimpleQueue(connection, "test")
        queue.put({"id": 3})
        assert queue.get(timeout=5).payload == {"id": 3}
        queue.close()
