"""Random and mutated NDJSON: the fast path and the strict path agree on every line.

Set REGTECH_FUZZ_RECORDS for more mutated records than the 10,000 of an ordinary run.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.ndjson.strict import StrictReader
from regtech.adapters.record import Record, RecordFault
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import EVENT_TYPES, NULL, REQUIRED, Field, Kind, all_fields, fields_of

CURRENCIES = {"CNY": (0, 2), "JPY": (1, 0), "KWD": (2, 3), "ETH": (3, 18)}
FIELDS = list(all_fields().values())
LINE_BYTES_MAX = 4000
RECORDS = int(os.environ.get("REGTECH_FUZZ_RECORDS", "10000"))
TOKENS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e9", b"-", b".", b"0",
    b'""', b"\\u0000", b"\\ud800", b"\\u0041", b"\x00", b"\x01", b"\t", b"\r", b"\xff", b"\xc3",
    b"\xed\xa0\x80", b"NaN", b"9" * 25, b"Z", b"+", b":60", b'"id":"x",', b'"type":"loan",', b" ",
    b'"amount":1,', b"[" * 70, b'"payer":"C1",', "王".encode(), b"\xf0\x9f\x98\x80",
]  # fmt: skip


def _value(draw: random.Random, field: Field, decimals: int) -> Any:
    """A right value of a field, now and then at its edge."""
    if field.kind is Kind.SYMBOL:
        words = [*field.enum] or [
            f"w{draw.randrange(99)}",
            "x" * draw.randrange(1, 40),
            "王伟",
            'q"\n',
        ]
        return draw.choice(words)
    if field.kind is Kind.TEXT:
        return draw.choice(["Müller & Söhne GmbH", "a", "😀" * 9, f"t{draw.randrange(10**9)}"])
    if field.kind is Kind.MONEY or field.kind is Kind.DECIMAL:
        places = decimals if field.kind is Kind.MONEY else 9
        units = draw.choice([0, 1, 9 * 10**17, draw.randrange(10**12)])
        text = f"{units // 10**places}.{units % 10**places:0{places}d}" if places else str(units)
        whole = str(draw.randrange(10**6)) if places < 9 else "0"
        return draw.choice([text, whole, int(whole), whole + ".0000000000000000000"])
    if field.kind is Kind.INTEGER:
        return draw.choice([0, 7, "12", 9 * 10**17])
    if field.kind is Kind.BOOLEAN:
        return draw.random() < 0.5
    day = f"{draw.randrange(2, 9999):04d}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}"
    moment = (
        f"{day}{draw.choice('Tt ')}{draw.randrange(24):02d}:{draw.randrange(60):02d}:59"
        f"{draw.choice(['', '.5', '.123456', '.12345600'])}"
        f"{draw.choice(['Z', 'z', '+08:00', '-23:59', '-00:00'])}"
    )
    if field.kind is Kind.TIME:
        return moment
    if field.kind is Kind.DATE:
        return draw.choice([day, moment])
    if field.kind is Kind.FLAGS:
        return draw.sample([*field.words, "unheard of"], draw.randrange(4))
    return [f"p{draw.randrange(50)}" for _ in range(draw.randrange(6))]


def _event(draw: random.Random) -> dict[str, Any]:
    """A valid event of any type with a random choice of its fields, in any order."""
    event_type = draw.choice(EVENT_TYPES)
    currency = draw.choice(list(CURRENCIES))
    fields = fields_of(event_type)
    required = {"id", "type", "time", "reporter", *REQUIRED[event_type]}
    some = [p for p in fields if p not in required and not p.startswith("data.")]
    chosen = [*required, *draw.sample(some, min(len(some), draw.randrange(14)))]
    if any(fields[path].kind is Kind.MONEY for path in chosen):
        chosen.append("currency")
    draw.shuffle(chosen)
    event: dict[str, Any] = {}
    for path in chosen:
        value = (
            _value(draw, fields[path], CURRENCIES[currency][1]) if path != "type" else event_type
        )
        if fields[path].kind is Kind.CURRENCY:
            value = currency
        *parents, key = path.split(".")
        place = event
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    if event_type == "data_transfer" and draw.random() < 0.5:
        words = [None, "personal", "health", "other", "no such category"]
        event["data"] = [
            {"category": draw.choice(words), "level": draw.choice([None, 2, "3"])}
            for _ in range(draw.randrange(4))
        ]
    if draw.random() < 0.3:
        event[draw.choice(["note", "x" * 30, "payer", "source"])] = {
            "a": [1, {"b": None}],
            "c": "ü",
        }
    return event


def _line(draw: random.Random) -> bytes:
    separators = draw.choice([(",", ":"), (", ", ": "), (" ,\t", " :  ")])
    text = json.dumps(_event(draw), ensure_ascii=draw.random() < 0.5, separators=separators)
    return text.encode()


def _mutated(draw: random.Random, line: bytes) -> bytes:
    data = bytearray(line)
    for _ in range(draw.choice([0, 1, 1, 1, 2, 5])):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(7)
        if kind == 0:
            data[at : at + draw.randrange(1, 9)] = b""
        elif kind == 1 and at < len(data):
            data[at] = draw.randrange(256)
        elif kind == 2:
            data[at:] = b""
        elif kind == 3:
            start = draw.randrange(len(data) + 1)
            data[at:at] = data[start : start + draw.randrange(40)]
        elif kind == 4 and data[:1] == b"{":
            # A member twice, or a neighbour under the same key.
            member = draw.choice(
                [b'"note":1', b'"id":"a"', b'"payer":"C"', b'"list":[]', b'"x":{}']
            )
            data[1:1] = member + b","
            if draw.random() < 0.5 and data.rstrip()[-1:] == b"}":
                data[data.rindex(b"}") :] = b"," + member + b"}"
        elif kind == 5 and data.find(b'"', at) > 0:
            quote = data.find(b'"', at)
            data[quote:quote] = draw.choice(TOKENS)
        else:
            data[at:at] = draw.choice(TOKENS)
    return bytes(data)


class _Checked:
    """Decodes a piece and holds every line of it against the strict path."""

    def __init__(self) -> None:
        self.symbols, self.persons = Vocabulary(), Vocabulary()
        self.decoder = NdjsonDecoder(
            FIELDS, self.symbols, self.persons, CURRENCIES, line_bytes_max=LINE_BYTES_MAX
        )
        self.strict = StrictReader(CURRENCIES, line_bytes_max=LINE_BYTES_MAX)
        self.given = self.accepted = self.rejected = self.blank = 0

    def columns_of(self, values: Mapping[str, Any]) -> list[int]:
        found = []
        for field in FIELDS:
            value = values.get(field.path, NULL)
            if isinstance(value, str):
                value = self.symbols.find(value)
                assert value >= 0
            found.append(len(value) if isinstance(value, tuple) else value)
        return found

    def check(self, data: bytes, first_line: int) -> None:
        batch, rejects, consumed = self.decoder.decode(data, first_line=first_line)
        assert consumed == len(data)
        lines = data.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        row = refused = 0
        for number, line in enumerate(lines, first_line):
            self.given += 1
            if not line.strip(b" \t\r") and len(line) <= LINE_BYTES_MAX:
                self.blank += 1
                continue
            try:
                record: Record | RecordFault = self.strict.read(line)
            except RecordFault as fault:
                record = fault
            if isinstance(record, RecordFault):
                reject = rejects[refused]
                assert (reject.line, reject.code, reject.field) == (
                    number,
                    record.code,
                    record.field,
                ), line
                refused += 1
                continue
            assert batch.line[row] == number, line
            assert batch.columns[:, row].tolist() == self.columns_of(record.values), line
            assert int(batch.content[row]) == record.content, line
            start, end = batch.id_offsets[row : row + 2]
            assert batch.id_bytes[start:end].tobytes() == record.event_id
            start, end = batch.person_offsets[row : row + 2]
            people = tuple(self.persons.texts(batch.person_values[start:end]))
            assert people == record.values.get("persons", ())
            assert batch.person_given[row] == ("persons" in record.values)
            row += 1
        assert (row, refused) == (batch.count, len(rejects))
        self.accepted += row
        self.rejected += refused


def test_mutated_records_are_judged_alike_by_both_paths() -> None:
    draw = random.Random(20261122 + RECORDS)
    checked = _Checked()
    made = 0
    while made < RECORDS:
        count = min(draw.choice([1, 7, 300]), RECORDS - made)
        made += count
        data = b"\n".join(_mutated(draw, _line(draw)) for _ in range(count))
        checked.check(data, first_line=2)
    assert checked.accepted + checked.rejected + checked.blank == checked.given
    # The mutations leave enough of both kinds for the test to mean something.
    assert checked.accepted > RECORDS // 5 and checked.rejected > RECORDS // 5


def test_unmutated_records_never_need_the_strict_path() -> None:
    draw = random.Random(7)
    checked = _Checked()
    for _ in range(10):
        checked.check(b"\n".join(_line(draw) for _ in range(100)) + b"\n", first_line=1)
    assert checked.accepted == 1000
    # Only a foreign field that stands before the type is left to the strict path.
    assert checked.decoder.strict_lines < 50


_leaf = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["personal", "CNY", "2026-03-02", "2026-03-02T10:15:00Z", "1.10", "C1"])
)
_keys = st.sampled_from(["id", "flags", "category", "level", "x"])
_flat = _leaf | st.lists(_leaf, max_size=3) | st.dictionaries(_keys, _leaf, max_size=3)
_json = _flat | st.lists(_flat, max_size=3) | st.dictionaries(_keys, _flat, max_size=3)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_any_value_in_any_field_is_judged_alike(seed: int, data: st.DataObject) -> None:
    event = _event(random.Random(seed))
    for key in data.draw(st.lists(st.sampled_from(sorted(event)), min_size=1, max_size=3)):
        event[key] = data.draw(_json)
    _Checked().check(json.dumps(event).encode(), first_line=1)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 4000), min_size=1, max_size=20))
def test_any_chop_gives_the_same_values(seed: int, cuts: list[int]) -> None:
    draw = random.Random(seed)
    lines = [_mutated(draw, _line(draw)) for _ in range(20)]
    data = b"\n".join(lines)

    def decode(sizes: list[int]) -> list[Any]:
        checked = _Checked()
        found: list[Any] = []
        carry, line, start, k = b"", 1, 0, 0
        while start < len(data) or carry:
            piece = carry + data[start : start + sizes[k % len(sizes)]]
            start, k = start + sizes[k % len(sizes)], k + 1
            final = start >= len(data)
            batch, rejects, consumed = checked.decoder.decode(piece, line, final=final)
            for row in range(batch.count):
                values = [
                    checked.symbols.text(v) if f.kind is Kind.SYMBOL and v != NULL else v
                    for f, v in zip(FIELDS, batch.columns[:, row].tolist(), strict=True)
                ]
                found.append((int(batch.line[row]), values, int(batch.content[row])))
            found += [(r.line, r.code, r.field, r.raw) for r in rejects]
            line += piece[:consumed].count(b"\n")
            carry = piece[consumed:]
        return sorted(found, key=lambda item: int(item[0]))

    assert decode(cuts) == decode([len(data) + 1])
