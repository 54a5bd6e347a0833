"""What a snapshot of a run holds beside the engine's state, and whether one goes with a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from regtech import __version__
from regtech.adapters.committed import Position
from regtech.adapters.snapshots import Snapshot
from regtech.adapters.sources import SourceFile
from regtech.app.judging import Counts, Judging, ReadPart, Settings
from regtech.engine.intake import FOREVER, NEVER
from regtech.engine.snapshot import restore
from regtech.errors import SnapshotError


def said_of(
    judging: Judging, read: ReadPart, positions: Mapping[str, Position], known: Sequence[Any]
) -> dict[str, Any]:
    """The plain part of a snapshot. ``known``: entries of sources that are not read any more."""
    return {
        "product": __version__,
        "settings": judging.settings.as_data(),
        "fingerprint": judging.fingerprint,
        "sources": [known[n] if one is None else one for n, one in enumerate(read.sources)],
        "outputs": {name: asdict(position) for name, position in positions.items()},
        "counts": judging.counts.as_data(),
    }


def check_settings(snapshot: Snapshot, settings: Settings) -> None:
    """Refuse a snapshot of another version, of other rules or of other settings, and say which."""
    said = snapshot.said
    if said["product"] != __version__:
        raise SnapshotError(
            f"{snapshot.path} was written by version {said['product']}; this is {__version__}",
            hint="finish with that version, or start again without --resume",
        )
    # As it would read back: lists in place of tuples.
    now = json.loads(json.dumps(settings.as_data()))
    differing = [name for name, value in now.items() if said["settings"].get(name) != value]
    if "packs" in differing:
        before = {tuple(entry) for entry in said["settings"]["packs"]}
        after = {tuple(entry) for entry in now["packs"]}
        changed = sorted({entry[0] for entry in before ^ after})
        raise SnapshotError(
            f"{snapshot.path} was written with other rules: {', '.join(changed[:5])}"
            + (" …" if len(changed) > 5 else ""),
            hint="bring those rules back, or start again without --resume",
        )
    if differing:
        raise SnapshotError(
            f"{snapshot.path} was written with another {', '.join(differing)}",
            hint="resume with the options that the run was started with",
        )


def restore_run(snapshot: Snapshot, judging: Judging) -> None:
    """Put a snapshot into a run that was made with its vocabularies and its sources first."""
    said = snapshot.said
    if said["fingerprint"] != judging.fingerprint:
        raise SnapshotError(
            f"{snapshot.path} was written with other reference data or by other code",
            hint="start again without --resume",
        )
    restore(judging.engine, snapshot.arrays)
    judging.counts = Counts.of(said["counts"])
    newest = judging.engine.intake.newest
    # What was judged is judged: what a source says from before that is late.
    least = NEVER
    if judging.engine.events:
        least = judging.engine.now_us + 1 + judging.settings.lateness_us
    for index, source in enumerate(judging.sources):
        if index >= len(said["sources"]):
            newest[index] = least
            continue
        entry = said["sources"][index]
        if source is None:
            newest[index] = FOREVER
            continue
        source.position, source.newest = entry["position"], entry["newest"]
        newest[index] = max(entry["newest"], least) if entry["closed"] else entry["newest"]
        parts = {
            name: snapshot.arrays[f"raw{index}.{name}"]
            for name in ("first", "next", "sizes", "bytes")
            if f"raw{index}.{name}" in snapshot.arrays
        }
        if parts:
            source.raw.restore(parts)
    if judging.near is not None:
        judging.near.restore(json.loads(snapshot.arrays["near"].tobytes()))


def position_in(snapshot: Snapshot, output: str) -> Position:
    """How far an output had been written."""
    entry = snapshot.said["outputs"][output]
    return Position(entry["length"], entry["digest"])


def names_of(known: Sequence[Mapping[str, Any]], new: Sequence[SourceFile]) -> list[str]:
    """Names of all sources: those of a snapshot first."""
    return [*(entry["name"] for entry in known), *(file.name for file in new)]
