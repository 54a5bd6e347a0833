"""Logging in through an OpenID Connect provider: code flow with PKCE, state and nonce.

The provider says who somebody is; users and their rights are ours. What has to be known again when
the browser comes back goes with it, sealed; nothing is kept here in between.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast
from urllib.parse import urlencode, urlsplit

from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from casework.cases.errors import UnauthenticatedError
from regtech.clock import Clock
from regtech.content.saying import say
from regtech.errors import StoreError, UsageError

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures that are taken: never none, never one that is made with a shared secret."""
STARTED_S: Final = 600
"""So long a login may take at the provider."""
KNOWN_US: Final = 600 * 1_000_000
"""So long the provider's addresses and keys are remembered."""
LEEWAY_S: Final = 60

_LOST: Final = say("the login was not begun here, or too long ago")


class Http(Protocol):
    """Requests to the provider; only ever to addresses that it names itself."""

    def get(self, url: str) -> Mapping[str, Any]:
        """A JSON document. Raises ``StoreError``."""

    def post(self, url: str, form: Mapping[str, str], user: str, password: str) -> Any:
        """The JSON answer to a form, with the client's credentials. Raises ``StoreError``."""


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """``issuer`` is where discovery begins; ``redirect`` is the address of our callback."""

    issuer: str
    client: str
    client_secret: str
    redirect: str

    def __post_init__(self) -> None:
        for url in (self.issuer, self.redirect):
            parts = urlsplit(url)
            local = parts.hostname in ("localhost", "127.0.0.1", "::1")
            if parts.scheme != "https" and not (parts.scheme == "http" and local):
                raise UsageError(say("%(url)s has to begin with https://", url=url))
        if not self.client or not self.client_secret:
            raise UsageError(say("OpenID Connect needs a client and its secret"))


class OpenId:
    """A provider. ``random`` gives so many random bytes a call; ``secret`` is the server's own."""

    def __init__(
        self,
        settings: OpenIdSettings,
        http: Http,
        clock: Clock,
        random: Callable[[int], bytes],
        secret: str,
    ) -> None:
        if not secret:
            raise UsageError(
                say("OpenID Connect needs a secret of the server"),
                hint=say("set REGTECH_SECRET or REGTECH_SECRET_FILE"),
            )
        self._settings, self._http, self._clock, self._random = settings, http, clock, random
        key = hashlib.sha256(b"regtech openid login\0" + secret.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._lock = threading.Lock()
        self._found: tuple[int, Mapping[str, Any], KeySet] | None = None

    def begin(self) -> tuple[str, str]:
        """(where to send the browser, what it has to bring back in a cookie)."""
        provider, _ = self._provider(fresh=False)
        state, nonce, verifier = (_text(self._random(32)) for _ in range(3))
        challenge = _text(hashlib.sha256(verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self._settings.client,
            "redirect_uri": self._settings.redirect,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        begun = json.dumps([state, nonce, verifier]).encode()
        sealed = self._fernet.encrypt_at_time(begun, self._seconds()).decode()
        where = str(provider["authorization_endpoint"])
        return f"{where}{'&' if '?' in where else '?'}{urlencode(query)}", sealed

    def finish(self, sealed: str, *, code: str, state: str, issuer: str) -> str:
        """The subject that the provider vouches for: its issuer and name, with a bar between.

        ``issuer`` is what the answer says of itself (RFC 9207), or "". Raises
        ``UnauthenticatedError``, whatever it is that is not right, and ``StoreError`` where the
        provider cannot be reached.
        """
        try:
            opened = self._fernet.decrypt_at_time(sealed.encode(), STARTED_S, self._seconds())
            known, nonce, verifier = json.loads(opened)
        except (InvalidToken, ValueError):
            raise UnauthenticatedError(_LOST, code="login_refused") from None
        strange = issuer and issuer != self._settings.issuer
        if strange or not code or not hmac.compare_digest(known.encode(), state.encode()):
            raise UnauthenticatedError(_LOST, code="login_refused")
        provider, keys = self._provider(fresh=False)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect,
            "code_verifier": verifier,
        }
        answer = self._http.post(
            str(provider["token_endpoint"]), form, self._settings.client,
            self._settings.client_secret,
        )  # fmt: skip
        token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise UnauthenticatedError(say("the provider refused the login"), code="login_refused")
        try:
            claims = self._claims(token, keys, nonce)
        except (JoseError, ValueError):
            # Perhaps the provider has new keys since.
            _, keys = self._provider(fresh=True)
            try:
                claims = self._claims(token, keys, nonce)
            except (JoseError, ValueError):
                raise UnauthenticatedError(
                    say("the provider's word could not be verified"), code="login_refused"
                ) from None
        return f"{self._settings.issuer}|{claims['sub']}"

    def _claims(self, token: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        claims = decoded.claims
        registry = jwt.JWTClaimsRegistry(
            now=self._seconds(),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(claims)
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", self._settings.client) != self._settings.client or (
            several and "azp" not in claims
        ):
            raise ValueError("made for another client")
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise ValueError("nobody")
        return claims

    def _provider(self, *, fresh: bool) -> tuple[Mapping[str, Any], KeySet]:
        now = self._clock.now_us()
        with self._lock:
            found = self._found
        if found is not None and not fresh and now - found[0] < KNOWN_US:
            return found[1], found[2]
        base = self._settings.issuer.rstrip("/")
        provider = self._http.get(f"{base}/.well-known/openid-configuration")
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if provider.get("issuer") != self._settings.issuer or not all(
            isinstance(provider.get(name), str) for name in wanted
        ):
            raise StoreError(say("the provider's discovery document is not that of the issuer"))
        try:
            given = cast(KeySetSerialization, self._http.get(provider["jwks_uri"]))
            keys = KeySet.import_key_set(given)
        except (JoseError, ValueError, KeyError, TypeError):
            raise StoreError(say("the provider's keys cannot be read")) from None
        with self._lock:
            self._found = now, provider, keys
        return provider, keys

    def _seconds(self) -> int:
        return self._clock.now_us() // 1_000_000


def _text(random: bytes) -> str:
    return base64.urlsafe_b64encode(random).decode().rstrip("=")
