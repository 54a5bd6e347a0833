"""Proposals for tests, without the tests of a pack being run."""

from __future__ import annotations

import hashlib
from typing import Any

from casework.cases.proposals import Proposal, ProposalTexts

FINDINGS = {
    "warnings": 0, "rules": 1, "tests": 2, "waiting": [],
    "added": [], "changed": ["cn-lvtr-0501"], "removed": [],
}  # fmt: skip


def proposal(number: int = 1, text: str = "pack: a\n", **more: Any) -> Proposal:
    """A proposal of Anna's."""
    given: dict[str, Any] = {
        "id": f"P-{number:020x}",
        "pack": "cn-aml-large-value",
        "jurisdiction": "CN",
        "author": "anna",
        "made_us": 1_772_413_200_000_000,
        "note": "the figure of Order 3",
        "version": "1.1.0",
        "digest": "d" * 64,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "base_version": "1.0.0",
        "base_digest": "b" * 64,
        "builds_on": "",
        "findings": FINDINGS,
    }
    return Proposal(**{**given, **more})


def texts(text: str = "pack: a\n", base: str = "pack: b\n") -> ProposalTexts:
    """What it says."""
    return ProposalTexts(base, text)
