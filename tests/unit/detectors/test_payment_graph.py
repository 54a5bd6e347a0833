"""The arrays of the payment graph: where they begin, and what a graph that does not count lacks."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.graph import layout as L
from detectors.graph.motifs import Motifs, Payments
from detectors.graph.spec import chosen
from detectors.graph.store import PaymentGraph

DAY = 86_400_000_000
LINE = 64
WIDE = ("edges", "pairs", "lists", "arena", "newest", "accounts")


def payments(count: int, first: int = 0) -> Payments:
    """A payment a minute between many accounts, of which two in three come again."""
    at = np.arange(first, first + count)
    return Payments(
        time_us=at * 60_000_000, payer=at * 7919 % 20_011, payee=at * 104_729 % 30_011 + 20_011,
        amount=at % 97 + 100, currency=np.zeros(count, np.int64),
    )  # fmt: skip


def begins(graph: PaymentGraph) -> set[int]:
    """Where the arrays begin in a line."""
    return {graph._parts[name].ctypes.data % LINE for name in WIDE}


@pytest.mark.parametrize("name", ["cycle", "fan_in"])
def test_rows_begin_where_lines_begin_however_arrays_grow(name: str) -> None:
    motifs = Motifs(chosen((name,)), memory_us=10 * DAY)
    assert begins(motifs.graph) == {0}
    for block in range(10):
        motifs.observe(payments(5_000, 5_000 * block))
        assert begins(motifs.graph) == {0}
    restored = Motifs(chosen((name,)), memory_us=10 * DAY)
    restored.restore(motifs.state())
    assert begins(restored.graph) == {0}
    for block in range(10, 14):
        motifs.observe(payments(5_000, 5_000 * block))
        restored.observe(payments(5_000, 5_000 * block))
        mine, theirs = motifs.state(), restored.state()
        assert all(np.array_equal(mine[key], theirs[key]) for key in ("graph.pairs", "graph.lists"))
    assert begins(restored.graph) == {0}


def test_what_is_longer_holds_what_it_held_and_zeros() -> None:
    graph = PaymentGraph(DAY)
    before = np.arange(1024 * L.PAIR_WORDS).reshape(1024, L.PAIR_WORDS)
    graph._parts["pairs"][:] = before
    graph._longer("pairs", 400_000)
    pairs = graph._parts["pairs"]
    assert np.array_equal(pairs[:1024], before) and not pairs[1024:].any()


def test_a_graph_that_does_not_count_keeps_no_numbers_and_reads_snapshots_that_have_them() -> None:
    motifs, old = Motifs(chosen(("cycle",))), Motifs(chosen(("cycle",)))
    motifs.observe(payments(5_000))
    assert len(motifs.graph._parts["nodes"]) == len(motifs.graph._parts["fans"]) == 0
    state = motifs.state()
    assert state["graph.nodes"].shape == (motifs.graph.accounts, L.NODE_WORDS)
    assert sorted(state["graph.nodes"][:, L.N_CODE]) == sorted(motifs.graph.known())
    state["graph.nodes"][:, : L.N_SINCE] = 5  # as an earlier version left them there
    state["graph.fans"] = np.zeros((len(state["graph.nodes"]), 1, 2), np.int64)
    old.restore(state)
    assert len(old.graph._parts["nodes"]) == len(old.graph._parts["fans"]) == 0
    for run in (motifs, old):
        run.observe(payments(20_000, 5_000))
    mine, theirs = motifs.state(), old.state()
    for key in ("graph.pairs", "graph.lists", "graph.arena", "graph.nodes"):
        assert np.array_equal(mine[key], theirs[key]), key


def test_a_table_goes_once_what_it_held_has_moved() -> None:
    motifs = Motifs(chosen(("cycle",)))
    seen = set()
    for block in range(40):
        motifs.observe(payments(1_000, 1_000 * block))
        old = motifs.graph._parts["old_table"]
        assert int(motifs.graph.head[L.H_TABLE_MOVED]) <= len(old)
        seen.add(len(old))
    assert 0 in seen and max(seen) >= 2048  # it grew, and let go of what it grew from
    pairs = motifs.graph.export()["table"]
    assert (pairs[:, 0] != 0).sum() == motifs.graph.head[L.H_PAIRS_LIVE]
