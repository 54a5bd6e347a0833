"""``regtech owners``: who stands behind a party at a moment, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Any, Final

from detectors.ownership.answer import Answer, Owner, Part
from detectors.ownership.paths import Path
from detectors.ownership.terms import (
    FINDINGS,
    MISSING,
    WHOLE,
    Comparator,
    Finding,
    Moment,
    Share,
)
from regtech.adapters.quarantine import QuarantineFile
from regtech.app.options import parse_day, parse_moment, parse_share
from regtech.app.ownership import Loaded, load_ownership
from regtech.app.progress import Progress
from regtech.clock import Clock
from regtech.errors import NotFoundError, UsageError
from regtech.reference.civil import DAY_US, day_from_iso, iso_from_day

DIGITS: Final = 12
"""Decimals of a share that has no end in decimals; the fraction stands beside it."""
NEAR_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``at``: a day (as it ended), a moment with an offset, or None for now."""

    party: str
    at: str | None = None
    threshold: Fraction = Fraction(1, 4)
    comparator: Comparator = "at_least"
    complete: bool = False
    through_listed: bool = False
    paths: int = 10


def owners_command(
    question: Question,
    events: Sequence[str],
    *,
    clock: Clock,
    map: str | None = None,
    quarantine: FilePath | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The answer as plain data; records that could not be used go to ``quarantine``.

    Raises ``NotFoundError`` for a party that no event names.
    """
    loaded = load_ownership(events, map=map, progress=progress)
    if quarantine is not None:
        file = QuarantineFile(str(quarantine))
        file.write(loaded.rejects)
        file.close()
    at = moment_of(question.at, loaded, clock)
    if not loaded.graph.knows(question.party):
        refused = ", ".join(f"{code} {n}" for code, n in sorted(loaded.rejected().items()))
        unusable = f"; not usable: {refused}" if refused else ""
        raise NotFoundError(
            f"no ownership event names {question.party!r}",
            hint=f"{loaded.used} events of {', '.join(loaded.files)} were read{unusable}",
        )
    answer = loaded.graph.beneficial_owners(
        question.party,
        at,
        question.threshold,
        question.comparator,
        complete=question.complete,
        through_listed=question.through_listed,
        paths=question.paths,
    )
    return {**answer_data(answer, question), "read": read_data(loaded)}


def moment_of(text: str | None, loaded: Loaded, clock: Clock) -> Moment:
    """The moment asked about; without one now, or the newest event where that is later."""
    if text is None:
        return Moment.of(max(clock.now_us(), loaded.newest_us or 0))
    if len(text.strip()) == len("2026-03-02"):
        parse_day(text)
        return Moment.end_of(day_from_iso(text.strip()))
    return Moment(parse_moment(text), day_from_iso(text.strip()[:10]))


def parse_threshold(text: str) -> Fraction:
    """``25%`` or ``0.25``, exactly; above 0 and at most 1."""
    share = Fraction(1) if text.strip() in ("1", "100%") else parse_share(text)
    if not share:
        raise UsageError(f"a threshold must be above 0: {text!r}", hint="write 25% or 0.25")
    return share


def share_text(value: Fraction, up: bool = False) -> str:
    """A share as a decimal: exact where it has an end, else rounded down, or up."""
    digits = 0
    denominator = value.denominator
    while denominator % 10 == 0:
        denominator, digits = denominator // 10, digits + 1
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    exact = denominator == 1
    digits = digits + max(twos, fives) if exact else DIGITS
    scaled = value * 10**digits
    number = (
        -((-scaled.numerator) // scaled.denominator)
        if up
        else scaled.numerator // scaled.denominator
    )
    whole, rest = divmod(number, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def _share(share: Share) -> dict[str, Any]:
    data: dict[str, Any] = {
        "low": share_text(share.low),
        "high": share_text(share.high, up=True),
        "open": share_text(share.open, up=True),
        "known": share.known,
    }
    if share.low and Fraction(data["low"]) != share.low:
        data["fraction"] = str(share.low)
    return data


def _path(path: Path) -> dict[str, Any]:
    return {
        "share": share_text(path.low),
        "share_max": share_text(path.high, up=True),
        "links": [
            {
                "owned": link.owned,
                "owner": link.owner,
                "share": share_text(Fraction(link.low, WHOLE)),
                "share_max": share_text(Fraction(link.high, WHOLE), up=True),
                **({"nominee": True} if link.nominee else {}),
                "event": link.ref,
            }
            for link in path.links
        ],
    }


def _owner(owner: Owner) -> dict[str, Any]:
    return {
        "party": owner.party,
        "kind": owner.kind,
        "outcome": owner.outcome.value,
        "reasons": list(owner.reasons),
        "share": _share(owner.shares),
        "votes": _share(owner.votes),
        "income": None if owner.income is None else _share(owner.income),
        "control": owner.control.value,
        "together": list(owner.together),
        "own_share": _share(owner.own),
        "declared": None if owner.declared is None else _share(owner.declared),
        "control_chain": [
            {
                "controlled": link.controlled,
                "holders": list(link.holders),
                "means": link.means,
                "votes": share_text(link.votes),
                "events": list(link.refs),
            }
            for link in owner.control_chain
        ],
        "paths": [_path(path) for path in owner.paths],
        "paths_cut": owner.paths_cut,
    }


def _part(part: Part) -> dict[str, Any]:
    return {"party": part.party, "share": _share(part.shares)}


def answer_data(answer: Answer, question: Question) -> dict[str, Any]:
    """An answer as plain data, keys in a stable order."""
    return {
        "party": answer.party,
        "at": {"time": _time(answer.at.us), "day": iso_from_day(answer.at.day)},
        "threshold": share_text(answer.threshold),
        "comparator": answer.comparator,
        "complete": question.complete,
        "owners": [_owner(owner) for owner in answer.owners],
        "cannot_tell": [_owner(owner) for owner in answer.unclear],
        "cannot_tell_more": answer.unclear_more,
        "below": [_part(part) for part in answer.below],
        "below_count": answer.below_count,
        "stops": [_part(part) for part in answer.stops],
        "further": answer.further.value,
        "unseen": share_text(answer.unseen, up=True),
        "missing": [
            {
                "party": entry.party,
                "code": entry.code,
                "part": share_text(entry.part, up=True),
                "owner": entry.owner or None,
                "text": dict(zip(("en", "zh"), MISSING[entry.code], strict=True)),
            }
            for entry in answer.missing
        ],
        "missing_count": answer.missing_count,
        "findings": [finding_data(finding) for finding in answer.findings],
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """A finding as plain data."""
    return {
        "code": finding.code,
        "owned": finding.owned,
        "owner": finding.owner or None,
        "detail": finding.detail,
        "event": finding.ref or None,
        "text": dict(zip(("en", "zh"), FINDINGS[finding.code], strict=True)),
    }


def read_data(loaded: Loaded) -> dict[str, Any]:
    """What was read and what of it could not be used."""
    return {
        "files": loaded.files,
        "records": loaded.given,
        "used": loaded.used,
        "repeats": loaded.repeats,
        "conflicts": loaded.conflicts,
        "rejected": dict(sorted(loaded.rejected().items())),
        "ignored_interests": dict(sorted(loaded.graph.ignored.items())),
        "findings": [finding_data(finding) for finding in loaded.findings],
    }


def _time(us: int) -> str:
    day, rest = divmod(us, DAY_US)
    seconds, fraction = divmod(rest, 1_000_000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{iso_from_day(day)}T{clock}" + (f".{fraction:06d}Z" if fraction else "Z")
