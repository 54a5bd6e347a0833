"""Where a webhook may go: the guard of URLs and addresses, at registration and at every connection.

A receiver is somewhere on the public Internet. Loopback, private and link-local networks, shared
address space, multicast, documentation, tunnels that carry such an address, and the metadata
services of clouds are refused; an operator's allow-list opens single addresses or networks.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, Protocol
from urllib.parse import urlsplit

from regtech.content.saying import say
from regtech.errors import UsageError

URL_MAX: Final = 2048

_REFUSED_4: Final = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared address space (CGNAT)"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "metadata of a cloud"),
        ("169.254.0.0/16", "link-local, metadata of clouds"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "special purpose"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "former 6to4 relays"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarks"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, broadcast"),
    )
)
_PUBLIC_6: Final = IPv6Network("2000::/3")
_REFUSED_6: Final = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("2001::/23", "special purpose, Teredo"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
    )
)
_NAMED_6: Final = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_CARRIES_4: Final = (  # the last 32 bits are an IPv4 address
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated
    IPv6Network("64:ff9b::/96"),  # NAT64
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressError(UsageError):
    """A webhook may not go there; says which address and why."""

    code = "webhook_address"


@dataclass(frozen=True, slots=True)
class AllowList:
    """Addresses and networks of our own that the operator opens, for plain HTTP as well."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> AllowList:
        """Read a setting: addresses and networks between commas.

        Raises ``UsageError`` for anything else, so that a slip stops the start and opens nothing.
        """
        networks = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(part, strict=True))
            except ValueError as error:
                raise UsageError(
                    say(
                        "%(part)r in the allow-list of webhooks is no network: %(error)s",
                        part=part,
                        error=error,
                    ),
                    hint=say("write 10.1.2.3, 10.1.2.0/24 or fd00::/64, between commas"),
                    code="webhook_allow_list",
                ) from None
        return cls(tuple(networks))

    def opens(self, address: Address) -> bool:
        """Whether the operator opened it; an address inside another one counts as itself."""
        inner = _inner(address)
        return any(
            candidate.version == network.version and candidate in network
            for network in self.networks
            for candidate in {address, inner}
        )


def _inner(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        for network in _CARRIES_4:
            if address in network:
                return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def refusal(address: Address, allow: AllowList) -> str | None:
    """Why an address is refused, or None where a webhook may go there."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "bound to one of our interfaces"
    if allow.opens(address):
        return None
    address = _inner(address)
    if isinstance(address, IPv4Address):
        return next((why for network, why in _REFUSED_4 if address in network), None)
    if address not in _PUBLIC_6:
        named = (why for network, why in _NAMED_6 if address in network)
        return next(named, "not a public address")
    return next((why for network, why in _REFUSED_6 if address in network), None)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. ``host`` is lower case, an IPv6 address without brackets."""

    secure: bool
    host: str
    port: int
    path: str
    """Path and query, as they are sent."""

    @property
    def authority(self) -> str:
        """What goes into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


_URL = re.compile(r"[\x21-\x7e]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def parse_url(text: str) -> Target:
    """Take a URL apart. Raises ``AddressError`` for what two readers might read in two ways.

    Refused: other schemes than https and http, user names, fragments, blanks, controls,
    backslashes, letters beyond ASCII, and numbers as host that are not a plain dotted IPv4 address.
    """
    if len(text) > URL_MAX:
        raise AddressError(say("the URL is longer than %(url_max)s characters", url_max=URL_MAX))
    if not _URL.fullmatch(text) or "\\" in text:
        raise AddressError(
            say("the URL has blanks, controls, backslashes or letters beyond ASCII"),
            hint=say("write names in their xn-- form and paths percent-encoded"),
        )
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise AddressError(say("this is no URL: %(error)s", error=error)) from None
    if parts.scheme not in ("https", "http"):
        raise AddressError(say("the URL does not begin with https://"))
    if "@" in parts.netloc:
        raise AddressError(
            say("the URL holds a user name"), hint=say("the signature says who is calling")
        )
    if "#" in text:
        raise AddressError(say("the URL has a fragment"), hint=say("leave out what follows #"))
    if port == 0 or parts.netloc.endswith(":"):
        raise AddressError(say("the URL has no right port"))
    _check_host(host, "[" in parts.netloc)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, port or (443 if secure else 80), path)


def _check_host(host: str, bracketed: bool) -> None:
    if bracketed:
        try:
            if IPv6Address(host).scope_id is None:
                return
        except ValueError:
            pass
        raise AddressError(say("[%(host)s] is no IPv6 address", host=host))
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are loopback to some readers of addresses.
        try:
            IPv4Address(host)
        except ValueError:
            raise AddressError(
                say("%(host)r is an odd spelling of an address", host=host),
                hint=say("write it as 192.0.2.1"),
            ) from None
        return
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError(
            say("%(host)r is no name of a host", host=host),
            hint=say("write it without a final dot"),
        )


class Resolver(Protocol):
    """Names to addresses."""

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Every address of the host, as text. Raises ``OSError`` where there is none."""


def checked_addresses(target: Target, resolver: Resolver, allow: AllowList) -> tuple[Address, ...]:
    """The addresses that may be connected to, from one look-up; connect to these, never by name.

    Every address of the name must be allowed: one that is not shows that the name is not to be
    trusted. Plain HTTP is for addresses of the allow-list. Raises ``AddressError``; an ``OSError``
    of the resolver passes through.
    """
    found = []
    for text in _addresses(target, resolver):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise AddressError(
                say("%(host)s has an address that is none: %(text)r", host=target.host, text=text)
            ) from None
        why = refusal(address, allow)
        if why is not None:
            raise AddressError(
                say(
                    "%(host)s is at %(address)s: %(why)s",
                    host=target.host,
                    address=address,
                    why=why,
                ),
                hint=say("webhooks go to public addresses; the operator's allow-list opens others"),
            )
        if not target.secure and not allow.opens(address):
            raise AddressError(
                say("%(host)s is not called by plain HTTP", host=target.host),
                hint=say("write https:// in the URL"),
            )
        found.append(address)
    if not found:
        raise AddressError(say("%(host)s has no address", host=target.host))
    return tuple(found)


def _addresses(target: Target, resolver: Resolver) -> Sequence[str]:
    try:
        return [str(ipaddress.ip_address(target.host))]
    except ValueError:
        return resolver.addresses(target.host, target.port)
