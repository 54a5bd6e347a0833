"""What a rule author waits for: lint of all packs, all rule tests, the mutation run.

    python benchmarks/content.py [--mutate]

Each is the whole command, start of Python included, with kernels already compiled.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.common import arguments, one_core, regtech, run_child, told

COMMANDS = {"help": ("--help",), "lint": ("rules", "lint"), "test": ("rules", "test")}
MUTATE = {"mutate": ("rules", "test", "--mutate")}


def main() -> None:
    """Run, print."""
    parser = arguments("lint, rule tests and mutation run of all packs", 0)
    parser.add_argument("--mutate", action="store_true", help="also the mutation run: minutes")
    parser.add_argument("--cores", action="store_true", help="do not bind to one core")
    given = parser.parse_args()
    one_core(None if given.cores else given.core)
    found: dict[str, Any] = {}
    for name, words in {**COMMANDS, **(MUTATE if given.mutate else {})}.items():
        repeats = 1 if name == "mutate" else given.repeats
        run_child(regtech(*words[: 1 if name == "mutate" else None], "--help"))
        runs = [run_child(regtech(*words, *_machine(name))) for _ in range(repeats)]
        text, cost = min(runs, key=lambda run: run[1].cpu)
        found[name] = {"wall": cost.wall, "cpu": cost.cpu, "peak_mib": cost.peak_mib}
        said = _said(text) if name != "help" else ""
        if not given.json:
            print(f"{name:7} {cost.wall:7.2f} s wall {cost.cpu:7.2f} s CPU  {said}")
    told({"benchmark": "content", **found}, given.json)


def _machine(name: str) -> tuple[str, ...]:
    return () if name == "help" else ("--json",)


def _said(text: str) -> str:
    document = json.loads(text)
    flat = {k: v for k, v in document.items() if isinstance(v, int | str)}
    lists = {k: len(v) for k, v in document.items() if isinstance(v, list)}
    return ", ".join(f"{k} {v}" for k, v in {**flat, **lists}.items())


if __name__ == "__main__":
    main()
