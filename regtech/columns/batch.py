"""A batch of decoded events as columns; the contract between every adapter and the engine."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Batch:
    """``count`` events in arrival order.

    ``columns[f, i]``, for i below ``count``, is field ``f`` (an index into the decoder's field
    list) of event ``i`` as one integer, see ``regtech.model.fields.Kind``; ``NULL`` where missing.
    Persons lists are in
    ``person_values[person_offsets[i]:person_offsets[i + 1]]`` (codes of the persons' vocabulary;
    ``person_given[i]`` is 0 where the field was missing). Ids are the UTF-8 bytes
    ``id_bytes[id_offsets[i]:id_offsets[i + 1]]``.
    ``content`` is a 64-bit digest of the record's meaning, equal for an identical repeat whatever
    the file format. ``line`` is the position in the source (line, row or offset), from 1.
    ``source`` is the index of the source in the run's list of sources.
    """

    count: int
    columns: Int64
    person_offsets: Int64
    person_values: Int64
    person_given: Bytes
    id_offsets: Int64
    id_bytes: Bytes
    content: UInt64
    line: Int64
    source: int = 0


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be used: where it is, what is wrong, and its bytes."""

    source: str
    line: int
    field: str  # path of the field, or "" for the whole record
    code: str  # stable reason code, see regtech.model.quarantine
    found: str
    expected: str
    raw: bytes = dataclass_field(repr=False)
