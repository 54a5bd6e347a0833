"""Alerts through policies: both matchers, the reducer alone, and the record fed in batches.

    python benchmarks/policy.py [--events 100000] [--batch 1000]

Alerts are synthetic: subjects, groups and counterparties with a skew, over 90 days, of real rules,
with the policies that ship. `joins` feeds the matchers alone, with jobs of 2 to 12 alerts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

from benchmarks.common import SEED, arguments, machine, one_core, told
from casework.cases.facts import AlertFacts, facts_of
from casework.policy.clocks import Clocks
from casework.policy.durable import DurableMatcher
from casework.policy.gather import decide
from casework.policy.load import require_policies
from casework.policy.matcher import Job, Matcher, PythonMatcher
from casework.policy.planner import Planner
from casework.policy.reader import MemoryAlerts
from casework.policy.testcases import written_alert
from regtech.reference.load import Reference

RULES = (
    ("cn-lvtr-0501", "cn-aml-large-value", "report", True),
    ("cn-lvtr-0503", "cn-aml-large-value", "report", True),
    ("ty-fan-in", "intl-typologies", "indicator", False),
    ("ty-mule", "intl-typologies", "indicator", False),
    ("cn-xb-sa-1m", "cn-data-export", "breach", False),
    ("cn-pipl-39-consent", "cn-data-protection", "breach", False),
    ("cn-lex-10-loans", "cn-large-exposures", "limit", False),
)
DAYS = 90
START = 1_767_225_600


def written(number: int, rng: Random) -> dict[str, Any]:
    """One alert in the form of the engine; a fifth are near misses, a fifth have a group."""
    from casework.cases.times import time_text

    rule, pack, kind, can_be_near = RULES[min(len(RULES) - 1, int(rng.expovariate(0.5)))]
    customer = int(50_000 * rng.random() ** 3)  # a tenth of the customers has half of the alerts
    short: dict[str, Any] = {
        "id": f"{number:032x}",
        "time": time_text((START + rng.randrange(DAYS * 86_400)) * 1_000_000),
        "rule": rule,
        "pack": pack,
        "kind": kind,
        "severity": rng.choice(("critical", "high", "medium", "low")),
        "subject": f"C{customer}",
        "institution": f"B{customer % 200}",
    }
    if can_be_near and rng.random() < 0.3:
        short["near"] = True
    if rng.random() < 0.2:
        short["group"] = f"G{rng.randrange(4_000)}"
    if rng.random() < 0.2:
        short["counterparty"] = f"P{rng.randrange(5_000)}"
    if kind == "report" and rng.random() < 0.5:
        short["due"] = f"2026-04-{rng.randrange(1, 30):02d}"
    return written_alert(short)


def jobs(number: int, rng: Random) -> list[Job]:
    """Jobs for the matchers alone."""
    found = []
    for _ in range(number):
        size = rng.randrange(2, 13)
        times = tuple(sorted(rng.randrange(30 * 86_400) * 1_000_000 for _ in range(size)))
        flags = tuple(rng.choice((1, 2)) for _ in range(size))
        found.append(Job(2, 7 * 86_400_000_000, times, flags))
    return found


def timed(what: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, seconds of wall time, seconds of processor time of this process (no child's)."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = what()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Run, print."""
    parser = arguments("alerts through policies", 100_000)
    parser.add_argument("--batch", type=int, default=1_000, help="alerts a batch; default 1000")
    given = parser.parse_args()
    one_core(None)
    rng = Random(SEED)
    documents = [written(number, rng) for number in range(given.events)]
    some = jobs(given.events // 7, rng)
    policies = require_policies()
    clocks = Clocks(Reference.shipped())
    found: dict[str, Any] = {"benchmark": "policy", "alerts": given.events, "machine": machine()}

    def note(name: str, count: int, wall: float, cpu: float, said: str = "") -> None:
        found[name] = {"alerts_per_s": round(count / wall), "wall": wall, "cpu": cpu}
        if not given.json:
            rate = f"{count / wall:9,.0f} alerts/s, {count / cpu:9,.0f} by CPU time"
            print(f"{name:19} {rate} {wall:6.2f} s wall {cpu:6.2f} s CPU  {said}")

    alerts, wall, cpu = timed(lambda: [facts_of(document) for document in documents])
    note("facts", len(alerts), wall, cpu)
    number = sum(len(job.times) for job in some)
    matchers: dict[str, Matcher] = {"python": PythonMatcher(), "durable": DurableMatcher()}
    answers = {}
    for name, matcher in matchers.items():
        matcher.match(some[:10])  # a child is started once, not with every call
        answers[name], wall, cpu = timed(lambda m=matcher: m.match(some))
        note(f"joins {name}", number, wall, cpu, f"{sum(map(len, answers[name])):,} matches")
    assert answers["python"] == answers["durable"]
    plans = {}
    for name, matcher in matchers.items():
        planner = Planner(policies, matcher, clocks)
        ready, wall, cpu = timed(lambda p=planner: [p.ready(f) for f in alerts])
        reader = MemoryAlerts(ready, watched=100_000)
        as_of = max(facts.time for facts in alerts)
        plans[name], wall, cpu = timed(
            lambda p=planner, r=reader, t=as_of: decide(p, r, r.all(), t)
        )
        said = f"{len(plans[name].cases):,} cases, {len(plans[name].aside):,} aside"
        note(f"all at once {name}", len(alerts), wall, cpu, said)
    assert plans["python"] == plans["durable"]
    ordered = sorted(ready, key=lambda facts: facts.order)
    for name, matcher in matchers.items():
        planner = Planner(policies, matcher, clocks)
        again, wall, cpu = timed(lambda p=planner: fed(p, ordered, given.batch))
        said = f"of {given.batch:,}; {again / len(alerts):.1f} alerts decided for each that came"
        note(f"in batches {name}", len(alerts), wall, cpu, said)
    for name, matcher in matchers.items():
        health = matcher.health()
        found[f"{name} health"] = f"{health.engine}, {health.failures} failures"
        matcher.close()
    told(found, given.json)


def fed(planner: Planner, alerts: list[AlertFacts], size: int) -> int:
    """The record fed batch by batch, all that a batch touches planned anew each time."""
    reader = MemoryAlerts(watched=100_000)
    planned = 0
    for start in range(0, len(alerts), size):
        batch = alerts[start : start + size]
        plan = decide(planner, reader, reader.add(batch), batch[-1].time)
        planned += len(plan.scope)
    return planned


if __name__ == "__main__":
    main()
