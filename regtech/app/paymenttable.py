"""Payments of event files as one table in order of time, each payment once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import describe_source, read_events
from regtech.adapters.tables.columnmap import load_column_map
from regtech.app.progress import NoProgress, Progress
from regtech.columns.batch import Batch, Int64, Reject
from regtech.columns.vocabulary import Vocabulary
from regtech.errors import InputError
from regtech.model.fields import NULL, PARTY_KINDS, all_fields
from regtech.reference.load import Reference

_PATHS: Final = (
    "type", "time", "reporter", "amount", "currency", "channel", "reference",
    "payer.id", "payer.account", "payer.institution", "payer.country", "payer.kind",
    "payee.id", "payee.account", "payee.institution", "payee.country", "payee.kind",
)  # fmt: skip
CHANNELS: Final = (
    "", "cash", "transfer", "wire", "card", "cheque", "instrument", "virtual_asset", "bill",
    "metal", "internal",
)  # fmt: skip
"""Codes of channels; 0 where none is given, and for those that are not listed."""
NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class PaymentTable:
    """Columns of one length, in order of time, reporter and id; codes count from 0, -1 for none.

    ``same_as``: the place of the payment that this one repeats (the other bank's report of it, or
    the same event again), itself where it is the first. ``account``: names by code.
    """

    ids: list[str]
    reporter: Int64
    time_us: Int64
    payer: Int64
    payee: Int64
    amount: Int64
    currency: Int64
    channel: Int64
    payer_institution: Int64
    payee_institution: Int64
    payer_country: Int64
    payee_country: Int64
    payer_kind: Int64
    payee_kind: Int64
    same_as: Int64
    reporters: list[str]
    rejected: dict[str, int]
    rejects: list[Reject]

    def __len__(self) -> int:
        return len(self.ids)


def read_payments(
    names: Sequence[str], *, map_name: str | None = None, progress: Progress | None = None
) -> PaymentTable:
    """All transactions of the files; other events are passed over, bad records are counted.

    An account is the party's id, or its account where it has none. Raises ``InputError`` where a
    file cannot be read, or none has a transaction.
    """
    told = progress or NoProgress()
    fields = all_fields()
    table = Reference.shipped().currencies
    symbols = Vocabulary()
    decoder = NdjsonDecoder(
        [fields[path] for path in _PATHS], symbols, Vocabulary(),
        {code: (table[code].index, table[code].exponent) for code in table.codes},
    )  # fmt: skip
    column_map = None if map_name is None else load_column_map(map_name)
    parts: list[Int64] = []
    ids: list[str] = []
    rejected: Counter[str] = Counter()
    rejects: list[Reject] = []
    wanted = symbols.code_of("transaction")
    for index, name in enumerate(names):
        source = describe_source(name)
        told.stage(f"reading {name}", source.size)
        for piece in read_events(
            source, decoder, source_index=index,
            column_map=None if source.format == "ndjson" else column_map,
        ):  # fmt: skip
            rejected.update(reject.code for reject in piece.rejects)
            rejects += piece.rejects
            told.advance(piece.size)
            if piece.batch is not None:
                _take(piece.batch, wanted, parts, ids)
    if not ids:
        raise InputError("there is no transaction in " + ", ".join(names))
    return _table(np.concatenate(parts, axis=1), ids, symbols, dict(rejected), rejects)


def _take(batch: Batch, wanted: int, parts: list[Int64], ids: list[str]) -> None:
    n = batch.count
    columns = batch.columns[: len(_PATHS), :n]
    mine = np.flatnonzero(columns[0] == wanted)
    parts.append(columns[:, mine].copy())
    offsets, data = batch.id_offsets, batch.id_bytes.tobytes()
    ids += [data[offsets[k] : offsets[k + 1]].decode("utf-8", "replace") for k in mine.tolist()]


def _table(
    columns: Int64, ids: list[str], symbols: Vocabulary, rejected: dict[str, int],
    rejects: list[Reject],
) -> PaymentTable:  # fmt: skip
    given = dict(zip(_PATHS, columns, strict=True))
    reporter_names = [symbols.text(code) for code in np.unique(given["reporter"]).tolist()]
    reporters, reporter = _recoded(given["reporter"])
    # Order must not hang on codes, which depend on the order of the files.
    rank = np.argsort(np.argsort(np.array(reporter_names)))
    order = np.lexsort((np.array(ids), rank[reporter], given["time"]))
    given = {path: column[order] for path, column in given.items()}
    ids = [ids[k] for k in order.tolist()]
    payer, payee = _accounts(given)
    channel_codes = {symbols.find(word): k for k, word in enumerate(CHANNELS) if word}
    kind_codes = {symbols.find(word): k + 1 for k, word in enumerate(PARTY_KINDS)}
    institution = _shared(given["payer.institution"], given["payee.institution"])
    country = _shared(given["payer.country"], given["payee.country"])
    return PaymentTable(
        ids=ids,
        reporter=reporter[order],
        time_us=given["time"],
        payer=payer,
        payee=payee,
        amount=given["amount"],
        currency=given["currency"],
        channel=_coded(given["channel"], channel_codes),
        payer_institution=institution[0],
        payee_institution=institution[1],
        payer_country=country[0],
        payee_country=country[1],
        payer_kind=_coded(given["payer.kind"], kind_codes),
        payee_kind=_coded(given["payee.kind"], kind_codes),
        same_as=_same_as(given, payer, payee, ids, reporter[order]),
        reporters=reporter_names,
        rejected=rejected,
        rejects=rejects,
    )


def _recoded(values: Int64) -> tuple[Int64, Int64]:
    found, codes = np.unique(values, return_inverse=True)
    return found, codes.astype(np.int64)


def _shared(one: Int64, two: Int64) -> tuple[Int64, Int64]:
    """Two columns with codes of one sort; -1 where missing. By first occurrence, not by code."""
    both = np.concatenate([one, two])
    codes = _by_occurrence(both)
    return codes[: len(one)], codes[len(one) :]


def _by_occurrence(values: Int64) -> Int64:
    found, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    first = np.where(found == NULL, -1, first)
    rank = np.argsort(np.argsort(first))
    codes = rank[inverse].astype(np.int64)
    # What is missing comes first of all, as -1.
    return codes - 1 if (found == NULL).any() else codes


def _accounts(given: dict[str, Int64]) -> tuple[Int64, Int64]:
    sides = [
        np.where(given[f"{side}.id"] != NULL, given[f"{side}.id"], given[f"{side}.account"])
        for side in ("payer", "payee")
    ]
    return _shared(sides[0], sides[1])


def _coded(values: Int64, codes: dict[int, int]) -> Int64:
    made = np.zeros(len(values), np.int64)
    for symbol, code in codes.items():
        if symbol >= 0:
            made[values == symbol] = code
    return made


def _same_as(
    given: dict[str, Int64], payer: Int64, payee: Int64, ids: list[str], reporter: Int64
) -> Int64:
    """The first of each payment: told by reporter and id, or by reference, amount and parties."""
    n = len(ids)
    same = np.arange(n)
    first: dict[Any, int] = {}
    rows = zip(
        ids, reporter.tolist(), given["reference"].tolist(), given["amount"].tolist(),
        given["currency"].tolist(), payer.tolist(), payee.tolist(), strict=True,
    )  # fmt: skip
    for k, (event, who, reference, *rest) in enumerate(rows):
        place = first.setdefault((event, who), k)
        if place == k and reference != NULL and min(rest[-2:]) != NOBODY:
            told = first.setdefault((reference, *rest), k)
            # One bank may use a reference again; two banks that use the same speak of one payment.
            if reporter[told] != who:
                place = told
        same[k] = place
    return same
