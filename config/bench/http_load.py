"""Send prepared HTTP requests over a few connections and time the answers.

A program of its own, without Django, so that it costs the machine little: the name of a file of
requests, a host, a port, how many connections, and how many requests a second, 0 for as many as
are answered; the result is a line of JSON. Every request is sent once.
"""

import json
import selectors
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, time
from typing import Any

SEPARATOR = b"\x00\x00\n"
HEADER_END = b"\r\n\r\n"


class Client:
    """One connection, with one request under way at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Connect."""
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.received = bytearray()

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.received.clear()
        self.sent_at = perf_counter()
        self.socket.sendall(request)

    def read(self) -> int | None:
        """Read what is there; return the status once the answer is complete."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server hung up")
        self.received += part
        end = self.received.find(HEADER_END)
        if end < 0:
            return None
        head = bytes(self.received[:end]).lower()
        _name, _colon, rest = head.partition(b"content-length:")
        length = int(rest.split(b"\r\n", 1)[0])
        if len(self.received) < end + len(HEADER_END) + length:
            return None
        return int(head[9:12])


class Load:
    """Requests on their way: each is sent when it is due and a connection is free."""

    def __init__(self, requests: Sequence[bytes], clients: Sequence[Client], rate: float) -> None:
        """Begin now."""
        self.requests, self.rate = requests, rate
        self.idle = list(clients)
        self.count = len(self.idle)
        self.begun = perf_counter()
        self.sent_at: list[float] = []
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()

    @property
    def is_over(self) -> bool:
        """Tell whether every request has been answered."""
        return len(self.idle) == self.count and len(self.sent_at) == len(self.requests)

    def send_due(self) -> float | None:
        """Send what is due; return the seconds until more is, None where an answer comes first."""
        while self.idle and len(self.sent_at) < len(self.requests):
            if (wait := self._wait()) > 0:
                return wait
            self.idle.pop().send(self.requests[len(self.sent_at)])
            self.sent_at.append(time())
        return None

    def read(self, client: Client) -> None:
        """Read what a connection has; once that is an answer the connection is free."""
        status = client.read()
        if status is not None:
            self.statuses[status] += 1
            self.latencies.append(perf_counter() - client.sent_at)
            self.idle.append(client)

    def _wait(self) -> float:
        if not self.rate:
            return 0.0
        return self.begun + len(self.sent_at) / self.rate - perf_counter()


def run(
    requests: Sequence[bytes], address: tuple[str, int], connections: int, rate: float = 0.0
) -> dict[str, Any]:
    """Send all requests and return counts, seconds, latencies, and the instants of a paced load."""
    selector = selectors.DefaultSelector()
    clients = [Client(address) for _number in range(min(connections, len(requests)))]
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    load = Load(requests, clients, rate)
    while True:
        wait = load.send_due()
        if load.is_over:
            break
        for key, _events in selector.select(wait):
            load.read(key.data)
            load.send_due()
    for client in clients:
        client.socket.close()
    return _summary(load)


def _summary(load: Load) -> dict[str, Any]:
    seconds, latencies = perf_counter() - load.begun, sorted(load.latencies)
    return {
        "requests": len(latencies),
        "seconds": seconds,
        "statuses": {str(status): count for status, count in load.statuses.items()},
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
        **({"sent_at": load.sent_at} if load.rate else {}),
    }


def main() -> None:
    """Read the arguments, send, print."""
    file, host, port, connections, rate = sys.argv[1:]
    requests = Path(file).read_bytes().split(SEPARATOR)
    result = run(requests, (host, int(port)), int(connections), float(rate))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
