"""Parts of a YAML text added and taken away: all else stays, byte by byte, comments included.

A part is named by its path, such as ``rules/0/tests/2``. What is written is read again: the data is
what it was to be, or nothing is written at all. Taking away what was just added gives the same
bytes as before. A comment that stands on lines of its own above a part stays when the part goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from yaml.events import MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from regtech.content.saying import say
from regtech.content.yamlmarks import Document, load, parse_events, plain
from regtech.errors import InputError

_HINT: Final = say("change it in the YAML")
_KEPT: Final = 4
"""Texts whose parts are kept: one step asks for those of a text several times."""


@dataclass(slots=True)
class Part:
    """A node with the places of its content: ``end`` is behind its last sign, comments apart."""

    start: int
    end: int
    flow: bool = False
    children: dict[str, Part] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    """Where each key begins; empty for lists and scalars."""
    mapping: bool = False
    sequence: bool = False


@lru_cache(_KEPT)
def _loaded(text: str) -> Document:
    return load(text, "<text>")


@lru_cache(_KEPT)
def parts_of(text: str) -> Part:
    """The parts of a text. Raises ``InputError`` where it cannot be read."""
    if _loaded(text).problems:
        raise InputError(
            say("the text cannot be read as YAML"), hint=say("mend it in the YAML first")
        )
    events = parse_events(text)
    for event in events:
        if isinstance(event, (ScalarEvent, MappingStartEvent)) or hasattr(event, "flow_style"):
            return _part(text, events, event)
    raise InputError(say("the text is empty"))


def _part(text: str, events: Iterator[Any], event: Any) -> Part:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, ScalarEvent):
        return Part(start, start + len(text[start:end].rstrip()))
    made = Part(start, end, flow=bool(event.flow_style))
    made.mapping = isinstance(event, MappingStartEvent)
    made.sequence = not made.mapping
    for child in events:
        if isinstance(child, (MappingEndEvent, SequenceEndEvent)):
            if made.flow:
                made.end = _index(child.end_mark)
            break
        if made.mapping:
            key = _part(text, events, child)
            name = str(child.value)
            made.keys[name] = key.start
            made.children[name] = _part(text, events, next(events))
            made.end = max(made.children[name].end, key.end + 1)
        else:
            one = _part(text, events, child)
            made.children[str(len(made.children))] = one
            made.end = one.end
    return made


def part_at(root: Part, path: str) -> Part:
    """The part of a path. Raises ``InputError`` where there is none."""
    found = root
    for name in path.split("/") if path else ():
        if name not in found.children:
            raise InputError(
                say("there is nothing at %(path)s in the text", path=path[:200]),
                hint=say("open it anew"),
            )
        found = found.children[name]
    return found


def raw(text: str, path: str) -> str:
    """A part as it is written."""
    part = part_at(parts_of(text), path)
    return text[part.start : part.end]


def _index(mark: Any) -> int:
    return int(mark.index)


# --- adding


def copied(text: str, path: str) -> str:
    """A list with a copy of one of its items behind the last one."""
    where, _, name = path.rpartition("/")
    items = part_at(parts_of(text), where)
    item = part_at(items, name)
    if not items.sequence:
        raise InputError(say("%(path)s is no list", path=where), hint=_HINT)
    data = _plain(text)
    _at(data, where).append(_at(data, path))
    last = items.children[str(len(items.children) - 1)]
    if items.flow:
        made = _spliced(text, last.end, last.end, ", " + text[item.start : item.end])
    else:
        first, behind = _lines_of(text, item, item.start)
        made = _with_lines(text, last.end, text[first:behind])
    return _checked(made, data)


def with_item(text: str, path: str, item: str, at: int | None = None) -> str:
    """A list with one item more, as it is written on one line, before the one of that number or
    behind the last."""
    items = part_at(parts_of(text), path)
    if not items.sequence:
        raise InputError(say("%(path)s is no list", path=path), hint=_HINT)
    data, count = _plain(text), len(items.children)
    at = count if at is None else at
    _at(data, path).insert(at, plain(load(item + "\n", "<text>").root))
    if items.flow and at < count:
        start = items.children[str(at)].start
        made = _spliced(text, start, start, f"{item}, ")
    elif items.flow:
        made = _in_brackets(text, items, item)
    else:
        line = " " * _column(text, _dash(text, items.children["0"])) + f"- {item}\n"
        if at < count:
            first, _ = _lines_of(text, items.children[str(at)], items.children[str(at)].start)
            made = _spliced(text, first, first, line)
        else:
            made = _with_lines(text, items.end, line)
    return _checked(made, data)


def with_entry(
    text: str, path: str, name: str, value: str | Sequence[str], after: Sequence[str] | None = None
) -> str:
    """A mapping with one entry more: ``value`` as it is written, or as lines below the key.

    ``after``: it comes behind the last of these that is there, first where none is; without it
    behind all. Raises ``InputError`` where there is one of that name, or it cannot stand there.
    """
    entries = part_at(parts_of(text), path)
    if not entries.mapping:
        raise InputError(say("%(path)s has no entries", path=path), hint=_HINT)
    if name in entries.children:
        raise InputError(
            say("there is %(name)s already at %(path)s", name=name, path=path),
            hint=say("change it, or take it away"),
        )
    lines = [f"{name}: {value}"] if isinstance(value, str) else [f"{name}:", *value]
    data = _plain(text)
    _at(data, path)[name] = plain(load("\n".join(lines) + "\n", "<text>").root)[name]
    before = list(entries.children) if after is None else [n for n in after if n in entries.keys]
    if entries.flow:
        if len(lines) > 1:
            raise InputError(say("%(path)s is written in braces", path=path), hint=_HINT)
        if not entries.children:
            made = _spliced(text, entries.start + 1, entries.start + 1, lines[0])
        elif before:
            end = entries.children[before[-1]].end
            made = _spliced(text, end, end, f", {lines[0]}")
        else:
            start = next(iter(entries.keys.values()))
            made = _spliced(text, start, start, f"{lines[0]}, ")
    elif before:
        column = _column(text, next(iter(entries.keys.values())))
        made = _with_lines(text, entries.children[before[-1]].end, _indented(lines, column, ""))
    else:
        start = next(iter(entries.keys.values()))
        indent = " " * _column(text, start)
        made = _spliced(text, start, start, f"\n{indent}".join(lines) + f"\n{indent}")
    return _checked(made, data)


# --- taking away


def without(text: str, path: str) -> str:
    """The text without an item or an entry. What it leaves empty goes as well, unless it is
    written in brackets or braces."""
    where, _, name = path.rpartition("/")
    root = parts_of(text)
    around, part = part_at(root, where), part_at(root, path)
    if len(around.children) == 1 and not around.flow:
        if not where:
            raise InputError(say("nothing would be left"), hint=_HINT)
        return without(text, where)
    data = _plain(text)
    holder = _at(data, where)
    del holder[name if around.mapping else int(name)]
    names = list(around.children)
    at = names.index(name)
    start = around.keys[name] if around.mapping else part.start
    following = names[at + 1] if at + 1 < len(names) else None
    if around.flow:
        if at:
            made = _spliced(text, around.children[names[at - 1]].end, part.end, "")
        elif following is not None:
            behind = around.children[following]
            made = _spliced(text, start, around.keys.get(following, behind.start), "")
        else:
            made = _spliced(text, start, part.end, "")
    elif around.mapping and text[_line_start(text, start) : start].strip():
        # The first entry of an item stands beside its dash: the next one takes its place.
        made = _spliced(text, start, around.keys[str(following)], "")
    else:
        made = _without_lines(text, part, start)
    return _checked(made, data)


# --- other ways of writing the same


def rewritten(text: str, path: str, name: str, value: str) -> str:
    """An entry under another name and with another value, as it is written, in the same place."""
    where, _, old = path.rpartition("/")
    entries = part_at(parts_of(text), where)
    part = part_at(entries, old)
    made = _spliced(text, entries.keys[old], part.end, f"{name}: {value}")
    data = _plain(text)
    holder = _at(data, where)
    fresh = plain(load(f"{name}: {value}\n", "<text>").root)
    changed = [(name, fresh[name]) if key == old else (key, v) for key, v in holder.items()]
    holder.clear()
    holder.update(changed)
    return _checked(made, data)


def written(value: str, flow: bool = False) -> str:
    """A text as it is written: as it stands where that reads as the same text, else in quotes."""
    for shape in (value, json.dumps(value, ensure_ascii=False)):
        document = load(f"[{shape}]\n" if flow else f"x: {shape}\n", "<text>")
        found = plain(document.root)
        if not document.problems and found == ([value] if flow else {"x": value}):
            return shape
    raise InputError(
        say("%(value)r cannot be written", value=value[:100]),
        hint=say("leave out signs that are no text"),
    )


def as_typed(value: str, flow: bool = False) -> str:
    """A value as somebody typed it: what reads as a number or a day stays one."""
    shape = f"[{value}]\n" if flow else f"x: {value}\n"
    document = load(shape, "<text>")
    found = plain(document.root)
    one = found[0] if isinstance(found, list) and len(found) == 1 else found
    one = one.get("x") if isinstance(one, dict) and not flow else one
    whole = not document.problems and value.strip() == value and "\n" not in value and value
    if whole and one is not None and not isinstance(one, (str, list, dict)) and "#" not in value:
        return value
    return written(value, flow)


# --- lines and signs


def data_at(text: str, path: str) -> Any:
    """The data of a part. Raises ``InputError`` where there is none."""
    try:
        return _at(_plain(text), path)
    except (KeyError, IndexError, ValueError, TypeError):
        raise InputError(
            say("there is nothing at %(path)s in the text", path=path[:200]),
            hint=say("open it anew"),
        ) from None


def _plain(text: str) -> Any:
    return plain(_loaded(text).root)


def _at(data: Any, path: str) -> Any:
    for name in path.split("/") if path else ():
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data


def _checked(text: str, data: Any) -> str:
    document = _loaded(text)
    if document.problems or plain(document.root) != data:
        raise InputError(say("it cannot be written there"), hint=_HINT)
    return text


def _spliced(text: str, start: int, end: int, put: str) -> str:
    return text[:start] + put + text[end:]


def _in_brackets(text: str, items: Part, item: str) -> str:
    at = items.end - 1
    if items.children:
        at = items.children[str(len(items.children) - 1)].end
        item = f", {item}"
    return _spliced(text, at, at, item)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Behind the end of the line."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _column(text: str, at: int) -> int:
    return at - _line_start(text, at)


def _dash(text: str, item: Part) -> int:
    """Where the dash of an item stands."""
    start = _line_start(text, item.start)
    dash = text.find("-", start, item.start)
    if dash < 0 or text[start:dash].strip() or text[dash + 1 : item.start].strip():
        raise InputError(say("the list is not written with an item a line"), hint=_HINT)
    return dash


def _lines_of(text: str, part: Part, start: int) -> tuple[int, int]:
    """The lines of an item or entry that begins there, alone on them but for a dash."""
    first = _line_start(text, start)
    if text[first:start].strip() not in ("", "-"):
        raise InputError(say("something else stands on its line"), hint=_HINT)
    return first, _line_end(text, part.end)


def _without_lines(text: str, part: Part, start: int) -> str:
    first, behind = _lines_of(text, part, start)
    if behind == len(text) and not text.endswith("\n") and first:
        first -= 1  # the end of the line before, which is the last one now
    return _spliced(text, first, behind, "")


def _with_lines(text: str, end: int, lines: str) -> str:
    """With lines behind the line on which a part ends."""
    behind = _line_end(text, end)
    if behind == len(text) and not text.endswith("\n"):
        return text + "\n" + lines.rstrip("\n")
    return _spliced(text, behind, behind, lines if lines.endswith("\n") else lines + "\n")


def _indented(lines: Sequence[str], column: int, dash: str) -> str:
    first = " " * column + dash
    rest = " " * (column + len(dash))
    return "".join(
        (first if number == 0 else rest) + line + "\n" for number, line in enumerate(lines)
    )
