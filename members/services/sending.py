"""One message to one receiver over HTTP: resolved once, checked, and sent to what was checked.

Redirects are not followed, answers' bodies are read only where somebody wants to know them, and
nothing takes longer than a deadline.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection

from members.domain import addresses
from members.domain.addresses import Target, UrlInvalidError

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
USER_AGENT: Final = "Loyalty-Webhooks/1"


# A connection that is cut off in the middle of a read breaks in any of these ways.
_BROKEN: Final = (
    urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended: the receiver's status, or a code for why there is none.

    `connection_failed` says that nothing was sent, `connection_broken` that something may have
    arrived. `content` is what was answered, as far as somebody wanted to read it.
    """

    status: int | None
    error: str = ""
    content: bytes = field(default=b"", repr=False)

    @property
    def is_done(self) -> bool:
        """Tell whether the receiver has taken the message."""
        return self.status is not None and 200 <= self.status < 300


class AddressRefusedError(OSError):
    """The name leads into a network that must not be called."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float = TOTAL_SECONDS,
    read_bytes: int = 0,
) -> Attempt:
    """Send one message and return how that ended; it never raises for what the network does."""
    try:
        target = addresses.parse(url, allow_private=settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE)
        address = resolve(target.host, target.port)
    except UrlInvalidError:
        return Attempt(None, "url_invalid")
    except AddressRefusedError:
        return Attempt(None, "address_refused")
    except (OSError, UnicodeError):
        return Attempt(None, "name_not_resolved")
    return _exchange(target, address, _Message(body, headers, read_bytes), seconds)


def resolve(host: str, port: int) -> str:
    """Return the address to call. A name with even one address that is not public is refused.

    Raises: AddressRefusedError, OSError.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    names = [str(sockaddr[0]) for _family, _kind, _protocol, _name, sockaddr in found]
    if not names:
        raise OSError("no address")
    if not settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE:
        for name in names:
            if not addresses.is_public(ipaddress.ip_address(name)):
                raise AddressRefusedError
    return names[0]


@dataclass(frozen=True, slots=True)
class _Message:
    """What is sent, and how much of the answer is read."""

    body: bytes
    headers: Mapping[str, str]
    read_bytes: int


def _exchange(target: Target, address: str, message: _Message, seconds: float) -> Attempt:
    connection = _connection(target, address, seconds)
    try:
        with _deadline(connection, seconds) as is_over:
            try:
                answered = _answer(connection, target, message)
                # An answer that was cut off reads like one that has ended.
                return Attempt(None, "timeout") if is_over.is_set() else answered
            except _BROKEN as error:
                return Attempt(None, "timeout" if is_over.is_set() else _code(error))
    finally:
        connection.close()


def _connection(target: Target, address: str, seconds: float) -> HTTPConnection:
    timeout = min(CONNECT_SECONDS, seconds)
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=timeout)
    return HTTPSConnection(
        address,
        target.port,
        timeout=timeout,
        server_hostname=target.host,
        ssl_context=ssl.create_default_context(),
    )


def _answer(connection: HTTPConnection, target: Target, message: _Message) -> Attempt:
    connection.connect()
    # From here on only the deadline counts, for sending and for the answer together.
    connection.sock.settimeout(None)
    connection.request(
        "POST",
        target.path,
        body=message.body,
        headers={
            "Host": target.authority,
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Connection": "close",
            **message.headers,
        },
        preload_content=False,
        decode_content=False,
    )
    response = connection.getresponse()
    return Attempt(
        response.status, content=response.read(message.read_bytes) if message.read_bytes else b""
    )


@contextlib.contextmanager
def _deadline(connection: HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """Cut the connection off when time is up: a receiver that dribbles would never time out."""
    is_over = threading.Event()

    def cut() -> None:
        is_over.set()
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()


def _code(error: Exception) -> str:
    nothing_sent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    if isinstance(error, nothing_sent):
        return "connection_failed"  # which the library counts among timeouts
    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError | urllib3.exceptions.SSLError):
        return "certificate_refused"
    return "connection_broken"
