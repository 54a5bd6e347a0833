"""From events to rows: facts about parties, governing jurisdictions, legs.

Rules 4-7 of docs/concepts/semantics.md. All loops run in canonical order, so a fact holds from its
place on. Rows come out jurisdiction by jurisdiction, each in canonical order.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.jit import kernel
from regtech.columns.memory import trailing_zeros
from regtech.columns.words import prefetch64
from regtech.engine.kernels.raw import MIN, load64, mix, store64
from regtech.engine.kernels.tables import T_ADDRESS, T_COUNT, T_PLACES, find2, prefetch2

TRANSACTION = 0
FIGURE = 4
SIDE_OUT, SIDE_IN, SIDE_NONE = 0, 1, 2
FLAG_LEG, FLAG_PRIMARY = 1, 2
FAR, NEAR = 32, 12
"""So many events ahead their columns, and what stands under the parties there, begin to load."""
STRETCH = 64
"""So many events are looked up in a table of payments one behind the other."""
PAYMENT_WORDS, PAYMENT_HOUR = 3, 2
"""Entries of a table of payments: two words of their key, then the hour and who sent it first."""
HOUR_US: Final = np.int64(3_600_000_000)
CODE_BITS: Final = 32
"""Of the last word those below the hour: a code of a text has 31."""
_CODE: Final = np.int64((1 << CODE_BITS) - 1)

# Columns that `make_rows` needs, as positions in its `wanted` argument.
(W_TYPE, W_TIME, W_REPORTER, W_PAYER, W_PAYER_INST, W_PAYEE, W_PAYEE_INST, W_REFERENCE, W_AMOUNT,
 W_CURRENCY, W_PAYER_COUNTRY, W_PAYEE_COUNTRY) = range(12)  # fmt: skip


@kernel(nrt=False)
def apply_facts(
    cols: Any,
    src: Any,
    n: Any,
    type_col: Any,
    reporter_col: Any,
    set_id_col: Any,
    set_pairs: Any,
    parties: Any,
    parties_from: Any,
    fill: Any,
    derived: Any,
    derived_from: Any,
    places: Any,
    facts: Any,
    used: Any,
    party_type: Any,
    ahead: Any,
) -> None:
    """Set facts from party events, fill in what later events leave out, look up derived columns.

    ``set_pairs[k] = (fact, column)`` for party events. ``parties[p] = (id column, first, last)``
    for types ``parties_from[t]:parties_from[t+1]``: of such a party ``fill[first:last] = (fact,
    column)``; ``derived[k] = (source column, fact, target column)`` for types
    ``derived_from[t]:derived_from[t+1]``. A derived lookup with a missing source uses the reporter.
    ``facts[places[party]]`` are the facts of a party, ``used[0]`` rows are taken; row 0 is of those
    that nothing was said about. Facts are kept XOR MIN, so that fresh memory (0) is a missing fact.

    An event has some thirty columns here, each far from the others: they are loaded well ahead, and
    then the facts of the parties that they name. Eight events stand on a line, so once they were
    asked for, those of the same type (``ahead``) are not asked for again.
    """
    capacity = places.shape[0]
    base = cols.ctypes.data
    stride = cols.strides[0] // 8
    facts_base = facts.ctypes.data
    places_base = places.ctypes.data
    width = facts.shape[1]
    for kind in range(ahead.shape[0]):
        ahead[kind] = -1
    for position in range(n):
        if position + FAR < n:
            i = src[position + FAR]
            kind = cols[type_col, i]
            if ahead[kind] != i >> 3:
                ahead[kind] = i >> 3
                for p in range(parties_from[kind], parties_from[kind + 1]):
                    prefetch64(base, parties[p, 0] * stride + i)
                    for k in range(parties[p, 1], parties[p, 2]):
                        prefetch64(base, fill[k, 1] * stride + i)
                for k in range(derived_from[kind], derived_from[kind + 1]):
                    prefetch64(base, derived[k, 0] * stride + i)
                    prefetch64(base, derived[k, 2] * stride + i)
        if position + NEAR < n:
            i = src[position + NEAR]
            kind = cols[type_col, i]
            for p in range(parties_from[kind], parties_from[kind + 1]):
                party = cols[parties[p, 0], i]
                if 0 <= party < capacity:
                    prefetch64(places_base, party >> 1)
            i = src[position + NEAR // 2]
            kind = cols[type_col, i]
            for p in range(parties_from[kind], parties_from[kind + 1]):
                party = cols[parties[p, 0], i]
                if 0 <= party < capacity and places[party] != 0:
                    prefetch64(facts_base, np.int64(places[party]) * width)
                    prefetch64(facts_base, (np.int64(places[party]) + 1) * width - 1)
        i = src[position]
        kind = cols[type_col, i]
        if kind == party_type and set_id_col >= 0:
            party = cols[set_id_col, i]
            if 0 <= party < capacity:
                if places[party] == 0:
                    places[party] = used[0]
                    used[0] += 1
                row = places[party]
                for k in range(set_pairs.shape[0]):
                    value = cols[set_pairs[k, 1], i]
                    if value != MIN:
                        facts[row, set_pairs[k, 0]] = value ^ MIN
        for p in range(parties_from[kind], parties_from[kind + 1]):
            party = cols[parties[p, 0], i]
            if party < 0 or party >= capacity or places[party] == 0:
                continue
            row = places[party]
            for k in range(parties[p, 1], parties[p, 2]):
                if cols[fill[k, 1], i] == MIN:
                    cols[fill[k, 1], i] = facts[row, fill[k, 0]] ^ MIN
        for k in range(derived_from[kind], derived_from[kind + 1]):
            source = cols[derived[k, 0], i]
            if source == MIN:
                source = cols[reporter_col, i]
            value = MIN
            if 0 <= source < capacity:
                value = facts[places[source], derived[k, 1]] ^ MIN
            cols[derived[k, 2], i] = value


@kernel(nrt=False)
def find_edges(cols: Any, src: Any, n: Any, wanted: Any, seen: Any, keys: Any, edges: Any) -> None:
    """Which events are payments between two parties that no other reporter has sent before.

    Two reports are of one payment where reference, amount, currency and both parties agree. The
    same reporter sending it under another id has made another payment. ``keys``: as in ``govern``.
    """
    stretch = keys.shape[1]
    for start in range(0, n, stretch):
        end = min(start + stretch, n)
        for i in range(start, end):
            keys[0, i - start] = 0
            at_event = src[i]
            if cols[wanted[W_TYPE], at_event] != TRANSACTION:
                continue
            payer = cols[wanted[W_PAYER], at_event]
            payee = cols[wanted[W_PAYEE], at_event]
            if payer == MIN or payee == MIN:
                continue
            edges[i] = True
            reference = cols[wanted[W_REFERENCE], at_event]
            if reference == MIN:
                continue
            a = np.int64(mix(reference, cols[wanted[W_AMOUNT], at_event]))
            a ^= np.int64(mix(cols[wanted[W_CURRENCY], at_event], 2))
            b = np.int64(mix(payer, payee))
            b ^= np.int64(mix(reference, 3))
            _note_key(keys, i - start, 0, a, b, seen)
        for i in range(start, end):
            if keys[0, i - start] == 0:
                continue
            reporter = cols[wanted[W_REPORTER], src[i]]
            first = _first_to_report(
                seen, keys[0, i - start], keys[1, i - start], reporter, cols[wanted[W_TIME], src[i]]
            )
            if not first:
                edges[i] = False


@kernel(nrt=False, inner=True)
def _note_key(keys: Any, place: Any, row: Any, a: Any, b: Any, seen: Any) -> None:
    """Keep the key of a payment, and begin to load its entry."""
    if a == 0:
        a = np.int64(1)
    keys[row, place] = a
    keys[row + 1, place] = b
    prefetch2(seen[T_ADDRESS], seen[T_PLACES], PAYMENT_WORDS, a, b)


@kernel(nrt=False, inner=True)
def _first_to_report(seen: Any, a: Any, b: Any, reporter: Any, time: Any) -> Any:
    """Whether no other reporter has sent the payment of a key before; notes it where it is new."""
    at = find2(seen[T_ADDRESS], seen[T_PLACES], PAYMENT_WORDS, a, b)
    if at >= 0:
        return load64(seen[T_ADDRESS], at + PAYMENT_HOUR) & _CODE == reporter
    at = -1 - at
    store64(seen[T_ADDRESS], at, a)
    store64(seen[T_ADDRESS], at + 1, b)
    store64(seen[T_ADDRESS], at + PAYMENT_HOUR, (time // HOUR_US) << CODE_BITS | reporter)
    seen[T_COUNT] += 1
    return True


@kernel(nrt=False)
def govern(
    cols: Any,
    src: Any,
    n: Any,
    wanted: Any,
    roles: Any,
    role_masks: Any,
    country_masks: Any,
    intl: Any,
    home: Any,
    seen: Any,
    keys: Any,
    governed: Any,
    legs: Any,
    leg_masks: Any,
    leg_institutions: Any,
    row_counts: Any,
    counters: Any,
    everywhere: Any,
) -> None:
    """Which jurisdictions govern each event, which sides are legs, and how many rows there will be.

    ``governed[i]``: bit set of jurisdictions. ``legs[i]``: bit 0 payer, bit 1 payee.
    ``leg_masks[s, i]``: jurisdictions that have that leg. ``counters[0]``: events no national law
    governs; ``counters[1]``: legs dropped because another reporter sent the same payment.

    Payments are looked up in a table that no cache holds: ``keys`` has room for those of a stretch
    of events, whose entries are on their way before the first is looked at.
    """
    n_roles = roles.shape[1]
    n_countries = country_masks.shape[0]
    zero = np.uint64(0)
    one = np.uint64(1)
    stretch = keys.shape[1]
    for start in range(0, n, stretch):
        end = min(start + stretch, n)
        for i in range(start, end):
            at_event = src[i]
            kind = cols[wanted[W_TYPE], at_event]
            mask = zero
            known = False
            for k in range(n_roles):
                column = roles[kind, k]
                if column < 0:
                    continue
                country = cols[column, at_event]
                if country == MIN:
                    continue
                known = True
                if country < n_countries:
                    mask |= country_masks[country] & role_masks[kind, k]
            if not known:
                mask = home
                if home == zero:
                    counters[0] += 1
            governed[i] = mask | intl
            legs[i] = 0
            if kind != TRANSACTION:
                continue
            reporter = cols[wanted[W_REPORTER], at_event]
            own = 0
            present = 0
            for side in range(2):
                party = cols[wanted[W_PAYER + 2 * side], at_event]
                if party == MIN:
                    continue
                present |= 1 << side
                institution = cols[wanted[W_PAYER_INST + 2 * side], at_event]
                if institution == MIN or institution == reporter:
                    own |= 1 << side
            chosen = own if own != 0 else present
            legs[i] = chosen
            reference = cols[wanted[W_REFERENCE], at_event]
            for side in range(2):
                keys[2 * side, i - start] = 0
                if chosen & (1 << side) == 0:
                    continue
                institution = cols[wanted[W_PAYER_INST + 2 * side], at_event]
                if institution == MIN:
                    institution = reporter
                leg_institutions[side, i] = institution
                if reference != MIN:
                    a = np.int64(mix(reference, cols[wanted[W_AMOUNT], at_event]))
                    a ^= np.int64(mix(cols[wanted[W_CURRENCY], at_event], side))
                    b = np.int64(
                        mix(cols[wanted[W_PAYER], at_event], cols[wanted[W_PAYEE], at_event])
                    )
                    b ^= np.int64(mix(institution, reference))
                    _note_key(keys, i - start, 2 * side, a, b, seen)
        for i in range(start, end):
            at_event = src[i]
            kind = cols[wanted[W_TYPE], at_event]
            mask = governed[i]
            if kind == TRANSACTION:
                chosen = legs[i]
                legs[i] = 0
                for side in range(2):
                    leg_masks[side, i] = zero
                    if chosen & (1 << side) == 0:
                        continue
                    a, b = keys[2 * side, i - start], keys[2 * side + 1, i - start]
                    if a != 0:
                        reporter = cols[wanted[W_REPORTER], at_event]
                        time = cols[wanted[W_TIME], at_event]
                        if not _first_to_report(seen, a, b, reporter, time):
                            counters[1] += 1
                            continue
                    # the looked-up column, not the facts as they stand: those may be of later
                    # events
                    country = cols[wanted[W_PAYER_COUNTRY + side], at_event]
                    if country == MIN:
                        leg_masks[side, i] = mask
                    elif country < n_countries:
                        leg_masks[side, i] = (country_masks[country] & mask) | intl
                    else:
                        leg_masks[side, i] = intl
                    legs[i] |= 1 << side
            if kind == FIGURE:
                # figures are known to all jurisdictions; only those that govern judge them by rules
                leg_masks[0, i] = mask
                mask = everywhere
            governed[i] = mask
            left = mask
            while left != zero:
                j = trailing_zeros(left)
                left &= left - one
                rows = 0
                if kind == TRANSACTION:
                    for side in range(2):
                        if (leg_masks[side, i] >> np.uint64(j)) & one != zero:
                            rows += 1
                row_counts[j] += rows if rows > 0 else 1


@kernel(nrt=False)
def make_rows(
    types: Any,
    src: Any,
    n: Any,
    n_types: Any,
    governed: Any,
    leg_masks: Any,
    leg_institutions: Any,
    starts: Any,
    row_event: Any,
    row_source: Any,
    row_side: Any,
    row_flags: Any,
    row_institution: Any,
    group_starts: Any,
    group_rows: Any,
) -> None:
    """Write the rows, jurisdiction by jurisdiction, and the row list of each (jurisdiction, type).

    ``row_event[r]`` is the event's place in canonical order, ``row_source[r]`` its place in the
    columns.
    ``starts[j]`` is the first row of jurisdiction j (moved on while writing, restored at the end);
    group g = j * n_types + type has rows ``group_rows[group_starts[g]:group_starts[g + 1]]``.
    """
    n_jurisdictions = starts.shape[0] - 1
    one = np.uint64(1)
    zero = np.uint64(0)
    for g in range(group_starts.shape[0]):
        group_starts[g] = 0
    for i in range(n):
        left = governed[i]
        kind = types[i]
        while left != zero:
            j = trailing_zeros(left)
            bit = np.uint64(j)
            left &= left - one
            first = starts[j]
            if kind == TRANSACTION:
                for side in range(2):
                    if (leg_masks[side, i] >> bit) & one != zero:
                        r = starts[j]
                        row_event[r] = i
                        row_source[r] = src[i]
                        row_side[r] = side
                        row_flags[r] = FLAG_LEG | (FLAG_PRIMARY if r == first else 0)
                        row_institution[r] = leg_institutions[side, i]
                        starts[j] = r + 1
            if starts[j] == first:
                row_event[first] = i
                row_source[first] = src[i]
                row_side[first] = SIDE_NONE
                row_flags[first] = FLAG_PRIMARY
                if kind == FIGURE and (leg_masks[0, i] >> bit) & one == zero:
                    row_flags[first] = 0
                row_institution[first] = MIN
                starts[j] = first + 1
            group_starts[j * n_types + kind + 1] += starts[j] - first
    for j in range(n_jurisdictions, 0, -1):
        starts[j] = starts[j - 1]
    starts[0] = 0
    for g in range(1, group_starts.shape[0]):
        group_starts[g] += group_starts[g - 1]
    for j in range(n_jurisdictions):
        for r in range(starts[j], starts[j + 1]):
            g = j * n_types + types[row_event[r]]
            group_rows[group_starts[g]] = r
            group_starts[g] += 1
    for g in range(group_starts.shape[0] - 1, 0, -1):
        group_starts[g] = group_starts[g - 1]
    group_starts[0] = 0
