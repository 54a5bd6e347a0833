"""Faults of content that people write: a closed table of stable codes, and a list of all of them.

Each language of content (rulepacks, policies) has its own table; codes are never reused or
renumbered.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from regtech.content.saying import N_, Hint, Said, spoken

Severity = Literal["error", "warning"]


_SEVERITIES: Final[Mapping[Severity, str]] = {"error": N_("error"), "warning": N_("warning")}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, what to do, and whether it stops what is read (error) or not (warning)."""

    meaning: str
    remedy: str = ""
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, where it is, and where it helps what to do."""

    code: str
    message: Said
    mark: Mark
    hint: Hint
    severity: Severity

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.mark}: {self.severity} {self.code}: {self.message}{hint}"

    def told(self, translate: Callable[[str], str]) -> str:
        """The same in another language; ``translate`` is ``gettext`` of a catalogue."""
        message, hint = spoken(self.message, translate), spoken(self.hint, translate)
        severity = translate(_SEVERITIES[self.severity])
        return f"{self.mark}: {severity} {self.code}: {message}{f' ({hint})' if hint else ''}"

    def as_data(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "file": self.mark.file,
            "line": self.mark.line,
            "column": self.mark.column,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(slots=True)
class Faults:
    """Collects faults in the order found; ``ordered`` gives them by place, without repeats."""

    codes: Mapping[str, Code]
    found: list[Fault] = field(default_factory=list)

    def add(self, code: str, message: Said, mark: Mark, hint: Hint = "") -> None:
        """Notes a fault; the code must be in the table."""
        assert code in self.codes, code
        self.found.append(Fault(code, message, mark, hint, self.codes[code].severity))

    def extend(self, faults: Iterable[Fault]) -> None:
        self.found.extend(faults)

    def ordered(self) -> list[Fault]:
        unique = dict.fromkeys(self.found)
        return sorted(
            unique, key=lambda f: (f.mark.file, f.mark.line, f.mark.column, f.code, f.message)
        )

    @property
    def errors(self) -> int:
        """How many errors there are so far."""
        return sum(fault.severity == "error" for fault in self.found)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


_MEANT: Final = N_("did you mean %(word)r?")


def meant(hint: str) -> str:
    """The word that ``did_you_mean`` named in a hint; "" where it is another hint."""
    return str(hint.parts["word"]) if isinstance(hint, Said) and hint.template == _MEANT else ""


_MEANT_OR_KNOWN: Final = N_("%(meant)s known: %(known)s")
_KNOWN: Final = N_("known: %(known)s")


def meant_or_known(word: str, known: Iterable[str]) -> Hint:
    """A hint naming the nearest known word, where one is near, and all of them: for short lists."""
    words = list(known)
    parts = {"meant": did_you_mean(word, words), "known": ", ".join(words)}
    return Said(_MEANT_OR_KNOWN if parts["meant"] else _KNOWN, parts)


def did_you_mean(word: str, known: Iterable[str]) -> Hint:
    """A hint naming the nearest known word, or "" when none is near."""
    candidates = list(known)
    near = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    if not near:
        folded = {candidate.lower(): candidate for candidate in candidates}
        low = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
        near = [folded[low[0]]] if low else []
    return Said(_MEANT, {"word": near[0]}) if near else ""
