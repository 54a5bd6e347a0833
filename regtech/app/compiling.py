"""The first run on a machine: kernels are compiled on two cores at once.

Compiling takes over a minute of processor time, once. What rules ask of networks and what the
engine does are compiled without each other, so another process (``python -m
regtech.app.compiling``) takes the first, while this one judges a few events to compile the second.
Both find the other's code in the cache of kernels afterwards. With the word ``all`` the command
does both for what ships, and what compares names, before tests that would compile the same in each
of their processes.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import Any, Final

import numpy as np

from regtech.app.progress import Progress
from regtech.columns.jit import CACHE_ROOT, uncompiled
from regtech.model.fields import EVENT_TYPES
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.sandbox.harness import judge_events

_FIRST: Final = ("programs", "motifs")
"""Kernels of the engine and of networks that every run calls."""
_ROLES: Final = (
    "exporter",
    "recipient",
    "lender",
    "borrower",
    "holder",
    "counterparty",
    "of",
    "owner",
    "owned",
    "party",
)
"""Who must be named in an event of some type."""


def compile_kernels(packs: tuple[Pack, ...], reference: Reference, told: Progress) -> None:
    """Compile what a run with these packs calls, where that was never done on this machine."""
    if CACHE_ROOT is None or not uncompiled(*_FIRST):
        return
    told.note("compiling for this machine, once: this takes up to a minute")
    _in_two(packs, reference)


def _in_two(packs: tuple[Pack, ...], reference: Reference, *words: str) -> None:
    command = [sys.executable, "-m", "regtech.app.compiling", *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
        judge_events(packs, trial_events(), reference)


def trial_events() -> list[dict[str, Any]]:
    """An event of each type on two days a year apart, so that windows move on."""
    return [
        {
            "id": f"{kind}-{year}",
            "type": kind,
            "time": f"{year}-03-02T09:00:00Z",
            "reporter": "R",
            "amount": "1.00",
            "currency": "EUR",
            "kind": "other",
            "name": "other",
            "value": "1.00",
            **{role: {"id": role} for role in _ROLES},
        }
        for year in (2025, 2026)
        for kind in EVENT_TYPES
    ]


def main(words: list[str]) -> None:
    """Compile what networks call; with ``names`` what names do, with ``all`` the engine too."""
    if words == ["all"]:
        import detectors.names.scoring  # noqa: F401 - so that uncompiled() knows its kernels
        from regtech.app.choice import chosen_packs

        if CACHE_ROOT is not None and uncompiled(*_FIRST, "scoring"):
            _in_two(tuple(chosen_packs(())), Reference.shipped(), "names")
        return
    from detectors.graph.motifs import Motifs, Payments
    from detectors.graph.spec import DEFAULTS

    ones = np.ones(1, np.int64)
    payment = Payments(time_us=ones, payer=ones - 1, payee=ones, amount=ones, currency=ones)
    for _ in Motifs((next(iter(DEFAULTS.values())),)).observe(payment):
        pass
    if words == ["names"]:
        from detectors.names.screener import Query, Screener
        from regtech.app.names import load_model, load_tables

        Screener(load_tables(), load_model(), []).screen(Query("Ivan Petrov"))


if __name__ == "__main__":
    # Walking over what compiling makes is a sixth of its time; left alone it takes 200 MB more.
    gc.disable()
    main(sys.argv[1:])
