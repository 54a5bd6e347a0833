"""Scatter-gather: one source reaches the newest payment's payee by way of several accounts."""

from __future__ import annotations

from typing import Any

from detectors.graph.kernels.neighbours import end_of, fan_of, front_of, neighbour_at, older
from detectors.graph.kernels.search import (
    LOOKUP,
    MARKED_MAX,
    first_since,
    mark,
    mark_list,
    marked,
    near_place,
    new_stamp,
    weight,
)
from detectors.graph.kernels.tables import find_pair
from detectors.graph.layout import H_STEPS, IN, NO, OUT, P_OUT
from regtech.columns.jit import inline_kernel, kernel


@inline_kernel(nrt=False, inner=True)
def _is_way(g: Any, first: Any, second: Any, since: Any) -> Any:
    """Whether a payment of the pair in one place, not before ``since``, is before one of the pair
    in the other."""
    seq = first_since(g, first, since)
    return seq >= 0 and seq < g.arena[second, 1]


@inline_kernel(nrt=False, inner=True)
def _may_mark(count: Any, weight: Any) -> Any:
    """Whether marking so many accounts is shorter than looking pairs up."""
    return count <= MARKED_MAX and count <= LOOKUP * weight


@kernel(nrt=False, inner=True)
def scatter_gather(g: Any, middle: Any, target: Any, since: Any, least: Any, budget: Any) -> Any:
    """Sources that pay ``target`` through ``least`` accounts or more (at least two), the newest
    payment's payer being one.

    An account is a way where a payment of the source to it comes before one of it to the target,
    none before sequence number ``since``. ``found[0]`` receives the ways of the source with most
    (or 0), ``found[1]`` the number of sources, ``found[2]`` that source (of equals the one whose
    payment to ``middle`` is newest) or -1. Returns whether it was cut.
    """
    g.found[0] = 0
    g.found[1] = 0
    g.found[2] = -1
    payers, sources = fan_of(g, target, IN), fan_of(g, middle, IN)
    if payers < least or sources == 0:
        return False
    g.head[H_STEPS] = budget
    onward = weight(g, middle, IN, OUT, payers)
    backward = weight(g, target, IN, IN, sources)
    if onward + payers <= backward + sources:
        return _from_sources(g, middle, target, since, least, payers, _may_mark(payers, onward))
    return _from_payers(g, middle, target, since, least, sources, _may_mark(sources, backward))


@kernel(nrt=False, inner=True)
def _from_sources(
    g: Any, middle: Any, target: Any, since: Any, least: Any, payers: Any, all_marked: Any
) -> Any:
    """Source by source, whom else of the target's payers it pays."""
    head = g.head
    stamp = new_stamp(g)
    if all_marked:
        head[H_STEPS] -= payers
        mark_list(g, target, IN, stamp)
    begin = front_of(g, middle, IN)
    at = end_of(g, middle, IN)
    while True:
        at = older(g, at, begin, since)
        if at < 0:
            return head[H_STEPS] < 0
        source = neighbour_at(g, at)
        fan = fan_of(g, source, OUT)
        if source == target or fan < least:
            head[H_STEPS] -= 1
            continue
        through = LOOKUP * payers < fan
        head[H_STEPS] -= LOOKUP * payers if through else fan
        if head[H_STEPS] < 0:
            return True
        ways = 0
        whose = target if through else source
        side = IN if through else OUT
        front, place = front_of(g, whose, side), end_of(g, whose, side)
        while True:
            place = older(g, place, front, since)
            if place < 0:
                break
            first, second = place, place
            if through:
                pair = find_pair(g, source, neighbour_at(g, place))
                if pair < 0:
                    continue
                first = g.pairs[pair, P_OUT]
            else:
                second = near_place(g, neighbour_at(g, place), target, all_marked, stamp, NO)
                if second < 0:
                    continue
            if _is_way(g, first, second, since):
                ways += 1
        if ways >= least:
            g.found[1] += 1
            if ways > g.found[0]:
                g.found[0] = ways
                g.found[2] = source


@kernel(nrt=False, inner=True)
def _from_payers(
    g: Any, middle: Any, target: Any, since: Any, least: Any, sources: Any, all_marked: Any
) -> Any:
    """Payer by payer of the target, which of the sources pay it, too."""
    head = g.head
    stamp = new_stamp(g)
    if all_marked:
        head[H_STEPS] -= sources
        mark_list(g, middle, IN, stamp)
    latest = -1
    begin = front_of(g, target, IN)
    at = end_of(g, target, IN)
    while True:
        at = older(g, at, begin, since)
        if at < 0:
            return head[H_STEPS] < 0
        payer = neighbour_at(g, at)
        if payer == middle:
            continue
        fan = fan_of(g, payer, IN)
        through = LOOKUP * sources < fan
        head[H_STEPS] -= LOOKUP * sources if through else fan
        if head[H_STEPS] < 0:
            return True
        whose = middle if through else payer
        front, place = front_of(g, whose, IN), end_of(g, whose, IN)
        while True:
            place = older(g, place, front, since)
            if place < 0:
                break
            source = neighbour_at(g, place)
            if source == target:
                continue
            first, here = place, place
            if through:
                pair = find_pair(g, source, payer)
                if pair < 0:
                    continue
                first = g.pairs[pair, P_OUT]
            else:
                here = near_place(g, source, middle, all_marked, stamp, NO)
                if here < 0:
                    continue
            last = g.arena[here, 1]
            if last < since or not _is_way(g, first, at, since):
                continue
            ways = max(marked(g, source, 1, stamp), 1) + 1
            mark(g, source, 1, stamp, ways)
            if ways == least:
                g.found[1] += 1
            if ways < least:
                continue
            if ways > g.found[0] or (ways == g.found[0] and last > latest):
                g.found[0] = ways
                g.found[2] = source
                latest = last
