"""Where each character of a YAML scalar's text stands in its raw form."""

from __future__ import annotations

import re

_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}
_BLANKS = " \t\n\r"
_HEADER_INDENT = re.compile(r"[|>][+-]?([1-9])|[|>]([1-9])")


def offsets_of(raw: str, text: str, style: str) -> list[int]:
    """For each character of ``text``, and for its end, the offset in ``raw``.

    ``style`` is "" (plain), ``'``, ``"``, ``|`` or ``>``. Where the two cannot be aligned, the
    nearest offset before is given, so that a line is right even where a column is not.
    """
    if style in ("|", ">"):
        return _block(raw, text, style)
    return _flow(raw, text, style)


def _flow(raw: str, text: str, style: str) -> list[int]:
    positions: list[int] = []
    index = 1 if style else 0
    end = len(raw) - 1 if style else len(raw)
    while len(positions) < len(text) and index < end:
        character = raw[index]
        if character in _BLANKS:
            stop = index
            while stop < end and raw[stop] in _BLANKS:
                stop += 1
            breaks = raw.count("\n", index, stop)
            if breaks:
                # One line break folds to a space, n of them to n - 1 line breaks.
                positions.extend([index] * max(1, breaks - 1))
                index = stop
                continue
            positions.append(index)
            index += 1
        elif style == "'" and raw.startswith("''", index):
            positions.append(index)
            index += 2
        elif style == '"' and character == "\\":
            following = raw[index + 1] if index + 1 < end else ""
            if following in ("\n", "\r"):
                index += 1
                while index < end and raw[index] in _BLANKS:
                    index += 1
                continue
            positions.append(index)
            index += _ESCAPE_LENGTH.get(following, 2)
        else:
            positions.append(index)
            index += 1
    del positions[len(text) :]
    positions.extend([min(index, len(raw))] * (len(text) - len(positions) + 1))
    return positions


def _block(raw: str, text: str, style: str) -> list[int]:
    lines = raw.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    header = _HEADER_INDENT.match(lines[0])
    content = [line for line in lines[1:] if line.strip(" \r")]
    indent = min((len(line) - len(line.lstrip(" ")) for line in content), default=0)
    if header and content:
        # An explicit indent counts from the parent's, which the raw form does not show: the text's
        # own leading blanks tell how much of the smallest indent belongs to it.
        own = min(len(line) - len(line.lstrip(" ")) for line in text.split("\n") if line.strip())
        indent -= own
    positions = [0] * (len(text) + 1)
    cursor = 0
    last = min(len(raw), starts[1])
    for number, line in enumerate(lines[1:], start=1):
        body = line[indent:].rstrip("\r") if len(line) > indent else ""
        if body.strip() or style == "|":
            while (
                style == ">"
                and cursor < len(text)
                and text[cursor] in " \n"
                and not text.startswith(body, cursor)
            ):
                positions[cursor] = last
                cursor += 1
            if text.startswith(body, cursor):
                for step in range(len(body)):
                    positions[cursor + step] = starts[number] + indent + step
                cursor += len(body)
                last = starts[number] + indent + len(body)
                if style == "|" and cursor < len(text):
                    positions[cursor] = last
                    cursor += 1
    for rest in range(cursor, len(text) + 1):
        positions[rest] = min(last, len(raw))
    return positions
