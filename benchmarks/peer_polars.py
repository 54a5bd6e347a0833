"""The rules of ``workload`` in polars: batch by batch with the history carried, or the whole file.

    python benchmarks/peer_polars.py EVENTS {windows|single} BATCH

With BATCH 0 the whole file is one frame, which no stream allows: the best case. Otherwise each
batch is put behind what the windows still need, and the rules are computed over both. Amounts are
read as text and made integers, as polars' own decimals are not exact here.
"""

from __future__ import annotations

import io
import json
import sys
from itertools import islice
from time import perf_counter, process_time
from typing import Any

import polars as pl

from benchmarks import workload as w

PARTY = pl.Struct({"id": pl.String, "institution": pl.String})
SCHEMA = {
    "time": pl.String,
    "reporter": pl.String,
    "amount": pl.String,
    "channel": pl.String,
    "payer": PARTY,
    "payee": PARTY,
}
KEY = ["reporter", "customer", "out"]


def frame(lines: bytes) -> pl.DataFrame:
    """Lines as a frame of legs."""
    payer, payee = pl.col("payer").struct, pl.col("payee").struct
    out = payer.field("institution") == pl.col("reporter")
    return (
        pl.read_ndjson(io.BytesIO(lines), schema=SCHEMA)
        .lazy()
        .select(
            pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
            "reporter",
            "channel",
            pl.col("amount").str.replace(".", "", literal=True).cast(pl.Int64),
            out.alias("out"),
            pl.when(out).then(payer.field("id")).otherwise(payee.field("id")).alias("customer"),
            pl.when(out).then(payee.field("id")).otherwise(payer.field("id")).alias("other"),
        )
        .with_columns(pl.col("time").dt.truncate("1d").alias("day"))
        .collect()
    )


def windows(rows: pl.DataFrame) -> pl.DataFrame:
    """Rule, key and day of everything that is met in these rows."""
    rows = rows.sort(*KEY, "time")
    met = []
    days = rows.lazy().group_by(*KEY, "day").agg(
        pl.col("amount").sum(), pl.col("other").n_unique()
    )  # fmt: skip
    met.append(days.filter(pl.col("amount") >= w.DAY_SUM * 100).select(*KEY, "day", rule=0))
    met.append(days.filter(pl.col("other") >= w.DAY_OTHERS).select(*KEY, "day", rule=3))
    for rule, period, what, least in (
        (1, "1d", pl.len(), w.DAY_COUNT),
        (2, "7d", pl.col("amount").sum(), w.WEEK_SUM * 100),
    ):
        rolled = rows.rolling("time", period=period, group_by=KEY).agg(what.alias("measure"))
        reached = rolled.lazy().filter(pl.col("measure") >= least)
        met.append(
            reached.select(*KEY, pl.col("time").dt.truncate("1d").alias("day"), rule=rule).unique()
        )
    return pl.concat(pl.collect_all(met), how="vertical_relaxed")


def single(rows: pl.DataFrame) -> int:
    """How many payments meet a rule about single ones."""
    amount = pl.col("amount")
    near = (amount >= w.NEAR_FROM * 100) & (amount < w.NEAR_TO * 100)
    return int(rows.select(((amount >= w.LARGE * 100) | near).sum()).item())


def run(path: str, which: str, batch: int) -> int:
    """All of the file."""
    found: list[pl.DataFrame] = []
    number = 0
    history: pl.DataFrame | None = None
    with open(path, "rb") as stream:
        while lines := (stream.read() if batch == 0 else b"".join(islice(stream, batch))):
            rows = frame(lines)
            if which == "single":
                number += single(rows)
                continue
            first: Any = rows["time"].min()
            if history is not None:
                rows = pl.concat([history, rows])
            met = windows(rows)
            # What was met in days before this batch is known from the batches before.
            found.append(met.filter(pl.col("day") >= pl.lit(first).dt.truncate("1d")))
            last: Any = rows["time"].max()
            history = rows.filter(pl.col("time") > pl.lit(last) - pl.duration(days=7))
    return number if which == "single" else pl.concat(found).unique().height


def main() -> None:
    """Run, print."""
    wall, cpu = perf_counter(), process_time()
    found = run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    print(json.dumps({"alerts": found, "wall": perf_counter() - wall, "cpu": process_time() - cpu}))


if __name__ == "__main__":
    main()
