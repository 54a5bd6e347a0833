"""The guard: what is refused, however it is spelled, and what an operator opens."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.webhooks.address import (
    AddressError,
    AllowList,
    checked_addresses,
    parse_url,
    refusal,
)
from regtech.errors import UsageError

NOTHING = AllowList()

REFUSED = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255",
    "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1",
]  # fmt: skip
ALLOWED = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111",
           "::ffff:8.8.8.8", "64:ff9b::808:808"]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_a_reason(text: str) -> None:
    assert refusal(ipaddress.ip_address(text), NOTHING)


@pytest.mark.parametrize("text", ALLOWED)
def test_public_addresses_are_allowed(text: str) -> None:
    assert refusal(ipaddress.ip_address(text), NOTHING) is None


@given(st.ip_addresses(v=4))
def test_nothing_passes_that_the_standard_library_calls_private(
    address: ipaddress.IPv4Address,
) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal(address, NOTHING)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | int(address))
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | int(address))
    assert refusal(mapped, NOTHING) == refusal(nat64, NOTHING) == refusal(address, NOTHING)


@given(st.ip_addresses(v=6))
def test_nothing_of_version_6_either(address: ipaddress.IPv6Address) -> None:
    carried = any(
        address in ipaddress.IPv6Network(network)
        for network in ("::ffff:0:0/96", "64:ff9b::/96", "::ffff:0:0:0/96")
    )
    if not carried and (not address.is_global or address.is_multicast):
        assert refusal(address, NOTHING)


# --- the allow-list -------------------------------------------------------------------------------


def test_an_operator_opens_single_addresses_and_networks() -> None:
    allow = AllowList.of(" 10.1.2.3, 192.168.7.0/24,fd00:1::/64 ,")
    opened = ["10.1.2.3", "192.168.7.255", "fd00:1::9", "::ffff:10.1.2.3"]
    for text in opened:
        assert refusal(ipaddress.ip_address(text), allow) is None
    for text in ("10.1.2.4", "192.168.8.0", "fd00:2::9", "127.0.0.1"):
        assert refusal(ipaddress.ip_address(text), allow)


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1/8", "10.0.0.0/33", "localhost", "*", "10.0.0.0-10.0.0.9", "0x7f000001", "10.1"],
)
def test_a_slip_in_the_allow_list_stops_the_start(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        AllowList.of(f"10.1.2.3,{text}")
    assert caught.value.code == "webhook_allow_list"
    assert repr(text) in str(caught.value)


def test_an_empty_allow_list_opens_nothing() -> None:
    assert AllowList.of("") == AllowList.of(" , ") == NOTHING


# --- URLs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "secure", "host", "port", "path", "authority"),
    [
        ("https://example.com", True, "example.com", 443, "/", "example.com"),
        ("https://Example.COM:443/a?b=%20", True, "example.com", 443, "/a?b=%20", "example.com"),
        ("http://example.com:8080/", False, "example.com", 8080, "/", "example.com:8080"),
        ("https://[2606:4700::1]:8443/x", True, "2606:4700::1", 8443, "/x", "[2606:4700::1]:8443"),
        ("https://1.1.1.1/", True, "1.1.1.1", 443, "/", "1.1.1.1"),
        ("https://xn--fiq228c.example/?a", True, "xn--fiq228c.example", 443, "/?a",
         "xn--fiq228c.example"),
    ],
)  # fmt: skip
def test_a_url_is_taken_apart(
    url: str, secure: bool, host: str, port: int, path: str, authority: str
) -> None:
    target = parse_url(url)
    assert (target.secure, target.host, target.port, target.path) == (secure, host, port, path)
    assert target.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
        "javascript:alert(1)", "https://", "https:///path", "https://user@example.com/",
        "https://user:pass@example.com/", "https://example.com@127.0.0.1/", "https://example.com/#x",
        "https://example.com\\@127.0.0.1/", "https://exa mple.com/", "https://example.com/\r\nX: y",
        "https://example.com/\t", " https://example.com/", "https://例子.com/", "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:x/", "https://example.com:/",
        "https://example.com./", "https://exa%6Dple.com/", "https://-example.com/", "https://a..b/",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/",
        "https://0177.0.0.1/", "https://127.1/", "https://127.0.0.1./", "https://127.000.000.001/",
        "https://1.2.3.4.5/", "https://0x/", "https://256.1.1.1/", "https://a.0x7f/",
        "https://[::1", "https://[127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://[v1.x]/",
        "https://①②⑦.⓪.⓪.①/", "https://" + "a" * 64 + ".com/", "https://e.com/" + "a" * 2048,
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        parse_url(url)


@given(st.text(max_size=60) | st.text("htps:/[].@#?%0123456789abcxX\\\t ", max_size=40))
def test_a_url_is_read_or_refused_but_never_breaks_the_reader(text: str) -> None:
    for url in (text, "https://" + text):
        try:
            target = parse_url(url)
        except AddressError:
            continue
        assert target.host
        assert 0 < target.port < 65536
        assert target.path.startswith("/")
        assert target.path.isascii()
        assert not set(target.path) & set(" \r\n\t")


# --- names ----------------------------------------------------------------------------------------


class Names:
    """A resolver that says what it is told to, and counts."""

    def __init__(self, *addresses: str) -> None:
        self.said = addresses
        self.asked: list[str] = []

    def addresses(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.said


def test_every_address_of_a_name_must_be_allowed() -> None:
    target = parse_url("https://hooks.example/")
    found = checked_addresses(target, Names("1.1.1.1", "2606:4700::1"), NOTHING)
    assert [str(address) for address in found] == ["1.1.1.1", "2606:4700::1"]
    for bad in ("127.0.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"):
        with pytest.raises(AddressError, match="hooks.example is at"):
            checked_addresses(target, Names("1.1.1.1", bad), NOTHING)
    with pytest.raises(AddressError, match="no address"):
        checked_addresses(target, Names(), NOTHING)
    with pytest.raises(AddressError, match="is none"):
        checked_addresses(target, Names("nonsense"), NOTHING)


def test_plain_http_is_for_addresses_that_the_operator_opened() -> None:
    target = parse_url("http://hooks.example/")
    with pytest.raises(AddressError, match="plain HTTP"):
        checked_addresses(target, Names("1.1.1.1"), NOTHING)
    assert checked_addresses(target, Names("10.1.2.3"), AllowList.of("10.1.2.3"))
    with pytest.raises(AddressError, match="plain HTTP"):
        checked_addresses(target, Names("10.1.2.3", "1.1.1.1"), AllowList.of("10.1.2.3"))


def test_an_address_as_host_is_not_looked_up() -> None:
    names = Names("1.1.1.1")
    with pytest.raises(AddressError, match="loopback"):
        checked_addresses(parse_url("https://127.0.0.1/"), names, NOTHING)
    with pytest.raises(AddressError, match="loopback"):
        checked_addresses(parse_url("https://[::1]/"), names, NOTHING)
    assert names.asked == []
