"""Column maps: other people's tables as events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import describe_source, read_events
from regtech.adapters.tables.columnmap import column_maps, load_column_map
from regtech.columns.batch import Batch
from regtech.errors import ContentError, InputError, UsageError
from regtech.model.fields import all_fields

Write = Callable[[str, str | bytes], str]
ROWS = {path: k for k, path in enumerate(all_fields())}


def _batches(name: str, decoder: NdjsonDecoder, map_name: str) -> tuple[list[Batch], list[str]]:
    batches, codes = [], []
    source = describe_source(name)
    for piece in read_events(source, decoder, column_map=load_column_map(map_name)):
        if piece.batch is not None:
            batches.append(piece.batch)
        codes += [f"{reject.line} {reject.code} {reject.field}" for reject in piece.rejects]
    return batches, codes


def _ids(batch: Batch) -> list[str]:
    text, places = batch.id_bytes.tobytes(), batch.id_offsets.tolist()
    return [text[a:b].decode() for a, b in zip(places[:-1], places[1:], strict=True)]


def _column(batch: Batch, path: str) -> list[int]:
    found: list[int] = batch.columns[ROWS[path], : batch.count].tolist()
    return found


@pytest.mark.parametrize("name", column_maps())
def test_every_shipped_map_loads(name: str) -> None:
    assert load_column_map(name).id == name


def test_the_four_promised_maps_ship() -> None:
    assert {"amlsim", "ibm-aml", "paysim", "plain"} <= set(column_maps())


def test_amlsim(write: Write, decoder: NdjsonDecoder) -> None:
    text = "sourceNodeId,targetNodeId,value,time\n280,15349,147.8,1\n249,9015,104.06,2\n"
    batches, codes = _batches(write("t.csv", text), decoder, "amlsim")
    assert codes == []
    bank, payments = batches
    assert _ids(bank) == ["amlsim-bank"]
    assert _ids(payments) == ["amlsim-2", "amlsim-3"]
    assert _column(payments, "amount") == [14780, 10406]
    first, second = _column(payments, "time")
    assert second - first == 86_400_000_000


def test_ibm_passes_over_the_marks_between_its_patterns(
    write: Write, decoder: NdjsonDecoder
) -> None:
    row = "2022/09/01 02:38,001812,80279F810,0110,8000A94C0,10154.74,{0},10154.74,{0},ACH,1\n"
    text = (
        "BEGIN LAUNDERING ATTEMPT - FAN-IN:  Max 3-degree Fan-In\n"
        + row.format("Euro")
        + row.format("Yen")
        + row.format("Doubloon")
        + "END LAUNDERING ATTEMPT - FAN-IN\n\nTimestamp,From Bank\n"
    )
    batches, codes = _batches(write("p.csv", text), decoder, "ibm-aml")
    assert [id_ for batch in batches for id_ in _ids(batch)] == ["ibm-2"]
    # A yen has no hundredths; a currency without a word of ours goes on as it is and is refused.
    assert codes == ["3 amount_precision amount", "4 unknown_currency currency", "7 columns "]


def test_paysim_steps_are_hours(write: Write, decoder: NdjsonDecoder) -> None:
    head = "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,isFraud\n"
    text = (
        head + "1,PAYMENT,9839.64,C1,1,1,M1,0\n25,CASH_OUT,181.0,C1,1,1,C2,1\nx,DEBIT,1,C,1,1,D,0\n"
    )
    batches, codes = _batches(write("p.csv", text), decoder, "paysim")
    [batch] = batches
    first, second = _column(batch, "time")
    assert second - first == 24 * 3_600_000_000
    assert codes == ["4 bad_time time"]


def test_a_plain_list(write: Write, decoder: NdjsonDecoder, tmp_path: Path) -> None:
    columns = sorted(load_column_map("plain").needs())
    values = {"id": "1", "time": "2026-03-02T09:00:00+08:00", "amount": "5", "currency": "CNY"}
    row = ",".join(values.get(column, "R" if column == "reporter" else "") for column in columns)
    batches, codes = _batches(write("p.csv", ",".join(columns) + "\n" + row), decoder, "plain")
    assert codes == [] and _ids(batches[0]) == ["1"]


def test_a_file_without_the_columns_is_a_clear_error(write: Write, decoder: NdjsonDecoder) -> None:
    with pytest.raises(InputError, match="has no column 'value'"):
        _batches(write("t.csv", "sourceNodeId,targetNodeId,time\n1,2,3\n"), decoder, "amlsim")


def test_a_map_that_does_not_exist_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="there are amlsim"):
        load_column_map("amlsym")


def test_every_fault_of_a_map_is_found_at_once(write: Write) -> None:
    name = write(
        "m.yml",
        "map: m\ntitle: {en: a}\nfields:\n  amont: value\n  time: {column: t, format: YYYY}\n"
        "  id: {column: a, pattern: b}\n  currency: {number: n, unit: fortnights, start: x}\n",
    )
    with pytest.raises(ContentError) as caught:
        load_column_map(name)
    found = "\n".join(str(fault) for fault in caught.value.faults)
    for word in ("zh", "amont", "offset", "exactly one of", "fortnights", "offset in quotes"):
        assert word in found


def test_faults_of_a_map_stand_at_their_line_with_what_was_perhaps_meant(write: Write) -> None:
    name = write(
        "m.yml",
        "map: m\ntitle: {en: a, zh: b}\nconstants:\n  type: transction\n  kind: deposit\n"
        "fields:\n  id: nr\n  payee.idd: cust\n  kind: what\n"
        "  channel: {column: how, words: {K: csh}}\n  amount: 3\n",
    )
    with pytest.raises(ContentError) as caught:
        load_column_map(name)
    found = [str(fault).removeprefix(name) for fault in caught.value.faults]
    assert sorted(found) == sorted(
        [
            ":4:3: constants.type: unknown_word: type is never 'transction' "
            "(did you mean 'transaction'?)",
            ":8:3: fields.payee.idd: unknown_field: 'payee.idd' is no field of an event "
            "(did you mean 'payee.id'?)",
            ":9:3: fields.kind: duplicate: 'kind' stands under constants too",
            ":10:26: fields.channel.words: unknown_word: channel is never 'csh' "
            "(did you mean 'cash'?)",
            ":11:3: fields.amount: wrong_type: expected the name of a column in quotes, "
            "or a mapping",
        ]
    )
