"""A rule of a draft as a form: its values by section, what can be added and taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, get_args

from casework.service.outside import FormField, FormSection, RuleForm
from regtech.app.formchanges import changes_of, figure_changes, test_changes, tests_changes
from regtech.content.editing import leaves, shown
from regtech.content.saying import say
from regtech.content.yamlmarks import Document, Node, Scalar, load
from regtech.content.yamlmarks import Mapping as MappingNode
from regtech.content.yamlmarks import Sequence as SequenceNode
from regtech.errors import InputError, NotFoundError
from regtech.rulelang.consequences import ALERT_KINDS, SEVERITIES
from regtech.rulelang.ir import Confidence
from regtech.rulelang.rules import STATUSES

LONG: Final = 70
"""A value with more signs than this gets a field of several lines."""
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "rule": ("id", "title", "status", "in_force"),
    "law": ("cite", "obligation"),
    "condition": (
        "on", "per", "by", "where", "let", "when", "period", "detect", "deadline", "again",
        "cannot_tell", "yields_to",
    ),
    "finding": ("alert", "explain", "misses"),
}  # fmt: skip
"""Sections to the parts of a rule that stand in them; others stand in the last one."""
_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "status": STATUSES,
    "cite/confidence": get_args(Confidence),
    "alert/kind": ALERT_KINDS,
    "alert/severity": SEVERITIES,
}
_BASIS: Final = ("law", "default")
_PARAM: Final = re.compile(r"param\(\s*\"([A-Za-z_]\w*)\"")


def rules_in(text: str) -> list[str]:
    """Ids of the rules of a text, in its order. Raises ``InputError`` where it cannot be read."""
    return [identity for identity, _, _ in _rules(_read(text))]


def rule_form(text: str, rule: str) -> RuleForm:
    """A rule with the figures and the law that it uses. Raises ``NotFoundError``, ``InputError``"""
    for form in rule_forms(text, rule):
        return form
    raise NotFoundError(say("there is no rule %(rule)s in the draft", rule=rule[:100]))


def rule_forms(text: str, only: str | None = None) -> Iterator[RuleForm]:
    """The forms of all rules of a text, or of that one. Raises ``InputError``."""
    document = _read(text)
    for identity, place, node in _rules(document):
        if only in (None, identity):
            yield RuleForm(identity, tuple(_sections(document, place, node)))


def _read(text: str) -> Document:
    document = load(text, "draft.yml")
    if document.problems or not isinstance(document.root, MappingNode):
        raise InputError(
            say("the draft cannot be read as YAML"), hint=say("mend it in the YAML first")
        )
    return document


def _rules(document: Document) -> Iterator[tuple[str, str, MappingNode]]:
    """Id, path and node of each rule that has an id."""
    assert isinstance(document.root, MappingNode)
    rules = document.root.entries.get("rules")
    for number, node in enumerate(rules.items if isinstance(rules, SequenceNode) else ()):
        identity = node.entries.get("id") if isinstance(node, MappingNode) else None
        if isinstance(node, MappingNode) and isinstance(identity, Scalar):
            yield identity.text, f"rules/{number}", node


def _sections(document: Document, place: str, rule: MappingNode) -> Iterator[FormSection]:
    known = {part for parts in SECTIONS.values() for part in parts} | {"tests"}
    rest = tuple(name for name in rule.entries if name not in known)
    for name, parts in SECTIONS.items():
        chosen = (*parts, *rest) if name == "finding" else parts
        fields = [
            field
            for part in chosen
            if part in rule.entries
            for field in _fields(document, rule.entries[part], place, part)
        ]
        if name == "law":
            fields += _used(document, "instruments", _cited(rule))
        takes, adds = changes_of(document, place, rule, name)
        if fields or adds:
            yield FormSection(name, "", tuple(fields), takes, adds)
        if name == "law":
            names = _params(rule)
            figures = _used(document, "params", names)
            yield FormSection("figures", "", tuple(figures), *figure_changes(document, names))
    tests = rule.entries.get("tests")
    items = tests.items if isinstance(tests, SequenceNode) else []
    titles = [_title(test, number) for number, test in enumerate(items)]
    yield FormSection("tests", "", (), *tests_changes(place, titles))
    for number, test in enumerate(items):
        path = f"{place}/tests/{number}"
        yield FormSection(
            "test",
            titles[number],
            tuple(_fields(document, test, path, "")),
            *test_changes(path, test),
        )


def _title(test: Node, number: int) -> str:
    title = test.entries.get("name") if isinstance(test, MappingNode) else None
    return title.text if isinstance(title, Scalar) else str(number + 1)


def _fields(document: Document, node: Node, place: str, part: str) -> Iterator[FormField]:
    """The values below a part; their labels are their paths below ``place``."""
    start = f"{place}/{part}" if part else place
    for path, scalar in leaves(node, start):
        label = path.removeprefix(f"{place}/")
        text = shown(document, scalar)
        several = "\n" in text or len(text) > LONG or scalar.style in ("|", ">")
        choices = _BASIS if label.endswith("/basis") else _CHOICES.get(label, ())
        yield FormField(path, label, text, several, choices if text in choices else ())


def _cited(rule: MappingNode) -> list[str]:
    cite = rule.entries.get("cite")
    named = cite.entries.get("instrument") if isinstance(cite, MappingNode) else None
    return [named.text] if isinstance(named, Scalar) else []


def _params(rule: MappingNode) -> list[str]:
    """Names of the parameters that the rule uses, in the order in which it does."""
    found = [name for _, scalar in leaves(rule) for name in _PARAM.findall(scalar.text)]
    return list(dict.fromkeys(found))


def _used(document: Document, kind: str, names: Sequence[str]) -> list[FormField]:
    """Values of the instruments or parameters of those names."""
    assert isinstance(document.root, MappingNode)
    every = document.root.entries.get(kind)
    if not isinstance(every, MappingNode):
        return []
    return [
        FormField(field.path, f"{kind}/{field.label}", field.text, field.several, field.choices)
        for name in names
        if name in every.entries
        for field in _fields(document, every.entries[name], kind, name)
    ]
