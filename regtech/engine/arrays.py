"""Hash tables and logs as arrays: kernels see them by address; here they are owned and grown."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.engine.growing import longer
from regtech.engine.kernels import measures as K
from regtech.engine.kernels.tables import (
    T_ADDRESS,
    T_COUNT,
    T_PLACES,
    T_WORDS,
    fresh_entries,
    rehash2,
    rehash_keys,
)
from regtech.engine.plan import Keyspace

Int64 = npt.NDArray[np.int64]
FIRST_LOG: Final = 1024
FIRST_SLOTS: Final = 256
_FIRST_TABLE: Final = 256
_DOUBLED_BELOW: Final = 1 << 20


def address(array: npt.NDArray[Any]) -> int:
    """Where the array's first element is."""
    return int(array.ctypes.data)


class Table:
    """One hash table; ``descriptor`` is its row in an array of descriptors.

    Entries are found by all their words but the last where ``by_key`` is set, else by two.
    """

    def __init__(self, descriptor: Int64, words: int, by_key: bool = False) -> None:
        self.descriptor = descriptor
        self.words = words
        self.by_key = by_key
        self._oldest = -(1 << 63)
        """No entry was staler when they were last looked at, and none that came since is."""
        self._use(np.zeros(_FIRST_TABLE * words, np.int64), 0)

    def _use(self, entries: Int64, count: int) -> None:
        self.entries = entries
        self.descriptor[T_ADDRESS] = address(entries)
        self.descriptor[T_PLACES] = len(entries) // self.words
        self.descriptor[T_COUNT] = count
        self.descriptor[T_WORDS] = self.words

    @property
    def count(self) -> int:
        """Number of entries."""
        return int(self.descriptor[T_COUNT])

    def room(self) -> int:
        """How many entries may still be added before the next growth."""
        return int(self.descriptor[T_PLACES]) * 2 // 3 - self.count

    def ensure(self, more: int, stale_word: int = 0, stale_below: int = 0) -> None:
        """Make room for ``more`` entries; growing drops entries whose stale word is below a
        bound."""
        if more <= self.room():
            return
        places = int(self.descriptor[T_PLACES])
        live = self.count
        if stale_below <= self._oldest:
            stale_word = 0
        if stale_word:
            live, least = fresh_entries(
                address(self.entries), places, self.words, stale_word, stale_below
            )
            self._oldest = least if live else stale_below
        # up to two thirds full: a miss still looks at few places, which lie side by side; a table
        # doubles while that costs little memory, since each growth touches memory that is new
        growth = live if live < _DOUBLED_BELOW else live * 2 // 5
        wanted = 3 * (live + max(more, growth)) // 2 + 2
        self._move(address(self.entries), places, wanted, stale_word, stale_below)

    def fill(self, entries: Int64, places: int) -> None:
        """Take over the entries of a snapshot, one after the other, into so many places."""
        self._move(address(entries), len(entries), places, 0, 0)

    def _move(
        self, source: int, count: int, places: int, stale_word: int, stale_below: int
    ) -> None:
        fresh = np.zeros(places * self.words, np.int64)
        if self.by_key:
            kept = rehash_keys(source, count, self.words, address(fresh), places)
        else:
            kept = rehash2(
                source, count, self.words, address(fresh), places, stale_word, stale_below
            )
        self._use(fresh, int(kept))


class Log:
    """The rows of one key space in canonical order; see ``kernels.measures``.

    Entries are numbered for the whole run; those from ``base`` on are in the arrays. What is
    forgotten stays in front until room is needed: then the live entries move to the front, or to
    longer arrays. The kernels' mask lets every number through, and their addresses are those that
    entry 0 would have.
    """

    def __init__(self, descriptor: Int64, values: Int64, space: Keyspace) -> None:
        self.descriptor = descriptor
        self.value_addresses = values
        self.space = space
        self.capacity = FIRST_LOG
        self.base = 0
        self.followers: list[list[npt.NDArray[Any]]] = []
        """Arrays of measures that lie beside these, entry for entry."""
        self.arrays: dict[str, npt.NDArray[Any]] = {
            "t": np.zeros(FIRST_LOG, np.int64),
            "event": np.zeros(FIRST_LOG, np.int64),
            "previous": np.zeros(FIRST_LOG, np.int32),
            "slot": np.zeros(FIRST_LOG, np.int32),
            "yes": np.zeros(FIRST_LOG, np.int32),
            "unknown": np.zeros(FIRST_LOG, np.int32),
        }
        for k in range(len(space.values)):
            self.arrays[f"value{k}"] = np.zeros(FIRST_LOG, np.int64)
        self.heads = np.zeros(FIRST_SLOTS, np.int64)
        descriptor[K.L_JURISDICTION] = space.jurisdiction
        descriptor[K.L_VALUE_COUNT] = len(space.values)
        self.refresh()

    def refresh(self) -> None:
        """Write the addresses into the descriptor."""
        d = self.descriptor
        for word, name in (
            (K.L_T, "t"), (K.L_EVENT, "event"), (K.L_PREVIOUS, "previous"), (K.L_SLOT, "slot"),
            (K.L_YES, "yes"), (K.L_UNKNOWN, "unknown"),
        ):  # fmt: skip
            d[word] = self.origin(self.arrays[name])
        d[K.L_MASK] = -1
        d[K.L_HEADS] = address(self.heads)
        for k in range(len(self.space.values)):
            self.value_addresses[int(d[K.L_VALUES]) + k] = self.origin(self.arrays[f"value{k}"])

    def origin(self, array: npt.NDArray[Any]) -> int:
        """Where entry 0 of one of the arrays would be."""
        return address(array) - self.base * array.itemsize

    def used(self) -> int:
        """Entries between tail and head."""
        return int(self.descriptor[K.L_HEAD] - self.descriptor[K.L_TAIL])

    def forget(self, before: int, least_cursor: int) -> None:
        """Move the tail over entries older than an instant that no cursor still needs."""
        head, tail = int(self.descriptor[K.L_HEAD]), int(self.descriptor[K.L_TAIL])
        end = min(head, least_cursor)
        # times never fall: the first entry to keep can be searched for
        t = self.arrays["t"][tail - self.base : max(end, tail) - self.base]
        self.descriptor[K.L_TAIL] = tail + int(np.searchsorted(t, before))

    def make_room(self, more: int) -> bool:
        """Room for so many entries behind the last; whether anything moved."""
        head, tail = int(self.descriptor[K.L_HEAD]), int(self.descriptor[K.L_TAIL])
        if head + more <= self.base + self.capacity:
            return False
        live = slice(tail - self.base, head - self.base)
        used = head - tail
        # a third is free after each move, so that moving stays cheap for each entry
        wanted = used + max(more, used // 3)
        capacity = self.capacity if wanted <= self.capacity else wanted

        def moved(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
            if tail > self.base:
                array[:used] = array[live]
            return longer(array, capacity)

        self.arrays = {name: moved(array) for name, array in self.arrays.items()}
        for arrays in self.followers:
            arrays[:] = [moved(array) for array in arrays]
        self.base, self.capacity = tail, capacity
        return True
