"""Motifs, payment after payment: each is added, then every spec is asked whether it completes one.

A motif around one account is an *episode* of it: told when first complete and when it has grown,
ended when for one window the condition was not met. Other motifs are told each time; those that
share payments are put together by the caller.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.kernels import accounts as A
from detectors.graph.kernels import chains as C
from detectors.graph.kernels.reports import C_SPECS, full, output_of
from detectors.graph.kernels.storage import (
    add_payment,
    forget_until,
    graph_of,
    lacking,
    look_ahead,
    move_windows,
    node_for,
)
from detectors.graph.layout import (
    C_ACTIVE,
    H_BEGAN,
    H_NEED,
    IN,
    N_WOKE,
    NEED_NOTHING,
    NEED_OUTPUT,
    NEVER,
    OUT,
)
from detectors.graph.spec import (
    BIPARTITE,
    CYCLE,
    FAN_IN,
    FAN_OUT,
    GATHER_SCATTER,
    K_STILL,
    K_TYPE,
    MULE,
    PASS_THROUGH,
    RANDOM_WALK,
    ROUND_TRIP,
    SCATTER_GATHER,
    SPLITTING,
    STACK,
    STRUCTURING,
)
from regtech.columns.jit import kernel


@kernel(nrt=False, inner=True)
def _wake(g: Any, node: Any, time: Any, still: Any) -> None:
    """Note when an account becomes busy after it was still for so long. Of an account never seen
    before that is known only once the stream itself has lasted so long."""
    last = g.accounts[node, C_ACTIVE]
    if last == NEVER:
        last = g.head[H_BEGAN]
    if last != NEVER and time - last >= still:
        g.nodes[node, N_WOKE] = time


@kernel(nrt=False)
def motifs_of(
    addresses: Any, outputs: Any, start: Any, window: Any, memory: Any, times: Any, payers: Any,
    payees: Any, amounts: Any, values: Any, events: Any, infos: Any,
) -> Any:  # fmt: skip
    """Add payments from ``start`` on and look for motifs; returns where it had to stop."""
    g, o = graph_of(addresses), output_of(outputs)
    head = g.head
    head[H_NEED] = NEED_NOTHING
    n_specs = o.counts[C_SPECS]
    still = np.int64(-1)
    for s in range(n_specs):
        if o.specs[s, K_TYPE] == MULE:
            still = o.specs[s, K_STILL]
    for i in range(start, times.shape[0]):
        time = times[i]
        look_ahead(g, payers, payees, i)
        move_windows(g, time)
        forget_until(g, time - window)
        need = lacking(g, payers[i], payees[i])
        if need == NEED_NOTHING and full(o):
            need = NEED_OUTPUT
        if need != NEED_NOTHING:
            head[H_NEED] = need
            return i
        u = node_for(g, payers[i], time, memory)
        v = node_for(g, payees[i], time, memory)
        if still >= 0:
            for side in range(2):
                _wake(g, v if side else u, time, still)
        pair = add_payment(g, u, v, time, amounts[i], values[i], events[i], infos[i])
        if u == v:
            continue
        for s in range(n_specs):
            row = o.specs[s]
            kind = row[K_TYPE]
            w = o.slots[s]
            if kind == FAN_IN or kind == FAN_OUT:
                end = np.int64(IN if kind == FAN_IN else OUT)
                A.fan(g, o, s, row, w, v if end else u, end)
            elif kind == CYCLE or kind == ROUND_TRIP:
                C.cycle(g, o, s, row, w, u, v)
            elif kind == SCATTER_GATHER:
                A.scattered(g, o, s, row, w, u, v)
            elif kind == GATHER_SCATTER:
                A.gather_scatter(g, o, s, row, w, u)
            elif kind == PASS_THROUGH:
                A.pass_through(g, o, s, row, w, u)
            elif kind == RANDOM_WALK:
                C.walk(g, o, s, row, w, u, v)
            elif kind == SPLITTING:
                C.splitting(g, o, s, row, w, pair, u)
            elif kind == STACK or kind == BIPARTITE:
                C.layers(g, o, s, row, w, u, v, kind == STACK)
            elif kind == STRUCTURING:
                for side in range(2):
                    A.structuring(g, o, s, row, w, v if side else u, side)
            elif kind == MULE:
                for side in range(2):
                    A.mule(g, o, s, row, w, v if side else u)
    return times.shape[0]
