"""What the graph of payments adds to the anomaly models: shapes, against how busy the accounts are.

Counts alone are large wherever a hub is. Each is divided by what so many payments let expect.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from detectors.anomaly.catalogue import NOVELTY, Feature
from detectors.anomaly.payments import Float64, Payments
from detectors.graph.features import NAMES, PaymentFeatures
from regtech.app.paymenttable import NOBODY

WINDOW_DAYS: Final = 14
_DAY_US: Final = 86_400_000_000
_BUDGETS: Final = (2_000, 0, 0, 2_000)
"""Steps a payment for cycles of up to four accounts and for scatter-gather: bounded at hubs too."""

SHAPES: Final = (
    Feature("shape_cycles", "cycles", "shape_cycle",
            {"en": "cycles the payment closes, for how busy both accounts are",
             "zh": "本次付款所闭合的环（相对双方繁忙程度）"}, "context"),
    Feature("shape_long_cycles", "cycles", "shape_cycle",
            {"en": "of these, cycles of three and four accounts",
             "zh": "其中由三至四个账户构成的环"}, "context"),
    Feature("shape_ways", "accounts", "shape_ways",
            {"en": "ways by which one source reaches the payee, for how many pay it",
             "zh": "同一来源经多个账户到达收款方的路径（相对其付款方数量）"}, "context"),
    Feature("shape_payer_both", "accounts", "shape_payer",
            {"en": "the payer gathers from and scatters to many, for how busy it is",
             "zh": "付款方同时汇集与分散资金（相对其繁忙程度）"}, "context"),
    Feature("shape_payee_both", "accounts", "shape_payee",
            {"en": "the payee gathers from and scatters to many, for how busy it is",
             "zh": "收款方同时汇集与分散资金（相对其繁忙程度）"}, "context"),
    Feature("shape_balance", "share", "shape_balance",
            {"en": "the payer pays out about as much as it received in the two weeks",
             "zh": "付款方两周内付出与收到金额相当"}, "context"),
    Feature("shape_new_partners", "share", "shape_fan",
            {"en": "distinct payers among the payments the payee received in the two weeks",
             "zh": "收款方两周内收款中不同付款方的占比"}, "context", NOVELTY),
)  # fmt: skip


class Shapes:
    """The columns ``SHAPES`` of payments in order of time, each given once, in any batches."""

    def __init__(self) -> None:
        self._graph = PaymentFeatures(WINDOW_DAYS * _DAY_US, budgets=_BUDGETS)

    def update(self, payments: Payments) -> Float64:
        """Add payments; ``[n, len(SHAPES)]``."""
        made = np.zeros((len(payments), len(SHAPES)))
        between = (payments.payer != NOBODY) & (payments.payee != NOBODY)
        if not between.any():
            return made
        rows = self._graph.update(
            payments.time_us[between], payments.payer[between], payments.payee[between],
            payments.amount[between], payments.currency[between],
        )  # fmt: skip
        made[between] = _shapes(rows)
        return made

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        return self._graph.state()

    def restore(self, arrays: dict[str, Any]) -> None:
        """Take over ``state``."""
        self._graph.restore(arrays)


def _shapes(rows: Float64) -> Float64:
    column = {name: rows[:, k] for k, name in enumerate(NAMES)}
    busy = np.sqrt(1.0 + column["payer_in_count"] * column["payee_out_count"])
    long = column["cycles_3"] + column["cycles_4"]
    flow = column["payer_pass_through"]
    return np.stack(
        [
            (column["cycles_2"] + long) / busy,
            long / busy,
            column["scatter_gather_ways"] / np.sqrt(1.0 + column["payee_in_fan"]),
            _both(column, "payer"),
            _both(column, "payee"),
            np.where(flow > 0, np.exp(-2.0 * np.abs(np.log(np.maximum(flow, 1e-9)))), 0.0),
            column["payee_in_fan"] / np.maximum(column["payee_in_count"], 1.0),
        ],
        axis=1,
    )


def _both(column: dict[str, Float64], role: str) -> Float64:
    count = column[f"{role}_in_count"] + column[f"{role}_out_count"]
    made: Float64 = column[f"{role}_gather_scatter"] / np.sqrt(1.0 + count)
    return made
