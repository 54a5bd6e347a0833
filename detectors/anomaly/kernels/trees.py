"""Ways through trees that are kept as arrays."""

from __future__ import annotations

from typing import Any

from regtech.columns.jit import kernel


@kernel
def score_trees(
    rows: Any, roots: Any, feature: Any, threshold: Any, left: Any, right: Any, value: Any, out: Any
) -> None:
    """Add up the leaves that each row ends in."""
    for i in range(rows.shape[0]):
        total = 0.0
        for tree in range(roots.shape[0]):
            node = roots[tree]
            while feature[node] >= 0:
                node = left[node] if rows[i, feature[node]] <= threshold[node] else right[node]
            total += value[node]
        out[i] = total


@kernel
def explain_trees(
    rows: Any, roots: Any, feature: Any, threshold: Any, left: Any, right: Any, value: Any, out: Any
) -> None:
    """Give each feature what the expected value moved where it was asked."""
    for i in range(rows.shape[0]):
        for tree in range(roots.shape[0]):
            node = roots[tree]
            while feature[node] >= 0:
                asked = feature[node]
                child = left[node] if rows[i, asked] <= threshold[node] else right[node]
                out[i, asked] += value[child] - value[node]
                node = child
