"""OpenID Connect by settings, and the few requests that it takes."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from casework.identity.openid import OpenId, OpenIdSettings
from regtech.app.settings import secret, setting
from regtech.clock import Clock
from regtech.errors import StoreError

BYTES_MAX: Final = 1 << 20
SECONDS: Final = 10


class _Stay(HTTPRedirectHandler):
    """What a provider names is where it is: nothing is followed."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class ProviderHttp:
    """``casework.identity.openid.Http`` by the standard library."""

    def __init__(self) -> None:
        self._opener = build_opener(_Stay)

    def get(self, url: str) -> Mapping[str, Any]:
        found = self._ask(Request(url, headers={"Accept": "application/json"}))
        if not isinstance(found, dict):
            raise StoreError("the provider's answer is no JSON object")
        return found

    def post(self, url: str, form: Mapping[str, str], user: str, password: str) -> Any:
        both = f"{quote(user, safe='')}:{quote(password, safe='')}".encode()
        headers = {
            "Accept": "application/json",
            "Authorization": "Basic " + base64.b64encode(both).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self._ask(Request(url, urlencode(form).encode(), headers))

    def _ask(self, request: Request) -> Any:
        if not request.full_url.startswith(("https://", "http://")):
            raise StoreError("the provider names an address that is none")
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                return json.loads(answer.read(BYTES_MAX))
        except HTTPError as error:
            with error:
                if error.code in (400, 401):
                    return {}  # the provider says no: a login that is refused, not a failure
            raise StoreError(f"the provider answered {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise StoreError(f"the provider could not be asked: {type(error).__name__}") from None


def openid_of_settings(clock: Clock) -> OpenId | None:
    """The provider that is set, or None. Raises ``UsageError`` for settings that do not do."""
    issuer = setting("REGTECH_OIDC_ISSUER")
    if not issuer:
        return None
    settings = OpenIdSettings(
        issuer,
        setting("REGTECH_OIDC_CLIENT"),
        secret("REGTECH_OIDC_SECRET", least=1),
        setting("REGTECH_OIDC_REDIRECT"),
    )
    return OpenId(settings, ProviderHttp(), clock, secrets.token_bytes, secret("REGTECH_SECRET"))
