"""How fast the same events become columns from NDJSON, CSV and Parquet: one run, one core.

    python benchmarks/tables.py [EVENTS]

Simulated events of all types are written once in each format. Prints thousands of events a second
(CPU time, best of three after a first one, file reading included) and checks that all three give
the same content.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

# One core for the readers of Parquet too; polars looks at this when it is imported.
os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np  # noqa: E402  (the number of threads must be set first)

from regtech.adapters.ndjson.decoder import NdjsonDecoder  # noqa: E402  (as above)
from regtech.adapters.sources import describe_source, read_events  # noqa: E402  (as above)
from regtech.app.simulate import simulate_command  # noqa: E402  (as above)
from regtech.columns.vocabulary import Vocabulary  # noqa: E402  (as above)
from regtech.model.fields import all_fields  # noqa: E402  (as above)
from regtech.reference.load import Reference  # noqa: E402  (as above)

ROUNDS = 4


def main(events: int) -> None:
    """Write, read, compare."""
    table = Reference.shipped().currencies
    currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
    fields = list(all_fields().values())[:100]
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("ndjson", "csv", "parquet"):
            path = Path(folder) / f"events.{suffix}"
            simulate_command(path, events=events, seed=7, planted=False)
            decoder = NdjsonDecoder(fields, Vocabulary(), Vocabulary(), currencies)
            best = 0.0
            for _ in range(ROUNDS):
                begun = time.process_time()
                pieces = list(read_events(describe_source(str(path)), decoder))
                best = max(best, events / (time.process_time() - begun))
            batches = [piece.batch for piece in pieces if piece.batch is not None]
            contents.append(np.concatenate([batch.content for batch in batches]))
            size = path.stat().st_size / events
            print(f"{suffix:8} {best / 1000:6.0f} k/s   {size:5.0f} bytes an event")
    assert all(np.array_equal(content, contents[0]) for content in contents), "contents differ"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
