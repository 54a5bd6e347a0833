"""Reading marked YAML nodes: shapes, keys, words and texts, each fault at its place.

The first codes of every table say the same; only what stands before the number differs.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import ClassVar, Final

from regtech.content.faults import Faults, Mark, did_you_mean
from regtech.content.saying import Hint, Said, say
from regtech.content.yamlmarks import Document, Mapping, Node, Scalar, Sequence

LANGUAGES: Final = ("en", "zh")
IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")

_PROBLEMS: Final[dict[str, str]] = {
    "size": "001",
    "nul": "001",
    "unreadable": "001",
    "syntax": "002",
    "anchor": "003",
    "tag": "004",
    "duplicate": "005",
    "depth": "006",
    "documents": "007",
    "key": "008",
}


class NodeReader:
    """Reads nodes of one document; faults go to ``faults``, and None is given in their place."""

    prefix: ClassVar[str]
    """What stands before the number of a code."""

    def __init__(self, document: Document, faults: Faults) -> None:
        self.document = document
        self.faults = faults

    def mark(self, node: Node) -> Mark:
        return Mark(self.document.file, node.line, node.column)

    def fault(self, code: str, message: Said, node: Node, hint: Hint = "") -> None:
        self.faults.add(code, message, self.mark(node), hint)

    def problems(self) -> None:
        """The problems of the document itself as faults."""
        for problem in self.document.problems:
            mark = Mark(self.document.file, problem.line, problem.column)
            code = self.prefix + _PROBLEMS[problem.kind]
            self.faults.add(code, problem.message, mark, problem.hint)

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        if node is None or isinstance(node, Mapping):
            return node
        self.fault(
            f"{self.prefix}103", say("%(what)s is a mapping of keys to values", what=what), node
        )
        return None

    def sequence(self, node: Node | None, what: str) -> list[Node]:
        """Items of a list; a single scalar counts as a list of one."""
        if node is None:
            return []
        if isinstance(node, Sequence):
            return node.items
        if isinstance(node, Scalar):
            return [node]
        self.fault(f"{self.prefix}103", say("%(what)s is a list", what=what), node)
        return []

    def keys(
        self,
        mapping: Mapping,
        allowed: Collection[str],
        required: Collection[str],
        what: str,
        code: str = "",
    ) -> None:
        """Faults for unknown and missing keys; ``code`` where unknown ones have their own."""
        for name, key in mapping.keys.items():
            if name not in allowed:
                value = mapping.entries[name]
                if isinstance(value, Scalar) and not value.style and not value.text:
                    hint = say("quote a text that has a comma in it")
                else:
                    hint = did_you_mean(name, allowed) or say(
                        "one of %(allowed)s", allowed=", ".join(allowed)
                    )
                self.fault(
                    code or f"{self.prefix}101",
                    say("%(what)s has no key %(name)r", what=what, name=name),
                    key,
                    hint,
                )
        for name in required:
            if name not in mapping.entries:
                self.fault(
                    f"{self.prefix}102",
                    say("%(what)s needs %(name)r", what=what, name=name),
                    mapping,
                )

    def string(self, node: Node | None, what: str) -> str | None:
        """Text of a scalar, numbers and dates included as written."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or (not node.style and node.text in ("", "~", "null")):
            self.fault(f"{self.prefix}103", say("%(what)s is a text", what=what), node)
            return None
        return node.text

    def texts(self, node: Node | None, what: str) -> dict[str, str] | None:
        """``{en, zh}``."""
        if node is None:
            return None
        code = f"{self.prefix}108"
        if isinstance(node, Scalar):
            self.fault(
                code, say("%(what)s needs en and zh", what=what), node, say("write {en: …, zh: …}")
            )
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
                self.fault(
                    code, say("%(what)s needs %(language)r", what=what, language=language), mapping
                )
            elif text is not None and not text.strip():
                self.fault(
                    code,
                    say("%(what)s is empty in %(language)r", what=what, language=language),
                    child,
                )
            found[language] = " ".join((text or "").split())
        return found
