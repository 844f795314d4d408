"""A receiver of webhooks as somebody else would write it: it trusts the public library only."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook as Verifier

WAIT_SECONDS = 20.0


@dataclass
class Receiver:
    """What came in; `answers` are the statuses to give, in turn, then 204 for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    delay_seconds: float = 0.0
    content: str = ""
    dribbles: bool = False
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def verified(self, *secrets: str) -> list[dict[str, Any]]:
        """Return what came in, after the library has accepted each under every secret."""
        return [
            dict(Verifier(secret).verify(body, headers))
            for headers, body in self.requests
            for secret in secrets
        ]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.requests]

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} of {count} came in"
            time.sleep(0.01)


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    """Serve on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.lock:
                receiver.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                receiver.running += 1
                receiver.most_running = max(receiver.most_running, receiver.running)
                status = (
                    receiver.answers.pop(0)
                    if receiver.answers
                    else 200
                    if receiver.content
                    else 204
                )
            try:
                time.sleep(receiver.delay_seconds)
                if receiver.dribbles:
                    self.dribble()
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", receiver.url)
                self.end_headers()
                if receiver.content:
                    self.wfile.write(receiver.content.encode())
            except OSError:
                pass
            finally:
                with receiver.lock:
                    receiver.running -= 1

        def dribble(self) -> None:
            """Send a header that never ends, a character at a time: no read ever times out."""
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _second in range(200):
                self.wfile.write(b"x")
                time.sleep(0.05)

        def log_message(self, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def parsed(body: bytes) -> dict[str, Any]:
    """Return a body as JSON."""
    found: dict[str, Any] = json.loads(body)
    return found
