"""How much of one party belongs to each of those behind it: shares multiplied down every chain and
added over the chains, rings of cross-holdings solved.

One unit starts at the party asked about and moves up to its owners in the proportion of their
shares, until it comes to somebody without owners. Along a chain that is the product of the shares,
over several chains their sum, and in a ring the solution of ``x = W x + d``: strongly connected
parts are found by Tarjan's algorithm and solved by themselves, in topological order.

``Fixed`` computes in integers, a unit being 10**90, rounds down and adds up what rounding took
away: the true value lies between what it found and that plus the loss. Shares of up to nine
decimals through ten levels lose nothing. Rings are solved in floating point, and the solution is
only taken as far as an exact check of the residual proves it too small (M-matrices are monotone).
``Exact`` computes in fractions; it is asked where the loss could decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Protocol

from detectors.ownership.solve import solve_exact, solve_fixed
from detectors.ownership.terms import WHOLE

UNIT: Final = 10**90

Edges = tuple[Sequence[int], Sequence[int]]
"""States and their weights (times ``WHOLE``)."""
Step = Callable[[int], Edges | None]
"""Edges of a state, or None where the unit stays: an end."""


@dataclass(slots=True)
class Flow:
    """Where the unit of a party went. Values are integers of ``UNIT`` or fractions of one."""

    unit: Any
    arrived: dict[int, Any] = field(default_factory=dict)
    """By state: what ever came there (of ends: what stayed there)."""
    left: dict[int, Any] = field(default_factory=dict)
    """By state: what stayed there because its owners have not the whole."""
    rings: list[tuple[list[int], Any]] = field(default_factory=list)
    """Rings without a way out, and what stayed in them."""
    loss: Any = 0
    """What rounding took away in all."""

    def fraction(self, value: Any) -> Fraction:
        """A value as a fraction of the unit."""
        return Fraction(value, self.unit)


class Arithmetic(Protocol):
    """The two ways to compute."""

    unit: Any
    loss: Any

    def parts(self, value: Any, weights: Sequence[int]) -> list[Any]:
        """The value times each weight."""

    def ring(self, inflow: list[Any], edges: list[list[tuple[int, int]]]) -> list[Any] | None:
        """What comes to each member of a ring in all; None where nothing ever leaves it."""


class Fixed:
    """Integers, rounded down, with the loss."""

    def __init__(self) -> None:
        self.unit, self.loss = UNIT, 0

    def parts(self, value: int, weights: Sequence[int]) -> list[int]:
        found = []
        for weight in weights:
            part, rest = divmod(value * weight, WHOLE)
            if rest:
                self.loss += 1
            found.append(part)
        return found

    def ring(self, inflow: list[int], edges: list[list[tuple[int, int]]]) -> list[int] | None:
        solved = solve_fixed(inflow, edges)
        if solved is None:
            return None
        found, residual = solved
        self.loss += residual
        return found


class Exact:
    """Fractions; nothing is lost."""

    def __init__(self) -> None:
        self.unit, self.loss = Fraction(1), Fraction(0)

    def parts(self, value: Fraction, weights: Sequence[int]) -> list[Fraction]:
        return [value * Fraction(weight, WHOLE) for weight in weights]

    def ring(
        self, inflow: list[Fraction], edges: list[list[tuple[int, int]]]
    ) -> list[Fraction] | None:
        return solve_exact(inflow, edges)


def spread(start: int, step: Step, arithmetic: Arithmetic) -> Flow:
    """Let the unit of ``start`` flow. The weights of a state must not exceed the whole."""
    edges, components = components_of(start, step)
    flow = Flow(arithmetic.unit)
    arrived = flow.arrived
    arrived[start] = arithmetic.unit
    for members in components:
        if len(members) == 1:
            state = members[0]
            out = edges[state]
            if out is None:
                continue
            if state not in out[0]:
                _push(state, arrived[state], out, arithmetic, flow)
                continue
        _ring(members, edges, arithmetic, flow)
    flow.loss = arithmetic.loss
    return flow


def _push(state: int, value: Any, out: Edges, arithmetic: Arithmetic, flow: Flow) -> None:
    arrived = flow.arrived
    states, weights = out
    rest = WHOLE
    for owner, weight, part in zip(states, weights, arithmetic.parts(value, weights), strict=True):
        arrived[owner] = arrived.get(owner, 0) + part
        rest -= weight
    if rest:
        flow.left[state] = arithmetic.parts(value, (rest,))[0]


def _ring(
    members: list[int], edges: dict[int, Edges | None], arithmetic: Arithmetic, flow: Flow
) -> None:
    places = {state: place for place, state in enumerate(members)}
    inside: list[list[tuple[int, int]]] = []
    for state in members:
        out = edges[state]
        assert out is not None, "an end is in no ring"
        inside.append(
            [(places[to], weight) for to, weight in zip(*out, strict=True) if to in places]
        )
    inflow = [flow.arrived.get(state, 0 * arithmetic.unit) for state in members]
    solved = arithmetic.ring(inflow, inside)
    if solved is None:
        flow.rings.append((members, sum(inflow)))
        return
    for state, value in zip(members, solved, strict=True):
        flow.arrived[state] = value
    for state in members:
        out = edges[state]
        assert out is not None
        outward = [(to, weight) for to, weight in zip(*out, strict=True) if to not in places]
        kept = sum(weight for to, weight in zip(*out, strict=True) if to in places)
        value = flow.arrived[state]
        weights = [weight for _, weight in outward]
        for (to, _), part in zip(outward, arithmetic.parts(value, weights), strict=True):
            flow.arrived[to] = flow.arrived.get(to, 0) + part
        rest = WHOLE - kept - sum(weights)
        if rest:
            flow.left[state] = arithmetic.parts(value, (rest,))[0]


def components_of(start: int, step: Step) -> tuple[dict[int, Edges | None], list[list[int]]]:
    """Edges of all that can be reached, and the strongly connected parts, owned before owners.

    Tarjan's algorithm without recursion. Edges of weight zero are left out.
    """
    out = _weighty(step(start))
    edges: dict[int, Edges | None] = {start: out}
    if out is not None:
        for to in out[0]:
            if to not in edges:
                edges[to] = _weighty(step(to))
    if all(behind is None for to, behind in edges.items() if to != start):
        return edges, [[start]]  # nobody stands behind an owner
    order: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_: list[int] = []
    waiting: set[int] = set()
    found: list[list[int]] = []
    work: list[tuple[int, int]] = [(start, 0)]
    while work:
        state, place = work.pop()
        if place == 0:
            if state not in edges:
                edges[state] = _weighty(step(state))
            order[state] = lowest[state] = len(order)
            open_.append(state)
            waiting.add(state)
        out = edges[state]
        if out is not None:
            targets = out[0]
            descended = False
            for number in range(place, len(targets)):
                to = targets[number]
                if to not in order:
                    work.append((state, number + 1))
                    work.append((to, 0))
                    descended = True
                    break
                if to in waiting and order[to] < lowest[state]:
                    lowest[state] = order[to]
            if descended:
                continue
        if lowest[state] == order[state]:
            members: list[int] = []
            while True:
                member = open_.pop()
                waiting.discard(member)
                members.append(member)
                if member == state:
                    break
            found.append(members[::-1])
        if work:
            parent = work[-1][0]
            if lowest[state] < lowest[parent]:
                lowest[parent] = lowest[state]
    found.reverse()
    return edges, found


def _weighty(out: Edges | None) -> Edges | None:
    """Edges without those of weight zero."""
    if out is None or 0 not in out[1]:
        return out
    kept = [(to, weight) for to, weight in zip(*out, strict=True) if weight]
    return [to for to, _ in kept], [weight for _, weight in kept]
