"""The register machine that evaluates conditions: one instruction works on up to 256 rows.

A number register holds an interval (LO, HI); unknown is (MIN, MAX), known has LO = HI. A truth
register holds one byte: 0 not met, 1 cannot tell, 2 met; so ``and`` is the minimum and ``or`` the
maximum. With intervals the three-valued ``a >= b`` is ``(lo(a) >= hi(b)) + (hi(a) >= lo(b))``.

More than 500 lines: one interpreter loop; cutting it would put calls into the hottest loop.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.jit import kernel
from regtech.engine.kernels.periods import day_of, month_number, offset_at, to_utc
from regtech.engine.kernels.raw import MAX, MIN, compare_products, load64, scale_rounded, store64
from regtech.engine.kernels.tables import (
    T_ADDRESS,
    T_COUNT,
    T_PLACES,
    T_WORDS,
    find_key_from,
    key_place,
    prefetch_entry,
)

VECTOR: Final = 256
WORDS: Final = 8
SECTION_GROUP, SECTION_FIRST, SECTION_LAST, SECTION_GATE = range(4)
"""Words of a section: a stretch of instructions and the rows that it is for."""

OPCODES: Final = (
    "load oriented institution direction day hour weekday time workday const unknown measure "
    "add sub mulc least greatest select given convert days_since days_until time_since "
    "ge gt le lt eq ne xge xgt xle xlt xeq xne "
    "inset has only missing truth boundary and or not bconst rowflag outf outv key rule "
    "persons clock_end slot gate pair "
    "qge qgt qle qlt qeq qne"
).split()
OP: Final = {name: index for index, name in enumerate(OPCODES)}
"""Instruction name to number; an instruction is (op, dst, a, b, c, d, e, f)."""

(LOAD, ORIENTED, INSTITUTION, DIRECTION, DAY, HOUR, WEEKDAY, TIME, WORKDAY, CONST, UNKNOWN, MEASURE,
 ADD, SUB, MULC, LEAST, GREATEST, SELECT, GIVEN, CONVERT, DAYS_SINCE, DAYS_UNTIL, TIME_SINCE,
 GE, GT, LE, LT, EQ, NE, XGE, XGT, XLE, XLT, XEQ, XNE,
 INSET, HAS, ONLY, MISSING, TRUTH, BOUNDARY, AND, OR, NOT, BCONST, ROWFLAG, OUTF, OUTV, KEY, RULE,
 PERSONS, CLOCK_END, SLOT, GATE, PAIR,
 QGE, QGT, QLE, QLT, QEQ, QNE) = range(len(OPCODES))  # fmt: skip


@kernel(nrt=False, inner=True)
def saturated_add(a: Any, b: Any, end: Any) -> Any:
    """Sum of two interval ends; an unbounded end or an overflow stays unbounded (``end``)."""
    if a == end or b == end:
        return end
    s = a + b
    if ((a ^ s) & (b ^ s)) < 0:
        return end
    return s


@kernel(nrt=False, inner=True)
def saturated_mul(a: Any, c: Any, end: Any) -> Any:
    """Interval end times a positive constant; an unbounded end or an overflow gives ``end``."""
    if a == MIN or a == MAX:
        return end
    limit = MAX // c
    if a > limit or a < -limit:
        return end
    return a * c


@kernel(nrt=False, inner=True)
def run_program(
    prog: Any,
    first: Any,
    last: Any,
    count: Any,
    rows: Any,
    row_event: Any,
    row_source: Any,
    row_side: Any,
    row_flags: Any,
    row_institution: Any,
    cols: Any,
    times: Any,
    day: Any,
    clock: Any,
    next_working: Any,
    next_working_from: Any,
    jurisdiction: Any,
    X: Any,
    XH: Any,
    F: Any,
    V: Any,
    S: Any,
    LO: Any,
    HI: Any,
    B: Any,
    pool: Any,
    rate_rows: Any,
    rate_first: Any,
    rate_num: Any,
    rate_den: Any,
    key_tables: Any,
    hit_row: Any,
    hit_rule: Any,
    hit_outcome: Any,
    counts: Any,
    rule_counts: Any,
    zone_starts: Any,
    zone_offsets: Any,
    zone_lengths: Any,
) -> None:
    """Run instructions ``first..last`` of ``prog`` on ``rows[:count]``.

    ``X``/``XH``: measure values by [slot, row]; ``F``, ``V``, ``S``: filters, values and key slots
    that it writes.
    The last row of ``HI`` belongs to no register.
    ``counts[0]``: number of hits written; ``rule_counts[rule, 0/1]``: met and cannot-tell rows.
    """
    for p in range(first, last):
        op = prog[p, 0]
        dst = prog[p, 1]
        a = prog[p, 2]
        b = prog[p, 3]
        c = prog[p, 4]
        d = prog[p, 5]
        if op == LOAD:
            for k in range(count):
                value = cols[a, row_source[rows[k]]]
                LO[dst, k] = value
                HI[dst, k] = MAX if value == MIN else value
        elif op == ORIENTED:
            for k in range(count):
                r = rows[k]
                side = row_side[r]
                value = MIN
                if side == 0:
                    value = cols[a, row_source[r]]
                elif side == 1:
                    value = cols[b, row_source[r]]
                LO[dst, k] = value
                HI[dst, k] = MAX if value == MIN else value
        elif op == MEASURE:
            for k in range(count):
                r = rows[k]
                LO[dst, k] = X[a, r]
                HI[dst, k] = XH[a, r]
        elif op == CONST:
            for k in range(count):
                LO[dst, k] = a
                HI[dst, k] = a
        elif op == UNKNOWN:
            for k in range(count):
                LO[dst, k] = MIN
                HI[dst, k] = MAX
        elif op == GE:
            for k in range(count):
                B[dst, k] = np.uint8(LO[a, k] >= HI[b, k]) + np.uint8(HI[a, k] >= LO[b, k])
        elif op == GT:
            for k in range(count):
                B[dst, k] = np.uint8(LO[a, k] > HI[b, k]) + np.uint8(HI[a, k] > LO[b, k])
        elif op == LE:
            for k in range(count):
                B[dst, k] = np.uint8(HI[a, k] <= LO[b, k]) + np.uint8(LO[a, k] <= HI[b, k])
        elif op == LT:
            for k in range(count):
                B[dst, k] = np.uint8(HI[a, k] < LO[b, k]) + np.uint8(LO[a, k] < HI[b, k])
        elif op == EQ or op == NE:
            for k in range(count):
                apart = LO[a, k] > HI[b, k] or HI[a, k] < LO[b, k]
                known = LO[a, k] == HI[a, k] and LO[b, k] == HI[b, k]
                tri = 0 if apart else (2 if known else 1)
                B[dst, k] = tri if op == EQ else 2 - tri
        elif op == AND:
            for k in range(count):
                B[dst, k] = min(B[a, k], B[b, k])
        elif op == OR:
            for k in range(count):
                B[dst, k] = max(B[a, k], B[b, k])
        elif op == NOT:
            for k in range(count):
                B[dst, k] = 2 - B[a, k]
        elif op == INSET:
            # pool[b]: number of codes, then the codes in ascending order
            for k in range(count):
                if LO[a, k] != HI[a, k]:
                    B[dst, k] = 1
                    continue
                value = LO[a, k]
                low = b + 1
                high = b + 1 + pool[b]
                while low < high:
                    middle = (low + high) >> 1
                    if pool[middle] < value:
                        low = middle + 1
                    else:
                        high = middle
                B[dst, k] = 2 if low < b + 1 + pool[b] and pool[low] == value else 0
        elif op == HAS:
            for k in range(count):
                if LO[a, k] == MIN:
                    B[dst, k] = 1
                else:
                    B[dst, k] = 2 if LO[a, k] & b != 0 else 0
        elif op == ONLY:
            for k in range(count):
                if LO[a, k] == MIN:
                    B[dst, k] = 1
                else:
                    B[dst, k] = 2 if LO[a, k] & ~b == 0 else 0
        elif op == MISSING:
            for k in range(count):
                B[dst, k] = 2 if (LO[a, k] == MIN and HI[a, k] == MAX) else 0
        elif op == TRUTH:
            for k in range(count):
                if LO[a, k] != HI[a, k]:
                    B[dst, k] = 1
                else:
                    B[dst, k] = 2 if LO[a, k] != 0 else 0
        elif op == BCONST:
            for k in range(count):
                B[dst, k] = a
        elif op == GATE:
            for k in range(count):
                B[dst, k] = F[a, rows[k]]
        elif op == ROWFLAG:
            for k in range(count):
                B[dst, k] = 2 if row_flags[rows[k]] & a != 0 else 0
        elif op == ADD:
            for k in range(count):
                LO[dst, k] = saturated_add(LO[a, k], LO[b, k], MIN)
                HI[dst, k] = saturated_add(HI[a, k], HI[b, k], MAX)
        elif op == SUB:
            for k in range(count):
                low = HI[b, k]
                high = LO[b, k]
                low = MIN if low == MAX else -low
                high = MAX if high == MIN else -high
                LO[dst, k] = saturated_add(LO[a, k], low, MIN)
                HI[dst, k] = saturated_add(HI[a, k], high, MAX)
        elif op == MULC:
            for k in range(count):
                LO[dst, k] = saturated_mul(LO[a, k], b, MIN)
                HI[dst, k] = saturated_mul(HI[a, k], b, MAX)
        elif op == LEAST:
            for k in range(count):
                LO[dst, k] = min(LO[a, k], LO[b, k])
                HI[dst, k] = min(HI[a, k], HI[b, k])
        elif op == GREATEST:
            for k in range(count):
                LO[dst, k] = max(LO[a, k], LO[b, k])
                HI[dst, k] = max(HI[a, k], HI[b, k])
        elif op == SELECT:
            for k in range(count):
                if B[a, k] == 2:
                    LO[dst, k] = LO[b, k]
                    HI[dst, k] = HI[b, k]
                elif B[a, k] == 0:
                    LO[dst, k] = LO[c, k]
                    HI[dst, k] = HI[c, k]
                else:
                    LO[dst, k] = MIN
                    HI[dst, k] = MAX
        elif op == GIVEN:
            for k in range(count):
                absent = LO[a, k] == MIN and HI[a, k] == MAX
                LO[dst, k] = LO[b, k] if absent else LO[a, k]
                HI[dst, k] = HI[b, k] if absent else HI[a, k]
        elif op == CONVERT:
            # a amount, b currency, c day (registers); d target row of the rates; prog[p, 6] its
            # currency
            own = prog[p, 6]
            for k in range(count):
                LO[dst, k] = MIN
                HI[dst, k] = MAX
                amount = LO[a, k]
                currency = LO[b, k]
                if amount == MIN or amount != HI[a, k] or currency == MIN:
                    continue
                if currency == own:
                    LO[dst, k] = amount
                    HI[dst, k] = amount
                    continue
                if d < 0 or LO[c, k] == MIN or currency >= rate_rows.shape[0]:
                    continue
                row = rate_rows[currency]
                index = LO[c, k] - rate_first
                if row < 0 or index < 0 or index >= rate_num.shape[2]:
                    continue
                numerator = rate_num[d, row, index]
                if numerator <= 0:
                    continue
                value = scale_rounded(amount, numerator, rate_den[d, row, index])
                if value != MIN:
                    LO[dst, k] = value
                    HI[dst, k] = value
        elif op == KEY:
            e = prog[p, 6]
            g = prog[p, 7]
            words = key_tables[a, T_WORDS]
            spare = HI.shape[0] - 1
            for k in range(count):
                # the entries of all rows are on their way before the first is looked at
                w0 = LO[b, k]
                w1 = LO[c, k] if c >= 0 else np.int64(0)
                w2 = LO[d, k] if d >= 0 else np.int64(0)
                w3 = LO[e, k] if e >= 0 else np.int64(0)
                if w0 != MIN and w1 != MIN and w2 != MIN and w3 != MIN:
                    place = key_place(
                        key_tables[a, T_PLACES], w0 + 1 if w0 >= 0 else w0, w1, w2, w3
                    )
                    HI[spare, k] = place
                    prefetch_entry(key_tables[a, T_ADDRESS], words, place)
            for k in range(count):
                r = rows[k]
                S[dst, r] = -1
                w0 = LO[b, k]
                w1 = LO[c, k] if c >= 0 else np.int64(0)
                w2 = LO[d, k] if d >= 0 else np.int64(0)
                w3 = LO[e, k] if e >= 0 else np.int64(0)
                if w0 == MIN or w1 == MIN or w2 == MIN or w3 == MIN:
                    continue
                if w0 >= 0:
                    w0 += 1
                table = key_tables[a, T_ADDRESS]
                place = find_key_from(
                    table, key_tables[a, T_PLACES], words, HI[spare, k], w0, w1, w2, w3
                )
                if place < 0:
                    if g == 0:
                        continue
                    place = -1 - place
                    slot = key_tables[a, T_COUNT]
                    store64(table, place, w0)
                    if words > 2:
                        store64(table, place + 1, w1)
                    if words > 3:
                        store64(table, place + 2, w2)
                    if words > 4:
                        store64(table, place + 3, w3)
                    store64(table, place + words - 1, slot)
                    key_tables[a, T_COUNT] = slot + 1
                    S[dst, r] = slot
                else:
                    S[dst, r] = load64(table, place + words - 1)
        elif op == OUTF:
            for k in range(count):
                F[dst, rows[k]] = B[a, k]
        elif op == OUTV:
            for k in range(count):
                V[dst, rows[k]] = LO[a, k] if LO[a, k] == HI[a, k] else MIN
        elif op == RULE:
            met = np.int64(0)
            open_ = np.int64(0)
            for k in range(count):
                met += B[a, k] >> 1
                open_ += B[a, k] & 1
            rule_counts[dst, 0] += met
            if met > 0 or open_ > 0:
                # b: key column (or -1); rows without a subject are not evaluated (rule 17)
                n = counts[0]
                for k in range(count):
                    tri = B[a, k]
                    if tri == 0:
                        continue
                    r = rows[k]
                    if b >= 0 and S[b, r] < 0:
                        if tri == 2:
                            rule_counts[dst, 0] -= 1
                        continue
                    if tri == 1:
                        rule_counts[dst, 1] += 1
                        if c == 0:
                            continue
                    hit_row[n] = r
                    hit_rule[n] = dst
                    hit_outcome[n] = tri
                    n += 1
                counts[0] = n
        elif op == INSTITUTION:
            for k in range(count):
                value = row_institution[rows[k]]
                LO[dst, k] = value
                HI[dst, k] = MAX if value == MIN else value
        elif op == DIRECTION:
            # a: code of "out", b: code of "in"
            for k in range(count):
                side = row_side[rows[k]]
                value = a if side == 0 else (b if side == 1 else MIN)
                LO[dst, k] = value
                HI[dst, k] = MAX if value == MIN else value
        elif op == DAY:
            for k in range(count):
                LO[dst, k] = day[rows[k]]
                HI[dst, k] = LO[dst, k]
        elif op == HOUR:
            for k in range(count):
                LO[dst, k] = clock[rows[k]] // np.int64(3_600_000_000)
                HI[dst, k] = LO[dst, k]
        elif op == WEEKDAY:
            for k in range(count):
                LO[dst, k] = (day[rows[k]] + 3) % 7 + 1
                HI[dst, k] = LO[dst, k]
        elif op == TIME:
            for k in range(count):
                LO[dst, k] = times[row_event[rows[k]]]
                HI[dst, k] = LO[dst, k]
        elif op == WORKDAY:
            for k in range(count):
                number = day[rows[k]]
                index = number - next_working_from
                B[dst, k] = 1
                if 0 <= index < next_working.shape[1]:
                    B[dst, k] = 2 if next_working[jurisdiction, index] == number else 0
        elif op == DAYS_SINCE or op == DAYS_UNTIL:
            # b = 1: register a is a time; its day is taken at the row's own offset from UTC
            for k in range(count):
                LO[dst, k] = MIN
                HI[dst, k] = MAX
                value = LO[a, k]
                if value == MIN:
                    continue
                r = rows[k]
                number = day[r]
                if b == 1:
                    offset = number * np.int64(86_400_000_000) + clock[r] - times[row_event[r]]
                    value = (value + offset) // np.int64(86_400_000_000)
                LO[dst, k] = number - value if op == DAYS_SINCE else value - number
                HI[dst, k] = LO[dst, k]
        elif op == TIME_SINCE:
            for k in range(count):
                LO[dst, k] = MIN
                HI[dst, k] = MAX
                if LO[a, k] != MIN:
                    LO[dst, k] = times[row_event[rows[k]]] - LO[a, k]
                    HI[dst, k] = LO[dst, k]
        elif op == BOUNDARY:
            # whether date a is the last day of a period of b months
            for k in range(count):
                if LO[a, k] == MIN:
                    B[dst, k] = 1
                else:
                    after = month_number(LO[a, k] + 1)
                    ends = after != month_number(LO[a, k]) and after % b == 0
                    B[dst, k] = 2 if ends else 0
        elif op == PERSONS:
            # a: distinct ids, b: largest bare count, c: sum of bare counts
            for k in range(count):
                low = LO[a, k]
                if LO[b, k] != MIN and LO[b, k] > low:
                    low = LO[b, k]
                LO[dst, k] = low
                HI[dst, k] = saturated_add(HI[a, k], HI[c, k], MAX)
        elif op == CLOCK_END:
            # b working days (c = 0) or months (c = 1) from the time in register a, rule 20
            day_us = np.int64(86_400_000_000)
            for k in range(count):
                LO[dst, k] = MIN
                HI[dst, k] = MAX
                t = LO[a, k]
                if t == MIN or t != HI[a, k]:
                    continue
                offset = offset_at(zone_starts, zone_offsets, zone_lengths, jurisdiction, t)
                number = (t + offset) // day_us
                if c == 1:
                    months = month_number(number)
                    of_month = number - day_of(months, 1) + 1
                    local = day_of(months + b, of_month) * day_us + (t + offset - number * day_us)
                else:
                    known = True
                    for _ in range(b):
                        index = number + 1 - next_working_from
                        if index < 0 or index >= next_working.shape[1]:
                            known = False
                            break
                        number = next_working[jurisdiction, index]
                    if not known:
                        continue
                    local = (number + 1) * day_us
                value = to_utc(zone_starts, zone_offsets, zone_lengths, jurisdiction, local)
                if c == 0:
                    value -= 1
                LO[dst, k] = value
                HI[dst, k] = value
        elif op == SLOT:
            for k in range(count):
                value = S[a, rows[k]]
                LO[dst, k] = MIN if value < 0 else value
                HI[dst, k] = MAX if value < 0 else value
        elif op == PAIR:
            # two codes of 31 bits in one word
            for k in range(count):
                known = LO[a, k] != MIN and LO[b, k] != MIN
                LO[dst, k] = LO[a, k] | (LO[b, k] << 32) if known else MIN
                HI[dst, k] = LO[dst, k] if known else MAX
        else:
            # XGE..XNE: LO/HI of a times c against b times d, exact in 128 bits. QGE..QNE: the
            # factor c is multiplied by register prog[p, 6], which must be known and positive.
            quotient = op >= QGE
            kind = op - (QGE - XGE) if quotient else op
            factor = c
            for k in range(count):
                if quotient:
                    below = LO[prog[p, 6], k]
                    if below <= 0 or below != HI[prog[p, 6], k] or below > MAX // factor:
                        B[dst, k] = 1
                        continue
                    c = below * factor
                unbounded_a = LO[a, k] == MIN or HI[a, k] == MAX
                unbounded_b = LO[b, k] == MIN or HI[b, k] == MAX
                # signs of the extreme differences; an unbounded end never decides
                worst = np.int64(-1)
                best = np.int64(1)
                if LO[a, k] != MIN and HI[b, k] != MAX:
                    worst = compare_products(LO[a, k], c, HI[b, k], d)
                if HI[a, k] != MAX and LO[b, k] != MIN:
                    best = compare_products(HI[a, k], c, LO[b, k], d)
                if kind == XGE:
                    B[dst, k] = np.uint8(worst >= 0) + np.uint8(best >= 0)
                elif kind == XGT:
                    B[dst, k] = np.uint8(worst > 0) + np.uint8(best > 0)
                elif kind == XLE:
                    B[dst, k] = np.uint8(best <= 0) + np.uint8(worst <= 0)
                elif kind == XLT:
                    B[dst, k] = np.uint8(best < 0) + np.uint8(worst < 0)
                else:
                    known = LO[a, k] == HI[a, k] and LO[b, k] == HI[b, k]
                    apart = worst > 0 or best < 0
                    tri = (
                        0 if apart else (2 if known and not unbounded_a and not unbounded_b else 1)
                    )
                    B[dst, k] = tri if kind == XEQ else 2 - tri


@kernel(nrt=False)
def run_sections(
    progs: Any,
    sections: Any,
    rows: Any,
    n_types: Any,
    group_starts: Any,
    group_rows: Any,
    row_event: Any,
    row_source: Any,
    row_side: Any,
    row_flags: Any,
    row_institution: Any,
    cols: Any,
    times: Any,
    day: Any,
    clock: Any,
    next_working: Any,
    next_working_from: Any,
    X: Any,
    XH: Any,
    F: Any,
    V: Any,
    S: Any,
    LO: Any,
    HI: Any,
    B: Any,
    pool: Any,
    rate_rows: Any,
    rate_first: Any,
    rate_num: Any,
    rate_den: Any,
    key_tables: Any,
    hit_row: Any,
    hit_rule: Any,
    hit_outcome: Any,
    counts: Any,
    rule_counts: Any,
    zone_starts: Any,
    zone_offsets: Any,
    zone_lengths: Any,
) -> None:
    """Run each section over the rows of its group that its gate lets through, 256 at a time.

    ``sections[k]``: group, first and last instruction, and the filter slot that is the gate, or -1.
    ``rows``: room for 256 of them.
    """
    for section in range(sections.shape[0]):
        g = sections[section, SECTION_GROUP]
        gate = sections[section, SECTION_GATE]
        at = group_starts[g]
        end = group_starts[g + 1]
        while at < end:
            count = 0
            if gate < 0:
                count = min(VECTOR, end - at)
                for k in range(count):
                    rows[k] = group_rows[at + k]
                at += count
            else:
                while at < end and count < VECTOR:
                    r = group_rows[at]
                    rows[count] = r
                    count += 1 if F[gate, r] != 0 else 0
                    at += 1
            if count == 0:
                continue
            run_program(
                progs, sections[section, SECTION_FIRST], sections[section, SECTION_LAST], count,
                rows, row_event, row_source, row_side, row_flags, row_institution, cols, times,
                day, clock, next_working, next_working_from, g // n_types, X, XH, F, V, S, LO, HI,
                B, pool, rate_rows, rate_first, rate_num, rate_den, key_tables, hit_row, hit_rule,
                hit_outcome, counts, rule_counts, zone_starts, zone_offsets, zone_lengths,
            )  # fmt: skip
