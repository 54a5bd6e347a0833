"""The matcher's port, and the matcher in plain Python.

A matcher answers one question only: which alerts meet which patterns of a branch together, no two
of them further apart than the window. It sees numbers alone (places in a list, times, flags): ids,
names and everything else that comes from outside stay with the caller, and so do counts, absence,
order, merging and every other rule of policies. It keeps nothing between calls.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, Protocol

CANDIDATES_MAX: Final = 200
"""So many alerts a job has at most; more are a hot key, which is not joined (``is_hot``)."""

MATCHES_MAX: Final = 10_000
"""So many matches a job can have at most; more are a hot key."""

PATTERNS_MAX: Final = 8
TIME_MAX: Final = 1 << 62

log = logging.getLogger("casework.policy")


@dataclass(frozen=True, slots=True)
class Job:
    """Alerts of one key that may meet a branch together.

    ``width``: number of patterns; ``within``: window in microseconds; ``times``: of the alerts, in
    microseconds since 1970; ``flags``: for each alert the patterns that it meets, as bits.
    """

    width: int
    within: int
    times: tuple[int, ...]
    flags: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many alerts meet each pattern."""
        return tuple(sum(flag >> i & 1 for flag in self.flags) for i in range(self.width))

    @property
    def is_hot(self) -> bool:
        """Whether there is too much of it to be joined; the planner then decides without."""
        return len(self.times) > CANDIDATES_MAX or prod(self.counts) > MATCHES_MAX


Match = tuple[int, ...]
"""For each pattern the place in the job of the alert that meets it; all different."""


@dataclass(frozen=True, slots=True)
class MatcherHealth:
    """How a matcher is. ``degraded``: it answers, but not by the engine it is meant to use."""

    engine: str
    degraded: bool = False
    reason: str = ""
    starts: int = 0
    failures: int = 0
    fallbacks: int = 0


class Matcher(Protocol):
    """Finds matches. Answers are complete, exact and the same in every implementation."""

    def match(self, jobs: Sequence[Job]) -> list[frozenset[Match]]:
        """For each job all its matches. No job may be hot.

        Never fails because of what is in a job; ``ValueError`` for one that breaks its own terms.
        """
        ...

    def health(self) -> MatcherHealth:
        """How it is; without side effect, from any thread."""
        ...

    def close(self) -> None:
        """Gives back what it holds; it may be used again afterwards."""
        ...


def check(job: Job) -> None:
    """Raises ``ValueError`` where a job is not what the port asks for."""
    if not 2 <= job.width <= PATTERNS_MAX:
        raise ValueError(f"a job has 2 to {PATTERNS_MAX} patterns, not {job.width}")
    if len(job.times) != len(job.flags):
        raise ValueError("times and flags differ in number")
    if not 0 <= job.within < TIME_MAX or not all(-TIME_MAX < t < TIME_MAX for t in job.times):
        raise ValueError("a time or window lies outside of 62 bits")
    if not all(0 <= flag < 1 << job.width for flag in job.flags):
        raise ValueError("a flag names a pattern that the job does not have")
    if job.is_hot:
        raise ValueError("a hot job is not for a matcher")


class PythonMatcher:
    """Tries the patterns one after the other over alerts in the window: the plain reading."""

    def match(self, jobs: Sequence[Job]) -> list[frozenset[Match]]:
        for job in jobs:
            check(job)
        return [frozenset(_matches(job)) for job in jobs]

    def health(self) -> MatcherHealth:
        return MatcherHealth("python")

    def close(self) -> None:
        return None


def _matches(job: Job) -> Iterator[Match]:
    places = [
        [place for place, flag in enumerate(job.flags) if flag >> i & 1] for i in range(job.width)
    ]
    if not all(places):
        return
    times, within, width = job.times, job.within, job.width
    chosen: list[int] = []

    def extend(low: int, high: int) -> Iterator[Match]:
        position = len(chosen)
        if position == width:
            yield tuple(chosen)
            return
        for place in places[position]:
            at = times[place]
            first, last = min(low, at), max(high, at)
            if last - first > within or place in chosen:
                continue
            chosen.append(place)
            yield from extend(first, last)
            chosen.pop()

    for place in places[0]:
        chosen.append(place)
        yield from extend(times[place], times[place])
        chosen.pop()
