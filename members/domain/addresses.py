"""Addresses that the site may be asked to call, and those that it must never call.

A subscriber names the address, so it could name the site's own network (server-side request
forgery): every address is checked after it has been resolved, and the checked one is called.

Source: Standard Webhooks 1.0 (SSRF); RFC 6890.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH: Final = 2_000
PORTS: Final = {"https": 443, "http": 80}

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
# Deprecated, or somebody's own network by another name.
_NOT_PUBLIC: Final = (
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("fec0::/10"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    ipaddress.IPv4Network("100.64.0.0/10"),
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv6Network("2001::/23"),
    ipaddress.IPv6Network("5f00::/16"),
)
_VISIBLE: Final = re.compile("[\x21-\x7e]+", re.ASCII)


class UrlInvalidError(DomainError):
    """The address cannot be one of a receiver."""

    def __init__(self, reason: "str | Promise") -> None:
        super().__init__("webhook_url_invalid", reason)


@dataclass(frozen=True, slots=True)
class Target:
    """What is called: scheme, host and port, and the rest of the address."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str, *, allow_private: bool) -> Target:
    """Return what an address means.

    Raises: UrlInvalidError.
    """
    if len(url) > MAX_URL_LENGTH or not _VISIBLE.fullmatch(url):
        raise UrlInvalidError(_("Not an address: too long, or not plain ASCII."))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlInvalidError(_("Not an address.")) from error
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise UrlInvalidError(_("The address must begin with https://."))
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise UrlInvalidError(_("The address must name a host, and no user."))
    if parts.fragment or "\\" in url:
        raise UrlInvalidError(_("The address must not have a fragment."))
    if not allow_private and (literal := _literal(parts.hostname)) and not is_public(literal):
        raise UrlInvalidError(_("The address lies in a private network."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or PORTS[parts.scheme], path)


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the public internet, with every disguise taken off."""
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    if any(address.version == net.version and address in net for net in _NOT_PUBLIC):
        return False
    return address.is_global


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
