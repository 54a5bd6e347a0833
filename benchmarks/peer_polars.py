"""The rules of ``workload`` in polars: batch by batch with the history carried, or the whole file.

    python benchmarks/peer_polars.py EVENTS {windows|single} GROUPS BATCH

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
SCHEMA: dict[str, Any] = {
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


def windows(rows: pl.DataFrame, groups: list[w.Group]) -> pl.DataFrame:
    """Group, rule, key and day of everything that is met in these rows."""
    every = rows.sort(*KEY, "time")
    met = []
    for k, group in enumerate(groups):
        rows = every.filter(pl.col("amount") >= group.floor * 100) if group.floor else every
        mark = {"group": k}
        days = rows.group_by(*KEY, "day").agg(pl.col("amount").sum(), pl.col("other").n_unique())
        for rule, reached in (
            (0, pl.col("amount") >= w.DAY_SUM * 100),
            (3, pl.col("other") >= w.DAY_OTHERS),
        ):
            met.append(days.filter(reached).select(*KEY, "day", rule=rule, **mark))
        for rule, period, what, least in (
            (1, f"{group.hours}h", pl.len(), group.count),
            (2, f"{group.days}d", pl.col("amount").sum(), group.sum * 100),
        ):
            rolled = rows.rolling("time", period=period, group_by=KEY).agg(what.alias("measured"))
            day = pl.col("time").dt.truncate("1d").alias("day")
            rolled = rolled.filter(pl.col("measured") >= least)
            met.append(rolled.select(*KEY, day, rule=rule, **mark).unique())
    return pl.concat(met, how="vertical_relaxed")


def single(rows: pl.DataFrame) -> int:
    """How many payments meet a rule about single ones."""
    amount = pl.col("amount")
    near = (amount >= w.NEAR_FROM * 100) & (amount < w.NEAR_TO * 100)
    return int(rows.select(((amount >= w.LARGE * 100) | near).sum()).item())


def run(path: str, which: str, number: int, batch: int) -> int:
    """All of the file."""
    found: list[pl.DataFrame] = []
    groups = w.groups(number)
    reach = pl.duration(days=groups[-1].days)
    met_single = 0
    history: pl.DataFrame | None = None
    with open(path, "rb") as stream:
        while lines := (stream.read() if batch == 0 else b"".join(islice(stream, batch))):
            rows = frame(lines)
            if which == "single":
                met_single += single(rows)
                continue
            first: Any = rows["time"].min()
            if history is not None:
                rows = pl.concat([history, rows])
            met = windows(rows, groups)
            # What was met in days before this batch is known from the batches before.
            found.append(met.filter(pl.col("day") >= pl.lit(first).dt.truncate("1d")))
            last: Any = rows["time"].max()
            history = rows.filter(pl.col("time") > pl.lit(last) - reach)
    return met_single if which == "single" else pl.concat(found).unique().height


def main() -> None:
    """Run, print."""
    wall, cpu = perf_counter(), process_time()
    found = run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps({"alerts": found, "wall": perf_counter() - wall, "cpu": process_time() - cpu}))


if __name__ == "__main__":
    main()
