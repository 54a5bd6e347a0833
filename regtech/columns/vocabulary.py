"""Strings as dense integer codes, kept for the whole run and in snapshots.

>>> words = Vocabulary()
>>> words.code_of("CN"), words.code_of("DE"), words.code_of("CN")
(0, 1, 0)
>>> words.text(1), words.find("FR"), len(words)
('DE', -1, 2)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.columns.batch import Bytes, Int64, UInt64
from regtech.columns.hashing import padded
from regtech.columns.memory import PADDING
from regtech.columns.vocabulary_kernels import (
    COUNT,
    ENTRY_WORDS,
    MIGRATED,
    MIGRATING,
    STRING_MAX,
    USED,
    add_all,
    find_or_add,
    migrate,
    rebuild,
)
from regtech.errors import CapacityError, InternalError, SnapshotError

_FIRST_PLACES: Final = 1 << 14
_STEP_BYTES_MAX: Final = 1 << 23
_CODES_MAX: Final = (1 << 31) - 2
# Filled above 5/8, linear probing needs more than two cache lines for a miss.
_LOAD_NUMERATOR: Final = 5
_LOAD_DENOMINATOR: Final = 8
_PAGE_ENTRIES: Final = 4096 // (8 * ENTRY_WORDS)
# The last fifth of the filling, an eighth of the places, has to make ready twice the places: 16.
_READY_PER_STRING: Final = 32


class Vocabulary:
    """A two-way table of strings and codes 0, 1, 2, … in the order in which they were added.

    Codes never change and nothing is removed. Not safe for use by two threads at once. Growth
    doubles the table without a long pause: the memory of the next table is made ready a little at a
    time while the present one fills, and then the entries move a few at a time.
    """

    def __init__(self) -> None:
        self._table: UInt64 = _table(_FIRST_PLACES)
        self._old: UInt64 = _table(1)
        self._next: UInt64 | None = None
        self._ready = 0  # entries of the next table whose memory is there
        self._ready_count = 0  # strings when that was so
        self._arena: Bytes = np.zeros(1 << 16, np.uint8)
        self._offsets: Int64 = np.zeros(_FIRST_PLACES, np.int64)
        self._state: Int64 = np.zeros(4, np.int64)

    def __len__(self) -> int:
        return int(self._state[COUNT])

    def code_of(self, text: str) -> int:
        """The code of the string, adding it where it is new.

        Raises ``ValueError`` for more than 4096 bytes or lone surrogates.
        """
        data = text.encode()
        if len(data) > STRING_MAX:
            raise ValueError(f"a string of {len(data)} bytes is longer than {STRING_MAX}")
        self.reserve(1, len(data))
        return int(find_or_add(padded(data), 0, len(data), True, *self.arrays()))

    def codes_of(self, texts: Iterable[str]) -> Int64:
        """The codes of several strings, adding those that are new."""
        return np.array([self.code_of(text) for text in texts], np.int64)

    def find(self, text: str) -> int:
        """The code of the string, or -1 where it was never added."""
        data = text.encode()
        if len(data) > STRING_MAX:
            return -1
        return int(find_or_add(padded(data), 0, len(data), False, *self.arrays()))

    def text(self, code: int) -> str:
        """The string of a code; ``IndexError`` where there is none."""
        if not 0 <= code < len(self):
            raise IndexError(f"no string has the code {code}")
        start, end = self._offsets[code], self._offsets[code + 1]
        return self._arena[start:end].tobytes().decode()

    def texts(self, codes: Sequence[int] | Int64) -> list[str]:
        """The strings of several codes; ``IndexError`` where there is none."""
        numbers = np.asarray(codes, np.int64)
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"no strings have the codes {numbers.min()} to {numbers.max()}")
        starts, ends = self._offsets[numbers].tolist(), self._offsets[numbers + 1].tolist()
        arena = self._arena.data
        return [str(arena[a:b], "utf-8") for a, b in zip(starts, ends, strict=True)]

    def since(self, count: int) -> tuple[bytes, Int64]:
        """The strings added after the first ``count``, one behind another, and where each ends."""
        start = int(self._offsets[count])
        ends = self._offsets[count + 1 : len(self) + 1] - start
        return self._arena[start : int(self._state[USED])].tobytes(), ends

    def extend(self, text: bytes, ends: Int64) -> None:
        """Add strings of ``since`` of another vocabulary with the same strings before them.

        Raises ``InternalError`` where one of them is known already.
        """
        self.reserve(len(ends), len(text))
        if not add_all(padded(text), ends, *self.arrays()):
            raise InternalError("two vocabularies are not the same")

    def export_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """A copy for a snapshot: ``arena`` (uint8) and ``offsets`` (int64, one more than codes)."""
        count, used = len(self), int(self._state[USED])
        return {
            "arena": self._arena[:used].copy(),
            "offsets": self._offsets[: count + 1].copy(),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Vocabulary:
        """The vocabulary that was exported; ``SnapshotError`` where the arrays cannot be one."""
        arena = np.asarray(arrays["arena"], np.uint8)
        offsets = np.asarray(arrays["offsets"], np.int64)
        lengths = np.diff(offsets)
        if (
            len(offsets) == 0
            or offsets[0] != 0
            or offsets[-1] != len(arena)
            or (lengths < 0).any()
            or (lengths > STRING_MAX).any()
        ):
            raise SnapshotError("the vocabulary's offsets do not fit its bytes")
        made = cls()
        made.reserve(len(lengths), len(arena))
        made._arena[: len(arena)] = arena
        made._offsets[: len(offsets)] = offsets
        if not rebuild(made._table, made._arena, made._offsets, len(lengths)):
            raise SnapshotError("the vocabulary holds a string twice")
        made._state[COUNT], made._state[USED] = len(lengths), len(arena)
        return made

    def reserve(self, strings: int, size: int) -> None:
        """Make room for so many more strings of so many bytes together.

        Raises ``CapacityError`` beyond 2**31 - 2 strings.
        """
        count = len(self) + strings
        if count > _CODES_MAX:
            raise CapacityError("more than 2**31 distinct strings", hint="split the input")
        if count * _LOAD_DENOMINATOR > len(self._table) * _LOAD_NUMERATOR:
            self._grow_table(count)
        if count >= len(self._offsets):
            self._offsets = _longer(self._offsets, count + 1)
        used = int(self._state[USED]) + size + PADDING
        if used > len(self._arena):
            self._arena = _longer(self._arena, used)

    def _grow_table(self, count: int) -> None:
        migrate(self._table, self._old, self._state, len(self._old))
        places = len(self._table)
        while count * _LOAD_DENOMINATOR > places * _LOAD_NUMERATOR:
            places *= 2
        self._old = self._table
        ready = self._next is not None and len(self._next) == places
        self._table = self._next if ready and self._next is not None else _table(places)
        self._next, self._ready = None, 0
        self._state[MIGRATED], self._state[MIGRATING] = 0, 1

    def arrays(self) -> tuple[UInt64, UInt64, Bytes, Int64, Int64]:
        """Table, old table, arena, offsets, state for kernels; valid until the next ``reserve``."""
        if self._state[MIGRATING] == 0 and len(self._old) > 1:
            self._old = _table(1)
        self._make_ready()
        return self._table, self._old, self._arena, self._offsets, self._state

    def _make_ready(self) -> None:
        """Touch memory of the next table, in proportion to the strings added since the last time.

        The system clears memory when it is first touched. Entries fall on random places, so
        without this the first strings after growth would wait for all of it.
        """
        count, places = len(self), len(self._table)
        if self._next is None:
            if count * _LOAD_DENOMINATOR * 5 < places * _LOAD_NUMERATOR * 4:
                return
            self._next, self._ready, self._ready_count = _table(2 * places), 0, count
        added = count - self._ready_count
        end = min(len(self._next), self._ready + added * _READY_PER_STRING)
        if end > self._ready:
            self._next[self._ready : end : _PAGE_ENTRIES, 0] = 0
            # From the next untouched page on.
            self._ready = -(-end // _PAGE_ENTRIES) * _PAGE_ENTRIES
            self._ready_count = count


def _table(places: int) -> UInt64:
    return np.zeros((places, ENTRY_WORDS), np.uint64)


def _longer(array: npt.NDArray[Any], least: int) -> npt.NDArray[Any]:
    """The array, longer: doubled while small, by fixed steps later, so that no step is long.

    The arrays are private and no view of them is handed out, so growing in place is safe.
    """
    step = min(len(array), _STEP_BYTES_MAX // array.itemsize)
    length = max(least, len(array) + step)
    array.resize(length, refcheck=False)
    return array
