"""What is answered about a party: its owners with outcome and chains, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from detectors.ownership.paths import Path
from detectors.ownership.terms import (
    Comparator,
    Finding,
    Missing,
    Moment,
    Outcome,
    Share,
)


@dataclass(frozen=True, slots=True)
class ControlLink:
    """One step of a chain of control: ``holders`` together control ``controlled``.

    ``means``: ``votes`` (more than half of them), ``control`` or ``board``.
    """

    controlled: str
    holders: tuple[str, ...]
    means: str
    votes: Fraction
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner behind a party.

    ``reasons``: which of ``shares votes income control`` meet the threshold. ``votes`` counts
    votes of whatever it controls wholly; ``shares`` and ``income`` are multiplied along chains.
    ``together``: who acts in concert with it; their parts are in all figures but ``own``, which is
    its own share.
    """

    party: str
    kind: str | None
    outcome: Outcome
    reasons: tuple[str, ...]
    shares: Share
    votes: Share
    income: Share | None
    own: Share
    control: Outcome
    together: tuple[str, ...] = ()
    control_chain: tuple[ControlLink, ...] = ()
    paths: tuple[Path, ...] = ()
    paths_cut: bool = False
    declared: Share | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A party and its share, where nothing more needs to be said of it."""

    party: str
    shares: Share


@dataclass(frozen=True, slots=True)
class Answer:
    """All owners of a party at a moment.

    ``owners`` meet the threshold, of ``unclear`` and ``unclear_more`` others (where much is not
    reported, that is anybody) it cannot be told. ``below`` are the greatest of
    those that do not meet it, ``below_count`` is how many these are; ``stops`` are listed companies
    at which chains stop. ``further``: whether there may be owners that meet it and that nobody has
    named. ``unseen``: the part that nobody known is reported to own.
    """

    party: str
    at: Moment
    threshold: Fraction
    comparator: Comparator
    owners: tuple[Owner, ...]
    unclear: tuple[Owner, ...]
    unclear_more: int
    below: tuple[Part, ...]
    below_count: int
    stops: tuple[Part, ...]
    missing: tuple[Missing, ...]
    missing_count: int
    unseen: Fraction
    further: Outcome
    findings: tuple[Finding, ...]
    exhausted: bool = False
    """Whether the search for paths stopped at its bound."""
