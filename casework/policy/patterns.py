"""Reading patterns: fields of an alert with a word or a list of words each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from casework.policy.model import (
    FLAG_FIELDS,
    KINDS,
    OUTCOMES,
    OWN_FIELDS,
    PREFIX_FIELDS,
    SEVERITIES,
    STATUSES,
    WORD_FIELDS,
    Pattern,
    Test,
)
from casework.policy.reading import NodeReader
from regtech.content.faults import did_you_mean
from regtech.content.saying import say
from regtech.content.yamlmarks import Mapping, Node, Scalar

_WORDS: Final = {
    "kind": KINDS,
    "severity": SEVERITIES,
    "status": STATUSES,
    "outcome": OUTCOMES,
}
_NAME_CODES: Final = {
    "rule": "PL302",
    "pack": "PL302",
    "obligation": "PL303",
    "jurisdiction": "PL304",
}
NOT: Final = "not"


@dataclass(frozen=True, slots=True)
class Known:
    """Names that patterns may use, by field; a field that is left out is not checked."""

    names: dict[str, frozenset[str]]

    @classmethod
    def nothing(cls) -> Known:
        return cls({})


class PatternReader:
    """Reads patterns of one document. ``themes``: ids that ``theme`` may name, None in themes."""

    def __init__(self, reader: NodeReader, known: Known, themes: Collection[str] | None) -> None:
        self.reader = reader
        self.known = known
        self.themes = themes

    def pattern(self, node: Node | None, what: str) -> Pattern | None:
        """A mapping of fields, or ``any``; None where it has faults."""
        if node is None:
            return None
        if isinstance(node, Scalar) and node.text == "any":
            return Pattern(())
        if not isinstance(node, Mapping):
            hint = say("write {rule: …, severity: [high, critical]}, or any")
            self.reader.fault("PL103", say("%(what)s is a pattern", what=what), node, hint)
            return None
        before = self.reader.faults.errors
        inner = node.entries.get(NOT)
        entries = {name: child for name, child in node.entries.items() if name != NOT}
        tests = self._tests(node, entries, what)
        excluding: tuple[Test, ...] = ()
        if inner is not None:
            mapping = self.reader.mapping(inner, say("`not` of %(what)s", what=what))
            if mapping is not None:
                excluding = self._tests(
                    mapping, mapping.entries, say("`not` of %(what)s", what=what)
                )
                if not mapping.entries:
                    self.reader.fault(
                        "PL202", say("`not` of %(what)s has no field", what=what), inner
                    )
        elif not entries:
            self.reader.fault(
                "PL202",
                say("%(what)s has no field", what=what),
                node,
                say("write any for every alert"),
            )
        return Pattern(tests, excluding) if self.reader.faults.errors == before else None

    def _tests(self, node: Mapping, entries: dict[str, Node], what: str) -> tuple[Test, ...]:
        allowed = [*WORD_FIELDS, *FLAG_FIELDS]
        if self.themes is None:
            allowed = [name for name in allowed if name != "theme" and name not in OWN_FIELDS]
        found = []
        for name, child in entries.items():
            if name not in allowed:
                hint = did_you_mean(name, allowed) or say(
                    "one of %(allowed)s", allowed=", ".join(allowed)
                )
                self.reader.fault(
                    "PL201",
                    say("%(what)s has no field %(name)r", what=what, name=name),
                    node.keys[name],
                    hint,
                )
            elif name in FLAG_FIELDS:
                flag = self.reader.flag(child, name)
                if flag is not None:
                    found.append(Test(name, flag=flag))
            else:
                found.append(self._words(name, child))
        return tuple(found)

    def _words(self, name: str, node: Node) -> Test:
        words: set[str] = set()
        beginnings: set[str] = set()
        items = self.reader.sequence(node, name)
        if not items:
            self.reader.fault(
                "PL103", say("%(name)s is a word or a list of words", name=name), node
            )
        for item in items:
            text = self.reader.string(item, name)
            if text is None:
                continue
            if name in PREFIX_FIELDS and text.endswith("*"):
                self._beginning(name, text[:-1], item)
                beginnings.add(text[:-1])
                continue
            if name in _WORDS:
                self.reader.word(item, name, _WORDS[name])
            elif name == "theme":
                self.reader.word(item, "theme", self.themes or (), "PL301")
            elif name in self.known.names:
                self.reader.word(item, name, self.known.names[name], _NAME_CODES[name])
            words.add(text)
        return Test(name, frozenset(words), tuple(sorted(beginnings)))

    def _beginning(self, name: str, text: str, node: Node) -> None:
        known = self.known.names.get(name)
        if not text:
            self.reader.fault(
                "PL103", say("a beginning of a %(name)s has letters before `*`", name=name), node
            )
        elif known is not None and not any(word.startswith(text) for word in known):
            self.reader.fault(
                _NAME_CODES[name],
                say("no %(name)s begins with %(text)r", name=name, text=text),
                node,
            )
