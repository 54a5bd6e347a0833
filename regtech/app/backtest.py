"""``backtest``: two versions of the rules over the same events, in one pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from regtech.adapters.committed import CommittedFile
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import describe_source
from regtech.app.allocator import map_large_arrays
from regtech.app.detection import shipped_detectors
from regtech.app.judging import check_home
from regtech.app.progress import NoProgress, Progress
from regtech.app.sources import Merge, Slice, Source, check_names, kept_of
from regtech.app.versions import VERSIONS
from regtech.clock import SystemClock
from regtech.columns.vocabulary import Vocabulary
from regtech.content import content_root
from regtech.errors import InputError, UsageError
from regtech.reference.load import Reference
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import require_packs
from regtech.sandbox.backtest import Change, Twins, rule_changes
from regtech.sandbox.differences import BacktestResult, SideSummary
from regtech.sandbox.near import SUFFIX


def load_side(name: str) -> tuple[list[Pack], str | None]:
    """The packs of a side, and the pack's id where one kept version was named.

    ``name``: a folder, a file, or ``PACK@VERSION``. Raises ``UsageError`` where it is none.
    """
    path = Path(name)
    if path.exists():
        return require_packs(path), None
    pack, at, version = name.partition("@")
    if not at or not pack or not version:
        raise UsageError(f"no rules are at {name}", hint="name a folder, a file, or PACK@VERSION")
    return [kept_version(pack, version)], pack


def kept_version(pack: str, version: str) -> Pack:
    """A version of a pack that was kept, or the present one where it has that version."""
    root = content_root("rules")
    kept = root / VERSIONS / f"{pack}@{version}" / f"{pack}.yml"
    if kept.is_file():
        found = require_packs(kept)[0]
        if found.version != version:
            raise InputError(f"{kept} says that it is version {found.version}")
        return found
    present = next((path for path in pack_files(root) if path.stem == pack), None)
    if present is not None:
        found = require_packs(present)[0]
        if found.version == version:
            return found
        has = f"{pack} is at version {found.version} now"
    else:
        has = f"no pack is called {pack}"
    others = sorted(p.parent.name for p in (root / VERSIONS).glob(f"{pack}@*/{pack}.yml"))
    known = f"; kept are {', '.join(others)}" if others else ""
    raise UsageError(
        f"version {version} of {pack} is not kept: {has}{known}",
        hint=f"keep the file as {kept}, or give --base a file or folder of that version",
    )


def _side(name: str, packs: Sequence[Pack], twins: Twins, number: int) -> SideSummary:
    comparison = twins.comparison
    side = (comparison.base, comparison.head)[number]
    return SideSummary(
        name,
        tuple({"pack": p.id, "version": p.version, "digest": p.digest} for p in packs),
        sum(not rule.id.endswith(SUFFIX) for _, rule in side.plan.rules),
        side.alerts,
        side.digest,
    )


def _notes(base: Sequence[Pack], head: Sequence[Pack]) -> tuple[str, ...]:
    before, after = {p.id for p in base}, {p.id for p in head}
    found = []
    if only := sorted(before - after):
        found.append(f"only in base, so that all their alerts are gone: {', '.join(only)}")
    if only := sorted(after - before):
        found.append(f"only in head, so that all their alerts are new: {', '.join(only)}")
    return tuple(found)


def backtest_command(
    *,
    events: Sequence[str],
    base: str,
    head: str,
    map: str | None = None,
    lateness: int = 600_000_000,
    from_: int | None = None,
    to: int | None = None,
    home: str | None = None,
    batch: int = 16384,
    samples: int = 3,
    out: str | None = None,
    progress: Progress | None = None,
) -> BacktestResult:
    """Judge the events by both sides and compare. Times are microseconds since 1970.

    The head's digest is the one that ``run`` prints for the same rules, events and options. A
    record that cannot be used is counted and judged by neither side.
    """
    told = progress or NoProgress()
    told.stage("reading rules")
    base_packs, kept = load_side(base)
    head_packs, _ = load_side(head)
    if kept is not None:
        head_packs = [pack for pack in head_packs if pack.id == kept]
        if not head_packs:
            raise UsageError(f"{head} holds no pack {kept} to compare with {base}")
    check_home(home, [*base_packs, *head_packs])
    return compare_packs(
        (base, base_packs), (head, head_packs), events,
        map=map, lateness=lateness, from_=from_, to=to, home=home, batch=batch, samples=samples,
        out=out, progress=told,
    )  # fmt: skip


def compare_packs(
    base: tuple[str, Sequence[Pack]],
    head: tuple[str, Sequence[Pack]],
    events: Sequence[str],
    *,
    map: str | None = None,
    lateness: int = 600_000_000,
    from_: int | None = None,
    to: int | None = None,
    home: str | None = None,
    batch: int = 16384,
    samples: int = 3,
    out: str | None = None,
    near: Fraction | None = None,
    progress: Progress | None = None,
) -> BacktestResult:
    """Judge the events by two sides, each a name and its packs; see ``backtest_command``.

    ``near``: how far below a figure values are looked for as well, as ``BacktestResult.around``.
    """
    map_large_arrays()
    told = progress or NoProgress()
    clock = SystemClock()
    started = clock.elapsed()
    (base_name, base_packs), (head_name, head_packs) = base, head
    files = [describe_source(name) for name in events]
    check_names(files)
    reference = Reference.shipped()
    twins = Twins(
        base_packs,
        head_packs,
        reference,
        sources=[file.name for file in files],
        lateness_us=lateness,
        home=home,
        from_us=from_,
        detectors=shipped_detectors(),
        near=near,
    )
    table = reference.currencies
    currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
    decoder = NdjsonDecoder(
        twins.fields, twins.vocabulary, Vocabulary(), currencies, kept=twins.kept
    )
    time_row = [field.path for field in twins.fields].index("time")
    column_map = _column_map(map)
    sources = [Source(file, index) for index, file in enumerate(files)]
    for source in sources:
        source.open(decoder, column_map, batch, time_row)
    merge = Merge(sources)
    aside: Counter[str] = Counter()
    given = 0
    sizes = [file.size for file in files]
    told.stage("judging by both", sum(s or 0 for s in sizes) if None not in sizes else None)
    while (found := merge.next()) is not None:
        if not isinstance(found, Slice):
            twins.close_source(found)
            continue
        aside["quarantined"] += len(found.rejects)
        given += len(found.rejects)
        if found.batch is not None:
            given += found.batch.count
            kept_batch = found.batch
            if to is not None:
                kept_batch = kept_of(kept_batch, kept_batch.columns[time_row] < to)
                aside["outside"] += found.batch.count - kept_batch.count
            if kept_batch.count:
                twins.push(kept_batch)
        told.advance(found.size)
    changes = twins.finish(to)
    later = twins.engines[1].summary()
    aside.update({"repeats": later.repeats, "late": later.late, "conflicts": later.conflicts})
    if out is not None:
        write_changes(out, changes)
    plans = (twins.comparison.base.plan, twins.comparison.head.plan)
    titles = {rule.id: dict(rule.title) for plan in plans for _, rule in plan.rules}
    return BacktestResult(
        base=_side(base_name, base_packs, twins, 0),
        head=_side(head_name, head_packs, twins, 1),
        rules=rule_changes(*plans),
        same=twins.comparison.same,
        changes=tuple(changes),
        titles=titles,
        events=given,
        set_aside={name: count for name, count in aside.items() if count},
        seconds=clock.elapsed() - started,
        samples=samples,
        out=out,
        notes=_notes(base_packs, head_packs),
        around=() if twins.spread is None else tuple(twins.spread.found()),
    )


def _column_map(name: str | None) -> Any:
    if name is None:
        return None
    from regtech.adapters.tables.columnmap import load_column_map

    return load_column_map(name)


def write_changes(path: str, changes: Sequence[Change]) -> None:
    """Every difference as NDJSON; the file gets its name when it is whole."""
    file = CommittedFile(path, "differences")
    try:
        for change in changes:
            text = json.dumps(change.to_json(), ensure_ascii=False, separators=(",", ":"))
            file.write(text.encode() + b"\n")
    except BaseException:
        file.abandon()
        raise
    file.close()
