"""One attempt against real servers that are slow, drop, redirect and lie."""

from __future__ import annotations

import datetime
import gc
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from casework.webhooks.address import AllowList, Resolver
from casework.webhooks.delivery import Outcome
from casework.webhooks.sender import HttpSender, Limits, SystemResolver
from regtech.clock import SystemClock

Start = Callable[..., Any]
Behaviour = Callable[[Any], None]

QUICK = Limits(seconds=1.0, connect_seconds=0.5, body_seconds=0.3)


class Names:
    """Every name is at these addresses; one list a look-up, the last one for good."""

    def __init__(self, *said: Sequence[str]) -> None:
        self._said = list(said)
        self.asked = 0

    def addresses(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._said.pop(0) if len(self._said) > 1 else self._said[0]


def sender(
    resolver: Resolver | None = None, allow: str = "127.0.0.1", limits: Limits = QUICK, **more: Any
) -> HttpSender:
    return HttpSender(
        resolver=resolver or Names(["127.0.0.1"]), allow=AllowList.of(allow), clock=SystemClock(),
        limits=limits, **more,
    )  # fmt: skip


def answer(data: bytes) -> Behaviour:
    return lambda connection: connection.sendall(data)


def timed(attempt: Callable[[], Outcome]) -> tuple[Outcome, float]:
    begin = time.perf_counter()
    return attempt(), time.perf_counter() - begin


OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def test_what_is_sent(receiver: Start) -> None:
    server = receiver(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n"))
    outcome = sender().send(
        f"http://hooks.example:{server.port}/in?tenant=a%20b", {"webhook-id": "msg_1"}, b"{}"
    )
    assert outcome == Outcome(200, "HTTP 200: fine")
    assert server.lines == ["POST /in?tenant=a%20b HTTP/1.1"]
    headers, body = server.requests[0]
    assert body == b"{}"
    assert headers == {
        "host": f"hooks.example:{server.port}", "user-agent": "regtech-webhooks", "accept": "*/*",
        "content-type": "application/json", "connection": "close", "webhook-id": "msg_1",
        "content-length": "2", "accept-encoding": "identity",
    }  # fmt: skip


# --- it lies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort", 200, "HTTP 200: short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger than said", 200, "HTTP 200: lo"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx", 200, "HTTP 200"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", 200, "HTTP 200"),
        (b"HTTP/1.1 500 No\r\n\r\n\xff\x00\x1b[31mred", 500, "HTTP 500"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", 103, "HTTP 103"),
    ],
)
def test_the_status_decides_whatever_the_body_says(
    receiver: Start, data: bytes, status: int, said: str
) -> None:
    server = receiver(answer(data))
    outcome = sender().send(f"http://hooks.example:{server.port}/", {}, b"{}")
    assert outcome.status == status
    assert outcome.said.startswith(said)
    assert outcome.said.isprintable()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 2000 x\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00" * 4096, b"HTTP/1.1 200 " + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_failure(receiver: Start, data: bytes) -> None:
    server = receiver(answer(data))
    outcome = sender().send(f"http://hooks.example:{server.port}/", {}, b"{}")
    assert outcome.status is None
    assert outcome.said


def test_an_endless_body_is_not_read(receiver: Start) -> None:
    sent = 0

    def behave(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += connection.send(b"x" * 65536)

    server = receiver(behave)
    outcome, took = timed(lambda: sender().send(f"http://h.example:{server.port}/", {}, b"{}"))
    assert outcome.status == 200
    assert len(outcome.said) <= 220
    assert took < 1
    server.close()
    assert sent < 64 << 20  # what fits into buffers, not what a thousand reads would take


def test_an_endless_row_of_interim_answers_ends(receiver: Start) -> None:
    def behave(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    server = receiver(behave)
    outcome, took = timed(lambda: sender().send(f"http://h.example:{server.port}/", {}, b"{}"))
    assert outcome.status is None
    assert took < 2


def test_retry_after_is_handed_on(receiver: Start) -> None:
    server = receiver(answer(b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"))
    outcome = sender().send(f"http://hooks.example:{server.port}/", {}, b"{}")
    assert outcome == Outcome(429, "HTTP 429", "120")


# --- it is slow -----------------------------------------------------------------------------------


def silent(connection: Any) -> None:
    connection.recv(1)


def trickle(start: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    return behave


@pytest.mark.parametrize(
    "behave", [silent, trickle(b""), trickle(b"HTTP/1.1 200 OK\r\nX: ")], ids=["silent", "a", "b"]
)
def test_all_of_an_attempt_ends_in_time(receiver: Start, behave: Behaviour) -> None:
    server = receiver(behave)
    outcome, took = timed(lambda: sender().send(f"http://h.example:{server.port}/", {}, b"{}"))
    assert outcome.status is None
    assert "1 seconds" in outcome.said
    assert 0.8 < took < 2


def test_a_body_that_trickles_does_not_hold_the_worker(receiver: Start) -> None:
    server = receiver(trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"))
    slow = Limits(seconds=10, body_seconds=0.3)
    outcome, took = timed(
        lambda: sender(limits=slow).send(f"http://h.example:{server.port}/", {}, b"{}")
    )
    assert outcome.status == 200
    assert took < 2


def test_a_receiver_that_does_not_read_is_given_up(receiver: Start) -> None:
    server: Any = receiver(lambda _: server.gone.wait(5), read=False)
    outcome, took = timed(
        lambda: sender().send(f"http://h.example:{server.port}/", {}, b"x" * (32 << 20))
    )
    assert outcome.status is None
    assert took < 3


# --- it drops -------------------------------------------------------------------------------------


def test_drops_and_closed_ports_are_failures(receiver: Start) -> None:
    server = receiver(lambda _: None, read=False)
    assert sender().send(f"http://h.example:{server.port}/", {}, b"{}").status is None
    server.close()
    outcome = sender().send(f"http://h.example:{server.port}/", {}, b"{}")
    assert outcome.status is None
    assert outcome.said.startswith("not connected")


def test_the_next_address_is_tried_where_one_does_not_answer(receiver: Start) -> None:
    server = receiver(answer(OK))
    both = sender(Names(["127.0.0.2", "127.0.0.1"]), allow="127.0.0.0/8")
    assert both.send(f"http://h.example:{server.port}/", {}, b"{}").status == 204


# --- where it may not go --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Start, status: int) -> None:
    inside = receiver(answer(OK))
    location = f"http://127.0.0.1:{inside.port}/secret".encode()
    outside = receiver(answer(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\n\r\n" % (status, location)))
    outcome = sender().send(f"http://h.example:{outside.port}/", {}, b"{}")
    assert outcome.status == status
    assert not outcome.delivered
    assert inside.connections == 0


def test_proxies_of_the_environment_are_not_used(
    receiver: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = receiver(answer(OK)), receiver(answer(OK))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert sender().send(f"http://h.example:{server.port}/", {}, b"{}").status == 204
    assert (proxy.connections, server.connections) == (0, 1)


def test_a_name_that_changes_its_address_does_not_lead_inside(receiver: Start) -> None:
    """DNS rebinding: public when it was registered, loopback when it is called."""
    server = receiver(answer(OK))
    rebound = sender(Names(["127.0.0.1"]), allow="")
    for url in (f"http://h.example:{server.port}/", f"https://h.example:{server.port}/"):
        outcome = rebound.send(url, {}, b"{}")
        assert outcome.status is None
        assert "loopback" in outcome.said
    assert server.connections == 0


def test_the_name_is_looked_up_once_for_an_attempt(receiver: Start) -> None:
    """The second answer would lead to 127.0.0.3, where nobody listens."""
    server = receiver(answer(OK))
    names = Names(["127.0.0.1"], ["127.0.0.3"])
    one = sender(names, allow="127.0.0.1")
    assert one.send(f"http://h.example:{server.port}/", {}, b"{}").status == 204
    assert names.asked == 1
    assert "loopback" in one.send(f"http://h.example:{server.port}/", {}, b"{}").said


def test_the_connection_goes_to_the_checked_address_and_nowhere_else(receiver: Start) -> None:
    """Nobody listens at 127.0.0.2; the server is at 127.0.0.1."""
    server = receiver(answer(OK))
    elsewhere = sender(Names(["127.0.0.2"]), allow="127.0.0.0/8")
    outcome = elsewhere.send(f"http://localhost:{server.port}/", {}, b"{}")
    assert outcome.said.startswith("not connected")
    assert server.connections == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "[64:ff9b::7f00:1]"]
)
def test_our_own_machine_is_refused_by_the_real_resolver_too(receiver: Start, host: str) -> None:
    server = receiver(answer(OK))
    outcome = sender(SystemResolver(), allow="").send(f"https://{host}:{server.port}/", {}, b"{}")
    assert outcome.said.startswith("refused")
    assert server.connections == 0


def test_a_name_that_is_not_found_is_a_failure() -> None:
    class Nobody:
        def addresses(self, host: str, port: int) -> Sequence[str]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    outcome = sender(Nobody()).send("https://nowhere.example/", {}, b"{}")
    assert outcome.status is None
    assert "not found" in outcome.said


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for hooks.example and its key, good from 2020 to 2099, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2099, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.public_bytes(Encoding.PEM)
    )
    return path


def served(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_tls_uses_the_name_while_the_connection_uses_the_address(
    receiver: Start, certificate: Path
) -> None:
    asked: list[str | None] = []
    context = served(certificate)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    server = receiver(answer(OK), tls=context)
    trusting = ssl.create_default_context(cafile=str(certificate))
    one = sender(tls=trusting)
    assert one.send(f"https://hooks.example:{server.port}/", {}, b"{}").status == 204
    assert asked == ["hooks.example"]
    assert server.requests[0][0]["host"] == f"hooks.example:{server.port}"
    wrong = one.send(f"https://other.example:{server.port}/", {}, b"{}")
    assert wrong.status is None
    assert wrong.said.startswith("no TLS")
    assert len(server.requests) == 1


def test_a_certificate_of_nobody_is_refused(receiver: Start, certificate: Path) -> None:
    server = receiver(answer(OK), tls=served(certificate))
    outcome = sender().send(f"https://hooks.example:{server.port}/", {}, b"{}")
    assert outcome.status is None
    assert outcome.said.startswith("no TLS: self")
    assert server.requests == []


def test_a_handshake_that_never_comes_ends_in_time(receiver: Start) -> None:
    server: Any = receiver(lambda _: server.gone.wait(5), read=False)
    outcome, took = timed(lambda: sender().send(f"https://h.example:{server.port}/", {}, b"{}"))
    assert outcome.status is None
    assert took < 2


def test_plain_http_where_tls_is_expected(receiver: Start) -> None:
    server = receiver(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), read=False)
    outcome = sender().send(f"https://h.example:{server.port}/", {}, b"{}")
    assert outcome.status is None
    assert outcome.said.startswith(("no TLS", "not connected"))


def test_nothing_is_left_open(receiver: Start) -> None:
    """A socket that is not closed is a warning, and warnings are errors."""
    server = receiver(answer(OK))
    one = sender()
    for _ in range(20):
        assert one.send(f"http://h.example:{server.port}/", {}, b"{}").status == 204
    assert server.connections == 20
    gc.collect()
