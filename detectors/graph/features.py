"""The feature stream: numbers about each payment and its surroundings, for models."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.graph.catalogue import FEATURES, NAMES, Feature
from detectors.graph.kernels.features import features_of
from detectors.graph.layout import UNKNOWN
from detectors.graph.store import Arrays, PaymentGraph

__all__ = ["FEATURES", "NAMES", "Feature", "PaymentFeatures"]

Float64 = npt.NDArray[np.float64]
BUDGETS: Final = (20_000, 4_000, 500, 8_000)
"""Steps for a payment: cycles of 2-4, cycles of 5, cycles of alike amounts, scatter-gather."""

ACCOUNTS_US: Final = 400 * 86_400_000_000
"""How long an account is known after its last payment, where nothing else is said."""


class PaymentFeatures:
    """Features of payments in canonical order, see ``FEATURES``.

    A payment sees itself and what came before it within ``window_us``, never what follows; batches
    may be cut anywhere. The same payment reported twice must be given once. ``permille``: how far
    amounts may differ to be alike, in thousandths. ``budgets``: steps a payment for cycles of up to
    4 accounts, of 5, of alike amounts, and scatter-gather; 0 leaves the second and third out.
    ``accounts_us``: an account that has not dealt for so long, at least the window, is forgotten.
    """

    def __init__(
        self,
        window_us: int,
        *,
        permille: int = 200,
        budgets: tuple[int, int, int, int] = BUDGETS,
        accounts_us: int = ACCOUNTS_US,
    ) -> None:
        self.graph = PaymentGraph(window_us, accounts_us=accounts_us)
        self._permille = permille
        self._budgets = np.array(budgets, np.int64)

    def update(
        self,
        time_us: npt.ArrayLike,
        payer: npt.ArrayLike,
        payee: npt.ArrayLike,
        amount: npt.ArrayLike,
        currency: npt.ArrayLike | None = None,
        payer_institution: npt.ArrayLike | None = None,
        payee_institution: npt.ArrayLike | None = None,
        value: npt.ArrayLike | None = None,
    ) -> Float64:
        """Add payments and return their features, a row each: float64 ``[n, len(FEATURES)]``.

        ``time_us`` must not fall, also between calls (``ValueError``). Accounts and institutions
        are codes from 0 on (a missing institution is -1), amounts whole minor units of
        ``currency`` (an index below 65,536), ``value`` the same in one common currency or -1.
        """
        times = _column(time_us)
        n = len(times)
        payers, payees, amounts = _column(payer), _column(payee), _column(amount)
        values, currencies = _column(value, n, UNKNOWN), _column(currency, n, 0)
        mine, theirs = _column(payer_institution, n, -1), _column(payee_institution, n, -1)
        self.graph.check(times, payers, payees, currencies)
        made = np.empty((n, len(FEATURES)), np.float64)
        done = 0
        while True:
            done = features_of(
                self.graph.addresses, done, self.graph.window_us, self.graph.accounts_us, times,
                payers, payees, amounts, values, currencies, mine, theirs, self._budgets,
                self._permille, made,
            )  # fmt: skip
            if done == n:
                return made
            self.graph.make_room(int(max(payers.max(), payees.max())) + 1)

    def state(self) -> Arrays:
        """All state as arrays, for a snapshot."""
        return self.graph.export()

    def restore(self, arrays: Arrays) -> None:
        """Take over ``state``; ``SnapshotError`` where it is of another window."""
        self.graph.restore(arrays)

    def cuts(self) -> dict[str, int]:
        """How many searches were cut at their budget, by kind."""
        return self.graph.cuts()


def _column(values: Any, count: int = 0, default: int = 0) -> npt.NDArray[np.int64]:
    if values is None:
        return np.full(count, default, np.int64)
    return np.ascontiguousarray(values, np.int64)
