"""Rings among pairs of accounts that stood out, whatever the order of their payments in time.

A cycle in order of time is a motif of the stream. Where only days are known, or money moves round a
ring in any order, the pairs that were found one by one still close it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LENGTH_MAX: Final = 10
RINGS_MAX: Final = 1_000
"""The search ends with so many."""


def rings(pairs: Iterable[tuple[str, str]], most: int = LENGTH_MAX) -> list[tuple[str, ...]]:
    """Directed rings of 3 to ``most`` accounts, each from its first name on, in order of names."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_edges_from(sorted(set(pairs)))
    found = []
    for ring in nx.simple_cycles(graph, length_bound=most):
        if len(ring) < 3:
            continue
        at = ring.index(min(ring))
        found.append((*ring[at:], *ring[:at]))
        if len(found) == RINGS_MAX:
            break
    return sorted(found)
