"""What the form of a rule offers to add and to take away, by its sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from casework.service.outside import FormAdd, FormTake
from regtech.app.ruleparts import INPUTS, follows
from regtech.content.yamlmarks import Document, Node, plain
from regtech.content.yamlmarks import Mapping as MappingNode
from regtech.content.yamlmarks import Sequence as SequenceNode
from regtech.rulelang.ir import Basis, Confidence

Changes = tuple[tuple[FormTake, ...], tuple[FormAdd, ...]]
Choices = Sequence[tuple[str, str]]
SHOWN: Final = 60
"""Signs of a value shown beside what it is taken away with."""


def changes_of(document: Document, place: str, rule: MappingNode, section: str) -> Changes:
    """Of a section of a rule that stands at ``place``."""
    takes: list[FormTake] = []
    adds: list[FormAdd] = []
    if section == "law":
        cited = rule.entries.get("obligation")
        if isinstance(cited, SequenceNode):
            takes = [
                FormTake(f"{place}/obligation/{n}", f"obligation: {_short(item)}")
                for n, item in enumerate(cited.items)
            ]
        elif cited is not None:
            takes = [FormTake(f"{place}/obligation", f"obligation: {_short(cited)}")]
        adds = [_add("obligation", place)]
        known = _names(document, "instruments")
        if "cite" in rule.entries:
            takes.append(FormTake(f"{place}/cite", f"cite: {_short(rule.entries['cite'])}"))
        elif known:
            instruments = [(name, name) for name in known]
            adds.append(_add("cite", place, instrument=instruments, confidence=_CONFIDENCE))
        adds.append(_add("instrument", ""))
    elif section == "condition":
        named = rule.entries.get("let")
        if isinstance(named, MappingNode):
            takes = [
                FormTake(f"{place}/let/{name}", f"{name}: {_short(node)}")
                for name, node in named.entries.items()
            ]
        adds = [_add("measure", place)]
    return tuple(takes), tuple(adds)


def figure_changes(document: Document, names: Sequence[str]) -> Changes:
    """Of the figures that a rule uses."""
    takes, adds = [], []
    for name in names:
        node = _entry(document, "params", name)
        if not isinstance(node, MappingNode):
            continue
        where = f"params/{name}/values"
        versions = plain(node.entries.get("values"))
        for number, version in enumerate(versions if isinstance(versions, list) else ()):
            if len(versions) == 1 or not isinstance(version, dict):
                continue
            label = f"{name}: {_said(version)}"
            if follows(versions, number):
                takes.append(FormTake(f"{where}/{number}", label, goes_on=True))
            takes.append(FormTake(f"{where}/{number}", label))
        adds.append(_add("figure", f"params/{name}", label=name))
    return tuple(takes), (*adds, _add("param", "", basis=_BASIS))


def tests_changes(place: str, titles: Sequence[str]) -> Changes:
    """Of the tests of a rule."""
    numbered = [(str(n), f"{n + 1} · {title}") for n, title in enumerate(titles)]
    takes = [FormTake(f"{place}/tests/{n}", label) for n, label in numbered]
    return tuple(takes), (_add("test", place, like=numbered),)


def test_changes(place: str, test: Node) -> Changes:
    """Of one test: its events and their fields."""
    takes: list[FormTake] = []
    adds: list[FormAdd] = []
    events = test.entries.get("events") if isinstance(test, MappingNode) else None
    items = events.items if isinstance(events, SequenceNode) else []
    numbered = [(str(n), str(n + 1)) for n in range(len(items))]
    if items:
        adds.append(_add("event", place, like=numbered))
    for number, event in enumerate(items):
        path = f"{place}/events/{number}"
        if len(items) > 1:
            takes.append(FormTake(path, f"events/{number}: {_short(event)}"))
        if isinstance(event, MappingNode):
            takes += [
                FormTake(f"{path}/{name}", f"events/{number}/{name}: {_short(node)}")
                for name, node in event.entries.items()
                if len(event.entries) > 1
            ]
            adds.append(_add("event_field", path, label=f"events/{number}"))
    return tuple(takes), tuple(adds)


def _add(kind: str, path: str, label: str = "", **choices: Choices) -> FormAdd:
    return FormAdd(kind, path, label, {name: choices.get(name, ()) for name in INPUTS[kind]})


_CONFIDENCE: Final[Choices] = [(word, word) for word in get_args(Confidence)]
_BASIS: Final[Choices] = [(word, word) for word in get_args(Basis)]


def _entry(document: Document, kind: str, name: str) -> Node | None:
    every = document.root.entries.get(kind) if isinstance(document.root, MappingNode) else None
    return every.entries.get(name) if isinstance(every, MappingNode) else None


def _names(document: Document, kind: str) -> list[str]:
    every = document.root.entries.get(kind) if isinstance(document.root, MappingNode) else None
    return list(every.entries) if isinstance(every, MappingNode) else []


def _said(version: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in version.items())[: 2 * SHOWN]


def _short(node: Node) -> str:
    """A value in a few words."""
    data = plain(node)
    if isinstance(data, dict):
        text = ", ".join(f"{name} {value}" for name, value in data.items())
    else:
        text = " ".join(str(data).split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
