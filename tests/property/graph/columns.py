"""Payments of the oracle as the columns that the detectors take."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tests.property.graph.oracle import Payment

Column = npt.NDArray[np.int64]


def columns(made: list[Payment]) -> dict[str, Column]:
    """One array a field."""

    def column(values: list[int]) -> Column:
        return np.array(values, np.int64)

    return {
        "time_us": column([p.time for p in made]),
        "payer": column([p.payer for p in made]),
        "payee": column([p.payee for p in made]),
        "amount": column([p.amount for p in made]),
        "currency": column([p.currency for p in made]),
        "payer_institution": column([p.payer_institution for p in made]),
        "payee_institution": column([p.payee_institution for p in made]),
        "value": column([p.value for p in made]),
    }


def piece(given: dict[str, Column], start: int, end: int) -> dict[str, Any]:
    """Rows ``start..end`` of all columns."""
    return {name: values[start:end] for name, values in given.items()}
