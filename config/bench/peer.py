"""A receiver of signed messages that notes who was told, and when."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Peer:
    """What has arrived: members and instants, in order. Units: seconds of the wall clock."""

    url: str = ""
    arrivals: list[tuple[str, float]] = field(default_factory=list)

    def wait_for(self, count: int, *, seconds: float) -> bool:
        """Wait until so many messages have arrived; tell whether they have."""
        until = time.monotonic() + seconds
        while len(self.arrivals) < count:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # or a crowded machine refuses what comes side by side


@contextlib.contextmanager
def listening() -> Iterator[Peer]:
    """Serve on a free port of this machine."""
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        """Takes whatever comes."""

        def do_POST(self) -> None:
            arrived_at = time.time()
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            peer.arrivals.append((said["member"], arrived_at))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    peer.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
