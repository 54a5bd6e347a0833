"""Window kernels: measures over a subject's rows, in canonical order, measure by measure.

Rules 12-16 of docs/concepts/semantics.md. A cell per (measure, subject slot) holds a stamp of the
period and a count of uncertain contributions in word 0, then the running value. Cells come from
one pool, at a subject's first contribution to a measure; where they are stands side by side for all
measures of a subject, so that those of a key space meet it in the cache. Rolling
windows keep no buffer per subject: all rows of a key space are in one log in canonical order, and
each window is a cursor on it that takes expired entries back out (docs/concepts/engine.md).

More than 500 lines: each kind of window is one tight loop over all kinds of measure.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.words import prefetch64
from regtech.engine.kernels.periods import months_before
from regtech.engine.kernels.raw import (
    MAX,
    MIN,
    load32,
    load64,
    multiply_high,
    store32,
    store64,
)
from regtech.engine.kernels.tables import T_ADDRESS, T_COUNT, T_PLACES, find2, prefetch2

KINDS: Final = (
    "sum", "count", "distinct", "min", "max", "last", "stddev", "since_last", "first_seen",
    "outstanding", "figure", "persons",
)  # fmt: skip
KIND: Final = {name: index for index, name in enumerate(KINDS)}
(SUM, COUNT, DISTINCT, MINIMUM, MAXIMUM, LAST, STDDEV, SINCE_LAST, FIRST_SEEN, OUTSTANDING, FIGURE,
 PERSONS) = range(len(KINDS))  # fmt: skip
CELL_WORDS: Final = (2, 2, 2, 2, 2, 3, 5, 3, 3, 2, 8, 2)
CALENDAR, ROLLING, MONTHS, EVER = range(4)
PERIODS: Final = ("day", "week", "month", "quarter", "year", "business_day")
DAY, WEEK, MONTH, QUARTER, YEAR, BUSINESS_DAY = range(6)

# measure descriptor
(M_KIND, M_WINDOW, M_PERIOD, M_LENGTH, M_JURISDICTION, M_OUT, M_PLACES, M_NONNEGATIVE, M_TABLE,
M_LOG,
 M_BIT, M_VALUE, M_NEXT, M_PREVIOUS, M_ITEM_CELLS, M_CURSOR, M_PT, M_PS, M_PV, M_PMASK, M_PHEAD,
 M_PCURSOR, M_ACTIVE, M_WORDS, M_STRIDE) = range(25)  # fmt: skip
MEASURE_WORDS: Final = 25
# per type of contributing or reading row
R_FLAGS, R_FILTER, R_VALUE, R_KEY, R_READ, R_ITEM, R_AS_OF, R_ASKED = range(8)
ROLE_WORDS: Final = 8
# the pool of cells: its words, how many are taken and there, and how many more are wanted
POOL_ADDRESS, POOL_USED, POOL_ROOM, POOL_WANTED = range(4)
POOL_WORDS: Final = 4
CONTRIBUTES, READS = 1, 2
AHEAD: Final = 12
"""So many rows ahead cells begin to be loaded: about as long as memory takes to answer."""
STRETCH: Final = 1024
"""So many rows of a jurisdiction all its measures see before the next ones."""
# log descriptor
(L_T, L_EVENT, L_PREVIOUS, L_SLOT, L_YES, L_UNKNOWN, L_MASK, L_HEAD, L_TAIL, L_HEADS, L_VALUES,
 L_VALUE_COUNT, L_JURISDICTION) = range(13)  # fmt: skip
LOG_WORDS: Final = 13

BIAS: Final = np.int64(1 << 30)
LOW32: Final = np.int64(0xFFFFFFFF)
DAY_US: Final = np.int64(86_400_000_000)
POISON: Final = np.int64(1 << 31)
"""Set in word 0 when a running sum left 64 bits: the value is unbounded from then on, and
counted."""


@inline_kernel(nrt=False)
def period_of(kind: Any, day: Any, month: Any, business_day: Any) -> Any:
    """Number of the calendar period of a row."""
    if kind == DAY:
        return day
    if kind == WEEK:
        return (day + 3) // 7
    if kind == MONTH:
        return month
    if kind == QUARTER:
        return month // 3
    if kind == YEAR:
        return month // 12
    return business_day


@inline_kernel(nrt=False)
def overflows(a: Any, b: Any, total: Any) -> Any:
    """Whether ``a + b = total`` left 64 bits."""
    return ((a ^ total) & (b ^ total)) < 0


@kernel(nrt=False, inner=True)
def square_add(lo: Any, hi: Any, x: Any) -> Any:
    """(hi, lo) + x * x as two unsigned words; x is a magnitude."""
    u = np.uint64(x)
    low = u * u
    high = multiply_high(u, u)
    total = np.uint64(lo) + low
    carry = np.uint64(1) if total < low else np.uint64(0)
    return np.int64(total), np.int64(np.uint64(hi) + high + carry)


@kernel(nrt=False, inner=True)
def deviation(count: Any, total: Any, lo: Any, hi: Any) -> Any:
    """Population standard deviation rounded down, from count, sum and sum of squares.

    floor(sqrt(n * q - s * s) / n) in integers; MIN where n * q does not fit 126 bits.
    """
    if count == 0:
        return MIN
    n = np.uint64(count)
    if np.uint64(hi) != np.uint64(0) and np.uint64(hi) > (np.uint64(1) << np.uint64(61)) // n:
        return MIN
    a_lo = np.uint64(lo) * n
    a_hi = np.uint64(hi) * n + multiply_high(np.uint64(lo), n)
    magnitude = np.uint64(total if total >= 0 else -total)
    s_lo = magnitude * magnitude
    s_hi = multiply_high(magnitude, magnitude)
    borrow = np.uint64(1) if a_lo < s_lo else np.uint64(0)
    d_lo = a_lo - s_lo
    d_hi = a_hi - s_hi - borrow
    # greatest r with (r * n)^2 <= d: bisection on r, products in 128 bits
    low = np.uint64(0)
    high = np.uint64(1) << np.uint64(62)
    while high - low > np.uint64(1):
        middle = low + ((high - low) >> np.uint64(1))
        fits = multiply_high(middle, n) == np.uint64(0)
        if fits:
            p = middle * n
            q_lo = p * p
            q_hi = multiply_high(p, p)
            fits = q_hi < d_hi or (q_hi == d_hi and q_lo <= d_lo)
        if fits:
            low = middle
        else:
            high = middle
    return np.int64(low)


@kernel(nrt=False)
def append_logs(
    logs: Any,
    starts: Any,
    row_event: Any,
    group_starts: Any,
    group_rows: Any,
    types: Any,
    times: Any,
    first_event: Any,
    F: Any,
    V: Any,
    S: Any,
    E: Any,
    keys: Any,
    filters: Any,
    filter_from: Any,
    values: Any,
    value_from: Any,
    value_addresses: Any,
    n_types: Any,
) -> None:
    """Append the contributing rows of each key space to its log; ``E[log, row]``: their index.

    For a log and type t, ``keys[log, t]`` is the key column, ``filters[k] = (bit, filter slot)``
    and
    ``values[k] = (value index, value slot)`` for k in ``*_from[log * n_types + t]`` and on.
    Head-room has been
    checked by the caller.
    """
    for log in range(logs.shape[0]):
        j = logs[log, L_JURISDICTION]
        mask = logs[log, L_MASK]
        head = logs[log, L_HEAD]
        of_types = 0
        sole = 0
        for kind in range(n_types):
            if keys[log, kind] >= 0:
                of_types += 1
                sole = kind
        if of_types == 0:
            continue
        several = of_types > 1
        first = starts[j]
        last = starts[j + 1]
        if not several:
            first = group_starts[j * n_types + sole]
            last = group_starts[j * n_types + sole + 1]
        for k in range(first, last):
            r = k if several else group_rows[k]
            i = row_event[r]
            kind = types[i]
            column = keys[log, kind]
            if column < 0:
                continue
            if not several and k + AHEAD < last:
                ahead = S[column, group_rows[k + AHEAD]]
                if ahead >= 0:
                    prefetch64(logs[log, L_HEADS], ahead)
            slot = S[column, r]
            if slot < 0:
                continue
            group = log * n_types + kind
            yes = np.int64(0)
            unknown = np.int64(0)
            for f in range(filter_from[group], filter_from[group + 1]):
                tri = np.int64(2)
                if filters[f, 1] >= 0:
                    tri = np.int64(F[filters[f, 1], r])
                yes |= (tri >> 1) << filters[f, 0]
                unknown |= (tri & 1) << filters[f, 0]
            if yes | unknown == 0:
                continue
            at = head & mask
            store64(logs[log, L_T], at, times[i])
            store64(logs[log, L_EVENT], at, first_event + i)
            before = load64(logs[log, L_HEADS], slot)
            distance = head + 1 - before
            store32(
                logs[log, L_PREVIOUS], at, distance if 0 < before and distance < 2147483647 else 0
            )
            store64(logs[log, L_HEADS], slot, head + 1)
            store32(logs[log, L_SLOT], at, slot)
            store32(logs[log, L_YES], at, yes)
            store32(logs[log, L_UNKNOWN], at, unknown)
            for v in range(value_from[group], value_from[group + 1]):
                store64(value_addresses[logs[log, L_VALUES] + values[v, 0]], at, V[values[v, 1], r])
            E[log, r] = head
            head += 1
        logs[log, L_HEAD] = head


@inline_kernel(nrt=False, inner=True)
def is_asked(m: Any, kind: Any, R: Any, F: Any, r: Any) -> Any:
    """Whether a rule may want to know the measure at a row that reads it."""
    return R[m, kind, R_ASKED] < 0 or F[R[m, kind, R_ASKED], r] != 0


@inline_kernel(nrt=False, inner=True)
def gives_or_asks(m: Any, kind: Any, R: Any, F: Any, r: Any) -> Any:
    """Whether a row may change the measure, or a rule may want to know it there."""
    flags = R[m, kind, R_FLAGS]
    if flags & CONTRIBUTES and (R[m, kind, R_FILTER] < 0 or F[R[m, kind, R_FILTER], r] != 0):
        return True
    return flags & READS != 0 and is_asked(m, kind, R, F, r)


@kernel(nrt=False, inner=True)
def rows_of_measure(
    m: Any,
    M: Any,
    R: Any,
    sole: Any,
    first: Any,
    last: Any,
    row_event: Any,
    types: Any,
    group_starts: Any,
    group_rows: Any,
    F: Any,
    visited: Any,
) -> Any:
    """Write the rows of ``first:last`` at which a measure changes or is asked; returns how many.

    ``sole[m]``: the only type of its rows, or -1 where there are several. No other row touches the
    measure's cells, so these are most of what a block costs.
    """
    j = M[m, M_JURISDICTION]
    n = 0
    kind = sole[m]
    if kind < 0:
        for r in range(first, last):
            if gives_or_asks(m, types[row_event[r]], R, F, r):
                visited[n] = r
                n += 1
        return n
    flags = R[m, kind, R_FLAGS]
    given = R[m, kind, R_FILTER] if flags & CONTRIBUTES else R[m, kind, R_ASKED]
    asked = R[m, kind, R_ASKED] if flags & READS else R[m, kind, R_FILTER]
    group = j * R.shape[1] + kind
    k = group_starts[group]
    end = group_starts[group + 1]
    if k < end and group_rows[k] < first:
        high = end
        while high - k > 1:
            middle = (k + high) >> 1
            if group_rows[middle] < first:
                k = middle
            else:
                high = middle
        k = high
    while k < end and group_rows[k] < last:
        r = group_rows[k]
        visited[n] = r
        n += 1 if given < 0 or asked < 0 or F[given, r] | F[asked, r] else 0
        k += 1
    return n


@inline_kernel(nrt=False, inner=True)
def prefetch_value(
    m: Any,
    M: Any,
    R: Any,
    row_event: Any,
    types: Any,
    V: Any,
    S: Any,
    tables: Any,
    visited: Any,
    place: Any,
    end: Any,
) -> None:
    """Start loading where a row's value will be looked for among a subject's distinct ones."""
    if place < end and M[m, M_KIND] == DISTINCT:
        r = visited[place]
        kind = types[row_event[r]]
        if R[m, kind, R_FLAGS] & CONTRIBUTES:
            slot = S[R[m, kind, R_KEY], r]
            value = V[R[m, kind, R_VALUE], r]
            if slot >= 0 and value != MIN:
                table = M[m, M_TABLE]
                prefetch2(tables[table, T_ADDRESS], tables[table, T_PLACES], 3, slot + 1, value)


@inline_kernel(nrt=False, inner=True)
def cell_of(places: Any, at: Any, words: Any, pool: Any) -> Any:
    """Where in the pool a subject's cell begins that is about to change; taken if there is none."""
    cell = load32(places, at)
    if cell == 0:
        cell = pool[POOL_USED]
        pool[POOL_USED] = cell + words
        store32(places, at, cell)
    return cell


@inline_kernel(nrt=False, inner=True)
def slot_at(m: Any, R: Any, row_event: Any, types: Any, S: Any, r: Any) -> Any:
    """Whose cell a row will change or read; -1 for nobody's."""
    kind = types[row_event[r]]
    return S[R[m, kind, R_KEY if R[m, kind, R_FLAGS] & CONTRIBUTES else R_READ], r]


@inline_kernel(nrt=False, inner=True)
def prefetch_cell(
    m: Any,
    R: Any,
    row_event: Any,
    types: Any,
    S: Any,
    places: Any,
    stride: Any,
    cells: Any,
    visited: Any,
    place: Any,
    end: Any,
) -> None:
    """Start loading the cell that a row will read or change, and where a later row's is."""
    if place + AHEAD < end:
        slot = slot_at(m, R, row_event, types, S, visited[place + AHEAD])
        if slot >= 0:
            prefetch64(places, (slot * stride) >> 1)
    if place < end:
        slot = slot_at(m, R, row_event, types, S, visited[place])
        if slot >= 0:
            prefetch64(cells, load32(places, slot * stride))


@kernel(nrt=False, inner=True)
def calendar_measures(
    m: Any,
    M: Any,
    R: Any,
    visited: Any,
    visits: Any,
    row_event: Any,
    row_source: Any,
    types: Any,
    times: Any,
    day: Any,
    month: Any,
    business_day: Any,
    F: Any,
    V: Any,
    S: Any,
    X: Any,
    XH: Any,
    pool: Any,
    tables: Any,
    person_offsets: Any,
    person_values: Any,
    errors: Any,
) -> None:
    """One measure over a calendar period, or over everything so far."""
    kind = M[m, M_KIND]
    out = M[m, M_OUT]
    places = M[m, M_PLACES]
    cells = pool[POOL_ADDRESS]
    words = M[m, M_WORDS]
    stride = M[m, M_STRIDE]
    ever = M[m, M_WINDOW] == EVER
    period_kind = M[m, M_PERIOD]
    nonnegative = M[m, M_NONNEGATIVE] != 0
    table = M[m, M_TABLE]
    for visit in range(visits):
        prefetch_cell(
            m, R, row_event, types, S, places, stride, cells, visited, visit + AHEAD, visits
        )
        prefetch_value(m, M, R, row_event, types, V, S, tables, visited, visit + AHEAD, visits)
        r = visited[visit]
        i = row_event[r]
        kind_of_event = types[i]
        flags = R[m, kind_of_event, R_FLAGS]
        period = np.int64(0)
        if not ever:
            period = period_of(period_kind, day[r], month[r], business_day[r])
        stamp = (period + BIAS) << 32
        since = MIN
        if flags & CONTRIBUTES:
            tri = np.int64(2)
            if R[m, kind_of_event, R_FILTER] >= 0:
                tri = np.int64(F[R[m, kind_of_event, R_FILTER], r])
            slot = S[R[m, kind_of_event, R_KEY], r] if tri != 0 else np.int64(-1)
            if slot >= 0:
                at = cell_of(places, slot * stride, words, pool)
                state = load64(cells, at)
                if (state & ~LOW32) != stamp:
                    state = stamp
                    for w in range(1, words):
                        store64(cells, at + w, 0)
                value = np.int64(0)
                if R[m, kind_of_event, R_VALUE] >= 0:
                    value = V[R[m, kind_of_event, R_VALUE], r]
                certain = tri == 2 and value != MIN
                if kind == SUM:
                    if certain:
                        before = load64(cells, at + 1)
                        total = before + value
                        if state & POISON == 0:
                            if overflows(before, value, total):
                                state |= POISON
                                errors[0] += 1
                                total = MAX - 1
                            store64(cells, at + 1, total)
                    elif state & LOW32 & ~POISON < POISON - 1:
                        state += 1
                elif kind == COUNT:
                    if tri == 2:
                        store64(cells, at + 1, load64(cells, at + 1) + 1)
                    elif state & LOW32 & ~POISON < POISON - 1:
                        state += 1
                elif kind == DISTINCT or kind == PERSONS:
                    if kind == PERSONS:
                        first = person_offsets[row_source[r]]
                        last = person_offsets[row_source[r] + 1]
                        certain = tri == 2
                    else:
                        first = np.int64(0)
                        last = np.int64(1)
                    if certain:
                        number = load64(cells, at + 1)
                        address = tables[table, T_ADDRESS]
                        for k in range(first, last):
                            if kind == PERSONS:
                                value = person_values[k]
                            place = find2(address, tables[table, T_PLACES], 3, slot + 1, value)
                            if place < 0:
                                place = -1 - place
                                store64(address, place, slot + 1)
                                store64(address, place + 1, value)
                                store64(address, place + 2, stamp)
                                tables[table, T_COUNT] += 1
                                number += 1
                            elif load64(address, place + 2) != stamp:
                                store64(address, place + 2, stamp)
                                number += 1
                        store64(cells, at + 1, number)
                    elif state & LOW32 & ~POISON < POISON - 1:
                        state += 1
                elif kind == MINIMUM or kind == MAXIMUM:
                    # word 1 holds value XOR MIN, so that a fresh cell (0) reads as empty (MIN)
                    if certain:
                        before = load64(cells, at + 1) ^ MIN
                        if before == MIN or (value < before) == (kind == MINIMUM):
                            store64(cells, at + 1, value ^ MIN)
                    elif state & LOW32 & ~POISON < POISON - 1:
                        state += 1
                elif kind == LAST:
                    store64(cells, at + 1, value)
                    store64(cells, at + 2, 1 if certain else 2)
                elif kind == STDDEV:
                    if certain:
                        before = load64(cells, at + 2)
                        total = before + value
                        if overflows(before, value, total):
                            state |= POISON
                            errors[0] += 1
                        store64(cells, at + 1, load64(cells, at + 1) + 1)
                        store64(cells, at + 2, total)
                        lo, hi = square_add(
                            load64(cells, at + 3), load64(cells, at + 4), abs(value)
                        )
                        store64(cells, at + 3, lo)
                        store64(cells, at + 4, hi)
                    elif state & LOW32 & ~POISON < POISON - 1:
                        state += 1
                elif kind == SINCE_LAST:
                    # the reading row looks at what was before itself
                    if flags & READS and S[R[m, kind_of_event, R_READ], r] == slot:
                        if load64(cells, at + 2) == 1:
                            since = times[i] - load64(cells, at + 1)
                    store64(cells, at + 1, times[i])
                    store64(cells, at + 2, 1 if tri == 2 else 2)
                elif kind == FIRST_SEEN:
                    if load64(cells, at + 2) == 0:
                        store64(cells, at + 1, times[i])
                        store64(cells, at + 2, 1 if tri == 2 else 2)
                store64(cells, at, state)
        if flags & READS and is_asked(m, kind_of_event, R, F, r):
            low = MIN
            high = MAX
            slot = S[R[m, kind_of_event, R_READ], r]
            if slot >= 0:
                at = load32(places, slot * stride)
                state = load64(cells, at)
                current = (state & ~LOW32) == stamp
                uncertain = current and (state & LOW32) != 0
                if kind == SUM or kind == COUNT or kind == DISTINCT or kind == PERSONS:
                    low = load64(cells, at + 1) if current else np.int64(0)
                    high = low
                    if uncertain:
                        high = MAX
                        if kind == SUM and not nonnegative:
                            low = MIN
                elif kind == MINIMUM or kind == MAXIMUM:
                    if current and not uncertain:
                        low = load64(cells, at + 1) ^ MIN
                        high = MAX if low == MIN else low
                elif kind == LAST:
                    if current and load64(cells, at + 2) == 1:
                        low = load64(cells, at + 1)
                        high = low
                elif kind == STDDEV:
                    if current and not uncertain:
                        low = deviation(
                            load64(cells, at + 1), load64(cells, at + 2), load64(cells, at + 3),
                            load64(cells, at + 4),
                        )  # fmt: skip
                        high = MAX if low == MIN else low
                elif kind == SINCE_LAST:
                    contributed = False
                    if flags & CONTRIBUTES:
                        tri = np.int64(2)
                        if R[m, kind_of_event, R_FILTER] >= 0:
                            tri = np.int64(F[R[m, kind_of_event, R_FILTER], r])
                        contributed = tri != 0 and S[R[m, kind_of_event, R_KEY], r] == slot
                    if contributed:
                        low = since
                    elif current and load64(cells, at + 2) == 1:
                        low = times[i] - load64(cells, at + 1)
                    high = MAX if low == MIN else low
                elif kind == FIRST_SEEN:
                    if current and load64(cells, at + 2) == 1:
                        low = times[i] - load64(cells, at + 1)
                        high = low
            X[out, r] = low
            XH[out, r] = high


@kernel(nrt=False, inner=True)
def rolling_measures(
    m: Any,
    M: Any,
    R: Any,
    logs: Any,
    last_row: Any,
    visited: Any,
    visits: Any,
    row_event: Any,
    row_source: Any,
    types: Any,
    times: Any,
    shifted: Any,
    standard: Any,
    F: Any,
    V: Any,
    S: Any,
    E: Any,
    X: Any,
    XH: Any,
    pool: Any,
    tables: Any,
    value_addresses: Any,
    person_offsets: Any,
    person_values: Any,
    errors: Any,
) -> None:
    """One measure over a rolling window: a cursor on the key space's log takes out what expired."""
    kind = M[m, M_KIND]
    j = M[m, M_JURISDICTION]
    out = M[m, M_OUT]
    places = M[m, M_PLACES]
    cells = pool[POOL_ADDRESS]
    stride = M[m, M_STRIDE]
    words = M[m, M_WORDS]
    length = M[m, M_LENGTH]
    in_months = M[m, M_WINDOW] == MONTHS
    nonnegative = M[m, M_NONNEGATIVE] != 0
    table = M[m, M_TABLE]
    log = M[m, M_LOG]
    mask = logs[log, L_MASK]
    bit = M[m, M_BIT]
    log_t = logs[log, L_T]
    log_slot = logs[log, L_SLOT]
    log_yes = logs[log, L_YES]
    log_unknown = logs[log, L_UNKNOWN]
    log_value = np.int64(0)
    if M[m, M_VALUE] >= 0:
        log_value = value_addresses[logs[log, L_VALUES] + M[m, M_VALUE]]
    nexts = M[m, M_NEXT]
    previous = M[m, M_PREVIOUS]
    cursor = M[m, M_CURSOR]
    shift = standard[j] if in_months else np.int64(0)
    this_day = MIN
    earliest = np.int64(0)
    # once more at the end, for the last row of all: a window that nobody asked lets go too
    for visit in range(visits + 1):
        prefetch_cell(
            m, R, row_event, types, S, places, stride, cells, visited, visit + AHEAD, visits
        )
        prefetch_value(m, M, R, row_event, types, V, S, tables, visited, visit + AHEAD, visits)
        r = visited[visit] if visit < visits else last_row
        i = row_event[r]
        kind_of_event = types[i]
        flags = R[m, kind_of_event, R_FLAGS] if visit < visits else np.int64(0)
        if in_months:
            midnight = shifted[r] // DAY_US * DAY_US
            if midnight != this_day:
                this_day = midnight
                earliest = months_before(midnight, length)
            # the end of a month's last day, where that month is shorter, whatever the hour
            limit = earliest
            if earliest % DAY_US == 0:
                limit += shifted[r] - midnight
        else:
            limit = times[i] - length
        # --- take out what has left the window
        if kind == PERSONS:
            pc = M[m, M_PCURSOR]
            while pc < M[m, M_PHEAD]:
                at = pc & M[m, M_PMASK]
                if load64(M[m, M_PT], at) + shift > limit:
                    break
                slot = load64(M[m, M_PS], at)
                value = load64(M[m, M_PV], at)
                cell = load32(places, slot * stride)
                if value < 0:
                    store64(cells, cell, load64(cells, cell) - 1)
                else:
                    place = find2(
                        tables[table, T_ADDRESS], tables[table, T_PLACES], 3, slot + 1, value
                    )
                    if place >= 0 and load64(tables[table, T_ADDRESS], place + 2) == pc + 1:
                        store64(cells, cell + 1, load64(cells, cell + 1) - 1)
                pc += 1
            M[m, M_PCURSOR] = pc
        elif kind != LAST and kind != SINCE_LAST:
            head = logs[log, L_HEAD]  # what came after this row is inside the window
            while cursor < head:
                at = cursor & mask
                if load64(log_t, at) + shift > limit:
                    break
                if cursor + 2 * AHEAD < head:
                    ahead = (cursor + 2 * AHEAD) & mask
                    if ((load32(log_yes, ahead) | load32(log_unknown, ahead)) >> bit) & 1:
                        prefetch64(places, (load32(log_slot, ahead) * stride) >> 1)
                if cursor + AHEAD < head:
                    ahead = (cursor + AHEAD) & mask
                    if ((load32(log_yes, ahead) | load32(log_unknown, ahead)) >> bit) & 1:
                        slot = load32(log_slot, ahead)
                        prefetch64(cells, load32(places, slot * stride))
                        if kind == DISTINCT:
                            prefetch2(
                                tables[table, T_ADDRESS], tables[table, T_PLACES], 3, slot + 1,
                                load64(log_value, ahead),
                            )  # fmt: skip
                yes = (load32(log_yes, at) >> bit) & 1
                unknown = (load32(log_unknown, at) >> bit) & 1
                if yes | unknown:
                    slot = load32(log_slot, at)
                    cell = load32(places, slot * stride)
                    value = load64(log_value, at) if log_value != 0 else np.int64(0)
                    certain = yes != 0 and value != MIN
                    if kind == COUNT:
                        certain = yes != 0
                    if kind == FIRST_SEEN:
                        following = load64(nexts, at)
                        store64(cells, cell + 1, following)
                        if following == 0:
                            store64(cells, cell + 2, 0)
                    elif not certain:
                        store64(cells, cell, load64(cells, cell) - 1)
                    elif kind == SUM:
                        store64(cells, cell + 1, load64(cells, cell + 1) - value)
                    elif kind == COUNT:
                        store64(cells, cell + 1, load64(cells, cell + 1) - 1)
                    elif kind == DISTINCT:
                        place = find2(
                            tables[table, T_ADDRESS], tables[table, T_PLACES], 3, slot + 1, value
                        )
                        if place >= 0 and load64(tables[table, T_ADDRESS], place + 2) == cursor + 1:
                            store64(cells, cell + 1, load64(cells, cell + 1) - 1)
                    elif kind == MINIMUM or kind == MAXIMUM:
                        if load64(cells, cell + 1) == cursor + 1:
                            following = load64(nexts, at)
                            store64(cells, cell + 1, following)
                            if following == 0:
                                store64(cells, cell + 2, 0)
                            else:
                                store64(previous, (following - 1) & mask, 0)
                    elif kind == STDDEV:
                        store64(cells, cell + 1, load64(cells, cell + 1) - 1)
                        store64(cells, cell + 2, load64(cells, cell + 2) - value)
                        lo, hi = square_add(0, 0, abs(value))
                        old = np.uint64(load64(cells, cell + 3))
                        borrow = np.uint64(1) if old < np.uint64(lo) else np.uint64(0)
                        store64(cells, cell + 3, np.int64(old - np.uint64(lo)))
                        store64(
                            cells, cell + 4,
                            np.int64(np.uint64(load64(cells, cell + 4)) - np.uint64(hi) - borrow),
                        )  # fmt: skip
                cursor += 1
        # --- take in the present row
        since = MIN
        contributed = np.int64(-1)
        if flags & CONTRIBUTES:
            tri = np.int64(2)
            if R[m, kind_of_event, R_FILTER] >= 0:
                tri = np.int64(F[R[m, kind_of_event, R_FILTER], r])
            slot = S[R[m, kind_of_event, R_KEY], r] if tri != 0 else np.int64(-1)
            if slot >= 0:
                cell = cell_of(places, slot * stride, words, pool)
                entry = E[log, r]
                at = entry & mask
                value = load64(log_value, at) if log_value != 0 else np.int64(0)
                certain = tri == 2 and value != MIN
                contributed = slot
                if kind == PERSONS:
                    head = M[m, M_PHEAD]
                    if tri != 2:
                        store64(M[m, M_PT], head & M[m, M_PMASK], times[i])
                        store64(M[m, M_PS], head & M[m, M_PMASK], slot)
                        store64(M[m, M_PV], head & M[m, M_PMASK], -1)
                        store64(cells, cell, load64(cells, cell) + 1)
                        head += 1
                    else:
                        address = tables[table, T_ADDRESS]
                        number = load64(cells, cell + 1)
                        for k in range(
                            person_offsets[row_source[r]], person_offsets[row_source[r] + 1]
                        ):
                            person = person_values[k]
                            store64(M[m, M_PT], head & M[m, M_PMASK], times[i])
                            store64(M[m, M_PS], head & M[m, M_PMASK], slot)
                            store64(M[m, M_PV], head & M[m, M_PMASK], person)
                            place = find2(address, tables[table, T_PLACES], 3, slot + 1, person)
                            if place < 0:
                                place = -1 - place
                                store64(address, place, slot + 1)
                                store64(address, place + 1, person)
                                tables[table, T_COUNT] += 1
                                number += 1
                            elif load64(address, place + 2) <= M[m, M_PCURSOR]:
                                number += 1
                            store64(address, place + 2, head + 1)
                            head += 1
                        store64(cells, cell + 1, number)
                    M[m, M_PHEAD] = head
                elif kind == LAST or kind == SINCE_LAST:
                    if kind == SINCE_LAST and load64(cells, cell + 2) == 1:
                        since = load64(cells, cell)
                    store64(cells, cell, times[i])
                    store64(cells, cell + 1, value)
                    store64(
                        cells, cell + 2, 1 if (certain or (kind == SINCE_LAST and tri == 2)) else 2
                    )
                elif kind == FIRST_SEEN:
                    # all contributions in a queue; words 1 and 2 are its first and last entry
                    store64(nexts, at, 0)
                    last = load64(cells, cell + 2)
                    if last == 0:
                        store64(cells, cell + 1, entry + 1)
                    else:
                        store64(nexts, (last - 1) & mask, entry + 1)
                    store64(cells, cell + 2, entry + 1)
                elif kind == COUNT and tri == 2:
                    store64(cells, cell + 1, load64(cells, cell + 1) + 1)
                elif not certain:
                    store64(cells, cell, load64(cells, cell) + 1)
                elif kind == SUM:
                    before = load64(cells, cell + 1)
                    total = before + value
                    if overflows(before, value, total):
                        store64(cells, cell, load64(cells, cell) | (POISON << 8))
                        errors[0] += 1
                    store64(cells, cell + 1, total)
                elif kind == DISTINCT:
                    address = tables[table, T_ADDRESS]
                    place = find2(address, tables[table, T_PLACES], 3, slot + 1, value)
                    if place < 0:
                        place = -1 - place
                        store64(address, place, slot + 1)
                        store64(address, place + 1, value)
                        tables[table, T_COUNT] += 1
                        store64(cells, cell + 1, load64(cells, cell + 1) + 1)
                    elif load64(address, place + 2) <= cursor:
                        store64(cells, cell + 1, load64(cells, cell + 1) + 1)
                    store64(address, place + 2, entry + 1)
                elif kind == MINIMUM or kind == MAXIMUM:
                    last = load64(cells, cell + 2)
                    while last != 0:
                        other = load64(log_value, (last - 1) & mask)
                        if (other < value) if kind == MINIMUM else (other > value):
                            break
                        last = load64(previous, (last - 1) & mask)
                    store64(previous, at, last)
                    store64(nexts, at, 0)
                    if last == 0:
                        store64(cells, cell + 1, entry + 1)
                    else:
                        store64(nexts, (last - 1) & mask, entry + 1)
                    store64(cells, cell + 2, entry + 1)
                elif kind == STDDEV:
                    store64(cells, cell + 1, load64(cells, cell + 1) + 1)
                    before = load64(cells, cell + 2)
                    total = before + value
                    if overflows(before, value, total):
                        store64(cells, cell, load64(cells, cell) | (POISON << 8))
                        errors[0] += 1
                    store64(cells, cell + 2, total)
                    lo, hi = square_add(
                        load64(cells, cell + 3), load64(cells, cell + 4), abs(value)
                    )
                    store64(cells, cell + 3, lo)
                    store64(cells, cell + 4, hi)
        # --- read
        if flags & READS and is_asked(m, kind_of_event, R, F, r):
            low = MIN
            high = MAX
            slot = S[R[m, kind_of_event, R_READ], r]
            if slot >= 0:
                cell = load32(places, slot * stride)
                if kind == LAST:
                    if load64(cells, cell + 2) == 1 and load64(cells, cell) + shift > limit:
                        low = load64(cells, cell + 1)
                        high = low
                elif kind == SINCE_LAST:
                    if contributed == slot:
                        if since != MIN and since + shift > limit:
                            low = times[i] - since
                    elif load64(cells, cell + 2) == 1 and load64(cells, cell) + shift > limit:
                        low = times[i] - load64(cells, cell)
                    high = MAX if low == MIN else low
                elif kind == FIRST_SEEN:
                    first = load64(cells, cell + 1)
                    if first != 0 and (load32(log_yes, (first - 1) & mask) >> bit) & 1:
                        low = times[i] - load64(log_t, (first - 1) & mask)
                        high = low
                else:
                    state = load64(cells, cell)
                    uncertain = state != 0
                    if kind == SUM or kind == COUNT or kind == DISTINCT or kind == PERSONS:
                        low = load64(cells, cell + 1)
                        high = low
                        if uncertain:
                            high = MAX
                            if kind == SUM and (not nonnegative or state >= POISON << 8):
                                low = MIN
                    elif not uncertain:
                        if kind == MINIMUM or kind == MAXIMUM:
                            first = load64(cells, cell + 1)
                            if first != 0:
                                low = load64(log_value, (first - 1) & mask)
                                high = low
                        elif kind == STDDEV:
                            low = deviation(
                                load64(cells, cell + 1), load64(cells, cell + 2),
                                load64(cells, cell + 3), load64(cells, cell + 4),
                            )  # fmt: skip
                            high = MAX if low == MIN else low
            X[out, r] = low
            XH[out, r] = high
    M[m, M_CURSOR] = cursor


@kernel(nrt=False, inner=True)
def outstanding_measures(
    m: Any,
    M: Any,
    R: Any,
    visited: Any,
    visits: Any,
    row_event: Any,
    types: Any,
    F: Any,
    V: Any,
    S: Any,
    X: Any,
    XH: Any,
    pool: Any,
    errors: Any,
) -> None:
    """Sum over items of the latest balance: the new balance replaces the item's old one."""
    out = M[m, M_OUT]
    places = M[m, M_PLACES]
    cells = pool[POOL_ADDRESS]
    items = M[m, M_ITEM_CELLS]
    stride = M[m, M_STRIDE]
    words = M[m, M_WORDS]
    nonnegative = M[m, M_NONNEGATIVE] != 0
    for visit in range(visits):
        r = visited[visit]
        kind_of_event = types[row_event[r]]
        flags = R[m, kind_of_event, R_FLAGS]
        if flags & CONTRIBUTES:
            tri = np.int64(2)
            if R[m, kind_of_event, R_FILTER] >= 0:
                tri = np.int64(F[R[m, kind_of_event, R_FILTER], r])
            slot = np.int64(-1)
            item = np.int64(-1)
            if tri != 0:
                slot = S[R[m, kind_of_event, R_KEY], r]
                item = S[R[m, kind_of_event, R_ITEM], r]
            if slot >= 0 and item < 0:
                # it cannot be said which balance this one replaces: the total stays uncertain
                cell = cell_of(places, slot * stride, words, pool)
                store64(cells, cell, load64(cells, cell) + 1)
            if slot >= 0 and item >= 0:
                value = V[R[m, kind_of_event, R_VALUE], r]
                certain = tri == 2 and value != MIN
                status = load64(items, item * 2)
                cell = cell_of(places, slot * stride, words, pool)
                total = load64(cells, cell + 1)
                uncertain = load64(cells, cell)
                if status == 1:
                    total -= load64(items, item * 2 + 1)
                elif status == 2:
                    uncertain -= 1
                if certain:
                    after = total + value
                    if overflows(total, value, after):
                        uncertain |= POISON << 8
                        errors[0] += 1
                    total = after
                    store64(items, item * 2, 1)
                    store64(items, item * 2 + 1, value)
                else:
                    uncertain += 1
                    store64(items, item * 2, 2)
                store64(cells, cell, uncertain)
                store64(cells, cell + 1, total)
        if flags & READS and is_asked(m, kind_of_event, R, F, r):
            low = MIN
            high = MAX
            slot = S[R[m, kind_of_event, R_READ], r]
            if slot >= 0:
                cell = load32(places, slot * stride)
                state = load64(cells, cell)
                if state == 0:
                    low = load64(cells, cell + 1)
                    high = low
                elif nonnegative and state < POISON << 8:
                    low = load64(cells, cell + 1)
            X[out, r] = low
            XH[out, r] = high


@kernel(nrt=False, inner=True)
def figure_measures(
    m: Any,
    M: Any,
    R: Any,
    visited: Any,
    visits: Any,
    row_event: Any,
    types: Any,
    day: Any,
    F: Any,
    V: Any,
    S: Any,
    X: Any,
    XH: Any,
    pool: Any,
) -> None:
    """The reported figure of the greatest day before the reading row's; four days are kept.

    A cell is four pairs (day + BIAS, value), newest day first; a later report for the same day
    replaces the earlier.
    """
    out = M[m, M_OUT]
    places = M[m, M_PLACES]
    cells = pool[POOL_ADDRESS]
    stride = M[m, M_STRIDE]
    words = M[m, M_WORDS]
    for visit in range(visits):
        r = visited[visit]
        kind_of_event = types[row_event[r]]
        flags = R[m, kind_of_event, R_FLAGS]
        if flags & CONTRIBUTES:
            tri = np.int64(2)
            if R[m, kind_of_event, R_FILTER] >= 0:
                tri = np.int64(F[R[m, kind_of_event, R_FILTER], r])
            slot = S[R[m, kind_of_event, R_KEY], r] if tri == 2 else np.int64(-1)
            if slot >= 0:
                as_of = V[R[m, kind_of_event, R_AS_OF], r]
                if as_of == MIN:
                    as_of = day[r]
                key = as_of + BIAS
                value = V[R[m, kind_of_event, R_VALUE], r]
                at = cell_of(places, slot * stride, words, pool)
                k = 0
                while k < 4 and load64(cells, at + 2 * k) > key:
                    k += 1
                if k < 4:
                    if load64(cells, at + 2 * k) != key:
                        for q in range(3, k, -1):
                            store64(cells, at + 2 * q, load64(cells, at + 2 * q - 2))
                            store64(cells, at + 2 * q + 1, load64(cells, at + 2 * q - 1))
                    store64(cells, at + 2 * k, key)
                    store64(cells, at + 2 * k + 1, value)
        if flags & READS and is_asked(m, kind_of_event, R, F, r):
            low = MIN
            slot = S[R[m, kind_of_event, R_READ], r]
            if slot >= 0:
                at = load32(places, slot * stride)
                for k in range(4):
                    key = load64(cells, at + 2 * k)
                    if key != 0 and key - BIAS < day[r]:
                        low = load64(cells, at + 2 * k + 1)
                        break
            X[out, r] = low
            XH[out, r] = MAX if low == MIN else low


@kernel(nrt=False)
def run_measures(
    begin: Any,
    M: Any,
    R: Any,
    sole: Any,
    logs: Any,
    starts: Any,
    row_event: Any,
    row_source: Any,
    types: Any,
    group_starts: Any,
    group_rows: Any,
    times: Any,
    day: Any,
    month: Any,
    business_day: Any,
    shifted: Any,
    standard: Any,
    F: Any,
    V: Any,
    S: Any,
    E: Any,
    X: Any,
    XH: Any,
    pool: Any,
    most_words: Any,
    tables: Any,
    value_addresses: Any,
    person_offsets: Any,
    person_values: Any,
    errors: Any,
    visited: Any,
) -> Any:
    """All active measures over one block, from the stretch on that begins at a row; -1 at the end.

    Stretch by stretch: the cells of its subjects are still near when the next measure wants them.
    Where the pool may have too few cells left for a stretch, it says how many words are wanted and
    returns where to go on: ``most_words[j]`` is what a row of a jurisdiction may take.
    """
    longest = np.int64(0)
    for j in range(starts.shape[0] - 1):
        longest = max(longest, starts[j + 1] - starts[j])
    while begin < longest:
        wanted = np.int64(0)
        for j in range(starts.shape[0] - 1):
            rows = min(starts[j + 1] - starts[j] - begin, STRETCH)
            wanted += max(rows, 0) * most_words[j]
        pool[POOL_WANTED] = wanted
        if pool[POOL_USED] + wanted > pool[POOL_ROOM]:
            return begin
        for m in range(M.shape[0]):
            j = M[m, M_JURISDICTION]
            first = starts[j] + begin
            last = min(first + STRETCH, starts[j + 1])
            if M[m, M_ACTIVE] == 0 or first >= last:
                continue
            visits = rows_of_measure(
                m, M, R, sole, first, last, row_event, types, group_starts, group_rows, F, visited
            )
            kind = M[m, M_KIND]
            if kind == FIGURE:
                figure_measures(
                    m, M, R, visited, visits, row_event, types, day, F, V, S, X, XH, pool
                )
            elif kind == OUTSTANDING:
                outstanding_measures(
                    m, M, R, visited, visits, row_event, types, F, V, S, X, XH, pool, errors
                )
            elif M[m, M_WINDOW] == CALENDAR or M[m, M_WINDOW] == EVER:
                calendar_measures(
                    m, M, R, visited, visits, row_event, row_source, types, times, day, month,
                    business_day, F, V, S, X, XH, pool, tables, person_offsets, person_values,
                    errors,
                )  # fmt: skip
            else:
                rolling_measures(
                    m, M, R, logs, last - 1, visited, visits, row_event, row_source, types, times,
                    shifted, standard, F, V, S, E, X, XH, pool, tables, value_addresses,
                    person_offsets, person_values, errors,
                )  # fmt: skip
        begin += STRETCH
    return -1
