"""Drafts of rulepacks for the rule editor: checked here, their tests run in a process beside.

A draft comes from a browser. It is data, bounded in size, and nothing of it is kept; its tests run
in a process with a bound of time and memory (``regtech.app.trials``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from casework.service.outside import Draft, FailedTest, RuleForm, Trial
from regtech.app.rulebook import DRAFT, Rules
from regtech.app.ruleforms import rule_form, rules_in
from regtech.app.ruleparts import added, taken_away
from regtech.app.trials import READY_S, Bench
from regtech.content.editing import edited
from regtech.content.faults import Fault, meant
from regtech.content.saying import as_data, from_data, say
from regtech.errors import ContentError, InputError
from regtech.rulelang.ir import Pack
from regtech.rulelang.lock import version_order
from regtech.rulelang.new import new_pack
from regtech.rulelang.packs import load_text
from regtech.rulelang.schema import pack_schema

DRAFT_MAX: Final = 300_000
"""Bytes of a draft in UTF-8, more than twice the longest pack that ships. As a form it has up to
three times as many, still fewer than the body of a request may have."""
TRIAL_S: Final = 20.0
"""Seconds that the tests of a draft may take."""
FAILED_MAX: Final = 100
PROBLEMS_MAX: Final = 20
WORDS_MAX: Final = 1_000
"""What is told of failed tests: so many, so many problems of each, so many signs of a problem."""


def start_text() -> str:
    """A pack to begin from, without errors, whose tests pass."""
    return new_pack("new-pack", "INTL", "new-rule", "USD")


class Drafts:
    """``casework.service.outside.RuleDrafts``. ``seconds``, ``ready_s``: see ``Bench``."""

    def __init__(self, book: Rules, seconds: float = TRIAL_S, ready_s: float = READY_S) -> None:
        self._book = book
        self._bench = Bench(seconds, ready_s)

    def start(self) -> str:
        return start_text()

    def schema(self) -> Mapping[str, Any]:
        return pack_schema()

    def check(self, text: str) -> tuple[Draft | None, Sequence[Mapping[str, Any]]]:
        pack, faults = self._read(text)
        shown = [fault.as_data() for fault in faults]
        for fault, found in zip(shown, faults, strict=True):
            del fault["file"]
            word = meant(found.hint)
            if word:
                fault["replacement"] = word
        return (None if pack is None else self._said(pack)), shown

    def _said(self, pack: Pack) -> Draft:
        used = self._book.in_use(pack.id)
        before = {} if used is None else {rule.id: rule.digest for rule in used.rules}
        after = {rule.id: rule.digest for rule in pack.rules}
        return Draft(
            pack=pack.id,
            version=pack.version,
            jurisdiction=pack.jurisdiction,
            digest=pack.digest,
            rules=len(pack.rules),
            in_use="" if used is None else used.version,
            same=used is not None and used.digest == pack.digest,
            newer=used is None or version_order(pack.version) > version_order(used.version),
            added=tuple(sorted(after.keys() - before.keys())),
            changed=tuple(sorted(n for n in after.keys() & before.keys() if after[n] != before[n])),
            removed=tuple(sorted(before.keys() - after.keys())),
        )

    def _read(self, text: str) -> tuple[Pack | None, list[Fault]]:
        return self._book.read(self._bounded(text))

    def _bounded(self, text: str) -> str:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > DRAFT_MAX:
            raise InputError(
                say(
                    "a draft has at most %(draft_max)s bytes, this one has %(size)s",
                    draft_max=DRAFT_MAX,
                    size=size,
                ),
                hint=say("a pack can be split in two"),
            )
        return text

    def rules_in(self, text: str) -> Sequence[str]:
        return rules_in(self._bounded(text))

    def form(self, text: str, rule: str) -> RuleForm:
        return rule_form(self._bounded(text), rule)

    def edited(self, text: str, values: Mapping[str, str]) -> str:
        return edited(self._bounded(text), values)

    def added(self, text: str, kind: str, path: str, given: Mapping[str, str]) -> str:
        return added(self._bounded(text), kind, path, given)

    def taken_away(self, text: str, path: str, *, goes_on: bool) -> str:
        return taken_away(self._bounded(text), path, goes_on=goes_on)

    def run_tests(self, text: str) -> Trial:
        _, faults = self._read(text)
        errors = [fault for fault in faults if fault.severity == "error"]
        if errors:
            raise ContentError(say("errors in the draft: %(errors)s", errors=len(errors)), errors)
        return _trial(self._bench.run(text))

    def make_ready(self) -> None:
        self._bench.make_ready()

    def close(self) -> None:
        """Let go of the process that runs tests."""
        self._bench.close()


def _trial(found: Mapping[str, Any]) -> Trial:
    failed = [
        FailedTest(one["rule"], one["name"], one["line"], tuple(map(from_data, one["problems"])))
        for one in found["failed"]
    ]
    return Trial(found["tests"], tuple(failed), found["waiting"])


def tried(text: str) -> dict[str, Any]:
    """What the tests of a pack bring, as data; what the process beside writes."""
    from regtech.app.detection import shipped_detectors
    from regtech.reference.load import Reference
    from regtech.sandbox.ruletest import run_tests

    pack, _ = load_text(text, DRAFT)
    packs = [] if pack is None else [pack]
    report = run_tests(packs, Reference.shipped(), None, shipped_detectors(trial=True))
    failed = [
        {
            "rule": one.rule,
            "name": one.test.name[:WORDS_MAX],
            "line": one.test.mark.line,
            "problems": [_short(problem) for problem in one.problems[:PROBLEMS_MAX]],
        }
        for one in report.failed[:FAILED_MAX]
    ]
    return {"tests": len(report.results), "failed": failed, "waiting": report.waiting}


def _short(problem: str) -> Any:
    return as_data(problem if len(problem) <= WORDS_MAX else problem[:WORDS_MAX])
