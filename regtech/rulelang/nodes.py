"""Reading marked YAML nodes: shapes, keys, words, dates and texts, each fault at its place.

Documents are read into plain frozen dataclasses rather than pydantic models: every fault must carry
the line and column of the node it came from, which a validated copy no longer knows, and all of
them must be found in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from regtech.content.yamlmarks import Document, Mapping, Node, Scalar, Sequence
from regtech.rulelang.faults import Faults, did_you_mean
from regtech.rulelang.ir import Duration, Mark, Span, Text
from regtech.rulelang.values import ValueFault, parse_duration

LANGUAGES: Final = ("en", "zh")
IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class ScalarSource:
    """An expression standing in a scalar of a document (see ``expressions.Source``)."""

    document: Document
    scalar: Scalar

    @property
    def text(self) -> str:
        return self.scalar.text

    def mark(self, offset: int) -> Mark:
        line, column = self.document.place(self.scalar, offset)
        return Mark(self.document.file, line, column)


class NodeReader:
    """Reads nodes of one document; faults go to ``faults``."""

    def __init__(self, document: Document, faults: Faults) -> None:
        self.document = document
        self.faults = faults

    def mark(self, node: Node) -> Mark:
        return Mark(self.document.file, node.line, node.column)

    def fault(self, code: str, message: str, node: Node, hint: str = "") -> None:
        self.faults.add(code, message, self.mark(node), hint)

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        if node is None or isinstance(node, Mapping):
            return node
        self.fault("RL103", f"{what} is a mapping of keys to values", node)
        return None

    def sequence(self, node: Node | None, what: str) -> list[Node]:
        """Items of a list; a single scalar counts as a list of one."""
        if node is None:
            return []
        if isinstance(node, Sequence):
            return node.items
        if isinstance(node, Scalar):
            return [node]
        self.fault("RL103", f"{what} is a list", node)
        return []

    def keys(
        self,
        mapping: Mapping,
        allowed: Collection[str],
        required: Collection[str],
        what: str,
    ) -> None:
        """Faults for unknown and missing keys."""
        for name, key in mapping.keys.items():
            if name not in allowed:
                value = mapping.entries[name]
                if isinstance(value, Scalar) and not value.style and not value.text:
                    hint = "quote a text that has a comma in it"
                else:
                    hint = did_you_mean(name, allowed) or f"one of {', '.join(allowed)}"
                self.fault("RL101", f"{what} has no key {name!r}", key, hint)
        for name in required:
            if name not in mapping.entries:
                self.fault("RL102", f"{what} needs {name!r}", mapping)

    def string(self, node: Node | None, what: str) -> str | None:
        """Text of a scalar, numbers and dates included as written."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or (not node.style and node.text in ("", "~", "null")):
            self.fault("RL103", f"{what} is a text", node)
            return None
        return node.text

    def word(self, node: Node | None, what: str, allowed: Collection[str]) -> str | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if text not in allowed:
            hint = did_you_mean(text, allowed) or f"one of {', '.join(allowed)}"
            self.fault("RL104", f"unknown {what} {text!r}", node, hint)
            return None
        return text

    def day(self, node: Node | None, what: str) -> date | None:
        if node is None:
            return None
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                pass
        if isinstance(value, date):
            return value
        self.fault("RL105", f"{what} is a day such as 2026-06-30", node)
        return None

    def span(self, node: Node | None, what: str) -> Span:
        """``{from, until}``, both included and both optional."""
        mapping = self.mapping(node, what)
        if mapping is None:
            return Span()
        self.keys(mapping, ("from", "until"), (), what)
        return self.span_of(mapping, what)

    def span_of(self, mapping: Mapping, what: str) -> Span:
        """The ``from`` and ``until`` among the keys of a mapping."""
        first = self.day(mapping.entries.get("from"), "from")
        last = self.day(mapping.entries.get("until"), "until")
        if first and last and first > last:
            self.fault("RL105", f"{what} ends before it starts", mapping.entries["until"])
            return Span(first, None)
        return Span(first, last)

    def texts(self, node: Node | None, what: str) -> Text | None:
        """``{en, zh}``."""
        if node is None:
            return None
        if isinstance(node, Scalar):
            self.fault("RL108", f"{what} needs en and zh", node, "write {en: …, zh: …}")
            return None
        mapping = self.mapping(node, what)
        if mapping is None:
            return None
        self.keys(mapping, LANGUAGES, (), what)
        found: Text = {}
        for language in LANGUAGES:
            child = mapping.entries.get(language)
            text = self.string(child, what) if child is not None else None
            if child is None:
                self.fault("RL108", f"{what} needs {language!r}", mapping)
            elif text is not None and not text.strip():
                self.fault("RL108", f"{what} is empty in {language!r}", child)
            found[language] = " ".join((text or "").split())
        return found

    def duration(self, node: Node | None, what: str) -> Duration | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        parsed = parse_duration(text)
        if isinstance(parsed, ValueFault):
            self.fault(parsed.code, f"{what}: {parsed.message}", node, parsed.hint)
            return None
        return parsed

    def identifier(self, node: Node | None, what: str) -> str | None:
        text = self.string(node, what)
        if text is not None and node is not None and not IDENTIFIER.match(text):
            self.fault("RL106", f"{what} is lower case, digits and hyphens", node)
        return text
