"""The first run on a machine: kernels are compiled on two cores at once.

Compiling takes over a minute of processor time, once. What rules ask of networks and what the
engine does are compiled without each other, so another process (``python -m
regtech.app.compiling``) takes the first, while this one judges a few events to compile the second.
Both find the other's code in the cache of kernels afterwards. With the word ``all`` the command
does both for what ships, and beside them what compares names, computes features and reads tables,
before tests that would compile the same in each of their processes: what these call is mostly what
the two have compiled already, and only within a process is that not compiled again.
"""

from __future__ import annotations

import gc
import io
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import numpy as np

from regtech.columns.jit import CACHE_ROOT, uncompiled
from regtech.engine.plan import Plan
from regtech.model.fields import EVENT_TYPES
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.sandbox.harness import decoder_of, judge_events

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


def compile_kernels(packs: tuple[Pack, ...], reference: Reference) -> None:
    """Compile what a run with these packs calls, where that was never done on this machine."""
    if CACHE_ROOT is None or not uncompiled(*_FIRST):
        return
    _in_two(packs, reference)


def compile_screening() -> None:
    """Compile what comparing names calls, where that was never done on this machine.

    Otherwise whoever asks a server first waits for it, for longer than a request may take.
    """
    import_module("detectors.names.scoring")  # so that uncompiled() knows its kernels
    if uncompiled("scoring"):
        _screen_a_text()


def _in_two(
    packs: tuple[Pack, ...],
    reference: Reference,
    *words: str,
    then: Callable[[Plan], None] | None = None,
) -> None:
    command = [sys.executable, "-m", "regtech.app.compiling", *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
        plan = judge_events(packs, trial_events(), reference).engine.judge.plan
        if then is not None:
            then(plan)


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


def _read_tables(plan: Plan) -> None:
    """Compile what reads CSV and Parquet: a good row, and one that takes more care."""
    import pyarrow as pa
    import pyarrow.parquet

    from regtech.adapters.tables.csvfile import read_csv
    from regtech.adapters.tables.parquetfile import read_parquet

    good = {"id": "1", "type": "figure", "time": "2026-03-02T09:00:00Z", "reporter": "R"}
    rows = [good, {**good, "id": " 1"}]
    sheet = "\n".join([",".join(good), *(",".join(row.values()) for row in rows)]) + "\n"
    table = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), table)
    table.seek(0)
    for _ in read_csv(io.BytesIO(sheet.encode()), decoder_of(plan), source_name="", source_index=0):
        pass
    for _ in read_parquet(table, decoder_of(plan), source_name="", source_index=0):
        pass


def main(words: list[str]) -> None:
    """Compile what networks call; with ``names`` what names and features do too, with ``all`` the
    engine and tables."""
    if words == ["all"]:
        import_module("detectors.names.scoring")  # so that uncompiled() knows its kernels
        from regtech.app.choice import chosen_packs

        if CACHE_ROOT is not None and uncompiled(*_FIRST, "scoring"):
            _in_two(tuple(chosen_packs(())), Reference.shipped(), "names", then=_read_tables)
        return
    from detectors.graph.motifs import Motifs, Payments
    from detectors.graph.spec import DEFAULTS

    ones = np.ones(1, np.int64)
    payment = Payments(time_us=ones, payer=ones - 1, payee=ones, amount=ones, currency=ones)
    for _ in Motifs((next(iter(DEFAULTS.values())),)).observe(payment):
        pass
    if words == ["names"]:
        from detectors.graph.features import PaymentFeatures

        PaymentFeatures(1).update(ones, ones - 1, ones, ones)
        _screen_a_text()


def _screen_a_text() -> None:
    from detectors.names.analysis import Analyser
    from detectors.names.pairs import pair_scores
    from detectors.names.screener import Screener
    from detectors.names.texts import screen_text
    from regtech.app.names import load_model, load_tables
    from regtech.reference.watchlists import ListedName, ListEntry, ListVersion

    tables, model, name = load_tables(), load_model(), "Ivan Petrov"
    listed = ListVersion("own", (ListEntry("1", "person", (ListedName(name),)),))
    screen_text(Screener(tables, model, [listed]), f"Paid to {name}.")
    pair_scores(Analyser(tables), model, [name], [name])


if __name__ == "__main__":
    # Walking over what compiling makes is a sixth of its time; left alone it takes 200 MB more.
    gc.disable()
    main(sys.argv[1:])
