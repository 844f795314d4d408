"""A mail server of the tests' own: it speaks SMTP on a port and keeps what it is given."""

import email
import email.policy
import socketserver
import threading
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Message:
    """One message as it arrived."""

    to: list[str]
    text: str


@dataclass
class _Talk:
    to: list[str] = field(default_factory=list)


class _Handler(socketserver.StreamRequestHandler):
    """Enough of RFC 5321 for a client that sends one message after another."""

    server: "_Server"

    def handle(self) -> None:
        self._say("220 ready")
        talk = _Talk()
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "RCPT":
                talk.to.append(line[line.index("<") + 1 : line.index(">")])
            if verb == "DATA":
                self._say("354 go on")
                self._keep(talk)
                talk = _Talk()
            self._say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def _keep(self, talk: _Talk) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        self.server.messages.append(Message(talk.to, parsed.get_content()))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: list[Message] = []


class Mailbox:
    """The server, while the block runs."""

    def __enter__(self) -> "Mailbox":
        self._server = _Server()
        self.host, self.port = "127.0.0.1", self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def messages(self) -> list[Message]:
        """Return what has arrived."""
        return self._server.messages
