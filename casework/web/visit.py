"""One request of a person: who it is, in which language, on which clock; and what it typed."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from casework.cases.errors import UnauthenticatedError
from casework.cases.scope import Scope
from casework.identity.rate import COOKIE
from casework.identity.service import Caller
from casework.web.language import LANGUAGES, preferred
from casework.web.parts import Parts
from regtech.content.saying import say
from regtech.errors import ForbiddenError, UsageError

LANG_COOKIE: Final = "regtech-lang"
THEME_COOKIE: Final = "regtech-theme"
ZONE_COOKIE: Final = "regtech-zone"
CSRF_FIELD: Final = "_csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
"""In place of the field, for requests that a script makes."""
THEMES: Final = ("auto", "light", "dark")
FIELDS_MAX: Final = 2000
SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was sent; texts alone, files apart."""

    fields: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, UploadFile] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """The last value of a field, without blanks around it."""
        found = [value for key, value in self.fields if key == name]
        return found[-1].strip() if found else default

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        return [value for key, value in self.fields if key == name]

    def whole(self, name: str) -> int:
        """A field that is a whole number. Raises ``UsageError``."""
        text = self.get(name)
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            raise UsageError(
                say("%(name)s is %(text)r", name=name, text=text[:40]), hint=say("a whole number")
            )
        return int(text)


async def typed_of(request: Request) -> AsyncIterator[Typed]:
    """The form of a request, nothing where there is none; its files live as long as the request."""
    if request.method in SAFE:
        yield Typed()
        return
    form: FormData = await request.form(max_fields=FIELDS_MAX, max_files=1)
    try:
        pairs = form.multi_items()
        texts = tuple((name, value) for name, value in pairs if isinstance(value, str))
        made = Typed(texts, {n: v for n, v in pairs if isinstance(v, UploadFile)})
        request.state.typed = made
        yield made
    finally:
        await form.close()


def same_site(request: Request) -> None:
    """Raise ``ForbiddenError`` for what a page of another site has sent."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForbiddenError(say("the form did not come from this site"), code="csrf")


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with everything that a page needs of it. ``caller`` None: nobody has signed in."""

    request: Request
    parts: Parts
    caller: Caller | None
    lang: str
    theme: str
    zone: str
    typed: Typed

    @property
    def scope(self) -> Scope:
        """Who asks. Raises ``UnauthenticatedError``."""
        if self.caller is None:
            raise UnauthenticatedError(say("nobody has signed in"))
        return self.caller.scope

    @property
    def csrf(self) -> str:
        """What forms carry; empty without a session."""
        session = None if self.caller is None else self.caller.session
        return "" if session is None else session.csrf

    @property
    def path(self) -> str:
        """Path and query, to come back to."""
        url = self.request.url
        return url.path + (f"?{url.query}" if url.query else "")

    def asked(self, name: str, most: int = 400) -> str:
        """A value of the query, cut to so many signs; empty where there is none."""
        return self.request.query_params.get(name, "").strip()[:most]


def parts_of(request: Request) -> Parts:
    """The parts of the application."""
    parts: Parts = request.app.state.pages
    return parts


def visit_of(request: Request, typed: Typed | None = None) -> Visit:
    """The request with whoever it is from, if that is known; raises nothing."""
    parts, cookies = parts_of(request), request.cookies
    lang = cookies.get(LANG_COOKIE, "")
    if lang not in LANGUAGES:
        lang = preferred(request.headers.get("accept-language", ""))
    theme = cookies.get(THEME_COOKIE, "auto")
    return Visit(
        request,
        parts,
        getattr(request.state, "caller", None),
        lang,
        theme if theme in THEMES else "auto",
        _zone(cookies.get(ZONE_COOKIE, "")),
        typed or getattr(request.state, "typed", None) or Typed(),
    )


def _zone(name: str) -> str:
    from regtech.errors import RegtechError
    from regtech.reference.zones import offset_us

    if not name or len(name) > 64:
        return "UTC"
    try:
        offset_us(name, 0)
    except (RegtechError, ValueError, OSError):
        return "UTC"
    return name


def identify(request: Request, typed: Typed) -> Caller:
    """Who has the session; checks the form's token. Raises ``UnauthenticatedError``."""
    parts = parts_of(request)
    address = request.client.host if request.client else ""
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise UnauthenticatedError(say("nobody has signed in"))
    try:
        caller = parts.identity.of_session(token)
    except UnauthenticatedError:
        parts.strangers.take(address)
        raise
    parts.callers.take(caller.id)
    request.state.caller, request.state.caller_id = caller, "session"
    if request.method not in SAFE:
        same_site(request)
        assert caller.session is not None
        given = typed.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), caller.session.csrf.encode()):
            raise ForbiddenError(
                say("the token of the form is not that of the session"), code="csrf"
            )
    return caller


TypedForm = Annotated[Typed, Depends(typed_of)]


def _visit(request: Request, typed: TypedForm) -> Visit:
    identify(request, typed)
    return visit_of(request, typed)


def _anybody(request: Request, typed: TypedForm) -> Visit:
    try:
        identify(request, typed)
    except (UnauthenticatedError, ForbiddenError):
        request.state.caller = None
    return visit_of(request, typed)


Person = Annotated[Visit, Depends(_visit)]
"""Somebody who has signed in; forms with their token."""
Anybody = Annotated[Visit, Depends(_anybody)]
"""Whoever it is, for pages that are there before anybody has signed in."""

Shown = dict[str, Any]
