"""Canonical order and identity: late events, repeats, conflicts. Rules 1-3 of semantics.md."""

from __future__ import annotations

from typing import Any

import numpy as np

from regtech.columns.jit import kernel
from regtech.engine.kernels.raw import MIN, load64, mix, store64
from regtech.engine.kernels.tables import T_ADDRESS, T_COUNT, T_PLACES, find2, prefetch2

NEW, REPEAT, CONFLICT = 0, 1, 2
AHEAD = 16
"""So many events ahead their entries begin to load: no cache holds the table of ids."""


@kernel(nrt=False)
def identity_hashes(
    reporters: Any, id_offsets: Any, id_bytes: Any, order: Any, a: Any, b: Any
) -> None:
    """Two independent 64-bit hashes of (reporter, id) of the events at these places; the first is
    never 0."""
    for k in range(order.shape[0]):
        i = order[k]
        x = mix(reporters[i], 0x51ED270B)
        y = mix(0x2545F491, reporters[i])
        word = np.uint64(0)
        filled = 0
        for p in range(id_offsets[i], id_offsets[i + 1]):
            word = (word << np.uint64(8)) | np.uint64(id_bytes[p])
            filled += 1
            if filled == 8:
                x = mix(np.int64(x), np.int64(word))
                y = mix(np.int64(word), np.int64(y))
                word = np.uint64(0)
                filled = 0
        length = id_offsets[i + 1] - id_offsets[i]
        x = mix(np.int64(x) ^ length, np.int64(word))
        y = mix(np.int64(word), np.int64(y) ^ length)
        a[k] = np.int64(x) if x != np.uint64(0) else 1
        b[k] = np.int64(y)


@kernel(nrt=False)
def identify(
    n: Any, a: Any, b: Any, content: Any, times: Any, seen: Any, insert: Any, status: Any
) -> None:
    """Whether each (reporter, id) is new, an identical repeat, or in conflict with an earlier one.

    ``seen`` entries: (hash, hash, content, time). Without ``insert`` unknown ids stay unknown, and
    those seen only after ``times`` count as unknown.
    """
    address = seen[T_ADDRESS]
    for i in range(n):
        if i + AHEAD < n:
            prefetch2(address, seen[T_PLACES], 4, a[i + AHEAD], b[i + AHEAD])
        place = find2(address, seen[T_PLACES], 4, a[i], b[i])
        if place >= 0 and not insert and load64(address, place + 3) > times[i]:
            status[i] = NEW
            continue
        if place >= 0:
            same = load64(address, place + 2) == np.int64(content[i])
            status[i] = REPEAT if same else CONFLICT
            continue
        status[i] = NEW
        if insert:
            place = -1 - place
            store64(address, place, a[i])
            store64(address, place + 1, b[i])
            store64(address, place + 2, np.int64(content[i]))
            store64(address, place + 3, times[i])
            seen[T_COUNT] += 1


@kernel(nrt=False, inner=True)
def precedes(
    x: Any, y: Any, ranks: Any, id_offsets: Any, id_bytes: Any, content: Any, source: Any, line: Any
) -> Any:
    """Whether event x comes before y of the same time: reporter, id bytes, content, place."""
    if ranks[x] != ranks[y]:
        return ranks[x] < ranks[y]
    p = id_offsets[x]
    q = id_offsets[y]
    while p < id_offsets[x + 1] and q < id_offsets[y + 1]:
        if id_bytes[p] != id_bytes[q]:
            return id_bytes[p] < id_bytes[q]
        p += 1
        q += 1
    left = id_offsets[x + 1] - p
    right = id_offsets[y + 1] - q
    if left != right:
        return left < right
    if content[x] != content[y]:
        return content[x] < content[y]
    # identical repeats: which copy is kept must not depend on how the sources were read
    if source[x] != source[y]:
        return source[x] < source[y]
    return line[x] < line[y]


@kernel(nrt=False)
def order_ties(
    order: Any,
    times: Any,
    ranks: Any,
    id_offsets: Any,
    id_bytes: Any,
    content: Any,
    source: Any,
    line: Any,
    scratch: Any,
) -> None:
    """Put runs of equal time into canonical order (bottom-up merge sort of each run)."""
    n = order.shape[0]
    start = 0
    while start < n:
        end = start + 1
        while end < n and times[order[end]] == times[order[start]]:
            end += 1
        width = 1
        while width < end - start:
            left = start
            while left < end:
                middle = min(left + width, end)
                right = min(left + 2 * width, end)
                p = left
                q = middle
                k = left
                while k < right:
                    if p < middle and (
                        q >= right
                        or not precedes(
                            order[q], order[p], ranks, id_offsets, id_bytes, content, source, line
                        )
                    ):
                        scratch[k] = order[p]
                        p += 1
                    else:
                        scratch[k] = order[q]
                        q += 1
                    k += 1
                left = right
            for k in range(start, end):
                order[k] = scratch[k]
            width *= 2
        start = end


@kernel(nrt=False)
def mark_late(times: Any, n: Any, newest: Any, lateness: Any, late: Any, before: Any) -> Any:
    """Mark events older than the newest before them minus the lateness; returns the newest time.

    ``before`` receives the newest time before each event.
    """
    for i in range(n):
        before[i] = newest
        late[i] = 1 if times[i] < newest - lateness else 0
        if times[i] > newest:
            newest = times[i]
    return newest


@kernel(nrt=False)
def list_sizes(offsets: Any, order: Any) -> Any:
    """How many values the lists at these places have together."""
    total = 0
    for k in range(order.shape[0]):
        total += offsets[order[k] + 1] - offsets[order[k]]
    return total


@kernel(nrt=False)
def gather_lists(offsets: Any, values: Any, order: Any, to: Any, starts: Any, found: Any) -> None:
    """Copy the lists at these places one after another, from ``found[to]`` on; ``starts`` receives
    where each begins and, last, where the last ends."""
    starts[0] = to
    for k in range(order.shape[0]):
        for at in range(offsets[order[k]], offsets[order[k] + 1]):
            found[to] = values[at]
            to += 1
        starts[k + 1] = to


@kernel(nrt=False)
def gather_columns(origins: Any, whose: Any, places: Any, found: Any) -> None:
    """Put events of several blocks side by side: of the k-th the place ``places[k]`` of the block
    ``whose[k]``. ``origins[row, block]``: where a column of a block begins, 0 where all of it is
    missing."""
    for row in range(origins.shape[0]):
        for k in range(places.shape[0]):
            origin = origins[row, whose[k]]
            found[row, k] = load64(origin, places[k]) if origin else MIN


@kernel(nrt=False)
def filled_columns(columns: Any, count: Any, filled: Any) -> None:
    """Say of each of the first columns whether any of ``count`` events has it."""
    for row in range(filled.shape[0]):
        for k in range(count):
            if columns[row, k] != MIN:
                filled[row] = True
                break
