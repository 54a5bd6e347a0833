"""The Markdown that the product itself writes, as HTML: headings, lists in lists, stress, code.

Everything is escaped first; no markup, link or image of a text from outside comes through.
"""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup, escape

from casework.web.formats import clean

_BULLET: Final = re.compile(r"( *)(?:[-*]|\d+\.) (.*)")
_HEADING: Final = re.compile(r"(#{1,6}) (.*)")
_ROW: Final = re.compile(r"\|(.*)\|\s*")
_RULE: Final = re.compile(r"[\s|:-]+")
_CODE: Final = re.compile(r"`([^`]*)`")
_BOLD: Final = re.compile(r"\*\*([^*]+)\*\*")
_STRESS: Final = re.compile(r"(?<![\w*])\*([^\s*](?:[^*]*[^\s*])?)\*(?![\w*])")
_STEP: Final = 2
"""Blanks that make a list one deeper, at least."""


def html_of(text: str, *, top: int = 2) -> Markup:
    """The text as HTML; its first level of headings becomes ``h<top>``."""
    made = _Page(top)
    for line in clean(text).splitlines():
        made.line(line.rstrip())
    return made.end()


def _inline(text: str) -> str:
    safe = str(escape(text))
    safe = _CODE.sub(r"<code>\1</code>", safe)
    safe = _BOLD.sub(r"<strong>\1</strong>", safe)
    return _STRESS.sub(r"<em>\1</em>", safe)


class _Page:
    def __init__(self, top: int) -> None:
        self._top = top
        self._out: list[str] = []
        self._lists: list[int] = []
        self._paragraph: list[str] = []
        self._rows: list[list[str]] = []
        self._fence: list[str] | None = None

    def line(self, line: str) -> None:
        if self._fence is not None or line.startswith("```"):
            self._code(line)
            return
        if row := _ROW.fullmatch(line):
            self._close_text()
            if not _RULE.fullmatch(line):
                self._rows.append([cell.strip() for cell in row[1].split("|")])
            return
        self._close_rows()
        if bullet := _BULLET.fullmatch(line):
            self._close_paragraph()
            self._item(len(bullet[1]), bullet[2])
        elif heading := _HEADING.fullmatch(line):
            self._close_text()
            level = min(6, self._top + len(heading[1]) - 1)
            self._out.append(f"<h{level}>{_inline(heading[2])}</h{level}>")
        elif not line:
            self._close_text()
        else:
            self._close_lists()
            self._paragraph.append(_inline(line))

    def _code(self, line: str) -> None:
        if self._fence is None:
            self._close_text()
            self._close_rows()
            self._fence = []
        elif line.startswith("```"):
            self._out.append("<pre><code>" + "\n".join(self._fence) + "</code></pre>")
            self._fence = None
        else:
            self._fence.append(str(escape(line)))

    def _item(self, indent: int, text: str) -> None:
        while self._lists and indent <= self._lists[-1] - _STEP:
            self._out.append("</li></ul>")
            self._lists.pop()
        if not self._lists or indent >= self._lists[-1] + _STEP:
            self._out.append("<ul>")
            self._lists.append(indent)
        else:
            self._out.append("</li>")
        self._out.append(f"<li>{_inline(text)}")

    def _close_lists(self) -> None:
        self._out += ["</li></ul>"] * len(self._lists)
        self._lists.clear()

    def _close_paragraph(self) -> None:
        if self._paragraph:
            self._out.append(f"<p>{'<br>'.join(self._paragraph)}</p>")
            self._paragraph.clear()

    def _close_text(self) -> None:
        self._close_lists()
        self._close_paragraph()

    def _close_rows(self) -> None:
        if not self._rows:
            return
        head, *rows = self._rows
        cells = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in head)
        body = "".join(
            "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        self._out.append(
            f'<div class="scroll"><table><thead><tr>{cells}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )
        self._rows.clear()

    def end(self) -> Markup:
        if self._fence is not None:
            self._code("```")
        self._close_rows()
        self._close_text()
        return Markup("\n".join(self._out))  # escaped piece by piece above
