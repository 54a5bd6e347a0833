"""Ten times the rules: once so that none of the added ones can apply, once so that all of them do.

    python benchmarks/scaling.py [--events N]

Every pack is cloned nine times.

- *apart*: the clones belong to jurisdictions whose countries occur in no event.
- *same*: the clones stand in the same jurisdictions, word for word. Measures are shared, so what
  is added is the conditions, and ten times the alerts with their evidence.
- *unshared*: as *same*, but the ``where`` of every clone says one thing more that is always true,
  in other words in each clone, so that no filter of a rule and no measure under it can be shared.

Times are CPU seconds of judging (decoding included, packs already compiled), best of the repeats.
The rates of growth are against the packs as they are.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.common import arguments, folder, one_core, simulated, told
from regtech.rulelang.ir import Call, Compare, Const, Logic, Pack, Rule, Type

CLONES = 9
NOWHERE = ("AQ", "BV", "TF", "HM", "UM", "GS", "IO", "PN", "CC")


def clone(pack: Pack, number: int, jurisdiction: str | None, unshared: bool) -> Pack:
    """A pack under other names, in a jurisdiction of its own where one is given."""
    mark = f"-x{number}"
    rules = [_renamed(rule, mark) for rule in pack.rules]
    if unshared:
        rules = [_unshared(rule, number) for rule in rules]
    where = jurisdiction or pack.jurisdiction
    return replace(pack, id=pack.id + mark, jurisdiction=where, rules=tuple(rules))


def _renamed(rule: Rule, mark: str) -> Rule:
    yields = tuple(name + mark for name in rule.yields_to)
    return replace(rule, id=rule.id + mark, yields_to=yields)


def _unshared(rule: Rule, number: int) -> Rule:
    whole = Type("int")
    always = Compare("<", Call("hour", (), whole), Const(23 + number, whole))
    where = always if rule.where is None else Logic("and", (rule.where, always))
    return replace(rule, where=where)


def measure(
    packs: Sequence[Pack], reference: Any, data: Sequence[bytes], repeats: int
) -> dict[str, Any]:
    """CPU seconds and what was compiled and found."""
    from regtech.engine.engine import Engine
    from regtech.engine.plan import compile_plan
    from regtech.sandbox.harness import decoder_of

    start = process_time()
    plan = compile_plan(packs, reference)
    compiling = process_time() - start
    best, alerts, eras = float("inf"), 0, 0.0
    for _ in range(repeats):
        plan = compile_plan(packs, reference)
        engine, decoder = Engine(plan), decoder_of(plan)
        building = _clock_eras(engine.judge)
        gc.collect()
        start, found, place = process_time(), 0, 1
        for piece in data:
            made, _, _ = decoder.decode(piece, place)
            found += len([alert.canonical() for alert in engine.push(made)])
            place += made.count
        found += len(engine.finish())
        spent = process_time() - start - building[0]
        if spent < best:
            best, alerts, eras = spent, found, building[0]
    return {
        "rules": len(plan.rules),
        "measures": len(plan.measures),
        "compile_cpu": compiling,
        "eras_cpu": eras,
        "judge_cpu": best,
        "alerts": alerts,
    }


def _clock_eras(judge: Any) -> list[float]:
    """CPU seconds for lowering the rules in force on a day, which is done once a change of law."""
    spent, plain = [0.0], judge._enter_era

    def timed(at: int) -> Any:
        start = process_time()
        try:
            return plain(at)
        finally:
            spent[0] += process_time() - start

    judge._enter_era = timed
    return spent


def main() -> None:
    """Clone, judge, print."""
    parser = arguments("time against the number of rules", 100_000)
    given = parser.parse_args()
    one_core(given.core)
    from regtech.app.choice import chosen_packs
    from regtech.reference.load import Reference

    packs, reference = chosen_packs(()), Reference.shipped()
    model = reference.profiles["SG"]
    for number, country in enumerate(NOWHERE, 1):
        name = f"NOWHERE{number}"
        reference.profiles[name] = replace(model, id=name, countries=frozenset({country}))
    numbers = range(1, CLONES + 1)
    sets = {
        "as they are": packs,
        "10x apart": packs + [clone(p, k, f"NOWHERE{k}", False) for k in numbers for p in packs],
        "10x same": packs + [clone(p, k, None, False) for k in numbers for p in packs],
        "10x unshared": packs + [clone(p, k, None, True) for k in numbers for p in packs],
    }
    found: dict[str, Any] = {}
    with folder(given.folder) as where:
        data = _pieces(simulated(where, given.events))
        for name, chosen in sets.items():
            made = measure(chosen, reference, data, given.repeats)
            first = found.setdefault("as they are", made)
            made["ratio"] = made["judge_cpu"] / first["judge_cpu"]
            found[name] = made
            if not given.json:
                print(
                    f"{name:12} {made['rules']:5} rules {made['measures']:5} measures  "
                    f"judge {made['judge_cpu']:7.2f} s CPU = {made['ratio']:5.2f} x   "
                    f"compile {made['compile_cpu']:6.2f} s, eras {made['eras_cpu']:6.2f} s, "
                    f"{made['alerts']:,} alerts"
                )
    told({"benchmark": "scaling", "events": given.events, "sets": found}, given.json)


def _pieces(path: Path, size: int = 16384) -> list[bytes]:
    lines = path.read_bytes().splitlines(keepends=True)
    return [b"".join(lines[k : k + size]) for k in range(0, len(lines), size)]


if __name__ == "__main__":
    main()
