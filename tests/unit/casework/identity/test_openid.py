"""What is believed of a provider's word, and what is not; with tokens that are made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from casework.cases.errors import UnauthenticatedError
from casework.identity.openid import KNOWN_US, STARTED_S, OpenId, OpenIdSettings
from regtech.clock import ManualClock
from regtech.errors import StoreError, UsageError

ISSUER = "https://id.example"
START_US = 1_772_413_200_000_000
KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
OTHER = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})


class Provider:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.key = KEY
        self.token: Any = ""
        self.asked: list[str] = []
        self.forms: list[Mapping[str, str]] = []
        self.discovery: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }

    def get(self, url: str) -> Mapping[str, Any]:
        self.asked.append(url)
        if url.endswith("/keys"):
            return dict(KeySet([self.key]).as_dict(private=False))
        return self.discovery

    def post(self, url: str, form: Mapping[str, str], user: str, password: str) -> Any:
        assert (user, password) == ("regtech", "hidden")
        self.forms.append(form)
        return {"id_token": self.token}


class World:
    """A provider, our side of it, and a login under way."""

    def __init__(self) -> None:
        self.provider, self.clock = Provider(), ManualClock(START_US)
        self.count = 0
        settings = OpenIdSettings(ISSUER, "regtech", "hidden", "https://us.example/callback")
        self.openid = OpenId(settings, self.provider, self.clock, self._random, "s" * 32)
        where, self.sealed = self.openid.begin()
        self.query = {name: value for name, (value,) in parse_qs(urlsplit(where).query).items()}

    def _random(self, size: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(size, "big")

    def claims(self, **change: Any) -> dict[str, Any]:
        """What a good token says; None takes a claim away."""
        now = self.clock.now_us() // 1_000_000
        good = {
            "iss": ISSUER, "aud": "regtech", "sub": "wang", "iat": now, "exp": now + 300,
            "nonce": self.query["nonce"],
        }  # fmt: skip
        return {name: value for name, value in {**good, **change}.items() if value is not None}

    def signed(self, key: Any = KEY, algorithm: str = "ES256", **change: Any) -> None:
        """The provider gives a token."""
        header = {"alg": algorithm, "kid": "one"}
        self.provider.token = jwt.encode(header, self.claims(**change), key, algorithms=[algorithm])

    def finish(self, **change: str) -> str:
        """The browser comes back."""
        words = {"code": "c", "state": self.query["state"], "issuer": ISSUER, **change}
        sealed = words.pop("sealed", self.sealed)
        return self.openid.finish(sealed, **words)


def test_the_subject_is_the_issuers() -> None:
    world = World()
    world.signed()
    assert world.finish() == f"{ISSUER}|wang"
    (form,) = world.provider.forms
    assert form["code_verifier"] not in str(world.query)
    assert world.query["tenant"] == "1"
    assert world.query["code_challenge_method"] == "S256"
    assert world.query["redirect_uri"] == form["redirect_uri"]


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"}, {"nonce": None}, {"iss": "https://evil.example"}, {"iss": None},
        {"aud": "another"}, {"aud": None}, {"aud": ["regtech", "other"]}, {"azp": "other"},
        {"exp": START_US // 1_000_000 - 61}, {"exp": None}, {"iat": None},
        {"iat": START_US // 1_000_000 + 3600}, {"sub": None}, {"sub": ""}, {"sub": 7},
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_not_believed(change: dict[str, Any]) -> None:
    world = World()
    world.signed(**change)
    with pytest.raises(UnauthenticatedError, match="could not be verified"):
        world.finish()


def test_several_audiences_with_us_as_the_party_are_believed() -> None:
    world = World()
    world.signed(aud=["regtech", "other"], azp="regtech")
    assert world.finish() == f"{ISSUER}|wang"


def test_signatures_that_are_none() -> None:
    world = World()
    world.signed(OTHER)
    with pytest.raises(UnauthenticatedError):
        world.finish()
    world.signed(OctKey.import_key("hidden-hidden-hidden-hidden-hidden"), "HS256")
    with pytest.raises(UnauthenticatedError):
        world.finish()
    head, body, _ = world.provider.token.split(".")
    for token in (f"{head}.{body}.", "eyJhbGciOiJub25lIn0." + body + ".", "x", "..", ""):
        world.provider.token = token
        with pytest.raises(UnauthenticatedError):
            world.finish()
    world.provider.token = None
    with pytest.raises(UnauthenticatedError, match="refused"):
        world.finish()


@pytest.mark.parametrize(
    "change",
    [
        {"state": "another"}, {"state": ""}, {"state": "é"}, {"code": ""}, {"sealed": ""},
        {"sealed": "gAAAAA"}, {"issuer": "https://evil.example"},
    ],
)  # fmt: skip
def test_an_answer_that_was_not_asked_for(change: dict[str, str]) -> None:
    world = World()
    world.signed()
    with pytest.raises(UnauthenticatedError, match="not begun here"):
        world.finish(**change)
    assert world.provider.forms == []


def test_a_login_that_took_too_long() -> None:
    world = World()
    world.clock.advance((STARTED_S + 1) * 1_000_000)
    world.signed()
    with pytest.raises(UnauthenticatedError, match="too long ago"):
        world.finish()


def test_new_keys_of_the_provider_are_found() -> None:
    world = World()
    asked = len(world.provider.asked)
    world.provider.key = OTHER
    world.signed(OTHER)
    assert world.finish() == f"{ISSUER}|wang"
    assert len(world.provider.asked) == asked + 2
    world.clock.advance(KNOWN_US)
    world.openid.begin()
    assert len(world.provider.asked) == asked + 4


def test_a_provider_that_is_another() -> None:
    world = World()
    world.clock.advance(KNOWN_US)
    world.provider.discovery["issuer"] = "https://evil.example"
    with pytest.raises(StoreError, match="not that of the issuer"):
        world.openid.begin()


@pytest.mark.parametrize(
    ("issuer", "client", "redirect"),
    [
        ("http://id.example", "regtech", "https://us.example"),
        ("https://id.example", "regtech", "http://us.example"),
        ("https://id.example", "", "https://us.example"),
        ("file:///etc/passwd", "regtech", "https://us.example"),
    ],
)
def test_settings_that_do_not_do(issuer: str, client: str, redirect: str) -> None:
    with pytest.raises(UsageError):
        OpenIdSettings(issuer, client, "hidden", redirect)
