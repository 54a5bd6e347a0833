"""One line in, one event or one reason out: values, reasons and positions of the NDJSON decoder."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.ndjson.strict import StrictReader
from regtech.columns.batch import Batch
from regtech.columns.memory import PADDING
from regtech.columns.vocabulary import Vocabulary
from regtech.errors import UsageError
from regtech.model.fields import NULL, Field, Kind, all_fields
from regtech.model.quarantine import REASONS

CURRENCIES = {"CNY": (0, 2), "JPY": (1, 0), "KWD": (2, 3), "ETH": (3, 18)}
FIELDS = all_fields()
HEAD = '"id":"a","type":"transaction","time":"2026-03-02T10:15:00Z","reporter":"B1"'
PAID = f'{{{HEAD},"amount":"1.10","currency":"CNY"%s}}'
MOVED = (
    '{"id":"a","type":"data_transfer","time":"2026-03-02T10:15:00Z","reporter":"B1",'
    '"exporter":"E","recipient":"R"%s}'
)
OWNED = (
    '{"id":"a","type":"ownership","time":"2026-03-02T10:15:00Z","reporter":"B1",'
    '"owner":"E","owned":"R"%s}'
)
FIGURE = (
    '{"id":"a","type":"figure","time":"2026-03-02T10:15:00Z","reporter":"B1",'
    '"of":"P","name":"nav"%s}'
)


class Decoding:
    """A decoder of all fields with its vocabularies, and readable values of its rows."""

    def __init__(self, fields: list[Field] | None = None) -> None:
        self.fields = list(FIELDS.values()) if fields is None else fields
        self.symbols, self.persons = Vocabulary(), Vocabulary()
        self.decoder = NdjsonDecoder(self.fields, self.symbols, self.persons, CURRENCIES)

    def row(self, batch: Batch, row: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field, value in zip(self.fields, batch.columns[:, row].tolist(), strict=True):
            if value == NULL:
                continue
            if field.kind is Kind.SYMBOL:
                value = self.symbols.text(value)
            elif field.kind is Kind.PERSONS:
                start, end = batch.person_offsets[row : row + 2]
                assert value == end - start and batch.person_given[row]
                value = tuple(self.persons.texts(batch.person_values[start:end]))
            found[field.path] = value
        return found

    def one(self, line: str | bytes) -> dict[str, Any]:
        """The only event of a line, the same by both paths."""
        data = line.encode() if isinstance(line, str) else line
        batch, rejects, consumed = self.decoder.decode(data)
        assert (rejects, consumed, batch.count) == ([], len(data), 1)
        found = self.row(batch, 0)
        strict = StrictReader(CURRENCIES).read(data)
        assert found == dict(strict.values)
        assert int(batch.content[0]) == strict.content
        assert batch.id_bytes.tobytes() == strict.event_id
        return found


@pytest.fixture(scope="module")
def decoding() -> Decoding:
    return Decoding()


def code_of(decoding: Decoding, line: str | bytes) -> tuple[str, str]:
    data = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    batch, rejects, _ = decoding.decoder.decode(data)
    assert batch.count == 0 and len(rejects) == 1
    assert rejects[0].code in REASONS and len(rejects[0].found) <= 200 and rejects[0].raw == data
    return rejects[0].code, rejects[0].field


ACCEPTED: list[tuple[str, str, dict[str, Any]]] = [
    ("text amount", PAID % "", {"amount": 110, "currency": 0}),
    ("integer amount", f'{{{HEAD},"amount":12345678901234567,"currency":"JPY"}}',
     {"amount": 12345678901234567}),
    ("minus zero", f'{{{HEAD},"amount":-0,"currency":"JPY"}}', {"amount": 0}),
    ("leading zeros", f'{{{HEAD},"amount":"007.50","currency":"CNY"}}', {"amount": 750}),
    ("ten thousand zeros", f'{{{HEAD},"amount":"{"0" * 10_000}1","currency":"CNY"}}',
     {"amount": 100}),
    ("zeros beyond the scale", f'{{{HEAD},"amount":"5.000","currency":"JPY"}}', {"amount": 5}),
    ("three decimals", f'{{{HEAD},"amount":"5.001","currency":"KWD"}}', {"amount": 5001}),
    ("the greatest", f'{{{HEAD},"amount":"9000000000000000","currency":"CNY"}}',
     {"amount": 9 * 10**17}),
    ("eighteen decimals", f'{{{HEAD},"amount":"0.9","currency":"ETH"}}', {"amount": 9 * 10**17}),
    ("escapes in a number", f'{{{HEAD},"amount":"1\\u00310","currency":"CN\\u0059"}}',
     {"amount": 11000, "currency": 0}),
    ("currency first", f'{{"currency":"CNY","amount":"2",{HEAD}}}', {"amount": 200}),
    ("escaped key", PAID.replace('"id"', '"\\u0069d"') % "", {"type": "transaction"}),
    ("party as text", PAID % ',"payer":"C1"', {"payer.id": "C1"}),
    ("party as object", PAID % ',"payer":{"id":"C1","identifiers":{"lei":"L","x":[1]}}',
     {"payer.id": "C1", "payer.identifiers.lei": "L"}),
    ("party null", PAID % ',"payer":null', {}),
    ("party empty", PAID % ',"payer":""', {}),
    ("escaped symbol", PAID % ',"payer":{"id":"\\u738b\\ud83d\\ude00\\n\\/"}',
     {"payer.id": "王😀\n/"}),
    ("raw non-ASCII", PAID % ',"payer":{"id":"王伟"}', {"payer.id": "王伟"}),
    ("long symbol", PAID % f',"purpose":"{"x" * 4096}"', {"purpose": "x" * 4096}),
    ("true", PAID % ',"attempted":true,"occasional":false', {"attempted": 1, "occasional": 0}),
    ("flags", PAID % ',"payer":{"flags":["casp","ciio","nobody knows"]}',
     {"payer.flags": 1 << 62 | 3}),
    ("no flags", PAID % ',"payer":{"flags":[]}', {"payer.flags": 0}),
    ("foreign field", PAID % ',"exporter":{"id":5}', {"amount": 110}),
    ("foreign field before the type", '{"exporter":{"id":5},' + (PAID % "")[1:], {"amount": 110}),
    ("known foreign field before the type", '{"exporter":"E",' + (PAID % "")[1:], {"amount": 110}),
    ("persons before the type", '{"persons":["p"],' + (PAID % "")[1:], {"persons": None}),
    ("equal keys in neighbours", PAID % ',"x":[{"a":1},{"a":2,"x":{"a":1}}],"a":{"x":3}', {}),
    ("unknown keys", PAID % ',"x":{"a":[1,-0.5e+9,{"b":null}],"":""},"source":{"file":"f"}', {}),
    ("huge unknown number", PAID % (',"x":1e999,"y":' + "9" * 5000), {}),
    ("blanks everywhere", "\t " + (PAID % ' , "payer" : null , "x" : [ 1 , { } ]') + " \r",
     {"amount": 110}),
    ("64 levels", PAID % (',"x":' + "[" * 63 + "]" * 63), {"amount": 110}),
    ("date of a time", OWNED % ',"from":"2024-02-29T23:59:59.5-08:00"', {"from": 19782}),
    ("date", OWNED % ',"from":"1970-01-02","until":"0001-01-01"', {"from": 1, "until": -719162}),
    ("decimal", OWNED % ',"share":"0.250000000000","share_min":1', {"share": 250000000,
                                                                    "share_min": 10**9}),
    ("figure without currency", FIGURE % ',"value":-5', {"value": -5}),
    ("figure with currency", FIGURE % ',"value":"-5.01","currency":"CNY"', {"value": -501}),
    ("persons", MOVED % ',"persons":["p","q","p"]', {"persons": ("p", "q", "p")}),
    ("no persons", MOVED % ',"persons":[]', {"persons": ()}),
    ("data", MOVED % (
        ',"data":[{"category":"personal","sensitivity":"core","level":3,"items":7},'
        '{"category":"?","level":"11"},{"category":null,"sensitivity":""},{}]'
    ), {"data.category": 1 << 62 | 1, "data.sensitivity": 8, "data.level": 11}),
    ("no data", MOVED % ',"data":[]',
     {"data.category": 0, "data.sensitivity": 0, "data.level": 0}),
    ("data without words", MOVED % ',"data":[{}]', {"exporter.id": "E"}),
    ("any channel of a loan", '{"channel":"branch",' + PAID[1:].replace("transaction", "loan") % "",
     {"channel": "branch"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "values"), [c[1:] for c in ACCEPTED], ids=[c[0] for c in ACCEPTED]
)
def test_a_good_line_gives_the_same_values_by_both_paths(
    decoding: Decoding, line: str, values: dict[str, Any]
) -> None:
    found = decoding.one(line)
    assert {path: found.get(path) for path in values} == values


TIMES = [
    ("2026-03-02T10:15:00Z", 1772446500000000),
    ("2026-03-02t18:15:00+08:00", 1772446500000000),
    ("2026-03-02 05:15:00.1234560-05:00", 1772446500123456),
    ("1969-12-31T23:59:59.9z", -100000),
    ("0001-01-01T00:00:00Z", -62135596800000000),
    ("9999-12-31T23:59:59.999999Z", 253402300799999999),
    ("2024-02-29T00:00:00-00:00", 1709164800000000),
]


@pytest.mark.parametrize(("text", "microseconds"), TIMES)
def test_times_are_exact_microseconds(decoding: Decoding, text: str, microseconds: int) -> None:
    line = (PAID % "").replace("2026-03-02T10:15:00Z", text)
    assert decoding.one(line)["time"] == microseconds


def _at(text: str) -> str:
    return (PAID % "").replace("2026-03-02T10:15:00Z", text)


def _of(amount: str, currency: str = "CNY") -> str:
    return f'{{{HEAD},"amount":{amount},"currency":"{currency}"}}'


REJECTED: list[tuple[str, str | bytes, str, str]] = [
    ("float", _of("50000.10"), "bad_number", "amount"),
    ("1e300", _of("1e300"), "bad_number", "amount"),
    ("1e400", _of("1e400"), "bad_number", "amount"),
    ("NaN", _of("NaN"), "bad_number", "amount"),
    ("-Infinity", _of("-Infinity"), "bad_number", "amount"),
    ("NaN elsewhere", PAID % ',"x":[NaN]', "not_json", ""),
    ("exponent in text", _of('"1e5"'), "bad_number", "amount"),
    ("plus", _of('"+5"'), "bad_number", "amount"),
    ("blank in text", _of('" 5"'), "bad_number", "amount"),
    ("no digits before the point", _of('".5"'), "bad_number", "amount"),
    ("no digits after the point", _of('"5."'), "bad_number", "amount"),
    ("underscore", _of('"1_000"'), "bad_number", "amount"),
    ("Arabic digits", _of('"٥"'), "bad_number", "amount"),
    ("minus alone", _of('"-"'), "bad_number", "amount"),
    ("two points", _of('"1.2.3"'), "bad_number", "amount"),
    ("true", _of("true"), "wrong_type", "amount"),
    ("object", _of('{"v":1}'), "wrong_type", "amount"),
    ("leading zero", _of("007"), "not_json", ""),
    ("precision", _of('"1.005"'), "amount_precision", "amount"),
    ("precision of none", _of('"1.5"', "JPY"), "amount_precision", "amount"),
    ("one unit too much", _of('"9000000000000000.01"'), "amount_range", "amount"),
    ("2^63", _of("9223372036854775808"), "amount_range", "amount"),
    ("10^4 digits", _of("9" * 10_000), "amount_range", "amount"),
    ("too large for 18 decimals", _of('"0.91"', "ETH"), "amount_range", "amount"),
    ("negative", _of('"-0.01"'), "negative", "amount"),
    ("negative integer", _of("-1"), "negative", "amount"),
    ("unknown currency", _of("1", "cny"), "unknown_currency", "currency"),
    ("currency a number", PAID.replace('"CNY"', "5") % "", "wrong_type", "currency"),
    ("amount missing", f'{{{HEAD},"currency":"CNY"}}', "missing_field", "amount"),
    ("amount null", _of("null"), "missing_field", "amount"),
    ("currency missing", f'{{{HEAD},"amount":"1"}}', "missing_field", "currency"),
    ("loss without currency", '{"id":"a","type":"incident","time":"2026-03-02T10:15:00Z",'
     '"reporter":"B1","kind":"outage","loss":"5"}', "missing_field", "currency"),
    ("id missing", '{"type":"transaction"}', "missing_field", "id"),
    ("id empty", (PAID % "").replace('"id":"a"', '"id":""'), "missing_field", "id"),
    ("id a number", (PAID % "").replace('"id":"a"', '"id":5'), "wrong_type", "id"),
    ("id too long", (PAID % "").replace('"id":"a"', f'"id":"{"x" * 4097}"'), "too_long", "id"),
    ("reporter missing", (PAID % "").replace('"reporter":"B1"', '"x":1'), "missing_field",
     "reporter"),
    ("type missing", '{"id":"a"}', "missing_field", "type"),
    ("type unknown", (PAID % "").replace("transaction", "payment"), "unknown_type", "type"),
    ("type a list", '{"type":[]}', "wrong_type", "type"),
    ("exporter without id", MOVED.replace('"exporter":"E"', '"exporter":{"name":"E"}') % "",
     "missing_field", "exporter.id"),
    ("payer a number", PAID % ',"payer":5', "wrong_type", "payer"),
    ("payer a list", PAID % ',"payer":["C1"]', "wrong_type", "payer"),
    ("identifiers text", PAID % ',"payer":{"identifiers":"L"}', "wrong_type",
     "payer.identifiers"),
    ("name a number", PAID % ',"payer":{"name":5}', "wrong_type", "payer.name"),
    ("unknown channel", PAID % ',"channel":"pigeon"', "unknown_word", "channel"),
    ("unknown party kind", PAID % ',"payee":{"kind":"robot"}', "unknown_word", "payee.kind"),
    ("symbol too long", PAID % f',"purpose":"{"x" * 4097}"', "too_long", "purpose"),
    ("boolean as text", PAID % ',"attempted":"true"', "wrong_type", "attempted"),
    ("boolean empty", PAID % ',"attempted":""', "wrong_type", "attempted"),
    ("boolean as number", PAID % ',"attempted":1', "wrong_type", "attempted"),
    ("flags as text", PAID % ',"payer":{"flags":"ciio"}', "wrong_type", "payer.flags"),
    ("flags with a number", PAID % ',"payer":{"flags":["ciio",5]}', "wrong_type",
     "payer.flags[1]"),
    ("flags with nothing", PAID % ',"payer":{"flags":[""]}', "wrong_type", "payer.flags[0]"),
    ("persons mixed", MOVED % ',"persons":["p",1]', "wrong_type", "persons[1]"),
    ("persons with null", MOVED % ',"persons":[null]', "wrong_type", "persons[0]"),
    ("persons as text", MOVED % ',"persons":"p"', "wrong_type", "persons"),
    ("data as object", MOVED % ',"data":{"category":"personal"}', "wrong_type", "data"),
    ("data item as text", MOVED % ',"data":["personal"]', "wrong_type", "data[0]"),
    ("level as float", MOVED % ',"data":[{"level":1.5}]', "bad_number", "data[0].level"),
    ("count as float", MOVED % ',"person_count":5.0', "bad_number", "person_count"),
    ("count with a point", MOVED % ',"person_count":"5.0"', "bad_number", "person_count"),
    ("negative count", MOVED % ',"person_count":-5', "negative", "person_count"),
    ("share as float", OWNED % ',"share":0.25', "bad_number", "share"),
    ("share too fine", OWNED % ',"share":"0.0000000001"', "amount_precision", "share"),
    ("share too large", OWNED % ',"share":"900000001"', "amount_range", "share"),
    ("no such day", OWNED % ',"from":"2023-02-29"', "bad_date", "from"),
    ("short date", OWNED % ',"from":"2023-2-9"', "bad_date", "from"),
    ("date as number", OWNED % ',"from":20230209', "wrong_type", "from"),
    ("date of a time without offset", OWNED % ',"from":"2023-02-09T00:00:00"', "bad_date", "from"),
    ("no offset", _at("2026-03-02T10:15:00"), "missing_offset", "time"),
    ("no seconds", _at("2026-03-02T10:15Z"), "bad_time", "time"),
    ("offset without colon", _at("2026-03-02T10:15:00+0800"), "bad_time", "time"),
    ("offset of a day", _at("2026-03-02T10:15:00+24:00"), "bad_time", "time"),
    ("60th second", _at("2026-12-31T23:59:60Z"), "bad_time", "time"),
    ("hour 24", _at("2026-12-31T24:00:00Z"), "bad_time", "time"),
    ("nanoseconds", _at("2026-03-02T10:15:00.0000001Z"), "bad_time", "time"),
    ("no fraction", _at("2026-03-02T10:15:00.Z"), "bad_time", "time"),
    ("year 0", _at("0000-01-01T00:00:00Z"), "bad_time", "time"),
    ("before year 1", _at("0001-01-01T00:00:00+00:01"), "bad_time", "time"),
    ("after year 9999", _at("9999-12-31T23:59:59-00:01"), "bad_time", "time"),
    ("blank after the time", _at("2026-03-02T10:15:00Z "), "bad_time", "time"),
    ("time as number", _at("x").replace('"x"', "5"), "wrong_type", "time"),
    ("repeated key", (PAID % "").replace('{', '{"id":"b",'), "duplicate_key", "id"),
    ("repeated escaped key", PAID % ',"\\u0069d":"b"', "duplicate_key", "id"),
    ("repeated unknown key", PAID % ',"x":1,"x":1', "duplicate_key", "x"),
    ("repeated after a list", PAID % ',"x":1,"y":[1,[2]],"x":2', "duplicate_key", "x"),
    ("repeated after an object", PAID % ',"x":1,"y":{"z":{}},"x":2', "duplicate_key", "x"),
    ("repeated inner key", PAID % ',"x":{"y":{"z":1,"z":2}}', "duplicate_key", "z"),
    ("repeated long key", PAID % f',"{"k" * 99}":1,"{"k" * 99}":1', "duplicate_key", "k" * 99),
    ("bad UTF-8", (PAID % ',"x":"?"').encode().replace(b"?", b"\xff"), "encoding", ""),
    ("surrogate bytes", (PAID % ',"x":"?"').encode().replace(b"?", b"\xed\xa0\x80"), "encoding",
     ""),
    ("overlong", (PAID % ',"x":"?"').encode().replace(b"?", b"\xc0\x80"), "encoding", ""),
    ("Latin-1", (PAID % ',"x":"?"').encode().replace(b"?", "é".encode("latin-1")), "encoding", ""),
    ("UTF-16", (PAID % "").encode("utf-16").replace(b"\n", b" "), "encoding", ""),
    ("lone surrogate", PAID % ',"x":"\\ud800"', "encoding", ""),
    ("reversed surrogates", PAID % ',"x":"\\ude00\\ud83d"', "encoding", ""),
    ("NUL", PAID % ',"x":"a\0b"', "encoding", ""),
    ("NUL outside", PAID % ',"x":1\0', "encoding", ""),
    ("escaped NUL", PAID % ',"x":"a\\u0000b"', "encoding", ""),
    ("control character", PAID % ',"x":"\x01"', "encoding", ""),
    ("raw tab in text", PAID % ',"x":"\t"', "encoding", ""),
    ("mark in the middle", "  \ufeff" + PAID % "", "not_json", ""),
    ("cut", (PAID % "")[:-1], "not_json", ""),
    ("open string", (PAID % "")[:-3], "not_json", ""),
    ("two objects", (PAID % "") * 2, "not_json", ""),
    ("comma at the end", PAID % ",", "not_json", ""),
    ("single quotes", (PAID % "").replace('"', "'"), "not_json", ""),
    ("bad escape", PAID % ',"x":"\\q"', "not_json", ""),
    ("bad hex", PAID % ',"x":"\\u00g0"', "not_json", ""),
    ("backslash outside", PAID % ',"x":\\"1"', "not_json", ""),
    ("form feed as blank", PAID % ',\f"x":1', "encoding", ""),
    ("list closed as object", PAID % ',"x":[1}', "not_json", ""),
    ("tru", PAID % ',"x":tru', "not_json", ""),
    ("minus", PAID % ',"x":-', "not_json", ""),
    ("list", "[1,2]", "not_object", ""),
    ("number", "5", "not_object", ""),
    ("null", "null", "not_object", ""),
    ("65 levels", PAID % (',"x":' + "[" * 64 + "]" * 64), "too_deep", ""),
    ("100,000 levels", PAID % (',"x":' + "[" * 100_000 + "]" * 100_000), "too_deep", ""),
    ("open brackets", "[" * 1_000_000, "too_deep", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code", "field"), [c[1:] for c in REJECTED], ids=[c[0] for c in REJECTED]
)
def test_a_bad_line_is_rejected_with_its_reason_and_path(
    decoding: Decoding, line: str | bytes, code: str, field: str
) -> None:
    assert code_of(decoding, line) == (code, field)


def test_neighbours_of_bad_lines_are_untouched(decoding: Decoding) -> None:
    good = (PAID % ',"payer":"C1"').encode()
    lines = []
    for k, (_, line, _, _) in enumerate(REJECTED):
        data = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        lines += [good.replace(b'"id":"a"', b'"id":"%d"' % k), data, b"" if k % 2 else b" \t\r"]
    batch, rejects, _ = decoding.decoder.decode(b"\n".join(lines), first_line=10)
    assert batch.count == len(REJECTED) == len(rejects)
    assert [r.line for r in rejects] == [10 + 3 * k + 1 for k in range(len(REJECTED))]
    assert batch.line.tolist() == [10 + 3 * k for k in range(len(REJECTED))]
    ids = [
        batch.id_bytes[a:b].tobytes().decode()
        for a, b in zip(batch.id_offsets[:-1], batch.id_offsets[1:], strict=True)
    ]
    assert ids == [str(k) for k in range(len(REJECTED))]
    assert {json.dumps(decoding.row(batch, k)["payer.id"]) for k in range(batch.count)} == {'"C1"'}


def test_lines_are_read_where_they_lie_whatever_stands_behind_them(decoding: Decoding) -> None:
    escaped = r',"payer":"C\u00e9\n1","payee":"C2"'
    lines = [PAID % "", PAID % escaped, FIGURE % ',"value":1.50', "no json", PAID % ',"amount":12']
    data = "".join(line + "\n" for line in lines).encode()
    copied = decoding.decoder.decode(data)
    for behind in (b"\0", b"7", b'"', b"\\", b"e", b"\n"):
        room = memoryview(bytearray(data + behind * PADDING))
        batch, rejects, consumed = decoding.decoder.decode(data, lines_max=len(lines), room=room)
        assert (rejects, consumed) == copied[1:]
        assert batch.content.tolist() == copied[0].content.tolist()
        assert batch.id_bytes.tobytes() == copied[0].id_bytes.tobytes()
        rows = range(batch.count)
        assert [decoding.row(batch, k) for k in rows] == [decoding.row(copied[0], k) for k in rows]
        assert room[len(data) :] == behind * PADDING


def test_the_mark_at_the_start_of_a_file_is_skipped_once(decoding: Decoding) -> None:
    line = b"\xef\xbb\xbf" + (PAID % "").encode()
    assert decoding.decoder.decode(line)[0].count == 1
    assert [r.code for r in decoding.decoder.decode(line, first_line=2)[1]] == ["not_json"]
    assert [r.code for r in decoding.decoder.decode(b"\xef\xbb\xbf" + line)[1]] == ["not_json"]


def test_a_partial_line_waits_for_its_rest(decoding: Decoding) -> None:
    line = (PAID % "").encode()
    batch, rejects, consumed = decoding.decoder.decode(line + b"\n" + line[:9], final=False)
    assert (batch.count, rejects, consumed) == (1, [], len(line) + 1)
    batch, rejects, consumed = decoding.decoder.decode(line[:9], final=False)
    assert (batch.count, rejects, consumed) == (0, [], 0)
    assert decoding.decoder.decode(b"")[2] == 0


def test_a_line_over_the_limit_is_refused_and_cut() -> None:
    decoder = NdjsonDecoder([], Vocabulary(), Vocabulary(), CURRENCIES, line_bytes_max=500)
    line = PAID % f',"x":"{"y" * 300}"'
    data = f"{line}\n{PAID % ''}\n{' ' * 501}\n{line + ' ' * (500 - len(line))}\n{line + ' ' * 200}"
    batch, rejects, _ = decoder.decode(data.encode())
    assert batch.line.tolist() == [1, 2, 4]
    assert [(r.code, r.line, len(r.raw)) for r in rejects] == [
        ("too_long", 3, 500),
        ("too_long", 5, 500),
    ]


def test_fewer_fields_change_neither_the_verdict_nor_the_content() -> None:
    everything, few = Decoding(), Decoding([FIELDS["amount"], FIELDS["time"]])
    lines = [c[1] for c in ACCEPTED] + [c[1] for c in REJECTED]
    data = b"\n".join(
        line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line for line in lines
    )
    whole, whole_rejects, _ = everything.decoder.decode(data)
    part, part_rejects, _ = few.decoder.decode(data)
    assert part_rejects == whole_rejects
    np.testing.assert_array_equal(part.content, whole.content)
    paths = list(FIELDS)
    rows = [paths.index("amount"), paths.index("time")]
    np.testing.assert_array_equal(part.columns, whole.columns[rows])
    assert part.person_values.size == 0 and not part.person_given.any()


def test_content_ignores_order_blanks_and_spelling_but_no_value(decoding: Decoding) -> None:
    first = MOVED % ',"person_count":7,"persons":["p","q"],"encrypted":true,"note":1'
    same = json.dumps(dict(reversed(json.loads(first).items())) | {"note": 2, "tool": None})
    same = same.replace('"7"', "7").replace("7", '"7"').replace("10:15:00Z", "18:15:00+08:00")
    same = same.replace('["p", "q"]', '["\\u0071","p"]').replace('"E"', '{"id":"E"}')
    other = first.replace('["p","q"]', '["p","r"]')
    batch, rejects, _ = decoding.decoder.decode(f"{first}\n{same}\n{other}".encode())
    assert not rejects
    assert batch.content[0] == batch.content[1] != batch.content[2]


def test_good_lines_do_not_take_the_slow_path() -> None:
    decoding = Decoding()
    slow = {"escaped key", "known foreign field before the type", "foreign field before the type",
            "persons before the type", "any channel of a loan", "64 levels"}  # fmt: skip
    data = "\n".join(line for name, line, _ in ACCEPTED if name not in slow).encode()
    assert decoding.decoder.decode(data)[1] == []
    assert decoding.decoder.strict_lines == 0


def test_vocabularies_grow_while_decoding() -> None:
    decoding = Decoding([FIELDS["payer.id"], FIELDS["payee.id"], FIELDS["persons"]])
    before = len(decoding.symbols)
    lines = [PAID % f',"payer":"payer-{k}-{"x" * (k % 40)}","payee":"{k}"' for k in range(30_000)]
    batch, rejects, _ = decoding.decoder.decode("\n".join(lines).encode())
    assert not rejects and len(decoding.symbols) == before + 60_000
    for k in (0, 7, 9_999, 29_999):
        assert decoding.row(batch, k) == {
            "payer.id": f"payer-{k}-{'x' * (k % 40)}",
            "payee.id": str(k),
        }
    again, _, _ = decoding.decoder.decode("\n".join(lines).encode())
    np.testing.assert_array_equal(again.columns, batch.columns)
    lists = [json.dumps([f"p{j}" for j in range(k * 40)]) for k in range(60)]
    people = [MOVED % f',"persons":{persons}' for persons in lists]
    batch, rejects, _ = decoding.decoder.decode("\n".join(people).encode())
    assert not rejects and len(decoding.persons) == 59 * 40
    assert decoding.row(batch, 59)["persons"] == tuple(f"p{j}" for j in range(59 * 40))


def test_unknown_fields_cannot_be_asked_for() -> None:
    for fields in ([Field("colour", Kind.SYMBOL)], [FIELDS["time"], FIELDS["time"]]):
        with pytest.raises(UsageError):
            NdjsonDecoder(fields, Vocabulary(), Vocabulary(), CURRENCIES)
