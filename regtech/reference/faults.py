"""Reading reference documents that were already parsed: every fault at once, each with its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from regtech.errors import ContentError
from regtech.reference.civil import day_from_iso, days_from_civil


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a reference file: stable code, dotted path in the document, what is wrong.

    ``line`` and ``column`` count from 1; 0 where the document did not come from a file.
    """

    file: str
    path: str
    code: str
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.code, self.message) if part)


Locate = Callable[[str], tuple[int, int]]
"""From the dotted path of a node to its line and column."""


@dataclass(slots=True)
class Reader:
    """Takes typed values out of a parsed document and collects what is wrong with them.

    Every getter returns a usable value of its type even where it notes a fault, so that one pass
    finds all of them; ``finish`` raises.
    """

    file: str
    locate: Locate | None = None
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, code: str, message: str) -> None:
        """Note a fault."""
        line, column = self.locate(path) if self.locate else (0, 0)
        self.faults.append(Fault(self.file, path, code, message, line, column))

    def finish(self) -> None:
        """Raise ContentError with all faults, if there are any."""
        if self.faults:
            count = len(self.faults)
            first = self.faults[0]
            raise ContentError(
                f"{self.file} has {count} fault{'s' if count > 1 else ''}: {first}", self.faults
            )

    def mapping(self, value: Any, path: str, allowed: Sequence[str] = ()) -> Mapping[str, Any]:
        """A mapping; keys outside ``allowed`` (where given) are faults."""
        if not isinstance(value, Mapping):
            self.fault(path, "wrong_type", "expected a mapping")
            return {}
        for key in value:
            if not isinstance(key, str):
                self.fault(path, "wrong_type", f"the key {key!r} is not text; put it in quotes")
            elif allowed and key not in allowed:
                self.fault(_join(path, key), "unknown_key", f"expected one of {', '.join(allowed)}")
        return value

    def sequence(self, value: Any, path: str) -> Sequence[Any]:
        """A list."""
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            self.fault(path, "wrong_type", "expected a list")
            return ()
        return value

    def text(self, value: Any, path: str, default: str = "") -> str:
        """A non-empty text."""
        if not isinstance(value, str) or not value:
            # YAML 1.1 reads NO as false: say so where it bites.
            hint = "; put it in quotes" if isinstance(value, bool) else ""
            found = "nothing" if value is None else repr(value)
            self.fault(path, "wrong_type", f"expected text, found {found}{hint}")
            return default
        return str(value)

    def one_of(self, value: Any, path: str, words: Sequence[str]) -> str:
        """One of a closed set of words."""
        if value not in words:
            self.fault(path, "unknown_word", f"{value!r} is not one of {', '.join(words)}")
            return words[0]
        return str(value)

    def integer(self, value: Any, path: str, least: int, greatest: int) -> int:
        """A whole number between two bounds, both included."""
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(path, "wrong_type", f"expected a whole number, found {value!r}")
            return least
        if not least <= value <= greatest:
            self.fault(path, "out_of_range", f"{value} is not between {least} and {greatest}")
            return least
        return int(value)

    def day(self, value: Any, path: str) -> int | None:
        """A day as days since 1970-01-01; None where nothing is given."""
        if value is None:
            return None
        if isinstance(value, date) and type(value) is date:
            return days_from_civil(value.year, value.month, value.day)
        try:
            return day_from_iso(str(value))
        except ValueError as error:
            self.fault(path, "bad_date", str(error))
            return None

    def title(self, value: Any, path: str) -> dict[str, str]:
        """A text in English and Chinese."""
        texts = self.mapping(value, path, ("en", "zh"))
        return {lang: self.text(texts.get(lang), _join(path, lang)) for lang in ("en", "zh")}


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
