"""What a subscriber may have the site call, and what never: its own network under any name."""

import ipaddress
import socket
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from config.base.settings import security
from members.domain import addresses
from members.services import sending
from members.services.sending import AddressRefusedError
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.req("INT-02")

PRIVATE = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200",
    "192.0.0.192", "192.88.99.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "101.6.6.6", "2606:4700:4700::1111", "::ffff:8.8.8.8")


@pytest.mark.parametrize("text", PRIVATE)
def test_addresses_that_are_not_public_are_refused(text: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_called(text: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/", "ftp://shop.example/", "https://", "https:///x", "shop.example",
        "https://user@shop.example/", "https://user:pw@shop.example/", "https://shop.example/#x",
        "https://shop.example\\@10.0.0.1/", "https://shop.example:99999/", "https://[::1]/",
        "https://127.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[fe80::1]/",
        "https://shop.example/\r\nX: y", "https://shop.example/ x", "https://店.example/",
        "https://shop.example/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_receiver_is_refused(url: str) -> None:
    with pytest.raises(addresses.UrlInvalidError):
        addresses.parse(url, allow_private=False)


def test_an_address_is_taken_apart() -> None:
    target = addresses.parse("https://Shop.example:8443/a/b?c=d", allow_private=False)
    assert (target.host, target.port, target.path) == ("shop.example", 8443, "/a/b?c=d")
    assert target.authority == "shop.example:8443"
    assert addresses.parse("https://shop.example", allow_private=False).authority == "shop.example"


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    def answer(host: str, port: int, **_named: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize("answers", [("10.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("169.254.169.254",)])
def test_a_name_that_leads_into_a_private_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[str, ...]
) -> None:
    resolving(monkeypatch, *answers)
    with pytest.raises(AddressRefusedError):
        sending.resolve("rebind.example", 443)
    attempt = sending.post("https://rebind.example/", b"{}", {})
    assert (attempt.status, attempt.error) == (None, "address_refused")


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_other_ways_to_write_loopback_are_refused(host: str) -> None:
    attempt = sending.post(f"https://{host}/", b"{}", {})
    assert attempt.error in {"address_refused", "name_not_resolved"}


def test_a_name_is_resolved_once_and_the_checked_address_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    port = int(receiver.url.rpartition(":")[2].partition("/")[0])

    def answer(host: str, port: int, *_rest: Any, **_named: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    attempt = sending.post(f"http://rebind.example:{port}/hook", b"{}", {"webhook-id": "msg_1"})
    assert attempt.status == 204
    assert asked[0] == "rebind.example"
    assert set(asked[1:]) <= {"127.0.0.1"}, "the name is never asked for again"
    ((headers, _body),) = receiver.requests
    assert headers["host"] == f"rebind.example:{port}"


def test_private_addresses_are_called_only_where_the_setting_says_so(
    receiver: Receiver, settings: Settings
) -> None:
    assert sending.post(receiver.url, b"{}", {"webhook-id": "msg_1"}).status == 204
    settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE = False
    assert sending.post(receiver.url, b"{}", {}).error == "url_invalid"
    assert len(receiver.requests) == 1


def test_production_refuses_to_call_private_addresses() -> None:
    with pytest.raises(ImproperlyConfigured, match="LOYALTY_WEBHOOK_ALLOW_PRIVATE"):
        security.refuse_unsafe(
            debug=False, secret_key="x" * 60, clock="wall", keys="1:x", allows_private=True
        )
