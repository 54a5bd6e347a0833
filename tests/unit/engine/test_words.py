"""Every word of a program has its code before there are events."""

from __future__ import annotations

from regtech.app.choice import chosen_packs
from regtech.app.detection import shipped_detectors
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.plan import compile_plan, eras
from regtech.engine.program import Builder, Workshop
from regtech.engine.state import State
from regtech.engine.words import settle_words
from regtech.reference.load import Reference


def test_programs_of_all_packs_name_no_other_words() -> None:
    words = Vocabulary()
    detectors = shipped_detectors(trial=True)
    plan = compile_plan(chosen_packs(()), Reference.shipped(), words, detectors=detectors)
    State(plan)
    before = len(words)
    settle_words(plan)
    known = len(words)
    assert known > before + 50
    workshop, cuts = Workshop(), [int(cut) for cut in eras(plan)]
    for start, end in list(zip(cuts, cuts[1:], strict=False))[::8]:
        Builder(plan, workshop, start, end).build()
    assert len(words) == known
