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
    subject: str = ""
    message_id: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    html: str = ""


DROP = "drop"
"""An answer of a server that has read a message and breaks off."""


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
                content = self._read()
                answer = self.server.answers.pop(0) if self.server.answers else "250 ok"
                if answer.startswith("250"):
                    self.server.messages.append(_parsed(talk.to, content))
                if answer == DROP:
                    return
                self._say(answer)
                talk = _Talk()
                continue
            self._say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def _read(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _parsed(to: list[str], content: bytes) -> Message:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    body, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    files = {part.get_filename() or "": part.get_content() for part in parsed.iter_attachments()}
    return Message(
        to, body.get_content() if body else "", parsed["Subject"] or "", parsed["Message-ID"] or "",
        files, {name: str(value) for name, value in parsed.items()},
        html.get_content() if html else "",
    )  # fmt: skip


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: list[Message] = []
        self.answers: list[str] = []


class Mailbox:
    """The server, while the block runs; it answers `answers` to messages first, then takes all."""

    def __init__(self, *answers: str) -> None:
        self.answers = answers

    def __enter__(self) -> "Mailbox":
        self._server = _Server()
        self._server.answers.extend(self.answers)
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
