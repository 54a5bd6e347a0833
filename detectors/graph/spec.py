"""Which motifs are looked for: types, their parameters with units, and defaults.

All figures are defaults of the product, none is law. Where they come from:
docs/decisions/0019-networks-of-payments.md.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from detectors.graph.layout import Int64
from regtech.errors import UsageError

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000

TYPES: Final = ("fan_in", "fan_out", "cycle")
"""Every type of motif, in the order in which findings of one payment are told."""
FAN_IN, FAN_OUT, CYCLE = range(3)

CYCLE_MAX: Final = 10
"""Accounts of the longest cycle that is looked for."""


@dataclass(frozen=True, slots=True)
class MotifSpec:
    """One kind of motif to look for; what a type does not use is left alone.

    ``window_us``: all payments of the motif lie within it. ``accounts_min``: distinct
    counterparties (fans) or accounts on the way (cycles). ``accounts_max``: of cycles.
    ``permille``: how far amounts may differ, in thousandths. ``concentration``: least share, in
    thousandths, of all counterparties the graph remembers that the window must have, so that who is
    always busy is not found for it. ``budget``: steps of a search for one payment.
    """

    type: str
    window_us: int
    accounts_min: int = 0
    accounts_max: int = 0
    permille: int = 0
    concentration: int = 0
    budget: int = 2000

    def check(self) -> None:
        """``UsageError`` for what cannot be looked for; names the parameter."""
        if self.type not in TYPES:
            raise UsageError(f"no motif {self.type!r}", hint="there are " + ", ".join(TYPES))
        for field in fields(self):
            if field.name != "type" and getattr(self, field.name) < 0:
                raise UsageError(f"{field.name} of {self.type} is below 0")
        if self.window_us == 0:
            raise UsageError(f"window_us of {self.type} is 0", hint="it is a length of time")
        if self.accounts_min < 2:
            raise UsageError(f"accounts_min of {self.type} is below 2")
        if self.type == "cycle" and not self.accounts_min <= self.accounts_max <= CYCLE_MAX:
            raise UsageError(
                f"accounts_max of cycle is {self.accounts_max}",
                hint=f"at least accounts_min and at most {CYCLE_MAX}",
            )

    def packed(self) -> list[int]:
        """The row that kernels read, see ``K_TYPE`` and following."""
        return [
            TYPES.index(self.type),
            self.window_us,
            self.accounts_min,
            self.accounts_max,
            self.permille,
            self.concentration,
            self.budget,
        ]


(K_TYPE, K_LENGTH, K_MIN, K_MAX, K_PERMILLE, K_CONCENTRATION, K_BUDGET) = range(7)

DEFAULTS: Final[dict[str, MotifSpec]] = {
    "fan_in": MotifSpec("fan_in", 7 * DAY_US, accounts_min=8, concentration=500),
    "fan_out": MotifSpec("fan_out", 7 * DAY_US, accounts_min=8, concentration=500),
    "cycle": MotifSpec("cycle", 30 * DAY_US, accounts_min=3, accounts_max=CYCLE_MAX, permille=100),
}
"""A spec of every type, with the values it has where nothing else is said."""


def chosen(names: tuple[str, ...] = (), **changes: dict[str, Any]) -> tuple[MotifSpec, ...]:
    """The specs of these types (all where none is named), parameters changed by type.

    Raises ``UsageError`` for an unknown type or parameter.
    """
    for name in (*names, *changes):
        if name not in TYPES:
            raise UsageError(f"no motif {name!r}", hint="there are " + ", ".join(TYPES))
    known = {field.name for field in fields(MotifSpec)} - {"type"}
    made = []
    for name in names or TYPES:
        wanted = changes.get(name, {})
        strange = sorted(set(wanted) - known)
        if strange:
            raise UsageError(
                f"{name} has no parameter {strange[0]!r}", hint=", ".join(sorted(known))
            )
        spec = replace(DEFAULTS[name], **wanted)
        spec.check()
        made.append(spec)
    return tuple(made)


def packed(specs: tuple[MotifSpec, ...]) -> Int64:
    """All specs as rows for kernels."""
    rows = [spec.packed() for spec in specs]
    return np.array(rows, np.int64).reshape(len(specs), K_BUDGET + 1)
