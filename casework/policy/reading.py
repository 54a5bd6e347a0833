"""Reading marked YAML nodes: shapes, keys, words, lengths and texts, each fault at its place."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from casework.policy.faults import Faults, Mark, did_you_mean
from casework.policy.lengths import EVER, Length, parse_length, parse_window
from regtech.content.yamlmarks import Document, Mapping, Node, Scalar, Sequence

LANGUAGES: Final = ("en", "zh")
IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
VERSION: Final = re.compile(r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\Z")

PROBLEM_CODES: Final[dict[str, str]] = {
    "size": "PL001",
    "nul": "PL001",
    "unreadable": "PL001",
    "syntax": "PL002",
    "anchor": "PL003",
    "tag": "PL004",
    "duplicate": "PL005",
    "depth": "PL006",
    "documents": "PL007",
    "key": "PL008",
}


class NodeReader:
    """Reads nodes of one document; faults go to ``faults``, and None is given in their place."""

    def __init__(self, document: Document, faults: Faults) -> None:
        self.document = document
        self.faults = faults

    def mark(self, node: Node) -> Mark:
        return Mark(self.document.file, node.line, node.column)

    def fault(self, code: str, message: str, node: Node, hint: str = "") -> None:
        self.faults.add(code, message, self.mark(node), hint)

    def problems(self) -> None:
        """The problems of the document itself as faults."""
        for problem in self.document.problems:
            mark = Mark(self.document.file, problem.line, problem.column)
            self.faults.add(PROBLEM_CODES[problem.kind], problem.message, mark, problem.hint)

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        if node is None or isinstance(node, Mapping):
            return node
        self.fault("PL103", f"{what} is a mapping of keys to values", node)
        return None

    def sequence(self, node: Node | None, what: str) -> list[Node]:
        """Items of a list; a single scalar counts as a list of one."""
        if node is None:
            return []
        if isinstance(node, Sequence):
            return node.items
        if isinstance(node, Scalar):
            return [node]
        self.fault("PL103", f"{what} is a list", node)
        return []

    def keys(
        self,
        mapping: Mapping,
        allowed: Collection[str],
        required: Collection[str],
        what: str,
        code: str = "PL101",
    ) -> None:
        """Faults for unknown and missing keys."""
        for name, key in mapping.keys.items():
            if name not in allowed:
                value = mapping.entries[name]
                if isinstance(value, Scalar) and not value.style and not value.text:
                    hint = "quote a text that has a comma in it"
                else:
                    hint = did_you_mean(name, allowed) or f"one of {', '.join(allowed)}"
                self.fault(code, f"{what} has no key {name!r}", key, hint)
        for name in required:
            if name not in mapping.entries:
                self.fault("PL102", f"{what} needs {name!r}", mapping)

    def string(self, node: Node | None, what: str) -> str | None:
        """Text of a scalar, numbers and dates included as written."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or (not node.style and node.text in ("", "~", "null")):
            self.fault("PL103", f"{what} is a text", node)
            return None
        return node.text

    def word(
        self, node: Node | None, what: str, allowed: Collection[str], code: str = "PL104"
    ) -> str | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if text not in allowed:
            hint = did_you_mean(text, allowed)
            if not hint and len(allowed) <= 20:
                hint = f"one of {', '.join(allowed)}"
            self.fault(code, f"unknown {what} {text!r}", node, hint)
            return None
        return text

    def flag(self, node: Node, what: str) -> bool | None:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool):
            return value
        self.fault("PL103", f"{what} is true or false", node)
        return None

    def integer(self, node: Node | None, what: str, least: int, most: int) -> int | None:
        if node is None:
            return None
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault("PL103", f"{what} is a whole number", node)
            return None
        if not least <= value <= most:
            self.fault("PL107", f"{what} is a number from {least} to {most}", node)
            return None
        return value

    def share(self, node: Node | None, what: str) -> int | None:
        """``20%`` or ``0.5%`` in ten-thousandths."""
        text = self.string(node, what)
        if text is None or node is None:
            return None
        found = re.match(r"(\d{1,3})(?:\.(\d{1,2}))?\s*%\Z", text)
        value = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
        if not 0 < value <= 10_000:
            self.fault("PL107", f"{what} is a share such as 20% or 0.5%", node)
            return None
        return value

    def window(self, node: Node | None, what: str, *, ever: bool = False) -> int | None:
        """A length of time in microseconds; ``ever`` where it may be without end."""
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if ever and text == "ever":
            return EVER
        length = parse_window(text)
        if length is None:
            hint = "write 24h, 7d or 30 days, at most ten years"
            self.fault("PL105", f"{what}: {text!r} is not a length of time", node, hint)
        return length

    def length(self, node: Node | None, what: str) -> Length | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        length = parse_length(text)
        if length is None:
            hint = "write 5 working days, 10 days or 72 hours"
            self.fault("PL105", f"{what}: {text!r} is not a length of time", node, hint)
        return length

    def texts(self, node: Node | None, what: str) -> dict[str, str] | None:
        """``{en, zh}``."""
        if node is None:
            return None
        if isinstance(node, Scalar):
            self.fault("PL108", f"{what} needs en and zh", node, "write {en: …, zh: …}")
            return None
        mapping = self.mapping(node, what)
        if mapping is None:
            return None
        self.keys(mapping, LANGUAGES, (), what)
        found: dict[str, str] = {}
        for language in LANGUAGES:
            child = mapping.entries.get(language)
            text = self.string(child, what) if child is not None else None
            if child is None:
                self.fault("PL108", f"{what} needs {language!r}", mapping)
            elif text is not None and not text.strip():
                self.fault("PL108", f"{what} is empty in {language!r}", child)
            found[language] = " ".join((text or "").split())
        return found

    def identifier(self, node: Node | None, what: str) -> str | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if not IDENTIFIER.match(text):
            self.fault("PL106", f"{what} is lower case, digits and hyphens", node)
            return None
        return text
