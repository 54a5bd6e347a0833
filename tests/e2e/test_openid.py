"""Logging in through a real provider: ``oidc-provider`` under Node, asked as a browser does.

``REGTECH_TEST_OIDC`` names the folder whose ``node_modules`` has it:
``npm install --prefix FOLDER oidc-provider@8.8.1``.
"""

from __future__ import annotations

import html
import os
import re
import secrets
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest

from casework.cases.scope import Role
from casework.identity.openid import OpenId, OpenIdSettings
from casework.identity.rate import COOKIE
from regtech.app.openid import ProviderHttp
from regtech.clock import SystemClock
from tests.contract.world import SERVICE
from tests.unit.casework.api.api_world import ApiWorld, problem

MODULES = os.environ.get("REGTECH_TEST_OIDC", "")
CALLBACK = "https://regtech.test/api/v1/session/openid/callback"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (Path(MODULES) / "node_modules" / "oidc-provider").is_dir(),
        reason="REGTECH_TEST_OIDC names no folder with oidc-provider",
    ),
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a provider that runs."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port = made.getsockname()[1]
    script = Path(__file__).with_name("oidc_provider.mjs")
    child = subprocess.Popen(
        ["node", str(script), str(port), CALLBACK], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env={**os.environ, "REGTECH_TEST_OIDC": MODULES},
    )  # fmt: skip
    assert child.stdout is not None
    timer = threading.Timer(60, child.kill)
    timer.start()
    try:
        assert child.stdout.readline() == b"listening\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        timer.cancel()
        child.kill()
        child.wait()
        child.stdout.close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Browser:
    """Follows redirects and forms at the provider until it is sent back to us."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(cookies, _Stay)

    def log_in(self, url: str, name: str) -> str:
        """The address of the callback with what the provider says."""
        form: dict[str, str] | None = None
        for _ in range(12):
            data = None if form is None else urlencode(form).encode()
            try:
                with self._opener.open(urllib.request.Request(url, data), timeout=10) as answer:
                    page = answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    assert error.code in (302, 303), error.read()
                    url, form = urljoin(url, error.headers["location"]), None
                if url.startswith(CALLBACK):
                    return url
                continue
            found = re.search(r'<form[^>]*action="([^"]+)"', page)
            prompt = re.search(r'name="prompt" value="(\w+)"', page)
            assert found and prompt, page
            url = urljoin(url, html.unescape(found.group(1)))
            form = {"prompt": prompt.group(1), "login": name, "password": "any"}
        raise AssertionError("the provider did not send the browser back")


@pytest.fixture
def world(issuer: str, tmp_path: Path) -> Iterator[ApiWorld]:
    """An API that trusts the provider."""
    openid = OpenId(
        OpenIdSettings(issuer, "regtech", "the secret of the client", CALLBACK),
        ProviderHttp(), SystemClock(), secrets.token_bytes, "s" * 32,
    )  # fmt: skip
    with ApiWorld.made(tmp_path, openid=openid) as made:
        made.identity.create_user(SERVICE, "wang", [Role.SUPERVISOR], subject=f"{issuer}|wang")
        yield made


def _begin(world: ApiWorld) -> str:
    response = world.client.get("/api/v1/session/openid", follow_redirects=False)
    assert response.status_code == 303
    where: str = response.headers["location"]
    assert "code_challenge_method=S256" in where
    return where


def test_who_the_provider_knows_gets_a_session(world: ApiWorld) -> None:
    back = Browser().log_in(_begin(world), "wang")
    response = world.client.get(back, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookies = response.headers.get_list("set-cookie")
    (session,) = [cookie for cookie in cookies if cookie.startswith(f"{COOKIE}=")]
    assert "HttpOnly" in session and "Secure" in session
    who = world.client.get("/api/v1/session").json()
    assert (who["name"], who["roles"]) == ("wang", ["supervisor"])
    # The cookie of the login is gone, and the code was used.
    problem(world.client.get(back, follow_redirects=False), 401, "login_refused")


def test_who_is_nobody_here_gets_none(world: ApiWorld) -> None:
    back = Browser().log_in(_begin(world), "stranger")
    problem(world.client.get(back, follow_redirects=False), 401, "login_refused")
    problem(world.client.get("/api/v1/session"), 401, "unauthenticated")


def test_an_answer_to_another_browser_is_refused(world: ApiWorld) -> None:
    """Login CSRF: the attacker's answer in the victim's browser."""
    attackers = Browser().log_in(_begin(world), "wang")
    world.client.cookies.clear()
    problem(world.client.get(attackers, follow_redirects=False), 401, "login_refused")
    _begin(world)
    problem(world.client.get(attackers, follow_redirects=False), 401, "login_refused")


def test_a_code_is_of_no_use_without_its_verifier(world: ApiWorld) -> None:
    back = Browser().log_in(_begin(world), "wang")
    code = re.search(r"code=([^&]+)", back)
    _begin(world)
    mine = re.search(r"state=([^&]+)", _begin(world))
    assert code and mine
    other = f"{CALLBACK}?code={code.group(1)}&state={mine.group(1)}"
    problem(world.client.get(other, follow_redirects=False), 401, "login_refused")
