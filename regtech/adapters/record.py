"""One record as plain Python values: what is right, what is wrong and why, whatever the format.

This is the definition of an event's values. The compiled decoder accepts only what is accepted
here, with the same values; it never explains. Numbers from JSON come as ``Number`` and ``Float``
(their text), so that nothing passes through binary floating point.

A missing value is an absent key, ``None``, or an empty string where a string can stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from regtech.columns.hashing import field_digest, hash_bytes
from regtech.columns.vocabulary_kernels import STRING_MAX
from regtech.model.fields import (
    DECIMAL_SCALE,
    EVENT_TYPES,
    REQUIRED,
    Field,
    Kind,
    fields_of,
)

AMOUNT_MAX: Final = 9 * 10**17
"""Greatest absolute value of a scaled number: minor units, or decimals times DECIMAL_SCALE."""
UNKNOWN_FLAG: Final = 1 << 62
"""Bit of a flag, category or sensitivity that the catalogue does not know."""
ALWAYS: Final = ("id", "type", "time", "reporter")
_SIGNED: Final = frozenset({"value"})
_FOUND_MAX: Final = 200
_DECIMAL: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?", re.A)
_INTEGER: Final = re.compile(r"-?[0-9]+", re.A)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.A)
_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?",
    re.A,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = -62135596800000000
_LAST: Final = 253402300799999999
_PARTY: Final = frozenset(
    path.removesuffix(".id") for t in EVENT_TYPES for path in fields_of(t) if path.endswith(".id")
)

Code = Literal[
    "not_json", "not_object", "encoding", "duplicate_key", "too_long", "too_deep", "columns",
    "unknown_type", "missing_field", "wrong_type", "bad_number", "amount_precision", "amount_range",
    "negative", "unknown_currency", "bad_time", "missing_offset", "bad_date", "unknown_word",
]  # fmt: skip


class Number(str):
    """The text of a JSON integer."""

    __slots__ = ()


class Float(str):
    """The text of a JSON number with a point or an exponent, or of NaN or an infinity."""

    __slots__ = ()


class RecordFault(Exception):
    """Why a record cannot be used; becomes a ``Reject``."""

    def __init__(self, code: Code, field: str, found: str, expected: str) -> None:
        super().__init__(f"{code}: {field}: found {found}, expected {expected}")
        self.code: Code = code
        self.field = field
        self.found = found if len(found) <= _FOUND_MAX else found[: _FOUND_MAX - 1] + "…"
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Record:
    """The values of a valid record.

    ``values`` maps paths to integers as in ``Kind``, except symbols, which are strings, and the
    persons, a tuple of strings. Missing fields are absent.
    """

    event_id: bytes
    values: Mapping[str, int | str | tuple[str, ...]]
    content: int


def show(value: object) -> str:
    """A value as a person would recognise it in the source, cut to a readable length."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Number | Float):
        return str(value[:_FOUND_MAX])
    if isinstance(value, str):
        return json.dumps(value[:_FOUND_MAX], ensure_ascii=False)
    return json.dumps(value)


class RecordReader:
    """Reads records of any type; ``currencies`` gives (index, decimals) of each known code.

    ``kept``: paths of texts whose value is wanted as it is, not as a hash.
    """

    def __init__(
        self, currencies: Mapping[str, tuple[int, int]], kept: Collection[str] = ()
    ) -> None:
        self._currencies, self._kept = currencies, kept
        self._fields = {t: fields_of(t) for t in EVENT_TYPES}
        paths = {path for fields in self._fields.values() for path in fields}
        self._salts = {path: hash_bytes(path.encode()) for path in paths}

    def read(self, record: Mapping[str, Any]) -> Record:
        """The values of a record; ``RecordFault`` names the first thing that is wrong with it.

        ``record`` is nested as in JSON: dict, list, str, ``Number``, ``Float``, bool, None.
        """
        event_type = _type_of(record)
        raw = _leaves(record, self._fields[event_type])
        for path in (*ALWAYS, *REQUIRED[event_type]):
            if path not in raw:
                raise RecordFault("missing_field", path, "nothing", f"needed in every {event_type}")
        values: dict[str, int | str | tuple[str, ...]] = {}
        content = 0
        decimals = self._decimals(raw.get("currency"))
        for path, value in raw.items():
            field = self._fields[event_type][path]
            read = self._value(field, value, decimals)
            values[path] = read
            salt = self._salts[path]
            if isinstance(read, tuple):
                for person in read:
                    content += field_digest(salt, hash_bytes(person.encode()))
                content += field_digest(salt, len(read))
            elif isinstance(read, str):
                content += field_digest(salt, hash_bytes(read.encode()))
            elif field.kind is Kind.CURRENCY or field.kind is Kind.TEXT:
                content += field_digest(salt, hash_bytes(value.encode()))
            else:
                content += field_digest(salt, read)
        return Record(raw["id"].encode(), values, content & (1 << 64) - 1)

    def _decimals(self, currency: object) -> int | None:
        if currency is None:
            return None
        code = _string("currency", currency)
        if code not in self._currencies:
            raise RecordFault(
                "unknown_currency", "currency", show(code), "ISO 4217 or a declared virtual asset"
            )
        return self._currencies[code][1]

    def _value(self, field: Field, value: Any, decimals: int | None) -> int | str | tuple[str, ...]:
        path, kind = field.path, field.kind
        if path.startswith("data."):
            return int(value)  # summed up when the items were read
        if kind is Kind.SYMBOL:
            text = _string(path, value, STRING_MAX)
            if field.enum and text not in field.enum:
                raise RecordFault(
                    "unknown_word", path, show(text), "one of " + " ".join(field.enum)
                )
            return text
        if path in self._kept:
            return _string(path, value, STRING_MAX)
        if kind is Kind.TEXT:
            return (
                hash_bytes(_string(path, value, STRING_MAX if path == "id" else None).encode()) >> 1
            )
        if kind is Kind.CURRENCY:
            return self._currencies[value][0]
        if kind is Kind.MONEY:
            return _money(path, value, decimals)
        if kind is Kind.DECIMAL:
            number = _scaled(path, value, len(str(DECIMAL_SCALE)) - 1)
            if number < 0:
                raise RecordFault("negative", path, show(value), "zero or more")
            return number
        if kind is Kind.INTEGER:
            return _count(path, value)
        if kind is Kind.TIME:
            return read_time(path, value)
        if kind is Kind.DATE:
            return _date(path, value)
        if kind is Kind.BOOLEAN:
            if not isinstance(value, bool):
                raise RecordFault("wrong_type", path, show(value), "true or false")
            return int(value)
        if kind is Kind.PERSONS:
            return tuple(_strings(path, value, STRING_MAX))
        mask = 0
        for word in _strings(path, value, None):
            mask |= 1 << field.words.index(word) if word in field.words else UNKNOWN_FLAG
        return mask


def _type_of(record: Mapping[str, Any]) -> str:
    value = record.get("type")
    if value is None or value == "":
        raise RecordFault("missing_field", "type", "nothing", "one of " + " ".join(EVENT_TYPES))
    text = _string("type", value)
    if text not in EVENT_TYPES:
        raise RecordFault("unknown_type", "type", show(text), "one of " + " ".join(EVENT_TYPES))
    return text


def _leaves(record: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Values by path of the fields that are given; the data items are already summed up."""
    found: dict[str, Any] = {}
    objects: dict[str, Mapping[str, Any] | None] = {"": record}
    data_done = False
    for path, field in fields.items():
        prefix, _, key = path.rpartition(".")
        if prefix == "data":
            if not data_done:
                found.update(_data(record.get("data"), fields))
                data_done = True
            continue
        if prefix not in objects:
            _open(prefix, objects)
        parent = objects[prefix]
        value = None if parent is None else parent.get(key)
        if value is None:
            continue
        if (
            isinstance(value, str)
            and value == ""
            and field.kind not in (Kind.BOOLEAN, Kind.FLAGS, Kind.PERSONS)
        ):
            continue
        found[path] = value
    return found


def _open(path: str, objects: dict[str, Mapping[str, Any] | None]) -> None:
    prefix, _, key = path.rpartition(".")
    if prefix not in objects:
        _open(prefix, objects)
    parent = objects[prefix]
    value = None if parent is None else parent.get(key)
    if path in _PARTY and isinstance(value, str) and not isinstance(value, Number | Float):
        value = {"id": value}
    if value is not None and not isinstance(value, dict):
        raise RecordFault("wrong_type", path, show(value), "an object")
    objects[path] = value


def _data(items: Any, fields: Mapping[str, Field]) -> dict[str, int]:
    """Categories, sensitivities (bit sets) and highest level of the data items."""
    if items is None:
        return {}
    if not isinstance(items, list):
        raise RecordFault("wrong_type", "data", show(items), "a list of objects")
    if not items:
        return {"data.category": 0, "data.sensitivity": 0, "data.level": 0}
    found: dict[str, int] = {}
    for k, item in enumerate(items):
        if not isinstance(item, dict):
            raise RecordFault("wrong_type", f"data[{k}]", show(item), "an object")
        for key in ("category", "sensitivity"):
            value = item.get(key)
            if value is None or value == "":
                continue
            word = _string(f"data[{k}].{key}", value)
            words = fields[f"data.{key}"].words
            bit = 1 << words.index(word) if word in words else UNKNOWN_FLAG
            found[f"data.{key}"] = found.get(f"data.{key}", 0) | bit
        level = item.get("level")
        if level is not None and level != "":
            number = _count(f"data[{k}].level", level)
            found["data.level"] = max(found.get("data.level", 0), number)
    return found


def _string(path: str, value: object, size_max: int | None = None) -> str:
    if not isinstance(value, str) or isinstance(value, Number | Float):
        raise RecordFault("wrong_type", path, show(value), "a string")
    if size_max is not None and len(value.encode()) > size_max:
        raise RecordFault("too_long", path, f"{len(value.encode())} bytes", f"at most {size_max}")
    return value


def _strings(path: str, value: object, size_max: int | None) -> list[str]:
    if not isinstance(value, list):
        raise RecordFault("wrong_type", path, show(value), "a list of strings")
    for k, element in enumerate(value):
        if _string(f"{path}[{k}]", element, size_max) == "":
            raise RecordFault("wrong_type", f"{path}[{k}]", '""', "a string that is not empty")
    return value


def _number_text(path: str, value: object) -> str:
    if isinstance(value, Float):
        raise RecordFault("bad_number", path, show(value), "a decimal string or an integer")
    if not isinstance(value, str):
        raise RecordFault("wrong_type", path, show(value), "a decimal string or an integer")
    return value


def _scaled(path: str, value: object, scale: int) -> int:
    text = _number_text(path, value)
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise RecordFault("bad_number", path, show(value), "digits, and a point at most")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if fraction[scale:].strip("0"):
        raise RecordFault("amount_precision", path, show(value), f"at most {scale} decimals")
    digits = (whole + fraction[:scale].ljust(scale, "0")).lstrip("0") or "0"
    # The length first: Python refuses to read numbers of thousands of digits.
    if len(digits) > 18 or int(digits) > AMOUNT_MAX:
        raise RecordFault("amount_range", path, show(value), f"at most {AMOUNT_MAX} smallest units")
    return -int(digits) if sign else int(digits)


def _money(path: str, value: object, decimals: int | None) -> int:
    if decimals is None:
        if path not in _SIGNED:
            _number_text(path, value)
            raise RecordFault("missing_field", "currency", "nothing", f"the currency of {path}")
        decimals = 0
    number = _scaled(path, value, decimals)
    if number < 0 and path not in _SIGNED:
        raise RecordFault("negative", path, show(value), "zero or more")
    return number


def _count(path: str, value: object) -> int:
    text = _number_text(path, value)
    if not _INTEGER.fullmatch(text):
        raise RecordFault("bad_number", path, show(value), "a whole number")
    number = _scaled(path, value, 0)
    if number < 0:
        raise RecordFault("negative", path, show(value), "zero or more")
    return number


def read_time(path: str, value: object) -> int:
    """Microseconds since 1970-01-01T00:00Z of an RFC 3339 time with an offset."""
    text = _string(path, value)
    fault = RecordFault("bad_time", path, show(text), "RFC 3339, as 2026-03-02T10:15:00+08:00")
    match = _TIME.fullmatch(text)
    if match is None:
        raise fault
    year, month, day, hour, minute, second = (int(match[k]) for k in range(1, 7))
    fraction, offset = match[7] or "", match[8]
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise fault from None
    if offset is None:
        raise RecordFault("missing_offset", path, show(text), "Z or an offset, as +08:00")
    if fraction[6:].strip("0"):
        raise fault
    moment = (local - _EPOCH) // timedelta(microseconds=1) + int(fraction[:6].ljust(6, "0"))
    if offset not in "Zz":
        hours, minutes = int(offset[1:3]), int(offset[4:])
        if hours > 23 or minutes > 59:
            raise fault
        moment += (-1 if offset[0] == "+" else 1) * (hours * 60 + minutes) * 60 * 10**6
    if not _FIRST <= moment <= _LAST:
        raise fault
    return moment


def _date(path: str, value: object) -> int:
    text = _string(path, value)
    fault = RecordFault("bad_date", path, show(text), "YYYY-MM-DD")
    if not _DATE.fullmatch(text):
        try:
            read_time(path, text)
        except RecordFault:
            raise fault from None
    try:
        return date.fromisoformat(text[:10]).toordinal() - _EPOCH.date().toordinal()
    except ValueError:
        raise fault from None
