"""From met rows to findings: one alert a subject and period, and the events behind it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.jit import kernel
from regtech.engine.kernels.measures import (
    BIAS,
    BUSINESS_DAY,
    L_EVENT,
    L_HEADS,
    L_MASK,
    L_PREVIOUS,
    L_T,
    L_TAIL,
    L_UNKNOWN,
    L_YES,
    period_of,
)
from regtech.engine.kernels.periods import months_before
from regtech.engine.kernels.raw import MIN, load32, load64, store64
from regtech.engine.kernels.tables import T_ADDRESS, T_COUNT, T_PLACES, find2

PER_EVENT: Final = -1
PER_EVER: Final = 6
PER_ROLLING: Final = 7
PASS: Final = 8
"""Period kinds of a rule beyond the calendar ones; PASS: every hit is handed on (deadlines)."""


@kernel(nrt=False)
def first_in_period(
    n: Any,
    hit_row: Any,
    hit_rule: Any,
    hit_outcome: Any,
    row_event: Any,
    types: Any,
    times: Any,
    shifted: Any,
    day: Any,
    month: Any,
    business_day: Any,
    S: Any,
    rule_period: Any,
    rule_length: Any,
    rule_months: Any,
    rule_number: Any,
    rule_key: Any,
    alerted: Any,
    first_event: Any,
    keep: Any,
    label: Any,
) -> None:
    """Mark the hits that are the first of their rule, subject and period.

    Hits are in canonical order. ``alerted`` entries: (rule + 1, slot, mark of the last met, mark of
    the last cannot-tell). ``label[h]``: period number, or the time for rolling periods.
    """
    for h in range(n):
        rule = hit_rule[h]
        r = hit_row[h]
        i = row_event[r]
        kind = rule_period[rule]
        keep[h] = 1
        label[h] = times[i]
        if kind == PASS:
            continue
        if rule_key[rule, types[i]] < 0:
            # each event is its own subject: nothing can be raised twice
            if 0 <= kind <= BUSINESS_DAY:
                label[h] = period_of(kind, day[r], month[r], business_day[r])
            elif kind == PER_EVER:
                label[h] = 0
            continue
        slot = S[rule_key[rule, types[i]], r]
        place = find2(alerted[T_ADDRESS], alerted[T_PLACES], 4, rule_number[rule] + 1, slot)
        address = alerted[T_ADDRESS]
        if place < 0:
            place = -1 - place
            store64(address, place, rule_number[rule] + 1)
            store64(address, place + 1, slot)
            store64(address, place + 2, 0)
            store64(address, place + 3, 0)
            alerted[T_COUNT] += 1
        if kind == PER_EVENT:
            # a party on both sides of a payment is found once
            mark = first_event + i + 1
        elif kind <= BUSINESS_DAY:
            mark = period_of(kind, day[r], month[r], business_day[r]) + BIAS
            label[h] = mark - BIAS
        elif kind == PER_EVER:
            mark = BIAS
            label[h] = 0
        else:
            mark = times[i]
        met = load64(address, place + 2)
        asked = load64(address, place + 3)
        if kind == PER_ROLLING:
            # marks hold time XOR MIN, so that 0 is "never"; a period lasts until the last alert is
            # outside every rolling window of the rule, and is named by the time of its first alert
            mark = times[i] ^ MIN
            limit = times[i] - rule_length[rule]
            if rule_months[rule] > 0:
                back = months_before(shifted[r], rule_months[rule]) - (shifted[r] - times[i])
                limit = min(limit, back)
            fresh = (met == 0 or (met ^ MIN) <= limit) and (asked == 0 or (asked ^ MIN) <= limit)
            if fresh:
                met = np.int64(0)
                asked = np.int64(0)
                store64(address, place + 2, 0)
                store64(address, place + 3, 0)
            if asked != 0:
                label[h] = asked ^ MIN
            seen_met = met != 0
            seen_asked = asked != 0
        else:
            seen_met = met == mark
            seen_asked = asked == mark
        if hit_outcome[h] == 2:
            if seen_met:
                keep[h] = 0
            else:
                store64(address, place + 2, mark)
        elif seen_met or seen_asked:
            keep[h] = 0
        else:
            store64(address, place + 3, mark)


@kernel(nrt=False)
def contributors(log: Any, slot: Any, bits: Any, after: Any, until_event: Any, found: Any) -> Any:
    """Events of a subject whose rows set any of ``bits``, newest first; returns how many there are.

    Walks the subject's chain in a key space's log back to events later than ``after`` (time);
    events later than ``until_event`` (ordinal) are skipped. Only ``len(found)`` are written.
    """
    count = 0
    at = load64(log[L_HEADS], slot) - 1
    while at >= log[L_TAIL] and at >= 0:
        place = at & log[L_MASK]
        event = load64(log[L_EVENT], place)
        if event <= until_event:
            if load64(log[L_T], place) <= after:
                break
            if (load32(log[L_YES], place) | load32(log[L_UNKNOWN], place)) & bits != 0:
                if count < found.shape[0]:
                    found[count] = event
                count += 1
        distance = load32(log[L_PREVIOUS], place)
        if distance == 0:
            break
        at -= distance
    return count
