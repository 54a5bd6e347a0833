"""How much of what an address received, or paid, has to do with listed addresses.

What an address received and has not paid yet is taken as a mixture: a payment carries on the share
of listed money in it, one hop further, and what it carries is gone from there. What an address
pays beyond that it had before, and nobody knows from where. Shares are counted apart for each asset
and each number of hops up to ``HOPS_MOST``; what comes from further away is forgotten. Of what an
address pays, that counts which goes to a listed one at once. Amounts are integers, and parts are
rounded down, so that nothing depends on how a run is cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

HOPS_MOST: Final = 6
KEPT_FOR_US: Final = 366 * 86_400_000_000
"""An address without listed money that was not seen for so long is forgotten."""
FORGET_FROM: Final = 65_536
"""From so many addresses on it is looked for those, whenever their number has doubled."""

Edge = tuple[str, str, str, int, int, int]
"""Id of the payment, payer, payee, amount in units of its currency, its number, instant."""


@dataclass(slots=True)
class Held:
    """What an address received of one asset. ``listed[h]``: what came over ``h + 1`` hops.
    ``left``, ``left_listed``: what of both it has not paid yet.

    ``paths[h]``: of those payments the one that brought most, and the way to the listed address
    as it was then. ``paid``, ``paid_listed``, ``paid_path``: the same of what it paid at once.
    """

    seen_us: int = 0
    received: int = 0
    listed: list[int] = field(default_factory=lambda: [0] * HOPS_MOST)
    left: int = 0
    left_listed: list[int] = field(default_factory=lambda: [0] * HOPS_MOST)
    paths: list[tuple[Edge, ...]] = field(default_factory=lambda: [()] * HOPS_MOST)
    most: list[int] = field(default_factory=lambda: [0] * HOPS_MOST)
    paid: int = 0
    paid_listed: int = 0
    paid_path: tuple[Edge, ...] = ()

    def bare(self) -> bool:
        """Whether nothing listed has to do with it."""
        return not self.paid_listed and not any(self.listed)


@dataclass(frozen=True, slots=True)
class Exposed:
    """The part of a whole that has to do with listed addresses; ``path``: its greatest payment and
    how that is tied to a listed address, the first payment first."""

    part: int
    whole: int
    hops: int
    path: tuple[Edge, ...]


class Exposures:
    """All addresses of a run, by address and currency."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], Held] = {}
        self._look_at = FORGET_FROM

    def observe(self, edge: Edge, *, payer_listed: bool, payee_listed: bool) -> None:
        """Take in one payment."""
        _, payer, payee, amount, currency, time_us = edge
        giver, taker = self._of(payer, currency, time_us), self._of(payee, currency, time_us)
        giver.paid += amount
        if payee_listed:
            giver.paid_listed += amount
            if not giver.paid_path or amount >= giver.paid_path[0][3]:
                giver.paid_path = (edge,)
        taker.received += amount
        if payer_listed:
            _take(taker, 0, amount, (edge,))
        elif giver.left and payer != payee:
            out, whole = min(amount, giver.left), giver.left
            giver.left -= out
            for hop in range(HOPS_MOST):
                part = out * giver.left_listed[hop] // whole
                giver.left_listed[hop] -= part
                if part and hop + 1 < HOPS_MOST:
                    _take(taker, hop + 1, part, (*giver.paths[hop], edge))
        if payer != payee:
            taker.left += amount

    def received(self, address: str, currency: int, hops: int) -> Exposed:
        """What of all that an address received came over so many hops or fewer."""
        held = self._held.get((address, currency))
        if held is None:
            return Exposed(0, 0, 0, ())
        parts = held.listed[:hops]
        best = max(range(len(parts)), key=lambda hop: (held.most[hop], -hop), default=0)
        return Exposed(sum(parts), held.received, best + 1, held.paths[best] if parts else ())

    def paid(self, address: str, currency: int) -> Exposed:
        """What of all that an address paid went to listed ones."""
        held = self._held.get((address, currency))
        if held is None:
            return Exposed(0, 0, 0, ())
        return Exposed(held.paid_listed, held.paid, 1, held.paid_path)

    def _of(self, address: str, currency: int, time_us: int) -> Held:
        key = address, currency
        found = self._held.get(key)
        if found is None:
            if len(self._held) >= self._look_at:
                self._forget(time_us)
            found = self._held[key] = Held()
        found.seen_us = time_us
        return found

    def _forget(self, now_us: int) -> None:
        self._held = {
            key: held
            for key, held in self._held.items()
            if held.seen_us > now_us - KEPT_FOR_US or not held.bare()
        }
        self._look_at = max(FORGET_FROM, 2 * len(self._held))

    # --- state

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """The state as arrays."""
        rows = [
            [*key, h.seen_us, h.received, h.listed, h.left, h.left_listed, h.paths, h.most, h.paid,
             h.paid_listed, h.paid_path]
            for key, h in self._held.items()
        ]  # fmt: skip
        text = json.dumps([self._look_at, rows], ensure_ascii=False).encode()
        return {"held": np.frombuffer(text, np.uint8).copy()}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what was exported."""
        self._look_at, rows = json.loads(arrays["held"].tobytes())
        self._held = {}
        for row in rows:
            address, currency, seen, received, listed, left, left_listed = row[:7]
            paths, most, paid, paid_listed, path = row[7:]
            self._held[address, currency] = Held(
                seen, received, listed, left, left_listed, [_path(one) for one in paths], most,
                paid, paid_listed, _path(path),
            )  # fmt: skip


def _take(taker: Held, hop: int, part: int, path: tuple[Edge, ...]) -> None:
    taker.listed[hop] += part
    taker.left_listed[hop] += part
    if part >= taker.most[hop]:
        taker.most[hop], taker.paths[hop] = part, path


def _path(rows: list[list[Any]]) -> tuple[Edge, ...]:
    return tuple((e[0], e[1], e[2], e[3], e[4], e[5]) for e in rows)
