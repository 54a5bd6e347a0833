"""How fast the same events become columns from NDJSON, CSV and Parquet: one run, one core.

    python benchmarks/tables.py [--events 100000]

Simulated events of all types are written once in each format. Prints thousands of events a second
(CPU time, the best of the rounds after a first one, file reading included) and checks that all
three give the same content. Beside each, as a peer, polars reading the same file into a frame: it
checks no event, and of NDJSON and CSV it guesses the types.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import arguments, machine, one_core
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import describe_source, read_events
from regtech.app.simulate import simulate_command
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import all_fields
from regtech.reference.load import Reference


def polars_reads(path: Path) -> Callable[[], Any]:
    """How polars reads a file of this kind."""
    import polars as pl  # looks at the number of threads when it is imported

    if path.suffix == ".parquet":
        return lambda: pl.read_parquet(path)
    if path.suffix == ".csv":
        return lambda: pl.read_csv(path, infer_schema=False)
    return lambda: pl.read_ndjson(path, infer_schema_length=None)


def best(work: Callable[[], Any], events: int, rounds: int) -> tuple[float, Any]:
    """The highest rate of several rounds in events a second, and what the last one gave."""
    rate, found = 0.0, None
    for _ in range(rounds):
        begun = time.process_time()
        found = work()
        rate = max(rate, events / (time.process_time() - begun))
    return rate, found


def main() -> None:
    """Write, read, compare."""
    given = arguments("NDJSON, CSV and Parquet to columns, beside polars", 100_000).parse_args()
    one_core(given.core)
    print(json.dumps(machine(), ensure_ascii=False))
    events, rounds = given.events, given.repeats + 1
    table = Reference.shipped().currencies
    currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
    fields = list(all_fields().values())[:100]
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("ndjson", "csv", "parquet"):
            path = Path(folder) / f"events.{suffix}"
            simulate_command(path, events=events, seed=7, planted=False)
            decoder = NdjsonDecoder(fields, Vocabulary(), Vocabulary(), currencies)
            source = describe_source(str(path))
            rate, pieces = best(lambda s=source, d=decoder: list(read_events(s, d)), events, rounds)
            peer, _ = best(polars_reads(path), events, rounds)
            batches = [piece.batch for piece in pieces if piece.batch is not None]
            contents.append(np.concatenate([batch.content for batch in batches]))
            size = path.stat().st_size / events
            rates = f"{rate / 1000:6.0f} k/s   polars {peer / 1000:6.0f} k/s"
            print(f"{suffix:8} {rates}   {size:5.0f} bytes an event")
    assert all(np.array_equal(content, contents[0]) for content in contents), "contents differ"


if __name__ == "__main__":
    main()
