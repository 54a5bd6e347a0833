"""All benchmarks one after the other: ``python -m benchmarks`` (``make bench``), half an hour.

``--small`` takes a tenth of the events; ``--peers FOLDER`` (default ``build/peers``) is where
durable-rules and Flink get environments of their own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.support.frontend import chromium

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run each as a process of its own, so that none inherits another's memory."""
    parser = argparse.ArgumentParser(description="all benchmarks, one after the other")
    parser.add_argument("--small", action="store_true", help="a tenth of the events")
    parser.add_argument("--peers", default="build/peers", help="folder of the peers' environments")
    parser.add_argument("--folder", default="build/bench", help="folder of generated events")
    parser.add_argument("--lists", help="folder of OFAC's and the UN's files; without it no names")
    given = parser.parse_args()
    share = 10 if given.small else 1
    events = str(1_000_000 // share)
    kept = ("--folder", given.folder)
    for words in (
        ("start", "--repeats", "7"),
        ("content", *(() if given.small else ("--mutate",))),
        ("pipeline", "--events", events, "--digest-check", *kept),
        ("decode",),
        ("tables",),
        ("peers", "--events", str(500_000 // share), "--peers", given.peers, *kept),
        ("latency", "--events", events, *kept),
        ("api", "--events", str(200_000 // share), *kept),
        ("restart", "--events", events, *kept),
        ("exchange", "--events", str(300_000 // share), *kept),
        ("scaling", "--events", str(200_000 // share), *kept),
        ("memory", "--subjects", str(1_000_000 // share), *kept),
        ("policy", "--events", str(100_000 // share)),
        ("caseload", "--alerts", str(1_000_000 // share), "--cases", str(100_000 // share)),
        ("search", "--cases", str(100_000 // share)),
        ("anomaly", "--events", str(200_000 // share), "--seeds", "1" if given.small else "3"),
        ("pages", "--cases", str(100_000 // share)),
        ("graph", "--events", str(100_000 // share)),
        ("ownership", "--events", str(200_000 // share), "--companies", str(100_000 // share)),
        *([("frontend",)] if chromium() else []),
        ("names", *(() if given.lists is None else (given.lists,))),
    ):
        print(f"\n== benchmarks/{' '.join(words)}", flush=True)
        name, *more = words
        subprocess.run([sys.executable, str(HERE / f"{name}.py"), *more], check=True)


if __name__ == "__main__":
    main()
