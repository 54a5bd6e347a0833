"""Pages put together in memory, and what a browser does with them, without one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from httpx2 import Response

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.scope import Role
from casework.identity.rate import COOKIE
from casework.search.indexer import Indexer
from casework.search.memory import MemoryIndex
from casework.service.search import SearchService
from casework.web.parts import Parts
from casework.web.site import add_pages
from regtech.app.drafts import Drafts
from regtech.app.rulebook import Rules
from tests.contract.world import SERVICE, Weekdays, alert
from tests.unit.casework.api.api_world import PASSWORD, ApiWorld
from tests.unit.casework.web.html import Page, page_of


class Words:
    """``Explainer`` that shows what it was given, and what it was told to hide."""

    def explain(self, alert: Mapping[str, Any], lang: str, hidden: Callable[[str], bool]) -> str:
        facts = alert.get("facts", {})
        shown = [
            f"- {name}: {'•••' if hidden(f'facts.{name}') else value}"
            for name, value in facts.items()
        ]
        return f"# {lang}: {alert['rule']}\n\n## Facts\n\n" + "\n".join(shown)


@dataclass
class Browser:
    """Somebody who has signed in, in a language."""

    world: PageWorld
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, *, status: int = 200) -> Page:
        """A page, checked as every page is."""
        return self.page(self.ask("GET", path), status)

    def ask(self, method: str, path: str, **more: Any) -> Response:
        """A request with what the browser keeps."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookie, "Accept": "text/html", **more.pop("headers", {})}
        self.world.api.client.cookies.clear()
        response = self.world.api.client.request(
            method, path, headers=headers, follow_redirects=False, **more
        )
        for name, value in response.cookies.items():
            self.cookies[name] = value
        return response

    def page(self, response: Response, status: int = 200) -> Page:
        """The page of an answer."""
        assert response.status_code == status, (response.status_code, response.text[-2000:])
        return page_of(response, self.cookies.get("regtech-lang", "en"))

    def send(self, path: str, fields: Mapping[str, Any], **more: Any) -> Response:
        """A form of the session."""
        given = {"_csrf": self.csrf, **fields}
        return self.ask("POST", path, data=given, **more)

    def done(self, path: str, fields: Mapping[str, Any]) -> Page:
        """A form that leads on to a page."""
        response = self.send(path, fields)
        assert response.status_code == 303, (response.status_code, response.text[-2000:])
        return self.get(response.headers["location"].partition("#")[0])

    @property
    def csrf(self) -> str:
        """The token of the session."""
        caller = self.world.api.identity.of_session(self.cookies[COOKIE])
        assert caller.session is not None
        return caller.session.csrf


@dataclass
class PageWorld:
    """An application with pages, and what is behind it."""

    api: ApiWorld
    parts: Parts
    indexer: Indexer

    @classmethod
    @contextmanager
    def made(cls, folder: Path, **more: Any) -> Iterator[PageWorld]:
        """A world whose clock stands still until it is moved."""
        with ApiWorld.made(folder, **more) as api:
            record, service, context = api.world.record, api.world.service, api.context
            index = MemoryIndex()
            indexer = Indexer(
                record, index, SERVICE, service.themes,
                wait=lambda _: True, random=lambda: 0.5, note=lambda _: None,
            )  # fmt: skip
            rules = context.rules if context.rules is not None else Rules([])
            parts = Parts(
                service=service,
                alerts=context.alerts,
                identity=context.gate.identity,
                callers=context.gate.rate,
                strangers=context.gate.strangers,
                jurisdictions=Weekdays(),
                clock=api.clock,
                logins=context.metrics,
                health=context.health,
                version="0",
                search=SearchService(record, index),
                rules=rules,
                drafts=context.drafts or Drafts(Rules([])),
                proposals=context.proposals,
                backtests=context.backtests,
                rules_in_force=context.rules_in_force,
                policies=context.policies,
                explainer=Words(),
                quarantine=context.quarantine,
                webhooks=context.webhooks,
                bundles=context.bundles,
            )
            add_pages(api.app, parts)
            yield cls(api, parts, indexer)

    def browser(
        self, name: str = "wang", role: Role = Role.SUPERVISOR, lang: str = "en", **reach: Any
    ) -> Browser:
        """Somebody new, signed in."""
        self.api.person(name, role, **reach)
        return self.signed_in(name, lang)

    def signed_in(self, name: str, lang: str = "en") -> Browser:
        """Somebody known, signed in."""
        made = Browser(self, {"regtech-lang": lang})
        response = made.ask(
            "POST", "/signin", data={"name": name, "password": PASSWORD, "next": "/"}
        )
        assert response.status_code == 303, response.text
        return made

    def case(self, number: int = 1, **facts: Any) -> Case:
        """A case of one alert, found by search as well."""
        made = self.api.case(number, **facts)
        self.indexer.catch_up()
        return made


def told(number: int, body: Mapping[str, Any], **facts: Any) -> StoredAlert:
    """An alert with fields of one's own."""
    document = {**alert(number, **facts).body(), **body}
    return StoredAlert.of(json.dumps(document, ensure_ascii=False).encode())
