"""The rules of ``workload`` about single payments in durable-rules; run with its own interpreter.

    PYTHON benchmarks/peer_durable.py EVENTS LIMIT

Windows over event time are beyond it: its counts tumble over whatever lies in memory. Facts go in
by 500, each 500 into a state of its own, which is what keeps it fast; every amount and channel is
made ready for it. Prints findings, events and seconds as JSON.
"""

import json
import os
import sys
from time import perf_counter, process_time
from typing import Any

from durable import engine

# The figures of ``workload``, which this interpreter does not import; in cents.
LARGE, NEAR_FROM, NEAR_TO = (100 * x for x in json.loads(os.environ["BENCHMARK_FIGURES"])["single"])
CHUNK = 500


class Host(engine.Host):
    """Without the threads that fire actions in their own time."""

    def _run(self) -> None:
        pass


def main(path: str, limit: int) -> None:
    """Assert all payments, count what fires."""
    fired = [0]

    def count(_: Any) -> None:
        fired[0] += 1

    def rule(*tests: Any) -> dict[str, Any]:
        return {"all": [{"m": {"$and": [*tests, {"one": 1}]}}], "run": count}

    wall, cpu = perf_counter(), process_time()
    rules = {
        "cash": rule({"channel": "cash"}, {"$gte": {"amount": LARGE}}),
        "transfer": rule({"$neq": {"channel": "cash"}}, {"$gte": {"amount": LARGE}}),
        "near": rule({"$gte": {"amount": NEAR_FROM}}, {"$lt": {"amount": NEAR_TO}}),
    }
    host = Host()
    host.set_rulesets({"bench": rules})
    ruleset = host._ruleset_list[0]
    events = 0
    with open(path, "rb") as lines:
        facts = []
        for line in lines:
            event = json.loads(line)
            units, _, cents = event["amount"].partition(".")
            amount, channel = int(units) * 100 + int(cents), event["channel"]
            facts.append(
                {"id": str(events), "sid": str(events // CHUNK), "one": 1,
                 "amount": amount, "channel": channel}
            )  # fmt: skip
            events += 1
            if len(facts) == CHUNK or events == limit:
                _assert(host, ruleset, facts, fired)
                facts = []
            if events == limit:
                break
        if facts:
            _assert(host, ruleset, facts, fired)
    print(
        json.dumps(
            {
                "alerts": fired[0],
                "events": events,
                "wall": perf_counter() - wall,
                "cpu": process_time() - cpu,
            }
        )
    )


def _assert(host: Any, ruleset: Any, facts: list[Any], fired: list[int]) -> None:
    try:
        host.assert_facts("bench", facts)
    except (engine.MessageNotHandledException, engine.MessageObservedException):
        pass  # some payment meets no rule; the others are stored all the same
    before = -1
    while before != fired[0]:
        before = fired[0]
        ruleset.dispatch()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
