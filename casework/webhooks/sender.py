"""One attempt over HTTP, to an address that was checked, with bounds on time and size.

The name is looked up once, every address of it is checked, and the connection goes to a checked
address: what the name says a moment later does not matter (DNS rebinding). TLS and the Host header
still use the name. Redirects are not followed, proxies of the environment are not used, and no
connection is kept. ``http.client`` takes a socket that is connected already, which is all that is
needed here; HTTP libraries connect by name, and would have to be held back from it.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from casework.webhooks.address import (
    Address,
    AddressError,
    AllowList,
    Resolver,
    Target,
    checked_addresses,
    parse_url,
)
from casework.webhooks.delivery import Outcome
from regtech.clock import Clock


class SystemResolver:
    """The resolver of the system. How long it may take is set there (``resolv.conf``)."""

    def addresses(self, host: str, port: int) -> Sequence[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an attempt: ``seconds`` for all of it after the name is known; so many bytes of
    the answer's body are read, for at most ``body_seconds``, to show people; the status decides.
    """

    seconds: float = 15.0
    connect_seconds: float = 5.0
    body_seconds: float = 2.0
    body_bytes: int = 1024


class _Timed(io.RawIOBase):
    """What comes from a socket, until a deadline: a trickle of bytes does not prolong it."""

    def __init__(self, sock: socket.socket, clock: Clock, deadline: float) -> None:
        self._sock = sock
        self._clock = clock
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._clock, self.deadline))
        return self._sock.recv_into(buffer)


def _left(clock: Clock, deadline: float) -> float:
    left = deadline - clock.elapsed()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class _Socket:
    """As much of a socket as ``http.client`` uses, with a deadline."""

    def __init__(self, sock: socket.socket, clock: Clock, deadline: float) -> None:
        self._sock = sock
        self._clock = clock
        self.reader = _Timed(sock, clock, deadline)

    def sendall(self, data: bytes) -> None:
        # A time-out of the standard library's sendall is for all of the data.
        self._sock.settimeout(_left(self._clock, self.reader.deadline))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self.reader)

    def close(self) -> None:
        self._sock.close()


class HttpSender:
    """``Sender`` over HTTP/1.1.

    ``tls`` None: certificates are checked against the system's authorities. A time or bytes above
    ``limits`` are a failed attempt.
    """

    def __init__(
        self,
        *,
        resolver: Resolver,
        allow: AllowList,
        clock: Clock,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        agent: str = "regtech-webhooks",
    ) -> None:
        self._resolver = resolver
        self._allow = allow
        self._clock = clock
        self._limits = limits or Limits()
        self._tls = tls or ssl.create_default_context()
        self._agent = agent

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """POST once; what the other side does, or does not do, is the outcome."""
        try:
            target = parse_url(url)
            addresses = checked_addresses(target, self._resolver, self._allow)
        except AddressError as error:
            return Outcome(None, f"refused: {error.message}")
        except OSError as error:
            return Outcome(None, f"the name was not found: {_reason(error)}")
        deadline = self._clock.elapsed() + self._limits.seconds
        try:
            sock = self._connected(target, addresses, deadline)
        except ssl.SSLError as error:
            return Outcome(None, f"no TLS: {_reason(error)}")
        except OSError as error:
            return Outcome(None, f"not connected: {_reason(error)}")
        try:
            return self._exchange(target, sock, deadline, headers, body)
        except TimeoutError:
            return Outcome(None, f"no answer within {self._limits.seconds:g} seconds")
        except HTTPException as error:
            return Outcome(None, f"no HTTP answer: {type(error).__name__}")
        except OSError as error:
            return Outcome(None, f"broken off: {_reason(error)}")
        except ValueError as error:  # headers that are none
            return Outcome(None, f"no HTTP answer: {type(error).__name__}")
        finally:
            sock.close()

    def _connected(
        self, target: Target, addresses: Sequence[Address], deadline: float
    ) -> socket.socket:
        """A socket to the first address that takes the connection, TLS included."""
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                left = min(_left(self._clock, deadline), self._limits.connect_seconds)
                sock = socket.create_connection((str(address), target.port), timeout=left)
            except OSError as error:
                failure = error
                continue
            if not target.secure:
                return sock
            try:
                sock.settimeout(_left(self._clock, deadline))
                return self._tls.wrap_socket(sock, server_hostname=target.host)
            except BaseException:
                sock.close()
                raise
        raise failure

    def _exchange(
        self,
        target: Target,
        sock: socket.socket,
        deadline: float,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Outcome:
        timed = _Socket(sock, self._clock, deadline)
        connection = HTTPConnection(target.host, target.port)
        connection.sock = timed  # connected already: http.client does not look the name up
        sent = {
            "Host": target.authority,
            "User-Agent": self._agent,
            "Accept": "*/*",
            "Content-Type": "application/json",
            "Connection": "close",
            **headers,
        }
        connection.request("POST", target.path, body, sent)
        response = connection.getresponse()
        try:
            timed.reader.deadline = min(deadline, self._clock.elapsed() + self._limits.body_seconds)
            shown = _start(response, self._limits.body_bytes)
            said = f"HTTP {response.status}" + (f": {shown}" if shown else "")
            return Outcome(response.status, said, response.getheader("Retry-After"))
        finally:
            response.close()
            connection.close()


def _start(response: Any, limit: int) -> str:
    """The first line of an answer's body, for people; what is wrong with the rest is no matter."""
    try:
        start = bytes(response.read1(limit))
    except (OSError, HTTPException, ValueError):
        return ""
    text = start.decode("utf-8", "replace").strip().split("\n")[0]
    return "".join(letter if letter.isprintable() else " " for letter in text)[:200]


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.strerror or str(error) or type(error).__name__
