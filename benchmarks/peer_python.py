"""The rules of ``workload`` in plain Python, tuned: one loop, dicts, deques, integers, no classes.

    python benchmarks/peer_python.py EVENTS {windows|single} GROUPS

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


def windows(path: str, number: int) -> int:
    """The rules with windows: one state, a list, for each group and subject."""
    loads, stamp = json.loads, datetime.fromisoformat
    least_day, least_others = w.DAY_SUM * 100, w.DAY_OTHERS
    found: set[Any] = set()
    met = found.add
    groups = [
        (k, g.floor * 100, g.hours * 3600, g.days * 86_400, g.count, g.sum * 100)
        for k, g in enumerate(w.groups(number))
    ]
    states: list[dict[Any, list[Any]]] = [{} for _ in groups]
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
            for k, floor, seconds, longer, least_count, least_sum in groups:
                if amount < floor:
                    break  # floors rise from group to group
                state = states[k].get(key)
                if state is None:
                    state = states[k][key] = [day, 0, set(), deque(), deque(), 0]
                elif state[0] != day:
                    state[0] = day
                    state[1] = 0
                    state[2] = set()
                state[1] += amount
                if state[1] >= least_day:
                    met((k, 0, key, day))
                others = state[2]
                others.add(other)
                if len(others) >= least_others:
                    met((k, 3, key, day))
                times = state[3]
                limit = at - seconds
                while times and times[0] <= limit:
                    times.popleft()
                times.append(at)
                if len(times) >= least_count:
                    met((k, 1, key, day))
                entries = state[4]
                total = state[5] + amount
                limit = at - longer
                while entries and entries[0][0] <= limit:
                    total -= entries.popleft()[1]
                entries.append((at, amount))
                state[5] = total
                if total >= least_sum:
                    met((k, 2, key, day))
    return len(found)


def single(path: str, _: int) -> int:
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
    found = {"windows": windows, "single": single}[sys.argv[2]](sys.argv[1], int(sys.argv[3]))
    print(json.dumps({"alerts": found, "wall": perf_counter() - wall, "cpu": process_time() - cpu}))


if __name__ == "__main__":
    main()
