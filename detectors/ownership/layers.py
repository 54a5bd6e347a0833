"""Layers of nested products: how often a product's money goes through another product."""

from __future__ import annotations

from typing import Final

from detectors.ownership.register import Register, reached
from detectors.ownership.rows import SHARES
from detectors.ownership.terms import PRODUCT, Interest, Moment

ENDLESS: Final = 2**31 - 1
"""Layers of products that hold each other."""


def layers_of(register: Register, product: int, at: Moment) -> tuple[int, int]:
    """Least and greatest number of layers below a product.

    A product that buys a product has one layer. Products that are exempt (public funds,
    asset-backed ones) are no layer and are not looked into. Holdings that nobody has reported
    are not counted.
    """
    return _depth(register, product, at, least=True), _depth(register, product, at, least=False)


def _depth(register: Register, product: int, at: Moment, *, least: bool) -> int:
    depth: dict[int, int] = {}
    active: set[int] = set()
    work: list[tuple[int, list[int]]] = [(product, _bought(register, product, at, least))]
    active.add(product)
    depth[product] = 0
    while work:
        party, rest = work[-1]
        if rest:
            below = rest.pop()
            if below in active:
                return ENDLESS
            if below not in depth:
                depth[below] = 0
                active.add(below)
                work.append((below, _bought(register, below, at, least)))
                continue
            depth[party] = max(depth[party], depth[below] + 1)
            continue
        work.pop()
        active.discard(party)
        if work:
            above = work[-1][0]
            depth[above] = max(depth[above], depth[party] + 1)
    return depth[product]


def _bought(register: Register, product: int, at: Moment, least: bool) -> list[int]:
    """Products that a product holds and that count as a layer."""
    found = []
    for below in sorted(register.holds.get(product, ())):
        if register.exempt[below]:
            continue
        kind = register.kinds[below]
        for interest in SHARES:
            if kind != PRODUCT and not (kind == 0 and interest == Interest.UNIT):
                continue
            for change in reversed(register.held[below].get(product << 5 | interest, ())):
                if reached(change.start, at):
                    held = not reached(change.end, at) and change.high
                    if held and (change.low or not change.given or not least):
                        found.append(below)
                    break
    return found
