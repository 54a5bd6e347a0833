"""The pool of cells in one order, for snapshots; see ``measures`` for what a cell is."""

from __future__ import annotations

from typing import Any

from regtech.columns.jit import kernel


@kernel(nrt=False)
def order_cells(places: Any, widths: Any, cells: Any, used: Any, ordered: Any) -> Any:
    """Copy the cells of a key space into ``ordered`` from ``used`` on, subject by subject.

    ``places``: where each cell is, and then where its copy is; 0 where there is none. ``widths``:
    words of a subject's cells, one for each place. Returns where the last copy ends.
    """
    stride = widths.shape[0]
    subjects = places.shape[0] // stride if stride else 0
    for subject in range(subjects):
        for k in range(stride):
            cell = places[subject * stride + k]
            if cell == 0:
                continue
            places[subject * stride + k] = used
            for word in range(widths[k]):
                ordered[used + word] = cells[cell + word]
            used += widths[k]
    return used
