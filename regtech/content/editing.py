"""Values of a YAML text changed in place: nothing else of the text moves, comments included.

A value is named by its path, such as ``rules/0/title/en``. What is shown of one is what is written
of it: of block texts (``>``, ``|``) the lines as they stand, without their indentation; of all
others the text. Whatever is written is read again: only the values that were to change differ, or
nothing is written at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from regtech.content.saying import say
from regtech.content.yamlmarks import Document, Node, Scalar, load, resolve
from regtech.content.yamlmarks import Mapping as MappingNode
from regtech.errors import InputError

_BLOCK: Final = frozenset("|>")
_NOT_PRINTED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u0085\u2028\u2029\ufeff]")


def leaves(node: Node | None, path: str = "") -> Iterator[tuple[str, Scalar]]:
    """Every value below a node with its path, in the order of the text."""
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, MappingNode):
        for name, item in node.entries.items():
            yield from leaves(item, f"{path}/{name}" if path else name)
    elif node is not None:
        for number, item in enumerate(node.items):
            yield from leaves(item, f"{path}/{number}" if path else str(number))


def shown(document: Document, scalar: Scalar) -> str:
    """A value as a form shows it."""
    if scalar.style not in _BLOCK:
        return scalar.text
    _, lines, _ = _block(document.text[scalar.start : scalar.end])
    return "\n".join(line for _, line in lines)


def edited(text: str, values: Mapping[str, str]) -> str:
    """The text with other values. Those that are as shown stay as they are, byte by byte.

    Raises ``InputError`` for a text that cannot be read, a path that is none, or a value that
    cannot stand where it should.
    """
    document = _read(text)
    found = dict(leaves(document.root))
    changed: dict[str, str] = {}
    for path, value in values.items():
        if path not in found:
            raise InputError(
                say("there is no value %(path)s in the text", path=path[:200]),
                hint=say("open it anew"),
            )
        if _NOT_PRINTED.search(value):
            raise InputError(
                say("%(path)s: the value has a sign that no text of rules may have", path=path)
            )
        if value != shown(document, found[path]):
            changed[path] = value
    if not changed:
        return text
    for quoted in (False, True):
        made = _written(text, {path: found[path] for path in changed}, changed, quoted)
        if _only(document, load(made, document.file), changed):
            return made
    raise InputError(
        say("%(changed)s: the value cannot be written there", changed=", ".join(sorted(changed))),
        hint=say("change it in the YAML"),
    )


def _read(text: str) -> Document:
    document = load(text, "<text>")
    if document.problems or document.root is None:
        raise InputError(
            say("the text cannot be read as YAML"), hint=say("mend it in the YAML first")
        )
    return document


def _written(
    text: str, scalars: Mapping[str, Scalar], values: Mapping[str, str], quoted: bool
) -> str:
    """The text with the values in place, the last one first, so that no place moves."""
    for path, scalar in sorted(scalars.items(), key=lambda item: -item[1].start):
        raw = text[scalar.start : scalar.end]
        text = text[: scalar.start] + _raw(scalar, raw, values[path], quoted) + text[scalar.end :]
    return text


def _raw(scalar: Scalar, raw: str, value: str, quoted: bool) -> str:
    if scalar.style in _BLOCK:
        head, lines, tail = _block(raw)
        indent = next((indent for indent, line in lines if line), "")
        typed = value.rstrip("\n").split("\n")
        return head + "\n".join(indent + line if line.strip() else "" for line in typed) + tail
    value = " ".join(value.split("\n"))
    if scalar.style == "'" and not quoted:
        return "'" + value.replace("'", "''") + "'"
    if scalar.style == "" and not quoted and _may_be_plain(scalar, value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _may_be_plain(scalar: Scalar, value: str) -> bool:
    """Whether a plain value stays of its kind: a text does not become a number or a truth."""
    if not value or value != value.strip():
        return False
    return not isinstance(resolve(scalar.text), str) or isinstance(resolve(value), str)


def _block(raw: str) -> tuple[str, list[tuple[str, str]], str]:
    """The first line, the lines with their indentation apart, and what follows the last one."""
    head, _, body = raw.partition("\n")
    stripped = body.rstrip("\n")
    tail = body[len(stripped) :]
    lines = stripped.split("\n")
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    return head + "\n", [(line[:indent], line[indent:]) for line in lines], tail


def _only(before: Document, after: Document, changed: Mapping[str, str]) -> bool:
    """Whether nothing but these values differs, and each is what it was to be."""
    if after.problems:
        return False
    old, new = dict(leaves(before.root)), dict(leaves(after.root))
    if list(old) != list(new):
        return False
    for path, scalar in new.items():
        if path not in changed:
            if (scalar.text, type(scalar.value)) != (old[path].text, type(old[path].value)):
                return False
        elif scalar.style in _BLOCK:
            if shown(after, scalar).rstrip() != changed[path].rstrip():
                return False
        elif scalar.text != " ".join(changed[path].split("\n")):
            return False
    return True
