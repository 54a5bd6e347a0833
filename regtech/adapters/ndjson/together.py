"""Events decoded together: their words are looked up in one go, where there is room for all."""

from __future__ import annotations

from typing import Any, Final

from regtech.adapters.ndjson.layout import (
    BLOCK_BYTES,
    LINE_ENTRIES,
    LOG_BYTES,
    LOG_ENTRIES,
    LOGGED,
    LOGGED_BYTES,
    PERSON_LOGGED,
)
from regtech.adapters.ndjson.layout import PERSON as NEXT_PERSON
from regtech.columns.jit import inline_kernel
from regtech.columns.memory import PADDING
from regtech.columns.vocabulary_kernels import COUNT, USED, encode_log, migrate

_MIGRATE_PLACES: Final = 512
"""Places of a vocabulary that move at a time while it grows."""


@inline_kernel(nrt=False)
def _has_room(vocabulary: Any) -> Any:
    """Whether the vocabulary can take one more block; the rule of ``Vocabulary.reserve``."""
    table, _, arena, offsets, state = vocabulary
    count = state[COUNT] + LOG_ENTRIES
    return (
        count * 8 <= table.shape[0] * 5
        and count < offsets.shape[0]
        and state[USED] + LOG_BYTES + PADDING <= arena.shape[0]
    )


@inline_kernel(nrt=False)
def begin_block(symbols: Any, persons: Any, person_values: Any, event: Any) -> bool:
    """Make ready for some events whose words are looked up together; False: there is no room."""
    if (
        not _has_room(symbols)
        or not _has_room(persons)
        or event[NEXT_PERSON] + LOG_ENTRIES > person_values.shape[0]
    ):
        return False
    migrate(symbols[0], symbols[1], symbols[4], _MIGRATE_PLACES)
    migrate(persons[0], persons[1], persons[4], _MIGRATE_PLACES)
    event[LOGGED] = 0
    event[LOGGED_BYTES] = 0
    event[PERSON_LOGGED] = 0
    return True


@inline_kernel(nrt=False)
def takes_more(event: Any) -> Any:
    """Whether another event fits into the block, whatever it says."""
    return (
        event[LOGGED] <= LOG_ENTRIES - LINE_ENTRIES
        and event[PERSON_LOGGED] <= LOG_ENTRIES - LINE_ENTRIES
        and event[LOGGED_BYTES] <= BLOCK_BYTES
    )


@inline_kernel(nrt=False)
def so_far(event: Any) -> Any:
    """What an event may add to; see ``take_back``."""
    return event[LOGGED], event[LOGGED_BYTES], event[PERSON_LOGGED], event[NEXT_PERSON]


@inline_kernel(nrt=False)
def take_back(event: Any, before: Any) -> None:
    """Forget what an event has added that is not taken after all."""
    event[LOGGED], event[LOGGED_BYTES], event[PERSON_LOGGED], event[NEXT_PERSON] = before


@inline_kernel(nrt=False)
def end_block(text: Any, symbols: Any, persons: Any, out: Any, work: Any) -> None:
    """Look up the words of a block's events."""
    columns, _, _, person_values = out
    log, person_log, _, _, event = work
    table, old, arena, offsets, counts = symbols
    encode_log(log, event[LOGGED], text, table, old, arena, offsets, counts, columns)
    table, old, arena, offsets, counts = persons
    logged = event[PERSON_LOGGED]
    encode_log(person_log, logged, text, table, old, arena, offsets, counts, person_values)
