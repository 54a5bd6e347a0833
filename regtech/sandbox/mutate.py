"""Do the tests in the packs notice when a rule is a little different?

A rule's mutants stand side by side in one plan, each under an id of its own, and judge the rule's
tests in one pass: the events are decoded once, equal parts are compiled once. A mutant is noticed
when a test that passes on the rule fails on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

from regtech.content.faults import Mark
from regtech.engine.asking import waits_for
from regtech.errors import ContentError
from regtech.ports.detection import Detectors
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack, Rule, RuleTest
from regtech.sandbox.mutants import Mutant, mutants_of
from regtech.sandbox.ruletest import Bench, Outcome, bench_of
from regtech.sandbox.variations import Change

BATCH: Final = 64
"""So many mutants stand in one plan."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change that no test noticed, and the test that would be nearest to noticing it."""

    pack: str
    rule: str
    mark: Mark
    before: str
    after: str
    nearest: RuleTest | None

    def __str__(self) -> str:
        line = f"{self.mark}: {self.rule}: {self.before} → {self.after}"
        if self.nearest is None:
            return line
        return f"{line}\n    nearest test: {self.nearest.name} ({self.nearest.mark})"

    def as_data(self) -> dict[str, Any]:
        """For machines."""
        nearest = self.nearest
        return {
            "pack": self.pack,
            "rule": self.rule,
            "place": str(self.mark),
            "before": self.before,
            "after": self.after,
            "nearest": None
            if nearest is None
            else {"test": nearest.name, "place": str(nearest.mark)},
        }


@dataclass
class MutationReport:
    """``tried`` mutants, of which ``noticed`` made a test fail; ``unfit`` do not compile."""

    tried: int = 0
    noticed: int = 0
    unfit: int = 0
    survivors: list[Survivor] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    """Rules whose tests fail unchanged: they are not mutated."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Rules that are not mutated, and why: disabled, or waiting for a detector."""


def mutate_packs(
    packs: Sequence[Pack],
    reference: Reference,
    only: Sequence[str] | None = None,
    advance: Callable[[int, str], None] | None = None,
    detectors: Detectors = (),
) -> MutationReport:
    """Mutate every rule that is run (``only``: rule ids; ``detectors``: who answers them).

    ``advance`` is called after each rule with 1 and the rule's id.
    """
    report = MutationReport()
    for pack in packs:
        shared: dict[tuple[Mark, str, str], list[Survivor]] = {}
        noticed: set[tuple[Mark, str, str]] = set()
        for rule in pack.rules:
            if only is not None and rule.id not in only:
                continue
            if rule.status == "disabled":
                report.skipped[rule.id] = "disabled"
            elif (detector := waits_for(rule, detectors)) is not None:
                report.skipped[rule.id] = f"waits for the detector {detector}"
            else:
                _mutate_rule(rule, pack, reference, detectors, report, shared, noticed)
            if advance is not None:
                advance(1, rule.id)
        for place, survivors in shared.items():
            report.tried += 1
            if place in noticed:
                report.noticed += 1
            else:
                report.survivors.append(survivors[0])
    report.survivors.sort(key=lambda s: (s.mark.file, s.mark.line, s.mark.column))
    return report


def _mutate_rule(
    rule: Rule,
    pack: Pack,
    reference: Reference,
    detectors: Detectors,
    report: MutationReport,
    shared: dict[tuple[Mark, str, str], list[Survivor]],
    noticed: set[tuple[Mark, str, str]],
) -> None:
    bench = bench_of([rule], reference.profile(pack.jurisdiction))
    unchanged = Mutant(rule, pack, Change(rule.mark, "", ""))
    if _judge([unchanged], bench, pack, reference, detectors) != [True]:
        report.failing.append(rule.id)
        return
    mutants = list(mutants_of(rule, pack, reference.currencies))
    for at in range(0, len(mutants), BATCH):
        part = mutants[at : at + BATCH]
        for mutant, passes in zip(
            part, _judge(part, bench, pack, reference, detectors), strict=True
        ):
            if passes is None:
                report.unfit += 1
                continue
            change, place = mutant.change, mutant.place
            survivor = Survivor(
                pack.id, rule.id, change.mark, change.before, change.after, _nearest(mutant)
            )
            if place is not None:
                shared.setdefault(place, []).append(survivor)
                if not passes:
                    noticed.add(place)
                continue
            report.tried += 1
            if passes:
                report.survivors.append(survivor)
            else:
                report.noticed += 1


def _judge(
    mutants: Sequence[Mutant],
    bench: Bench,
    pack: Pack,
    reference: Reference,
    detectors: Detectors,
) -> list[bool | None]:
    """For each mutant whether all tests still pass; None where it cannot be compiled."""
    alone = [_alone(mutant, pack, k) for k, mutant in enumerate(mutants)]
    yielded = {name for mutant in mutants for name in mutant.rule.yields_to}
    others = tuple(rule for rule in pack.rules if rule.id in yielded)
    try:
        outcome = bench.judge([*alone, replace(pack, rules=others)], reference, detectors)
    except ContentError:
        if len(mutants) == 1:
            return [None]
        half = len(mutants) // 2
        return [
            *_judge(mutants[:half], bench, pack, reference, detectors),
            *_judge(mutants[half:], bench, pack, reference, detectors),
        ]
    return [_passes(bench, outcome, k) for k in range(len(mutants))]


def _name(rule: Rule, k: int) -> str:
    return f"{rule.id}/{k}"


def _alone(mutant: Mutant, pack: Pack, k: int) -> Pack:
    """A pack with nothing but the mutant, under an id of its own."""
    rule = replace(mutant.rule, id=_name(mutant.rule, k))
    return replace(mutant.pack, id=f"{pack.id}/{k}", rules=(rule,))


def _passes(bench: Bench, outcome: Outcome, k: int) -> bool:
    return not any(
        outcome.problems(case, outcome.found(case, _name(case.rule, k))) for case in bench.cases
    )


def _nearest(mutant: Mutant) -> RuleTest | None:
    """The test to start from: with the number nearest to the changed one, else a met one."""
    tests = mutant.rule.tests
    figure = _numbers(mutant.change.before)
    if figure:

        def distance(test: RuleTest) -> Fraction:
            near = [abs(number - figure[-1]) for number in _numbers(_data_text(test))]
            return min(near, default=abs(figure[-1]) + 1)

        return min(tests, key=distance, default=None)
    return next((test for test in tests if test.expect), tests[0] if tests else None)


def _data_text(test: RuleTest) -> str:
    return f"{[*test.events]} {[{k: str(v) for k, v in alert.items()} for alert in test.expect]}"


def _numbers(text: str) -> list[Fraction]:
    import re

    found = re.findall(r"(?<![\w-])[0-9][0-9,]*(?:\.[0-9]+)?(?![\w:-])", text)
    return [Fraction(number.replace(",", "")) for number in found if number.strip(",")]
