"""Loads YAML as nodes that remember where they stand, and refuses everything that can surprise.

Refused: anchors, aliases and merge keys (and with them "billion laughs"), every explicit tag
(``!!python``), duplicate keys, keys that are not text, several documents, more than 2 MiB, nesting
deeper than 50, NUL and other control characters.

Scalars follow a small, lossless reading close to YAML 1.2. Plain ``true`` and ``false`` are the
only booleans, so ``no``, ``on``, ``off`` and ``yes`` are text; ``null``, ``~`` and nothing are
None; ``2017-07-01`` is a date; ``12`` is an int; ``0.10`` is an exact ``Decimal``, never a float.
All else is text: times, ``0o17``, ``1e3``, ``.inf``, ``190:20:30``, ``007``, ``1_000``.

The loader reads parser events, not the composer's node graph: anchors and depth are then seen
before anything is built, and the C parser makes it fast (65 kB in 10 ms). Without the C parser the
same events come from pure Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from regtech.content import read_text
from regtech.content.positions import offsets_of
from regtech.content.saying import N_, Hint, Said, say
from regtech.errors import ContentError

_C_PARSER: Callable[[str], Any] | None
try:
    from yaml._yaml import CParser

    _C_PARSER = CParser
except ImportError:  # PyYAML can be built without libyaml
    _C_PARSER = None

SIZE_MAX: Final = 2 * 1024 * 1024
DEPTH_MAX: Final = 50

ProblemKind = Literal[
    "size", "nul", "syntax", "anchor", "tag", "duplicate", "depth", "documents", "key", "unreadable"
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document; line and column count from 1."""

    kind: ProblemKind
    message: Said
    line: int
    column: int
    hint: Hint = ""


@dataclass(slots=True, eq=False)
class Scalar:
    """Text of one scalar. ``style`` is "" (plain), ``'``, ``"``, ``|`` or ``>``.

    ``start`` and ``end`` are the character offsets of its raw form in the document.
    """

    text: str
    style: str
    line: int
    column: int
    start: int
    end: int
    positions: list[int] | None = None  # filled in by Document.place

    @property
    def value(self) -> None | bool | int | Decimal | date | str:
        """The plain value; see the module's head for the reading."""
        return self.text if self.style else resolve(self.text)


@dataclass(slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    items: list[Node]
    line: int
    column: int


@dataclass(slots=True, eq=False)
class Mapping:
    """Text keys to nodes, in the order of the file; ``keys`` holds each key's own scalar."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]
    line: int
    column: int


Node = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Document:
    """A loaded document; ``root`` is None when it is empty or could not be read at all."""

    file: str
    text: str
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)

    def place(self, scalar: Scalar, offset: int) -> tuple[int, int]:
        """Line and column in the file of a character of a scalar's text.

        Exact for plain, quoted and ``|`` scalars, escapes and folded lines included; in ``>``
        scalars too, except inside runs of folded blank lines. Offsets past the end give the end.
        """
        raw = self.text[scalar.start : scalar.end]
        if not scalar.style and raw == scalar.text:
            return scalar.line, scalar.column + min(offset, len(raw))
        positions = scalar.positions
        if positions is None:
            positions = scalar.positions = offsets_of(raw, scalar.text, scalar.style)
        index = positions[min(offset, len(positions) - 1)]
        before = raw[:index]
        lines = before.count("\n")
        if not lines:
            return scalar.line, scalar.column + index
        return scalar.line + lines, index - before.rfind("\n")


_INT = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}
_NUMBER_LENGTH_MAX: Final = 400  # longer digits stay text: int() refuses them from 4,300 on


@lru_cache(maxsize=4096)
def resolve(text: str) -> None | bool | int | Decimal | date | str:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-0123456789" and len(text) <= _NUMBER_LENGTH_MAX:
        if _INT.match(text):
            return int(text)
        if _DECIMAL.match(text):
            return Decimal(text)
        found = _DATE.match(text)
        if found:
            try:
                return date(int(found[1]), int(found[2]), int(found[3]))
            except ValueError:
                return text
    return text


class _Stop(Exception):
    """Nothing further can be read."""


class _Builder:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._events = parse_events(document.text)

    def build(self) -> None:
        document = self._document
        try:
            seen = False
            for event in self._events:
                if not isinstance(event, DocumentStartEvent):
                    continue
                if seen:
                    self._problem("documents", say("a file holds one document"), event)
                    return
                seen = True
                if event.tags:
                    self._problem("tag", say("tag directives are not allowed"), event)
                document.root = self._node(next(self._events), 1)
        except _Stop:
            return
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = _of_parser(error.problem, error.context)
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            document.problems.append(Problem("syntax", message, line, column))
        except yaml.YAMLError as error:
            position = getattr(error, "position", 0) or 0
            line, column = _line_column(document.text, position)
            document.problems.append(
                Problem(
                    "syntax", _of_parser(getattr(error, "reason", None), str(error)), line, column
                )
            )

    def _problem(self, kind: ProblemKind, message: Said, event: Any, hint: Hint = "") -> None:
        mark = event.start_mark
        self._document.problems.append(Problem(kind, message, mark.line + 1, mark.column + 1, hint))

    def _node(self, event: Any, depth: int) -> Node:
        # One pass over all events of all packs: classes are compared directly, scalars come first.
        kind = event.__class__
        mark = event.start_mark
        if kind is AliasEvent:
            self._problem(
                "anchor",
                say("the alias *%(anchor)s is not allowed", anchor=event.anchor),
                event,
                say("write the value out"),
            )
            return Scalar("", "", mark.line + 1, mark.column + 1, mark.index, mark.index)
        if event.anchor is not None:
            self._problem(
                "anchor",
                say("the anchor &%(anchor)s is not allowed", anchor=event.anchor),
                event,
                say("write the value out"),
            )
        if kind is ScalarEvent:
            style = event.style or ""
            if event.tag is not None or not (event.implicit[1] if style else event.implicit[0]):
                self._problem(
                    "tag", say("the tag %(tag)s is not allowed", tag=event.tag or "!"), event
                )
            elif not style and event.implicit[1]:
                self._problem("tag", say("the tag ! is not allowed"), event)
            line, column, start = mark.line + 1, mark.column + 1, mark.index
            return Scalar(event.value, style, line, column, start, event.end_mark.index)
        if depth > DEPTH_MAX:
            self._problem(
                "depth", say("nested deeper than %(depth_max)s", depth_max=DEPTH_MAX), event
            )
            raise _Stop
        if event.tag is not None or not event.implicit:
            self._problem("tag", say("the tag %(tag)s is not allowed", tag=event.tag or "!"), event)
        depth += 1
        if kind is MappingStartEvent:
            return self._mapping(mark.line + 1, mark.column + 1, depth)
        items: list[Node] = []
        for child in self._events:
            if child.__class__ is SequenceEndEvent:
                break
            items.append(self._node(child, depth))
        return Sequence(items, mark.line + 1, mark.column + 1)

    def _mapping(self, line: int, column: int, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        events = self._events
        for child in events:
            if child.__class__ is MappingEndEvent:
                break
            key = self._node(child, depth)
            value = self._node(next(events), depth)
            if key.__class__ is Scalar:
                name = key.text
                if name not in entries and (key.style or _KEY.match(name)):
                    entries[name] = value
                    keys[name] = key
                    continue
            self._odd_key(key, value, entries, keys, child)
        return Mapping(entries, keys, line, column)

    def _odd_key(
        self,
        key: Node,
        value: Node,
        entries: dict[str, Node],
        keys: dict[str, Scalar],
        event: Event,
    ) -> None:
        """A key that is not a plain word: perhaps text all the same, perhaps a problem."""
        if not isinstance(key, Scalar):
            self._problem("key", say("a key must be text"), event)
        elif key.text == "<<" and not key.style:
            self._problem(
                "anchor", say("merge keys are not allowed"), event, say("write the keys out")
            )
        elif not isinstance(key.value, str):
            found = key.text or "nothing"
            self._problem(
                "key",
                say("a key must be text, found %(found)s", found=found),
                event,
                say("quote it"),
            )
        elif key.text in entries:
            first = keys[key.text].line
            message = say(
                "the key %(text)r is given twice, first on line %(first)s",
                text=key.text,
                first=first,
            )
            self._problem("duplicate", message, event)
        else:
            entries[key.text] = value
            keys[key.text] = key


PARSER: Final = (
    N_("did not find expected key"),
    N_("did not find expected ',' or ']'"),
    N_("did not find expected ',' or '}'"),
    N_("did not find expected '-' indicator"),
    N_("did not find expected node content"),
    N_("did not find expected alphabetic or numeric character"),
    N_("did not find expected comment or line break"),
    N_("did not find expected <document start>"),
    N_("could not find expected ':'"),
    N_("mapping values are not allowed in this context"),
    N_("block sequence entries are not allowed in this context"),
    N_("found character that cannot start any token"),
    N_("found a tab character that violates indentation"),
    N_("found a tab character where an indentation space is expected"),
    N_("found unexpected end of stream"),
    N_("found unexpected ':'"),
    N_("found unexpected document indicator"),
    N_("found unknown escape character"),
    N_("while parsing a block mapping"),
    N_("while parsing a block collection"),
    N_("while parsing a flow mapping"),
    N_("while parsing a flow sequence"),
    N_("while parsing a node"),
    N_("while scanning a simple key"),
    N_("while scanning a quoted scalar"),
    N_("while scanning a plain scalar"),
    N_("while scanning a block scalar"),
    N_("while scanning for the next token"),
    N_("while scanning a double-quoted scalar"),
    N_("while scanning a tag"),
    N_("while scanning an alias"),
    N_("while scanning an anchor"),
    N_("while scanning a directive"),
)
"""What the parser says most often; all else that it says stays in English."""


def _of_parser(problem: str | None, context: str | None) -> Said:
    told = [Said(part.replace("%", "%%"), {}) for part in (problem, context) if part]
    if len(told) < 2:
        return told[0] if told else say("not YAML")
    return say("%(problem)s %(context)s", problem=told[0], context=told[1])


_KEY = re.compile(r"(?!(?:true|false|null)\Z)[A-Za-z_][\w-]*\Z")
"""Keys that are text at first sight, nearly all of them."""


def parse_events(text: str) -> Iterator[Event]:
    if _C_PARSER is None:
        yield from yaml.parse(text, Loader=yaml.SafeLoader)
        return
    parser = _C_PARSER(text)
    get = parser.get_event
    event = get()
    while event is not None:
        yield event
        event = get()


def _line_column(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def load(text: str, file: str) -> Document:
    """Reads one document; never raises for what is in it: see ``Document.problems``."""
    if text.startswith("\ufeff"):
        text = text[1:]
    document = Document(file, text)
    if len(text) > SIZE_MAX or len(text.encode("utf-8", "surrogatepass")) > SIZE_MAX:
        document.problems.append(
            Problem(
                "size",
                say("larger than %(size_max)s bytes", size_max=SIZE_MAX),
                1,
                1,
                say("split the file"),
            )
        )
        return document
    control = _CONTROL.search(text)
    if control:
        line, column = _line_column(text, control.start())
        name = f"U+{ord(control[0]):04X}"
        document.problems.append(
            Problem(
                "nul", say("the control character %(name)s is not allowed", name=name), line, column
            )
        )
        return document
    _Builder(document).build()
    document.problems.sort(key=lambda problem: (problem.line, problem.column))
    return document


def plain(node: Node | None) -> Any:
    """Plain data of a node: dicts, lists, text, int, Decimal, date, bool, None."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.entries.items()}


def place_of(root: Node | None, path: str) -> tuple[int, int]:
    """Line and column of a dotted path such as ``members[2].from``, or of its nearest parent.

    Keys may have dots of their own: of those that fit, the longest is meant.
    """
    node, line, column = root, 1, 1
    while path:
        if isinstance(node, Mapping):
            fits = [key for key in node.entries if (path + ".").startswith((f"{key}.", f"{key}["))]
            if not fits:
                break
            key = max(fits, key=len)
            line, column = node.keys[key].line, node.keys[key].column
            node, path = node.entries[key], path[len(key) :].removeprefix(".")
        elif isinstance(node, Sequence) and (item := re.match(r"\[(\d+)\]\.?", path)):
            node, path = node.items[int(item[1])], path[item.end() :]
            line, column = node.line, node.column
        else:
            break
    return line, column


def load_file(path: Path) -> Document:
    """Reads a file; raises ``InputError`` where it cannot be opened or is not UTF-8."""
    return load(read_text(path), str(path))


def load_data(path: Path) -> Any:
    """Plain data of a file that must be faultless, for reference data and mappings.

    Raises ``ContentError`` with every problem, ``InputError`` where it cannot be opened.
    """
    document = load_file(path)
    if document.problems:
        first = document.problems[0]
        raise ContentError(
            say(
                "%(path)s:%(line)s:%(column)s: %(message)s",
                path=path,
                line=first.line,
                column=first.column,
                message=first.message,
            ),
            document.problems,
        )
    return plain(document.root)
