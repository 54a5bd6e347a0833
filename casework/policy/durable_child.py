"""The child process in which durable_rules runs: one request a line in, one answer a line out.

Run by path, alone, with the interpreter's isolated mode: it knows nothing of the product, keeps no
state between requests, and may die at any moment (see ``docs/decisions/0009-policy-matching.md``
for what the engine was found to do). Requests and answers are JSON:

* ``{"shapes": [[width, within], …], "jobs": [[shape, [time, …], [flags, …]], …], "cap": n}``
* ``{"matches": [[job, [place, …]], …]}`` or ``{"error": "…"}``

The first line out is ``{"ready": true}``, or ``{"unavailable": "…"}`` where the engine cannot be
imported.
"""

from __future__ import annotations

import json
import sys
from typing import Any

MEMORY_MAX = 4 << 30
CPU_SECONDS_MAX = 600
"""A child that hangs after its parent died ends all the same."""


def limit() -> None:
    """No core files, no unbounded memory or time; where the system has no such limits, none."""
    try:
        import resource
    except ImportError:
        return
    for name, most in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_AS", MEMORY_MAX),
        ("RLIMIT_CPU", CPU_SECONDS_MAX),
    ):
        try:
            resource.setrlimit(getattr(resource, name), (most, most))
        except (AttributeError, ValueError, OSError):
            continue


def rules_of(shapes: list[list[int]], found: list[Any]) -> dict[str, Any]:
    """One rule for each shape. Flat ``$and`` only; the sentinel ``one`` ends every joined pattern:
    without it the engine reads past its own program when the last condition is false."""
    rules: dict[str, Any] = {}
    for number, (width, within) in enumerate(shapes):
        patterns: list[dict[str, Any]] = []
        names = [f"a{i}" for i in range(width)]
        for i, name in enumerate(names):
            flag = {f"s{number}_{i}": 1}
            if i == 0:
                patterns.append({name: flag})
                continue
            conditions: list[dict[str, Any]] = [flag, {"job": {names[0]: "job"}}]
            for earlier in names[:i]:
                time = {"$l": {earlier: "t"}, "$r": within}
                conditions += [{"$lte": {"t": {"$add": time}}}, {"$gte": {"t": {"$sub": time}}}]
            conditions.append({"one": {names[0]: "one"}})
            patterns.append({name: {"$and": conditions}})
        rules[f"r{number}"] = {"all": patterns, "run": _recorder(names, found)}
    return rules


def _recorder(names: list[str], found: list[Any]) -> Any:
    """An action that only notes: the engine swallows what it raises, so errors are noted too."""

    def record(context: Any) -> None:
        try:
            members = [context._m[name] for name in names]
            found.append((members[0]["job"], [int(member["id"]) for member in members]))
        except BaseException as error:
            found.append(error)

    return record


class Engine:
    """One host; a ruleset for each set of shapes; a fresh state for each request."""

    def __init__(self) -> None:
        from durable import engine

        class QuietHost(engine.Host):  # type: ignore[misc]  # the library has no types
            """The stock host starts timer threads, which fire actions of their own accord."""

            def _run(self) -> None:
                return None

        self.ignored = (engine.MessageNotHandledException, engine.MessageObservedException)
        self.host = QuietHost()
        self.rulesets: dict[str, tuple[str, list[Any]]] = {}
        self.states = 0

    def match(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        shapes, jobs, cap = request["shapes"], request["jobs"], request["cap"]
        signature = json.dumps(shapes)
        if signature not in self.rulesets:
            noted: list[Any] = []
            name = f"n{len(self.rulesets)}"
            self.host.set_rulesets({name: rules_of(shapes, noted)})
            self.rulesets[signature] = (name, noted)
        name, found = self.rulesets[signature]
        found.clear()
        self.states += 1
        facts, places = self._facts(jobs)
        try:
            self.host.assert_facts(name, facts)
        except self.ignored:
            pass  # the facts are in all the same; what they fire comes with the next dispatch
        ruleset = self.host.get_ruleset(name)
        before = -1
        while before != len(found):
            before = len(found)
            ruleset.dispatch()
            if before > cap:
                return {"error": f"more than {cap} matches"}
        matches = []
        for item in found:
            if isinstance(item, BaseException):
                return {"error": f"an action failed: {type(item).__name__}"}
            job, ids = item
            matches.append([job, [places[number] for number in ids]])
        return {"matches": matches}

    def _facts(self, jobs: list[Any]) -> tuple[list[dict[str, Any]], list[int]]:
        """Facts with ids ``0``, ``1``, … : the engine compares only 32-bit hashes of ids, and these
        have no collision below 797,186."""
        facts: list[dict[str, Any]] = []
        places: list[int] = []
        for number, (shape, times, flags) in enumerate(jobs):
            for place, (time, flag) in enumerate(zip(times, flags, strict=True)):
                fact: dict[str, Any] = {
                    "id": str(len(facts)),
                    "sid": str(self.states),
                    "one": 1,
                    "job": number,
                    "t": time,
                }
                for i in range(flag.bit_length()):
                    if flag >> i & 1:
                        fact[f"s{shape}_{i}"] = 1
                facts.append(fact)
                places.append(place)
        return facts, places


def main() -> None:
    """Answers requests until standard input ends."""
    limit()
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever the engine prints is no answer

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value, separators=(",", ":")) + "\n")
        answers.flush()

    try:
        engine = Engine()
    except BaseException as error:
        answer({"unavailable": f"{type(error).__name__}: {error}"})
        return
    answer({"ready": True})
    for line in sys.stdin:
        try:
            found = engine.match(json.loads(line))
        except BaseException as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        answer(found)


if __name__ == "__main__":
    main()
