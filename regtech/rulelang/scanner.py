"""From the text of an expression to Python's own syntax tree, with exact positions.

The language is Python's expression syntax plus lengths of time (``7d``) and the field ``from``.
Both are replaced by plain names of the same length before Python parses the text, so that every
position stays as written. Numbers are kept as text: ``0.10`` is never a float.
"""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from regtech.content.saying import N_, Hint, Said, say
from regtech.rulelang.ir import Duration
from regtech.rulelang.values import SHORT_DURATIONS, short_duration

LENGTH_MAX: Final = 4000
"""Longest expression in characters; a longer condition is no longer one a person can read."""

FROM_PLACEHOLDER: Final = "frm_"

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      |(?P<number>[0-9][0-9A-Za-z_.]*)
      |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
      |(?P<space>[ \t\r\n]+)
      |(?P<operator>==|!=|<=|>=|[-+*/<>()\[\],.=])
      |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?\Z")
_LENGTH = re.compile(r"([0-9]{1,9})([A-Za-z]+)\Z")
_LOOKALIKES: Final = {
    "，": ",",
    "、": ",",
    "（": "(",
    "）": ")",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "《": "<",
    "》": ">",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "＝": "=",
    "＞": ">",
    "＜": "<",
    "\u3000": "a space",
    "&": "and",
    "|": "or",
    "!": "not",
    "%": "a ratio such as 0.25, or a parameter with the value 25%",
    "#": "a YAML comment outside the expression",
}
_NOT_PYTHON: Final = {"AND": "and", "OR": "or", "NOT": "not", "IN": "in"}


@dataclass(frozen=True, slots=True)
class ScanFault:
    """A fault at a character of the expression."""

    code: str
    message: Said
    offset: int
    hint: Hint = ""


@dataclass(slots=True)
class Scanned:
    """An expression ready to be read: its tree, and what the tree cannot hold."""

    text: str
    tree: ast.expr | None = None
    durations: dict[int, Duration] = field(default_factory=dict)
    numbers: dict[int, Fraction] = field(default_factory=dict)
    faults: list[ScanFault] = field(default_factory=list)
    _byte_starts: list[int] | None = None

    def offset(self, column: int) -> int:
        """Character offset of a column of the tree (Python counts UTF-8 bytes)."""
        if self._byte_starts is None:
            return column
        return bisect_right(self._byte_starts, column) - 1

    def _count_bytes(self) -> None:
        starts = [0]
        for character in self.text:
            starts.append(starts[-1] + len(character.encode("utf-8", "surrogatepass")))
        self._byte_starts = starts


def scan(text: str) -> Scanned:
    """Parses an expression; ``tree`` is None when there are faults."""
    scanned = Scanned(text)
    faults = scanned.faults
    if len(text) > LENGTH_MAX:
        faults.append(
            ScanFault(
                "RL201",
                say("an expression of more than %(length_max)s characters", length_max=LENGTH_MAX),
                0,
                say("use let"),
            )
        )
        return scanned
    if not text.strip():
        faults.append(ScanFault("RL201", say("the expression is empty"), 0))
        return scanned
    python: list[str] = []
    previous = ""
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        token = found[0]
        offset = found.start()
        if kind == "space":
            python.append(" " * len(token))
            continue
        if kind == "string":
            if previous == "string":
                faults.append(
                    ScanFault(
                        "RL201",
                        say("two texts follow each other"),
                        offset,
                        say("a comma is missing?"),
                    )
                )
            elif previous == "name" and text[offset - 1 : offset].isalnum():
                faults.append(
                    ScanFault("RL202", say("prefixes of texts are not allowed"), offset - 1)
                )
            python.append(token)
        elif kind == "number":
            python.append(_number(token, offset, scanned))
        elif kind == "name":
            if token == "from":
                token = FROM_PLACEHOLDER
            elif token in _NOT_PYTHON:
                faults.append(
                    ScanFault(
                        "RL201",
                        say("unknown word %(token)r", token=token),
                        offset,
                        say("use %(not_python)s", not_python=_NOT_PYTHON[token]),
                    )
                )
            python.append(token)
        elif kind == "other":
            faults.append(_stranger(token, offset))
            python.append(" " * len(token))
        else:
            python.append(token)
        previous = kind
    if faults:
        return scanned
    _parse("".join(python), scanned)
    return scanned


def _number(token: str, offset: int, scanned: Scanned) -> str:
    plain = _PLAIN_NUMBER.match(token)
    if plain:
        if len(token) > 60:
            scanned.faults.append(
                ScanFault("RL201", say("a number of more than 60 digits"), offset)
            )
        else:
            decimals = plain[2] or ""
            scanned.numbers[offset] = Fraction(int(plain[1] + decimals), 10 ** len(decimals))
        # Leading zeros are an error in Python: the number's value is taken from here anyway.
        return "1" * len(token)
    length = _LENGTH.match(token)
    if length and length[2] in SHORT_DURATIONS:
        scanned.durations[offset] = short_duration(length[1], length[2])
        return "D" * len(token)
    units = ", ".join(SHORT_DURATIONS)
    scanned.faults.append(
        ScanFault(
            "RL109" if length else "RL201",
            say("cannot read %(token)r as a number or a length of time", token=token),
            offset,
            say("lengths of time end in one of %(units)s", units=units),
        )
    )
    return "1" * len(token)


def _stranger(token: str, offset: int) -> ScanFault:
    if token in "\"'":
        return ScanFault("RL201", say("a text is not closed"), offset)
    other = _LOOKALIKES.get(token)
    hint: Hint = ""
    if other:
        hint = say("use %(other)s", other=other)
    elif not token.isascii():
        hint = say("texts stand in quotes")
    return ScanFault("RL201", say("unexpected character %(token)r", token=token), offset, hint)


_BRACKETS: Final = (
    (re.compile(r"(?P<bracket>'.') was never closed\Z"), N_("%(bracket)s was never closed")),
    (re.compile(r"unmatched (?P<bracket>'.')\Z"), N_("unmatched %(bracket)s")),
)
"""What Python says of brackets, which is said on."""


def _of_syntax(said: str) -> tuple[Said, Hint]:
    if "Maybe you meant '=='" in said:
        return say("a comparison is written =="), say("use ==")
    for pattern, template in _BRACKETS:
        found = pattern.match(said)
        if found:
            return Said(template, found.groupdict()), ""
    return say("the expression cannot be parsed here"), ""


_SLIPS: Final = (
    (re.compile(r"=>"), N_("use >=")),
    (re.compile(r"=<"), N_("use <=")),
    (re.compile(r"^[^(]*[^(<>=!]=[^=]"), N_("a comparison is written ==")),
    (
        re.compile(r"\b[A-Z]{3} *\d"),
        N_('money is a figure of the pack: write it under params, and here param("name")'),
    ),
    (
        re.compile(r"\d +[a-z]+"),
        N_(
            "a figure with a unit stands under params, and here as "
            'param("name"); a length of time is 24h or 7d'
        ),
    ),
)
"""What people write who know other notations, and what to write here."""


def _of_slip(python: str) -> Hint:
    for pattern, hint in _SLIPS:
        if pattern.search(python):
            return Said(hint, {})
    return ""


def _parse(python: str, scanned: Scanned) -> None:
    stripped = python.lstrip()
    shift = len(python) - len(stripped)
    if not python.isascii():
        scanned._count_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence" and the like
            tree = ast.parse(stripped, mode="eval").body
    except SyntaxError as error:
        # No offset: the text ends too early.
        offset = shift + error.offset - 1 if error.offset else len(python.rstrip())
        message, hint = _of_syntax(error.msg)
        hint = hint or _of_slip(python)
        scanned.faults.append(ScanFault("RL201", message, min(offset, len(python)), hint))
        return
    except (ValueError, RecursionError, MemoryError):
        scanned.faults.append(ScanFault("RL201", say("the expression is nested too deep"), shift))
        return
    if shift:
        for node in ast.walk(tree):
            if hasattr(node, "col_offset"):
                node.col_offset += shift
    scanned.tree = tree
