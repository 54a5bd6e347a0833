"""Ownership: how long one change takes to be seen, and how long all owners of one company take.

``python benchmarks/ownership.py`` builds a register of 100,000 companies and 200,000 interests,
with groups in layers, rings of cross-holdings and ranges, and asks for the owners of random
companies at 25 %. Shapes: ``groups`` as registers have them, ``woven`` where two of three owners
are companies (hundreds of companies behind one), ``hub`` with a company of 20,000 shareholders.
networkx enumerates simple paths on the same register for the same companies, in the same process
(naive: products of shares in floating point, no rings, no ranges, no control).
"""

from __future__ import annotations

import gc
import json
import random
import statistics
from collections.abc import Callable
from fractions import Fraction
from time import process_time
from typing import Any, Final

from benchmarks.common import SEED, arguments, machine, one_core
from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.terms import WHOLE, Moment

QUARTER: Final = Fraction(1, 4)
AT: Final = Moment.of(10**12)
PATHS_MAX: Final = 100_000
"""Paths after which the peer gives a company up."""

Holding = tuple[str, str, int, int]
"""Owner, owned, least and greatest share times ``WHOLE``."""


def register(companies: int, interests: int, shape: str) -> list[Holding]:
    """The holdings of a register."""
    draw = random.Random(SEED)
    found: list[Holding] = []
    company_owner = {"groups": 0.35, "woven": 0.67, "hub": 0.35}[shape]
    number = 0
    while len(found) < interests:
        owned = number % companies
        number += 1
        owners = draw.choice((1, 1, 2, 2, 2, 3, 4) if shape != "woven" else (2, 2, 2))
        parts = sorted(draw.sample(range(1, 100), owners))
        shares = [b - a for a, b in zip([0, *parts[:-1]], parts, strict=True)]
        if draw.random() < 0.8:
            shares[-1] += 100 - sum(shares)
        chosen: set[str] = set()
        for share in shares:
            if draw.random() < company_owner and owned:
                low = 0 if shape == "woven" else max(0, owned - 5000)
                owner = f"C{draw.randrange(low, owned)}"
                if draw.random() < 0.01:  # a cross-holding upwards
                    owner = f"C{min(companies - 1, owned + draw.randrange(1, 50))}"
            else:
                owner = f"P{draw.randrange(companies)}"
            if owner in chosen or owner == f"C{owned}":
                continue
            chosen.add(owner)
            low_share = share * WHOLE // 100
            high = low_share if draw.random() < 0.95 else min(WHOLE, low_share + WHOLE // 10)
            found.append((owner, f"C{owned}", low_share, high))
    if shape == "hub":
        found = [holding for holding in found[: interests - 20_000] if holding[1] != "C0"]
        found += [(f"P{k}", "C0", WHOLE // 20_000, WHOLE // 20_000) for k in range(20_000)]
    return found


def build(holdings: list[Holding]) -> tuple[OwnershipGraph, float]:
    """The graph, and seconds of taking it in."""
    graph = OwnershipGraph()
    began = process_time()
    for number, (owner, owned, low, high) in enumerate(holdings):
        graph.observe(
            owner,
            owned,
            time_us=number,
            share_min=low,
            share_max=high,
            owner_kind="person" if owner[0] == "P" else "entity",
            owned_kind="entity",
            ref="B",
        )
    return graph, process_time() - began


def quantiles(times: list[float]) -> dict[str, float]:
    """Milliseconds of CPU time: middle, 99th percentile, greatest."""
    ordered = sorted(times)
    return {
        "p50": round(1e3 * statistics.median(ordered), 3),
        "p99": round(1e3 * ordered[int(len(ordered) * 0.99)], 3),
        "max": round(1e3 * ordered[-1], 3),
    }


def timed(calls: list[Callable[[], Any]]) -> list[float]:
    """Seconds of CPU time of each call."""
    found = []
    for call in calls:
        began = process_time()
        call()
        found.append(process_time() - began)
    return found


def ours(holdings: list[Holding], asked: list[str]) -> dict[str, Any]:
    """The figures of this engine."""
    graph, seconds = build(holdings)
    gc.freeze()  # as the commands do: collecting looks at all objects, a fifth of a second long
    draw = random.Random(SEED + 2)
    cold = timed([lambda c=c: graph.beneficial_owners(c, AT, QUARTER) for c in asked])
    warm = timed([lambda c=c: graph.beneficial_owners(c, AT, QUARTER) for c in asked])
    pairs = [(h[0], h[1]) for h in draw.sample(holdings, 2000)]
    shares = timed([lambda p=p: graph.owner_share(p[0], p[1], AT) for p in pairs])

    def change(number: int) -> None:
        owner, owned, low, _ = holdings[number]
        graph.observe(owner, owned, time_us=10**9 + number, share=low // 2)
        seen = graph.owner_share(owner, owned, AT)
        assert seen.low >= Fraction(low // 2, WHOLE) * 0

    changes = timed([lambda n=n: change(n) for n in draw.sample(range(len(holdings)), 2000)])
    return {
        "events_per_second": round(len(holdings) / seconds),
        "owners_first_ms": quantiles(cold),
        "owners_again_ms": quantiles(warm),
        "owner_share_ms": quantiles(shares),
        "change_seen_ms": quantiles(changes),
    }


def peer(holdings: list[Holding], asked: list[str]) -> dict[str, Any]:
    """networkx: every simple path from the company to each person behind it."""
    import networkx as nx

    digraph = nx.DiGraph()
    began = process_time()
    for owner, owned, low, _ in holdings:
        digraph.add_edge(owned, owner, share=low / WHOLE)
    built = process_time() - began
    given_up = 0

    def owners(company: str) -> None:
        nonlocal given_up
        if company not in digraph:
            return
        above = nx.descendants(digraph, company)
        people = [node for node in above if digraph.out_degree(node) == 0]
        part = digraph.subgraph({company, *above})
        total: dict[str, float] = {}
        seen = 0
        for path in nx.all_simple_paths(part, company, people):
            seen += 1
            if seen > PATHS_MAX:
                given_up += 1
                return
            share = 1.0
            for one, other in zip(path, path[1:], strict=False):
                share *= part[one][other]["share"]
            total[path[-1]] = total.get(path[-1], 0.0) + share

    times = timed([lambda c=c: owners(c) for c in asked])
    return {
        "events_per_second": round(len(holdings) / built),
        "owners_ms": quantiles(times),
        "given_up": given_up,
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "", 200_000)
    parser.add_argument("--companies", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=1000)
    parser.add_argument("--peer-asked", type=int, default=200)
    parser.add_argument("--shapes", default="groups,woven,hub")
    given = parser.parse_args()
    one_core(given.core)
    found: dict[str, Any] = {}
    for shape in given.shapes.split(","):
        holdings = register(given.companies, given.events, shape)
        draw = random.Random(SEED + 1)
        asked = [f"C{draw.randrange(given.companies)}" for _ in range(given.asked)]
        if shape == "hub":
            asked = ["C0"] * 20
        known = {owned for _, owned, _, _ in holdings}
        asked = [company for company in asked if company in known]
        found[shape] = {"interests": len(holdings), "ours": ours(holdings, asked)}
        if given.peer_asked:
            found[shape]["networkx"] = peer(holdings, asked[: given.peer_asked])
        if not given.json:
            print(shape, json.dumps(found[shape], indent=1), flush=True)
    found["machine"] = machine()
    print(json.dumps(found if given.json else found["machine"]))


if __name__ == "__main__":
    main()
