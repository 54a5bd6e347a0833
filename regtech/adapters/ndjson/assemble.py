"""From decoded lines to the arrays of a batch: ids and persons lists side by side, in order."""

from __future__ import annotations

from typing import Any

from regtech.adapters.ndjson.layout import (
    ID_LENGTH,
    ID_START,
    LINE_NUMBER,
    PERSONS_COUNT,
    PERSONS_START,
)
from regtech.columns.jit import kernel


@kernel(nrt=False)
def sizes(lines: Any, kept: Any, count: int, id_offsets: Any, person_offsets: Any) -> None:
    """Fill the offsets of ``count`` kept lines; row ``k`` of the batch is line ``kept[k]``."""
    id_offsets[0] = 0
    person_offsets[0] = 0
    for k in range(count):
        line = kept[k]
        id_offsets[k + 1] = id_offsets[k] + lines[line, ID_LENGTH]
        person_offsets[k + 1] = person_offsets[k] + max(lines[line, PERSONS_COUNT], 0)


@kernel(nrt=False)
def gather(
    text: Any,
    lines: Any,
    kept: Any,
    count: int,
    found: Any,
    id_offsets: Any,
    id_bytes: Any,
    person_offsets: Any,
    person_values: Any,
    person_given: Any,
    numbers: Any,
) -> None:
    """Copy ids, persons and line numbers of the kept lines into the arrays of a batch.

    A line whose id starts at -1 is left out, for ``put_spans``.
    """
    for k in range(count):
        line = kept[k]
        numbers[k] = lines[line, LINE_NUMBER]
        person_given[k] = 1 if lines[line, PERSONS_COUNT] >= 0 else 0
        start = lines[line, ID_START]
        if start < 0:
            continue
        out = id_offsets[k]
        for j in range(lines[line, ID_LENGTH]):
            id_bytes[out + j] = text[start + j]
        start = lines[line, PERSONS_START]
        out = person_offsets[k]
        for j in range(lines[line, PERSONS_COUNT]):
            person_values[out + j] = found[start + j]


@kernel(nrt=False)
def put_spans(offsets: Any, values: Any, places: Any, from_offsets: Any, from_values: Any) -> None:
    """Copy the k-th span of another batch's values to the place of event ``places[k]``."""
    for k in range(places.shape[0]):
        start = from_offsets[k]
        out = offsets[places[k]]
        for j in range(from_offsets[k + 1] - start):
            values[out + j] = from_values[start + j]
