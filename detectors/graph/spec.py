"""Which motifs are looked for: types, their parameters with units, and defaults.

All figures are defaults of the product, none is law. How they were derived from background traffic:
docs/concepts/networks.md and docs/decisions/0019-networks-of-payments.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from detectors.graph.layout import DEPTH_MAX, Int64
from regtech.content.faults import meant_or_known
from regtech.content.saying import say
from regtech.errors import UsageError

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000

TYPES: Final = (
    "fan_in", "fan_out", "gather_scatter", "scatter_gather", "cycle", "round_trip", "stack",
    "bipartite", "random_walk", "pass_through", "splitting", "structuring", "mule",
)  # fmt: skip
"""Every type of motif."""
(FAN_IN, FAN_OUT, GATHER_SCATTER, SCATTER_GATHER, CYCLE, ROUND_TRIP, STACK, BIPARTITE, RANDOM_WALK,
 PASS_THROUGH, SPLITTING, STRUCTURING, MULE) = range(13)  # fmt: skip

EPISODES: Final = frozenset(
    {"fan_in", "fan_out", "gather_scatter", "scatter_gather", "pass_through", "structuring", "mule"}
)
"""Motifs around one account; of the others, those that share a payment are one."""

_ALONG_PAYMENTS: Final = frozenset({"cycle", "round_trip"})

CYCLE_MAX: Final = 10
"""Accounts of the longest cycle that is looked for."""

MEMORY_US: Final = 60 * DAY_US
"""What is usual for an account is judged over so long, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a parameter means, and for which types."""

    name: str
    unit: str
    doc: str


PARAMETERS: Final = (
    Parameter("window_us", "microseconds",
              "all payments of the motif lie within it (random_walk: two that follow each other)"),
    Parameter("least", "count",
              "fan_in, fan_out: distinct counterparties; gather_scatter: payers; scatter_gather: "
              "ways; cycle, round_trip: accounts; stack, bipartite: accounts of the middle, of the "
              "paying side; random_walk: payments one after the other; pass_through: payments in "
              "and out; splitting: payments of one pair; structuring: payments below the limit; "
              "mule: counterparties since waking"),
    Parameter("second", "count",
              "gather_scatter: payees; stack: sources and targets in common; bipartite: payees in "
              "common"),
    Parameter("most", "count", "cycle, round_trip: accounts; random_walk: payments"),
    Parameter("permille", "thousandths",
              "how far amounts may differ: in cycle, round_trip, splitting from the newest "
              "payment's, in random_walk from the next payment's, in scatter_gather between both "
              "halves of a way (0: not looked at), in pass_through and gather_scatter (0: not "
              "looked at) between what came in and what went out"),
    Parameter("concentration", "thousandths",
              "fans, gather_scatter, splitting: least share that the window has of all "
              "counterparties (splitting: payments of the pair) that the graph remembers, so that "
              "who is always busy is not found for it"),
    Parameter("hub", "count",
              "stack, bipartite, random_walk: accounts with more counterparties in one direction "
              "are not looked through; 0 is no bound"),
    Parameter("still_us", "microseconds", "mule: so long nothing was made or received before"),
    Parameter("band", "thousandths", "structuring: how far below the limit amounts may lie"),
    Parameter("limits", "minor units by currency", "structuring: amounts that must be reported"),
    Parameter("borders", "count", "round_trip: payments from one country to another"),
    Parameter("value", "minor units of the common currency",
              "pass_through, gather_scatter: least sum that came in, of payments of known value"),
    Parameter("growth", "thousandths", "told again when the size has grown to this share"),
    Parameter("budget", "steps", "bound of the search for one payment"),
)  # fmt: skip
"""Parameters of a spec; what a type does not use is left alone."""


@dataclass(frozen=True, slots=True)
class MotifSpec:
    """One kind of motif to look for, see ``PARAMETERS``."""

    type: str
    window_us: int
    least: int = 2
    second: int = 0
    most: int = 0
    permille: int = 0
    concentration: int = 0
    hub: int = 0
    still_us: int = 0
    band: int = 0
    limits: tuple[tuple[int, int], ...] = ()
    borders: int = 0
    value: int = 0
    growth: int = 2000
    budget: int = 2000

    def check(self) -> None:
        """``UsageError`` for what cannot be looked for; names the parameter."""
        if self.type not in TYPES:
            raise UsageError(f"no motif {self.type!r}", hint="there are " + ", ".join(TYPES))
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 0:
                raise UsageError(f"{field.name} of {self.type} is below 0")
        for name, least, needed in (
            ("window_us", 1, True),
            ("least", 1 if self.type == "mule" else 2, True),
            ("second", 1, self.type in ("gather_scatter", "stack", "bipartite")),
            ("growth", 1001, True),
            ("still_us", self.window_us, self.type == "mule"),
            ("band", 1, self.type == "structuring"),
            ("borders", 1, self.type == "round_trip"),
            ("most", self.least, self.type in ("cycle", "round_trip", "random_walk")),
        ):
            if needed and getattr(self, name) < least:
                raise UsageError(
                    f"{name} of {self.type} is {getattr(self, name)}", hint=f"at least {least}"
                )
        longest = DEPTH_MAX if self.type == "random_walk" else CYCLE_MAX
        if self.most > longest:
            raise UsageError(f"most of {self.type} is {self.most}", hint=f"at most {longest}")
        if self.type == "structuring" and not self.limits:
            raise UsageError("structuring needs limits", hint="amounts that must be reported")

    @property
    def weighs_accounts(self) -> bool:
        """Whether it depends on what accounts do beside the payments of the motif."""
        return self.type not in _ALONG_PAYMENTS

    @property
    def remembers_us(self) -> int:
        """How long payments must be remembered for a motif to be complete."""
        return self.window_us * (self.least if self.type == "random_walk" else 1)

    @property
    def spans_us(self) -> int:
        """How far apart two motifs that share a payment may be."""
        return self.window_us * (self.most if self.type == "random_walk" else 1)

    def packed(self) -> list[int]:
        """The row that kernels read, columns ``K_``."""
        return [
            TYPES.index(self.type), self.window_us, self.least, self.second, self.most,
            self.permille, self.concentration, self.hub, self.still_us, self.band, self.borders,
            self.value, self.growth, self.budget,
        ]  # fmt: skip


(K_TYPE, K_LENGTH, K_LEAST, K_SECOND, K_MOST, K_PERMILLE, K_CONCENTRATION, K_HUB, K_STILL, K_BAND,
 K_BORDERS, K_VALUE, K_GROWTH, K_BUDGET) = range(14)  # fmt: skip
SPEC_WORDS: Final = 14

DEFAULTS: Final[dict[str, MotifSpec]] = {
    spec.type: spec
    for spec in (
        MotifSpec("fan_in", 7 * DAY_US, least=41, concentration=800),
        MotifSpec("fan_out", 7 * DAY_US, least=18, concentration=800),
        MotifSpec(
            "gather_scatter", 7 * DAY_US, least=15, second=3, permille=200, concentration=800
        ),
        MotifSpec("scatter_gather", 7 * DAY_US, least=3, permille=200),
        MotifSpec("cycle", 7 * DAY_US, least=3, most=CYCLE_MAX, permille=100),
        MotifSpec("round_trip", 30 * DAY_US, least=2, most=CYCLE_MAX, permille=150, borders=1),
        MotifSpec("stack", 7 * DAY_US, least=5, second=2, hub=50),
        MotifSpec("bipartite", 7 * DAY_US, least=7, second=3, hub=50),
        MotifSpec("random_walk", 2 * DAY_US, least=5, most=64, permille=200, hub=50),
        MotifSpec("pass_through", 2 * DAY_US, least=18, permille=50, hub=50),
        MotifSpec("splitting", 7 * DAY_US, least=6, permille=1000, concentration=500),
        MotifSpec("structuring", 7 * DAY_US, least=3, band=100, limits=((0, 0),)),
        MotifSpec("mule", 7 * DAY_US, least=6, still_us=60 * DAY_US),
    )
}
"""A spec of every type, with the values it has where nothing else is said.

``least`` was derived (``detectors.graph.derive``) as the smallest at which findings hold at most
400 millionths of the payments of a simulated background. Structuring has no limits of its own and
is looked for only where they are given; its ``least``, and all windows, are chosen.
"""


def chosen(
    names: tuple[str, ...] = (), changes: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[MotifSpec, ...]:
    """The specs of these types (all that need nothing more where none is named), with parameters
    changed by type.

    Raises ``UsageError`` for an unknown type or parameter, also of a type that is not asked for.
    """
    changes = changes or {}
    for name in (*names, *changes):
        if name not in TYPES:
            raise UsageError(say("no motif %(name)r", name=name), hint=meant_or_known(name, TYPES))
    known = sorted({field.name for field in fields(MotifSpec)} - {"type"})
    for name, values in changes.items():
        for strange in sorted(set(values) - set(known)):
            raise UsageError(
                say("%(name)s has no parameter %(strange)r", name=name, strange=strange),
                hint=meant_or_known(strange, known),
            )
    made = []
    for name in names or TYPES:
        wanted = dict(changes.get(name, {}))
        if name == "structuring" and not wanted.get("limits"):
            if not names and name not in changes:
                continue
            wanted["limits"] = ()
        spec = replace(DEFAULTS[name], **wanted)
        spec.check()
        made.append(spec)
    return tuple(made)


def packed(specs: tuple[MotifSpec, ...]) -> tuple[Int64, Int64]:
    """All specs as rows for kernels, and their limits: rows of spec, currency, amount."""
    rows = [spec.packed() for spec in specs]
    limits = [[k, *limit] for k, spec in enumerate(specs) for limit in spec.limits]
    return (
        np.array(rows, np.int64).reshape(len(specs), SPEC_WORDS),
        np.array(limits, np.int64).reshape(len(limits), 3),
    )
