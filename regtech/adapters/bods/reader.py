"""BODS statements through the decoder of events: lineage by statement, faults by statement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any, Final

import numpy as np

from regtech.adapters.bods.statements import Statement, split_statements
from regtech.adapters.bods.translate import Translator
from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.record import RecordFault
from regtech.columns.batch import Reject

STATEMENTS: Final = 512
"""Statements decoded at a time."""


def read_bods(
    stream: IO[bytes],
    decoder: NdjsonDecoder,
    *,
    source_name: str,
    source_index: int,
    first_line: int = 1,
) -> Iterator[Decoded]:
    """The events of a file of statements. The number of a statement stands for that of a line.

    Statements before ``first_line`` are read for what later ones refer to, and give no events.
    """
    translator = Translator()
    group: list[tuple[Statement, list[dict[str, Any]]]] = []
    rejects: list[Reject] = []
    last = first_line - 1
    for statement in split_statements(stream, source_name):
        events: list[dict[str, Any]] = []
        fault = statement.fault
        if statement.data is not None:
            try:
                events = list(translator.events(statement.data))
            except RecordFault as found:
                fault = found
        if statement.number < first_line:
            continue
        last = statement.number
        if fault is not None:
            rejects.append(_reject(statement, fault, source_name))
        else:
            group.append((statement, events))
        if len(group) + len(rejects) >= STATEMENTS:
            yield _decoded(decoder, group, rejects, last + 1, source_name, source_index)
            group, rejects = [], []
    if group or rejects:
        yield _decoded(decoder, group, rejects, last + 1, source_name, source_index)


def _reject(statement: Statement, fault: RecordFault, source_name: str) -> Reject:
    return Reject(
        source_name,
        statement.number,
        fault.field,
        fault.code,
        fault.found,
        fault.expected,
        statement.raw,
    )


def _decoded(
    decoder: NdjsonDecoder,
    group: list[tuple[Statement, list[dict[str, Any]]]],
    rejects: list[Reject],
    next_line: int,
    source_name: str,
    source_index: int,
) -> Decoded:
    numbers = [statement.number for statement, events in group for _ in events]
    raw = {statement.number: statement.raw for statement, _ in group}
    lines = b"".join(
        json.dumps(event, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass") + b"\n"
        for _, events in group
        for event in events
    )
    size = sum(len(text) for text in raw.values()) + sum(len(reject.raw) for reject in rejects)
    batch, refused, _ = decoder.decode(
        lines, first_line=2, source_name=source_name, source_index=source_index
    )
    places = np.array(numbers, np.int64)
    if batch.count:
        batch.line = places[batch.line - 2]
    seen: set[int] = set()
    for reject in refused:
        number = numbers[reject.line - 2]
        if number not in seen:
            seen.add(number)
            rejects.append(replace(reject, line=number, raw=raw[number]))
    rejects = sorted(rejects, key=lambda reject: reject.line)
    return Decoded(batch if batch.count else None, rejects, next_line, size)
