"""Rules, packs, policies; webhooks."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from casework.api.types.common import AnyObject, Given, PageOf, Shown, Text


class Pack(Shown):
    """A rulepack in use."""

    id: str
    version: str
    jurisdiction: str
    title: Text
    digest: str
    rules: int


class PackList(Shown):
    """Packs by id."""

    items: list[Pack]


class RuleLine(Shown):
    """A rule of a pack."""

    id: str
    title: Text
    kind: str
    severity: str
    digest: str


class PackView(Pack):
    """A pack with its rules."""

    rules_of: list[RuleLine]


class ContentFault(Shown):
    """A fault of a draft, with its place."""

    code: str
    severity: str
    message: str
    line: int
    column: int
    hint: str = ""


class Lint(Shown):
    """What is wrong with a draft."""

    errors: int
    warnings: int
    faults: list[ContentFault]


class Draft(Given):
    """YAML to be looked at; nothing is kept."""

    model_config = ConfigDict(extra="forbid", str_max_length=1_000_000)

    yaml: str = Field(examples=["pack: my-pack\nversion: 1.0.0\n"])


class PolicyLine(Shown):
    """A policy in use."""

    model_config = ConfigDict(extra="allow")

    id: str


class PolicyList(Shown):
    """Policies in use."""

    items: list[PolicyLine]


class Endpoint(Shown):
    """An address that is told of what happens."""

    model_config = ConfigDict(extra="allow")

    id: str
    url: str


class EndpointList(Shown):
    """Endpoints."""

    items: list[Endpoint]


class NewEndpoint(Given):
    """An address to tell. Private addresses are refused."""

    url: Annotated[str, Field(min_length=1, max_length=2000, examples=["https://example.org/in"])]
    kinds: list[Annotated[str, Field(max_length=64)]] = Field([], max_length=50)
    description: Annotated[str, Field(max_length=500)] = ""


class MadeEndpoint(Endpoint):
    """An endpoint that was just made; its secret is shown this once."""

    secret: str


class DeliveryPage(PageOf):
    """Deliveries in the order they were made."""

    items: list[AnyObject]
