"""Column maps: how the columns of somebody else's table become fields of our events.

A map is YAML in ``mappings/sources`` (or any file named with ``--map``)::

    map: amlsim
    title: {en: …, zh: …}
    names: [sourceNodeId, targetNodeId, value, time]   # where the file's own header will not do
    separator: ","
    skip: [BEGIN, END]                                  # lines that begin so are no records
    constants: {type: transaction, currency: USD}
    fields:
      id: {pattern: "amlsim-{row}"}                     # {row} is the line, {name} a column
      payer.account: {pattern: "A{sourceNodeId}"}
      amount: value                                     # a column as it is
      currency: {column: Currency, words: {Euro: EUR}}  # words that are ours under another name
      time: {number: time, unit: days, start: "2017-01-01T00:00:00+00:00"}
      time: {column: Timestamp, format: "YYYY/MM/DD hh:mm", offset: "+00:00"}
    before:                                             # events that come before the first row
      - {id: …, type: party, …}
    motifs:                                             # what is out of the ordinary in this source
      splitting: {least: 2}

What cannot be translated (a word that is not listed, a number that is none) is passed on as it is:
the decoder then sets the row aside and says what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from regtech.content import content_root, yamlmarks
from regtech.content.faults import did_you_mean
from regtech.errors import ContentError, UsageError
from regtech.model.fields import EVENT_TYPES, all_fields
from regtech.reference.faults import Fault, Reader

KEYS: Final = (
    "map",
    "title",
    "source",
    "licence",
    "names",
    "separator",
    "skip",
    "constants",
    "fields",
    "before",
    "motifs",
)
RULE_KEYS: Final = (
    "column",
    "pattern",
    "words",
    "number",
    "unit",
    "start",
    "format",
    "offset",
)
UNITS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
ROW: Final = "row"
_HOLE: Final = re.compile(r"\{([^{}]+)\}")
_TIME_WORDS: Final = re.compile("YYYY|MM|DD|hh|mm|ss")
_OFFSET: Final = re.compile(r"[+-]\d{2}:\d{2}|Z")

Column = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field is made from a row; exactly one of the ways is set."""

    column: str | None = None
    pattern: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    number: str | None = None
    unit_seconds: int = 0
    start: datetime | None = None
    format: str | None = None
    offset: str = ""

    def needs(self) -> set[str]:
        """The columns it reads."""
        if self.pattern is not None:
            return {name for name in _HOLE.findall(self.pattern) if name != ROW}
        return {str(self.column if self.column is not None else self.number)}

    def apply(self, columns: Mapping[str, Column], rows: Sequence[int]) -> Column:
        """The field's texts; ``rows`` are the numbers of the records in their file."""
        if self.pattern is not None:
            return _fill(self.pattern, columns, rows)
        if self.number is not None:
            return [self._moment(text) for text in columns[self.number]]
        found = columns[str(self.column)]
        if self.format is not None:
            return [self._reformat(text) for text in found]
        if self.words:
            return [self.words.get(text, text) if text else text for text in found]
        return found

    def _moment(self, text: str | None) -> str | None:
        # Longer numbers are no times; the text goes on and is refused with its reason.
        if not text or not text.isascii() or not text.isdigit() or len(text) > 11:
            return text
        assert self.start is not None
        try:
            moment = self.start + timedelta(seconds=int(text) * self.unit_seconds)
        except OverflowError:
            return text
        return moment.isoformat()

    def _reformat(self, text: str | None) -> str | None:
        assert self.format is not None
        if not text or len(text) != len(self.format):
            return text
        parts = {"ss": "00", "mm": "00", "hh": "00"}
        for match in _TIME_WORDS.finditer(self.format):
            parts[match[0]] = text[match.start() : match.end()]
        return (
            f"{parts['YYYY']}-{parts['MM']}-{parts['DD']}"
            f"T{parts['hh']}:{parts['mm']}:{parts['ss']}{self.offset}"
        )


def _fill(pattern: str, columns: Mapping[str, Column], rows: Sequence[int]) -> Column:
    names = [name for name in _HOLE.findall(pattern) if name != ROW]
    template = pattern.replace("%", "%%")
    template = _HOLE.sub("%s", template)
    order = _HOLE.findall(pattern)
    sources: list[Sequence[Any]] = [rows if name == ROW else columns[name] for name in order]
    if not order:
        return [pattern] * len(rows)
    made: list[str | None] = [template % values for values in zip(*sources, strict=True)]
    for name in names:
        # Without one of its parts there is nothing to name.
        for k, text in enumerate(columns[name]):
            if not text:
                made[k] = None
    return made


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A checked map. ``before``: events as JSON lines, sent before the first row.

    ``motifs``: parameters of ``regtech motifs`` that fit what is ordinary in the source, by type.
    """

    id: str
    title: Mapping[str, str]
    names: tuple[str, ...]
    separator: str
    skip: tuple[str, ...]
    constants: Mapping[str, str]
    fields: Mapping[str, FieldRule]
    before: bytes
    motifs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def needs(self) -> set[str]:
        """Every column that a field is made from."""
        return {name for rule in self.fields.values() for name in rule.needs()}


def column_maps() -> list[str]:
    """Names of the maps that ship."""
    return sorted(path.stem for path in (content_root("mappings") / "sources").glob("*.yml"))


def load_column_map(name: str) -> ColumnMap:
    """A shipped map by its name, or a file. ``UsageError`` for no such map, ``ContentError`` for a
    map with faults (all of them at once)."""
    path = Path(name)
    if not path.suffix:
        path = content_root("mappings") / "sources" / f"{name}.yml"
    if not path.is_file():
        raise UsageError(
            f"no column map {name!r}", hint="there are " + ", ".join(column_maps()) + ", or a file"
        )
    document = yamlmarks.load_file(path)
    if document.problems:
        faults = [
            Fault(document.file, "", problem.kind, problem.message, problem.line, problem.column)
            for problem in document.problems
        ]
        raise ContentError(str(faults[0]), faults)
    reader = Reader(document.file, lambda place: yamlmarks.place_of(document.root, place))
    return read_column_map(yamlmarks.plain(document.root), reader)


def read_column_map(document: Any, reader: Reader) -> ColumnMap:
    """A map from a parsed document. Raises ``ContentError`` with every fault."""
    top = reader.mapping(document, "", KEYS)
    title = reader.title(top.get("title"), "title")
    constants = {
        path: str(value)
        for path, value in reader.mapping(top.get("constants", {}), "constants").items()
        if _known_field(reader, path, f"constants.{path}")
    }
    for path, word in constants.items():
        _check_word(reader, path, word, f"constants.{path}")
    fields = {
        path: _read_rule(reader, value, f"fields.{path}")
        for path, value in reader.mapping(top.get("fields"), "fields").items()
        if _known_field(reader, path, f"fields.{path}")
    }
    for path, rule in fields.items():
        if path in constants:
            reader.fault(f"fields.{path}", "duplicate", f"{path!r} stands under constants too")
        for word in dict.fromkeys(rule.words.values()):
            _check_word(reader, path, word, f"fields.{path}.words")
    before = b""
    for k, event in enumerate(reader.sequence(top.get("before", []), "before")):
        plain = reader.mapping(event, f"before[{k}]")
        before += json.dumps(plain, ensure_ascii=False, default=str).encode() + b"\n"
    motifs: dict[str, dict[str, int]] = {}
    for kind, values in reader.mapping(top.get("motifs", {}), "motifs").items():
        for name, value in reader.mapping(values, f"motifs.{kind}").items():
            if type(value) is not int:
                reader.fault(f"motifs.{kind}.{name}", "wrong_type", "expected a whole number")
                continue
            motifs.setdefault(kind, {})[name] = value
    separator = str(top.get("separator", ","))
    if len(separator) != 1 or not separator.isascii() or separator in '"\n\r':
        reader.fault("separator", "wrong_type", "expected one ASCII character, not a quote")
    reader.finish()
    return ColumnMap(
        id=reader.text(top.get("map"), "map"),
        title=title,
        names=tuple(str(n) for n in reader.sequence(top.get("names", []), "names")),
        separator=separator,
        skip=tuple(str(s) for s in reader.sequence(top.get("skip", []), "skip")),
        constants=constants,
        fields=fields,
        before=before,
        motifs=motifs,
    )


def _known_field(reader: Reader, path: str, place: str) -> bool:
    if path in all_fields():
        return True
    near = did_you_mean(path, all_fields())
    told = f"{path!r} is no field of an event"
    reader.fault(place, "unknown_field", f"{told} ({near})" if near else told)
    return False


def _check_word(reader: Reader, path: str, word: str, place: str) -> None:
    """A word that the field cannot have would set every row aside: say so at once."""
    field_ = all_fields()[path]
    allowed = EVENT_TYPES if path == "type" else field_.words or field_.enum
    if not allowed or word in allowed:
        return
    near = did_you_mean(word, allowed) or f"one of {', '.join(allowed[:12])}"
    reader.fault(place, "unknown_word", f"{path} is never {word!r} ({near})")


def _read_rule(reader: Reader, value: Any, place: str) -> FieldRule:
    if isinstance(value, str):
        return FieldRule(column=value)
    if not isinstance(value, dict):
        reader.fault(place, "wrong_type", "expected the name of a column in quotes, or a mapping")
        return FieldRule(column="")
    rule = reader.mapping(value, place, RULE_KEYS)
    ways = [way for way in ("column", "pattern", "number") if way in rule]
    if len(ways) != 1:
        reader.fault(place, "wrong_type", "expected exactly one of column, pattern, number")
        return FieldRule(column="")
    words = {
        str(key): str(word)
        for key, word in reader.mapping(rule.get("words", {}), f"{place}.words").items()
    }
    if ways == ["pattern"]:
        return FieldRule(pattern=reader.text(rule["pattern"], f"{place}.pattern"))
    if ways == ["number"]:
        unit = reader.one_of(rule.get("unit"), f"{place}.unit", tuple(UNITS))
        return FieldRule(
            number=reader.text(rule["number"], f"{place}.number"),
            unit_seconds=UNITS[unit],
            start=_start(reader, rule.get("start"), f"{place}.start"),
        )
    offset, shape = str(rule.get("offset", "")), rule.get("format")
    if shape is not None and not _OFFSET.fullmatch(offset):
        reader.fault(f"{place}.offset", "wrong_type", "a format of time needs an offset: +08:00")
    return FieldRule(
        column=reader.text(rule["column"], f"{place}.column"),
        words=words,
        format=None if shape is None else str(shape),
        offset=offset,
    )


def _start(reader: Reader, value: Any, place: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = datetime(1970, 1, 1)
    if moment.tzinfo is None:
        reader.fault(place, "bad_time", "expected a time with an offset in quotes")
        return moment.replace(tzinfo=UTC)
    return moment
