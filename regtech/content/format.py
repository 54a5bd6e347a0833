"""Formats YAML content: one layout, comments kept, nothing about its meaning changed.

Blocks are indented by two, lists under a key by two more; ``{a: b, c: d}`` stays on one line with
single spaces; blank lines are at most one, exactly one between the entries of ``rules`` and before
the main sections; trailing blanks go. Scalars are copied as written. A flow collection with a
comment inside keeps its lines. Formatting twice gives what formatting once gave, and the result is
loaded again and compared before it is handed out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from regtech.content.yamlmarks import load, parse_events, plain
from regtech.errors import ContentError, InternalError

SECTIONS: Final = ("instruments", "params", "rules", "not_decided")
"""Top-level keys that stand apart by a blank line; entries of ``rules`` stand apart as well."""

_COMMENT: Final = re.compile(r"#[^\n]*")


@dataclass(slots=True, eq=False)
class _Comment:
    """A comment, or a blank line (no text); ``used`` once it is written or no longer needed."""

    text: str
    start: int
    blanks: int = 0  # in front of it, where it follows something on its line
    used: bool = False


@dataclass(slots=True, eq=False)
class _Scalar:
    raw: str
    style: str
    start: int
    end: int
    before: list[_Comment] = field(default_factory=list)  # on lines of their own
    after: _Comment | None = None  # on the same line


@dataclass(slots=True, eq=False)
class _Collection:
    is_mapping: bool
    flow: bool
    start: int
    end: int = 0
    items: list[_Node] = field(default_factory=list)  # of a mapping: key, value, key, value …


_Node = _Scalar | _Collection


def format_text(text: str, file: str = "<text>") -> str:
    """The text in the one layout; the same text again when it already is.

    Raises ``ContentError`` when the text is not acceptable YAML: what cannot be read is not
    touched.
    """
    before = load(text, file)
    if before.problems:
        first = before.problems[0]
        raise ContentError(f"{file}:{first.line}:{first.column}: {first.message}", before.problems)
    formatted = _Formatter(before.text.replace("\r\n", "\n").replace("\r", "\n")).text()
    after = load(formatted, file)
    same = repr(plain(after.root)) == repr(plain(before.root))
    if after.problems or not same or _comments(formatted) != _comments(before.text):
        raise InternalError(f"formatting {file} would change what it says")
    return formatted


def _comments(text: str) -> list[str]:
    return sorted(comment.text for comment in _Formatter(text).comments if comment.text)


class _Formatter:
    def __init__(self, text: str) -> None:
        self.source = text
        self.scalars: list[_Scalar] = []
        self.comments: list[_Comment] = []
        self.lines: list[str] = []
        self.root = self._tree()
        self.tail = self._attach_comments()

    # --- reading -------------------------------------------------------------------------------

    def _tree(self) -> _Node | None:
        stack: list[_Collection] = []
        root: _Node | None = None
        event: Any
        for event in parse_events(self.source):
            name = type(event).__name__
            node: _Node
            if name == "ScalarEvent":
                node = self._scalar(event)
            elif name in ("MappingStartEvent", "SequenceStartEvent"):
                is_mapping = name == "MappingStartEvent"
                node = _Collection(is_mapping, bool(event.flow_style), event.start_mark.index)
            elif name in ("MappingEndEvent", "SequenceEndEvent"):
                stack.pop().end = event.end_mark.index
                continue
            else:
                continue
            if stack:
                stack[-1].items.append(node)
            elif root is None:
                root = node
            if isinstance(node, _Collection):
                stack.append(node)
        return root

    def _scalar(self, event: Any) -> _Scalar:
        start, end = event.start_mark.index, event.end_mark.index
        scalar = _Scalar(self.source[start:end], event.style or "", start, end)
        self.scalars.append(scalar)
        return scalar

    def _attach_comments(self) -> list[_Comment]:
        """Between two scalars stand only blanks, structure and comments: each goes to a scalar.

        Gives the comments after the last one.
        """
        previous: _Scalar | None = None
        for scalar in self.scalars:
            scalar.before = self._gap(previous, scalar.start)
            previous = scalar
        return self._gap(previous, len(self.source))

    def _gap(self, previous: _Scalar | None, end: int) -> list[_Comment]:
        start = previous.end if previous else 0
        own: list[_Comment] = []
        fresh = start == 0 or self.source[start - 1] == "\n"
        lines = self.source[start:end].split("\n")
        for number, line in enumerate(lines):
            found = _COMMENT.search(line)
            alone = number > 0 or fresh
            if found:
                before = line[: found.start()]
                comment = _Comment(
                    found[0].rstrip(),
                    start + found.start(),
                    max(2, len(before) - len(before.rstrip(" "))),
                )
                self.comments.append(comment)
                if alone or previous is None:
                    own.append(comment)
                else:
                    previous.after = comment
            elif alone and not line.strip() and number < len(lines) - 1:
                own.append(_Comment("", start))
                self.comments.append(own[-1])
            start += len(line) + 1
        return own

    # --- writing -------------------------------------------------------------------------------

    def text(self) -> str:
        root = self.root
        if isinstance(root, _Collection) and not root.flow:
            self._block(root, 0, top=True)
        elif root is not None and self.scalars:
            self._before(_first(root), 0)
            self.lines.append(self._inline(root, 0))
        for comment in self.tail:
            self._own_line(comment, 0)
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "\n".join(self.lines) + "\n" if self.lines else ""

    def _own_line(self, comment: _Comment, indent: int) -> None:
        if comment.used:
            return
        comment.used = True
        if comment.text:
            self.lines.append(" " * indent + comment.text)
        else:
            self._blank()

    def _blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def _before(self, scalar: _Scalar | None, indent: int, *, first: bool = False) -> None:
        """Comments and blank lines in front of an entry; no blank line before the first."""
        for comment in scalar.before if scalar is not None else ():
            if first and not comment.text:
                comment.used = True
                continue
            first = False
            self._own_line(comment, indent)

    def _after(self, comment: _Comment | None) -> str:
        if comment is None or comment.used:
            return ""
        comment.used = True
        return " " * comment.blanks + comment.text

    def _block(
        self, node: _Collection, indent: int, *, top: bool = False, apart: bool = False
    ) -> None:
        if node.is_mapping:
            pairs = zip(node.items[::2], node.items[1::2], strict=True)
            for number, (key, value) in enumerate(pairs):
                assert isinstance(key, _Scalar)
                if top and number > 0 and key.raw in SECTIONS:
                    self._blank()
                self._before(key, indent, first=number == 0)
                self._entry(key, value, indent, top=top)
            return
        for number, item in enumerate(node.items):
            if apart and number > 0:
                self._blank()
            self._before(_first(item), indent, first=number == 0)
            position = len(self.lines)
            if isinstance(item, _Collection) and not item.flow:
                self._block(item, indent + 2)
            else:
                self.lines.append(" " * (indent + 2) + self._inline(item, indent))
            line = self.lines[position]
            self.lines[position] = (" " * indent + "- " + line[indent + 2 :]).rstrip()

    def _entry(self, key: _Scalar, value: _Node, indent: int, *, top: bool) -> None:
        name = " " * indent + _one_line(key.raw)
        if isinstance(value, _Collection) and not value.flow:
            self.lines.append(f"{name}:{self._after(key.after)}")
            self._block(value, indent + 2, apart=top and key.raw == "rules")
            return
        # Comments between a key and its value stand before the key from now on.
        if key.after is not None and key.after.start < value.start:
            self._own_line(key.after, indent)
        for comment in value.before if isinstance(value, _Scalar) else ():
            if comment.text:
                self._own_line(comment, indent)
        shown = self._inline(value, indent)
        space = " " if shown and not (isinstance(value, _Scalar) and not value.raw) else ""
        self.lines.append(f"{name}:{space}{shown}{self._after(key.after)}")

    def _inline(self, node: _Node, indent: int) -> str:
        """A node that starts on its key's line, with the comment after it."""
        if isinstance(node, _Scalar):
            if node.style in ("|", ">"):
                return self._block_scalar(node, indent)
            lines = node.raw.split("\n")
            shown = [lines[0], *(_indented(line.lstrip(" \t"), indent + 2) for line in lines[1:])]
            return "\n".join(shown) + self._after(node.after)
        inside = [c for c in self.comments if node.start <= c.start < node.end and not c.used]
        for comment in inside:
            comment.used = True
        if any(comment.text for comment in inside):
            # A comment ends its line: the collection keeps its lines.
            lines = self.source[node.start : node.end].split("\n")
            kept = [lines[0].rstrip(), *(_indented(line.strip(), indent + 2) for line in lines[1:])]
            text = "\n".join(line for line in kept if line)
        else:
            text = _flow(node)
        last = _last(node)
        return text + (self._after(last.after) if last is not None else "")

    def _block_scalar(self, node: _Scalar, indent: int) -> str:
        header, *body = node.raw.split("\n")
        signs = re.match(r"[|>]([-+0-9]*)", header)
        assert signs is not None
        keep = "+" in signs[1]
        if body and not body[-1]:
            body.pop()  # what follows the last line break
        while body and not body[-1].strip() and not keep:
            body.pop()
        digit = re.search(r"[1-9]", signs[1])
        if digit:
            # The indicator counts from the parent's indent, which is where the key's line starts.
            line_start = self.source.rfind("\n", 0, node.start) + 1
            line = self.source[line_start : node.start]
            cut = len(line) - len(line.lstrip(" -")) + int(digit[0])
            indent += int(digit[0])
        else:
            content = [line for line in body if line.strip(" ")]
            cut = min((len(line) - len(line.lstrip(" ")) for line in content), default=0)
            indent += 2
        return "\n".join([header.rstrip(), *(_indented(line[cut:], indent) for line in body)])


def _indented(line: str, indent: int) -> str:
    return " " * indent + line if line.strip(" ") else ""


def _one_line(raw: str) -> str:
    return " ".join(part.strip() for part in raw.split("\n"))


def _first(node: _Node) -> _Scalar | None:
    if isinstance(node, _Scalar):
        return node
    return next((found for item in node.items if (found := _first(item))), None)


def _last(node: _Node) -> _Scalar | None:
    if isinstance(node, _Scalar):
        return node
    return next((found for item in reversed(node.items) if (found := _last(item))), None)


def _flow(node: _Node) -> str:
    if isinstance(node, _Scalar):
        return _one_line(node.raw) if "\n" in node.raw else node.raw
    parts = [_flow(item) for item in node.items]
    if not node.is_mapping:
        return f"[{', '.join(parts)}]"
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return "{" + ", ".join(f"{key}: {value}".rstrip() for key, value in pairs) + "}"
