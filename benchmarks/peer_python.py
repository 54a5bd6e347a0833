"""The rules of ``workload`` in plain Python, tuned: one loop, dicts and deques, integers, no classes.

    python benchmarks/peer_python.py EVENTS {windows|single}

Prints the findings' count and the seconds of wall and CPU time as JSON.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from datetime import datetime
from time import perf_counter, process_time
from typing import Any

from benchmarks import workload as w


def windows(path: str) -> int:
    """The four rules with windows."""
    loads, stamp = json.loads, datetime.fromisoformat
    day_of: dict[Any, int] = {}
    day_sum: dict[Any, int] = {}
    day_others: dict[Any, set[str]] = {}
    recent: dict[Any, deque[int]] = {}
    week: dict[Any, deque[tuple[int, int]]] = {}
    week_sum: dict[Any, int] = {}
    least_day, least_week = w.DAY_SUM * 100, w.WEEK_SUM * 100
    found: set[Any] = set()
    with open(path, "rb") as lines:
        for line in lines:
            event = loads(line)
            payer = event["payer"]
            bank = event["reporter"]
            if payer["institution"] == bank:
                key, other = (bank, payer["id"], 0), event["payee"]["id"]
            else:
                key, other = (bank, event["payee"]["id"], 1), payer["id"]
            units, _, cents = event["amount"].partition(".")
            amount = int(units) * 100 + int(cents)
            at = int(stamp(event["time"]).timestamp())
            day = at // 86_400
            if day_of.get(key) != day:
                day_of[key] = day
                day_sum[key] = 0
                day_others[key] = set()
            total = day_sum[key] = day_sum[key] + amount
            if total >= least_day:
                found.add((0, key, day))
            others = day_others[key]
            others.add(other)
            if len(others) >= w.DAY_OTHERS:
                found.add((3, key, day))
            times = recent.get(key)
            if times is None:
                times = recent[key] = deque()
                week[key] = deque()
                week_sum[key] = 0
            limit = at - 86_400
            while times and times[0] <= limit:
                times.popleft()
            times.append(at)
            if len(times) >= w.DAY_COUNT:
                found.add((1, key, day))
            entries = week[key]
            total = week_sum[key] + amount
            limit = at - 604_800
            while entries and entries[0][0] <= limit:
                total -= entries.popleft()[1]
            entries.append((at, amount))
            week_sum[key] = total
            if total >= least_week:
                found.add((2, key, day))
    return len(found)


def single(path: str) -> int:
    """The three rules about single payments."""
    loads, found = json.loads, 0
    large, near, to = w.LARGE * 100, w.NEAR_FROM * 100, w.NEAR_TO * 100
    with open(path, "rb") as lines:
        for line in lines:
            event = loads(line)
            units, _, cents = event["amount"].partition(".")
            amount = int(units) * 100 + int(cents)
            # Cash or not, a large payment meets exactly one of two rules.
            found += amount >= large
            found += near <= amount < to
    return found


def main() -> None:
    """Run one of them."""
    wall, cpu = perf_counter(), process_time()
    found = {"windows": windows, "single": single}[sys.argv[2]](sys.argv[1])
    print(json.dumps({"alerts": found, "wall": perf_counter() - wall, "cpu": process_time() - cpu}))


if __name__ == "__main__":
    main()
