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

from regtech.content import reading
from regtech.content.faults import Mark, did_you_mean
from regtech.content.reading import IDENTIFIER
from regtech.content.saying import say
from regtech.content.yamlmarks import Document, Mapping, Node, Scalar
from regtech.rulelang.ir import Duration, Span
from regtech.rulelang.values import ValueFault, parse_duration

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


class NodeReader(reading.NodeReader):
    """Reads nodes of a rulepack."""

    prefix = "RL"

    def word(self, node: Node | None, what: str, allowed: Collection[str]) -> str | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if text not in allowed:
            hint = did_you_mean(text, allowed) or say(
                "one of %(allowed)s", allowed=", ".join(allowed)
            )
            self.fault("RL104", say("unknown %(what)s %(text)r", what=what, text=text), node, hint)
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
        self.fault("RL105", say("%(what)s is a day such as 2026-06-30", what=what), node)
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
            self.fault(
                "RL105", say("%(what)s ends before it starts", what=what), mapping.entries["until"]
            )
            return Span(first, None)
        return Span(first, last)

    def duration(self, node: Node | None, what: str) -> Duration | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        parsed = parse_duration(text)
        if isinstance(parsed, ValueFault):
            self.fault(
                parsed.code,
                say("%(what)s: %(message)s", what=what, message=parsed.message),
                node,
                parsed.hint,
            )
            return None
        return parsed

    def identifier(self, node: Node | None, what: str) -> str | None:
        text = self.string(node, what)
        if text is not None and node is not None and not IDENTIFIER.match(text):
            self.fault("RL106", say("%(what)s is lower case, digits and hyphens", what=what), node)
        return text
