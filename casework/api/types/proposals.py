"""Proposals of rulepacks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from casework.api.types.common import Given, PageOf, Shown
from casework.service.proposals import NOTE_MAX


class ProposalLine(Shown):
    """A proposal without its text."""

    id: str
    pack: str
    jurisdiction: str
    version: str
    base_version: str = Field(description='Of the pack in use it was made from; "" for a new one.')
    author: str
    made: str
    note: str
    state: str = Field(description="What was decided: open, approved, applied, refused, withdrawn.")
    standing: str = Field(
        description="Beside the packs in use: as `state`, or stale, in_force, past."
    )
    decided_by: str
    decided: str | None
    reason: str


class ProposalPage(PageOf):
    """Proposals, the newest first."""

    items: list[ProposalLine]


class Findings(Shown):
    """What checking and testing brought when it was proposed."""

    warnings: int
    rules: int
    tests: int
    waiting: list[str] = Field(description="Rules whose tests wait for a detector.")
    added: list[str]
    changed: list[str]
    removed: list[str]


class Proposal(ProposalLine):
    """A proposal with its text, and the text in use that it was made from."""

    digest: str
    sha256: str
    base_digest: str
    findings: Findings
    yaml: str
    base_yaml: str


class NewProposal(Given):
    """A changed pack for a second person to decide on."""

    model_config = ConfigDict(extra="forbid", str_max_length=1_000_000)

    yaml: str = Field(examples=["pack: my-pack\nversion: 1.1.0\n"])
    note: Annotated[str, Field(min_length=1, max_length=NOTE_MAX)]
    base: Annotated[
        str,
        Field(max_length=200, description='`digest` of the pack it was made from; "" for a new.'),
    ] = ""


class ProposalDecision(Given):
    """What is decided. Refusing and taking back need a reason."""

    act: Literal["approve", "refuse", "withdraw"]
    reason: Annotated[str, Field(max_length=NOTE_MAX)] = ""
