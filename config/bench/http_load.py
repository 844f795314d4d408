"""Send prepared HTTP requests over a few connections and time the answers.

A program of its own, without Django, so that it costs the machine little: the name of a file of
requests, a host, a port and how many connections; the result is a line of JSON. Every request is
sent once.
"""

import json
import selectors
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

SEPARATOR = b"\x00\x00\n"
HEADER_END = b"\r\n\r\n"


class Client:
    """One connection that sends a request as soon as the last one was answered."""

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


def run(requests: Iterator[bytes], address: tuple[str, int], connections: int) -> dict[str, Any]:
    """Send all requests and return counts, seconds and latencies in milliseconds."""
    selector = selectors.DefaultSelector()
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    start = perf_counter()
    for request in _first(requests, connections):
        client = Client(address)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(request)
    while selector.get_map():
        for key, _events in selector.select():
            client = key.data
            status = client.read()
            if status is None:
                continue
            statuses[status] += 1
            latencies.append(perf_counter() - client.sent_at)
            following = next(requests, None)
            if following is None:
                selector.unregister(client.socket)
                client.socket.close()
            else:
                client.send(following)
    return _summary(statuses, latencies, perf_counter() - start)


def _first(requests: Iterator[bytes], count: int) -> list[bytes]:
    return [request for request, _place in zip(requests, range(count), strict=False)]


def _summary(statuses: Counter[int], latencies: list[float], seconds: float) -> dict[str, Any]:
    latencies.sort()
    return {
        "requests": len(latencies),
        "seconds": seconds,
        "statuses": {str(status): count for status, count in statuses.items()},
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
    }


def main() -> None:
    """Read the arguments, send, print."""
    file, host, port, connections = sys.argv[1:]
    requests = Path(file).read_bytes().split(SEPARATOR)
    result = run(iter(requests), (host, int(port)), int(connections))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
